"""One attempt: a signed POST to a URL that a customer chose, over a connection that may turn out to be hostile.

No matter what the other side does, `Sender.send` returns a `SendResult`, within its time limit and in bounded memory.
It only raises for faults of this machine, which no endpoint should be charged for. Bytes in, facts out: no database
here, and aiohttp stays behind this one class.

The boundary that keeps us out of our own network is `Sender._open_socket`: it sees the very address that is then
connected to, after all parsing and name lookups, so that nothing can be swapped in between.
"""

import errno
import io
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import inf
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import payload
from aiohttp.abc import AbstractResolver
from yarl import URL

from aureum.domain.webhook_urls import Destination, UnsafeUrl, read_url
from aureum.webhooks.sending.addresses import Network, is_allowed
from aureum.webhooks.sending.answers import TOO_LARGE, AnswerConnector
from aureum.webhooks.sending.resolver import BlockedAddress, GuardedResolver
from aureum.webhooks.sending.results import Failure, SendResult

TIMEOUT = 15.0
CONNECT_TIMEOUT = 5.0
"""With TLS, once the name has been looked up, which takes three seconds at most."""

# Shorter than the five seconds after which Node.js closes an idle connection: who closes first is never surprised.
KEEPALIVE_TIMEOUT = 4.0

KEPT_HOSTS = 1_000
"""Hosts whose connections are kept at the same moment. Those of all others are closed after each attempt: what is kept
for nothing costs a file each, and with TLS a quarter of a megabyte."""

MAX_ANSWER = 16 * 1024  # bytes read of an answer's body, as they come over the wire
MAX_EXCERPT = 4 * 1024  # bytes of them that are kept

_CHUNKED_FROM = 1024 * 1024  # aiohttp writes longer bodies piece by piece when they come as a file

