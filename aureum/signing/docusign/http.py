"""One call to DocuSign: a bounded time, bounded sizes, a failure as data, and no connection to anything but a public
address.

DocuSign names the server of an account in an answer, so that is checked like a URL that a customer chose: it must be
one of DocuSign's domains, and the address of every connection is judged as those of webhooks are.
"""

import socket
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from yarl import URL

from aureum.signing.docusign.account import Account, is_docusign, read_url, token_server
from aureum.signing.docusign.failures import Broken, Failed, of_answer, of_grant
from aureum.signing.docusign.grant import GRANT_TYPE, assertion
from aureum.signing.docusign.tokens import Token, Tokens
from aureum.webhooks.sending.addresses import is_allowed
from aureum.webhooks.sending.resolver import BlockedAddress, GuardedResolver

TIMEOUT = 30.0
"""Seconds for a call with a small answer. DocuSign renders and sends in them."""
TRANSFER_TIMEOUT = 300.0
"""For one that carries documents."""
CONNECT_TIMEOUT = 10.0
STALLED_SECONDS = 30.0

MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer in JSON. One about twenty recipients has fifty thousand."""

LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

API = "restapi/v2.1/accounts"


class Docusign:
    """Keeps connections; opened with ``async with``.

    *elsewhere*: a peer on the loopback address that plays DocuSign, in tests. *tokens* are those of the process, *wall*
    is its clock.
    """

    def __init__(
        self,
        elsewhere: str | None = None,
        tokens: Tokens | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.elsewhere = URL(elsewhere) if elsewhere else None
        self._networks = LOOPBACK if elsewhere else ()
        self._tls = tls
        self._timeout = timeout
        self._wall = wall
        self._tokens = tokens or Tokens()

    async def __aenter__(self) -> Self:
        self._resolver = GuardedResolver(self._networks)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._resolver,
                use_dns_cache=False,
                ssl=self._tls or ssl.create_default_context(),
                socket_factory=self._open_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Aureum"},
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._resolver.close()

    def _open_socket(self, address_info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = address_info
        if not is_allowed(str(address[0]), self._networks):
            raise BlockedAddress("DocuSign is not called at this address")
        return socket.socket(family, kind, protocol)

    async def token(self, account: Account) -> Token | Failed:
        """The account's token."""
        return await self._tokens.get(account, self._ask_token)

    async def _ask_token(self, account: Account) -> Token | Failed:
        """A new token, and which server the account is on."""
        server = token_server(account, self.elsewhere)
        try:
            claim = assertion(account, server, int(self._wall()))
        except (ValueError, TypeError):
            return Failed("credentials")
        form = {"grant_type": GRANT_TYPE, "assertion": claim}
        answer = await self._send("POST", server / "oauth/token", of_failure=of_grant, data=form)
        if isinstance(answer, Failed):
            return answer
        bearer, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(bearer, str) or not bearer.isascii() or not bearer.isprintable():
            return Failed("unreadable")
        if not isinstance(lasts, int) or not 0 < lasts <= 86_400:
            return Failed("unreadable")
        told = await self._send(
            "GET", server / "oauth/userinfo", of_failure=of_grant, headers={"Authorization": f"Bearer {bearer}"}
        )
        if isinstance(told, Failed):
            return told
        found = self._server_of(account, told)
        return found if isinstance(found, Failed) else Token(bearer, found, lasts)

    def _server_of(self, account: Account, told: Mapping[str, Any]) -> URL | Failed:
        accounts = told.get("accounts")
        if not isinstance(accounts, list) or not all(isinstance(one, dict) for one in accounts):
            return Failed("unreadable")
        for one in accounts:
            if str(one.get("account_id", "")).lower() == account.account_id:
                server = read_url(one.get("base_uri"))
                return server if server is not None and is_docusign(server, self.elsewhere) else Failed("unreadable")
        return Failed("credentials", code="account_not_found")

    async def ask(
        self,
        account: Account,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> dict[str, Any] | Failed:
        """The JSON object that DocuSign answers a call with. *path* stands below the account; what is in it has been
        checked. A token that DocuSign has ended early is asked for anew, once."""
        for last in (False, True):
            token = await self.token(account)
            if isinstance(token, Failed):
                return token
            body = orjson.dumps(json) if json is not None else data() if callable(data) else data
            said = {"Authorization": f"Bearer {token.bearer}", **(headers or {})}
            if json is not None:
                said["Content-Type"] = "application/json"
            answer = await self._send(
                method,
                self._address(token, account, path, query),
                of_failure=of_answer,
                headers=said,
                data=body,
                seconds=seconds,
            )
            if not (isinstance(answer, Failed) and answer.status == 401) or last:
                return answer
            self._tokens.forget(account)
        raise AssertionError("unreachable")

    def _address(self, token: Token, account: Account, path: str, query: Mapping[str, str] | None) -> URL:
        address = token.server / f"{API}/{account.account_id}"
        for part in filter(None, path.split("/")):
            address = address / part
        return address.with_query(query) if query else address

    async def _send(
        self,
        method: str,
        url: URL,
        *,
        of_failure: Callable[[int, bytes, str | None], Failed],
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        seconds: float | None = None,
    ) -> dict[str, Any] | Failed:
        limits = aiohttp.ClientTimeout(
            total=seconds or self._timeout, sock_connect=CONNECT_TIMEOUT, sock_read=seconds or self._timeout
        )
        try:
            async with self._session.request(
                method,
                url,
                headers={"Accept": "application/json", **(headers or {})},
                data=data,
                allow_redirects=False,
                timeout=limits,
            ) as answer:
                body = await read(answer, MAX_ANSWER)
                if body is None:
                    return Failed("unreadable", answer.status)
                if not 200 <= answer.status <= 299:
                    return of_failure(answer.status, body, answer.headers.get("Retry-After"))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return failure(error)
        return json_object(body)

    async def stream(
        self, account: Account, path: str, *, query: Mapping[str, str], media: str, limit: int
    ) -> AsyncGenerator[bytes]:
        """The bytes of a document of at most *limit* bytes, as they come. Raises Broken."""
        token = await self.token(account)
        if isinstance(token, Failed):
            raise Broken(token)
        limits = aiohttp.ClientTimeout(
            total=TRANSFER_TIMEOUT, sock_connect=CONNECT_TIMEOUT, sock_read=min(STALLED_SECONDS, self._timeout)
        )
        size = 0
        try:
            async with self._session.get(
                self._address(token, account, path, query),
                headers={"Accept": media, "Authorization": f"Bearer {token.bearer}"},
                allow_redirects=False,
                timeout=limits,
            ) as answer:
                if answer.status != 200:
                    body = await read(answer, MAX_ANSWER)
                    if answer.status == 401:
                        self._tokens.forget(account)
                    raise Broken(of_answer(answer.status, body or b"", answer.headers.get("Retry-After")))
                if answer.content_type != media:
                    raise Broken(Failed("unreadable", answer.status))
                async for chunk in answer.content.iter_any():
                    size += len(chunk)
                    if size > limit:
                        raise Broken(Failed("unreadable", code="document_too_large"))
                    yield chunk
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Broken(failure(error)) from None


async def read(answer: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """The answer's body; None if it is longer than *limit*."""
    received = bytearray()
    async for chunk in answer.content.iter_any():
        received += chunk
        if len(received) > limit:
            return None
    return bytes(received)


def json_object(body: bytes) -> dict[str, Any] | Failed:
    """*body* as a JSON object; an empty one is empty."""
    if not body.strip():
        return {}
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Failed("unreadable")
    return answer if isinstance(answer, dict) else Failed("unreadable")


def failure(error: Exception) -> Failed:
    """What went wrong before there was a whole answer."""
    if isinstance(error, TimeoutError):
        return Failed("timeout")
    if isinstance(error, (aiohttp.ClientPayloadError, aiohttp.ClientResponseError)):
        return Failed("unreadable")
    return Failed("unreachable")