_OWN_FAULTS = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Sender:
    """Keeps connections between attempts: one for a process, opened with ``async with``. How many attempts run at once
    is the caller's to bound.

    *timeout*: seconds for the whole attempt, from the name lookup to the last byte of the answer. *tls*: what is
    trusted; by default the operating system's authorities.
    """

    def __init__(
        self,
        allow_networks: Iterable[Network] = (),
        *,
        timeout: float = TIMEOUT,
        resolver: AbstractResolver | None = None,
        kept_hosts: int = KEPT_HOSTS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_networks = tuple(allow_networks)
        self._timeout = timeout
        self._resolver = resolver or GuardedResolver(self._allow_networks)
        self._kept_hosts = kept_hosts
        self._tls = tls or ssl.create_default_context()

    async def __aenter__(self) -> Self:
        self._keeping = self._session(keep=True)
        self._closing = self._session(keep=False)
        self._kept: OrderedDict[str, float] = OrderedDict()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._keeping.close()
        await self._closing.close()
        await self._resolver.close()

    def _session(self, *, keep: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=AnswerConnector(
                limit=0,
                resolver=self._resolver,
                use_dns_cache=False,
                ssl=self._tls,
                socket_factory=self._open_socket,
                happy_eyeballs_delay=0.25,
                **({"keepalive_timeout": KEEPALIVE_TIMEOUT} if keep else {"force_close": True}),
            ),
            # Not rounded up to a whole second, as aiohttp does from five seconds on: a lease counts on it.
            timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=CONNECT_TIMEOUT, ceil_threshold=inf),
            cookie_jar=aiohttp.DummyCookieJar(),  # a jar would carry one tenant's cookies to another's endpoint
            headers={"Accept": "*/*", "Accept-Encoding": "identity"},
            auto_decompress=False,
            read_bufsize=MAX_ANSWER,
            trust_env=False,
        )

    def _session_for(self, host: str) -> aiohttp.ClientSession:
        """The one that keeps connections, if the host has some, or there is room for one more."""
        now = time.monotonic()
        if host in self._kept:
            self._kept.move_to_end(host)
        else:
            while self._kept and next(iter(self._kept.values())) < now - KEEPALIVE_TIMEOUT:
                self._kept.popitem(last=False)
            if len(self._kept) >= self._kept_hosts:
                return self._closing
        self._kept[host] = now
        return self._keeping

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> SendResult:
        """POST *body* to *url*, once: no redirect is followed, no proxy used.

        Raises OSError when this machine is out of files or memory: a fault of ours, not of the endpoint.
        """
        started = time.monotonic()
        response: aiohttp.ClientResponse | None = None
        received = bytearray()
        try:
            destination = read_url(url)
            response = await self._session_for(destination.key).post(
                _as_given(destination),
                data=payload.BytesPayload(body) if len(body) < _CHUNKED_FROM else io.BytesIO(body),
                headers=headers,
                allow_redirects=False,
            )
            await _read(response, received)
        except (aiohttp.ClientError, OSError, UnsafeUrl) as error:
            if response is None:
                return SendResult(None, _failure(error), _milliseconds_since(started), b"", None)
            # After the head the outcome is decided: what breaks then only shortens the excerpt.
        finally:
            if response is not None:
                response.close()  # a connection whose answer was read to its end is kept; any other is closed undrained
        return SendResult(
            status=response.status,
            error=_failure_of_status(response.status),
            duration_ms=_milliseconds_since(started),
            response_excerpt=bytes(received[:MAX_EXCERPT]),
            retry_after=response.headers.get("Retry-After"),
        )

    def _open_socket(self, address_info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = address_info
        if not is_allowed(str(address[0]), self._allow_networks):
            raise BlockedAddress("Webhooks are not sent to this address")
        return socket.socket(family, kind, protocol)


@lru_cache(maxsize=1_000)
def _as_given(destination: Destination) -> URL:
    """For aiohttp, which sends such a path as it stands, with the query in it."""
    scheme, host, port, target = destination
    return URL.build(
        scheme=scheme, host=f"[{host}]" if ":" in host else host, port=port or None, path=target, encoded=True
    )


async def _read(response: aiohttp.ClientResponse, into: bytearray) -> None:
    """Up to MAX_ANSWER bytes of the body; what came before a fault is kept."""
    while len(into) < MAX_ANSWER and (chunk := await response.content.read(MAX_ANSWER - len(into))):
        into += chunk


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _failure_of_status(status: int) -> Failure | None:
    if 200 <= status <= 299:
        return None
    return {3: Failure.HTTP_3XX, 4: Failure.HTTP_4XX, 5: Failure.HTTP_5XX}.get(status // 100, Failure.PROTOCOL)


def _failure(error: Exception) -> Failure:
    """The class of what went wrong before there was an answer. Raises OSError for a fault of this machine."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    number = cause.errno if isinstance(cause, OSError) else None
    if isinstance(cause, BlockedAddress):
        return Failure.BLOCKED_ADDRESS
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Failure.DNS
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return Failure.TLS
    if number in _OWN_FAULTS:
        raise OSError(number, f"Webhooks cannot be sent: {cause}") from error
    if isinstance(error, aiohttp.ConnectionTimeoutError) or number == errno.ETIMEDOUT:
        return Failure.CONNECT_TIMEOUT
    if isinstance(cause, TimeoutError):
        return Failure.TIMEOUT
    if isinstance(error, aiohttp.ClientConnectorError):
        in_handshake = isinstance(cause, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError))
        return Failure.RESET if in_handshake else Failure.REFUSED
    if isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, UnsafeUrl)):
        return Failure.BLOCKED_ADDRESS  # a host like 2130706433, which is an address written to look like none
    if isinstance(error, aiohttp.ClientResponseError):
        return Failure.TOO_LARGE if error.message == TOO_LARGE else Failure.PROTOCOL
    return Failure.RESET if isinstance(error, aiohttp.ClientConnectionError) else Failure.PROTOCOL
