"""One request to a page: its reader, what the form holds, and how the page asks the API for it."""

import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from aureum.http.access.callers import ACTING_FOR, FROM_PANEL
from aureum.http.access.gate import PASSED_AS
from aureum.http.contract.lists import WholeList
from aureum.http.panel.api import endpoint_of
from aureum.http.wire.page_forms import Form

PASSED_ON = (b"host", b"x-forwarded-host", b"x-forwarded-for", b"user-agent")
"""Headers by which the API knows the brokerage and the client."""


PASSED_WITH_BODY = (b"content-type", b"content-length", b"content-encoding", b"transfer-encoding")

Doc = Mapping[str, Any]
"""A resource as the API shows it."""

NEXT = re.compile('<([^>]*)>; rel="next"')

ACTING_COOKIE = "aureum-acting"
"""The number of the brokerage that a platform admin acts for."""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What the API answered: a body as JSON has it, its ETag, and the query of the next page if there is one."""

    body: Any
    etag: str
    more: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Visit:
    """``me`` is what ``GET /api/me`` says of the user who is logged in; None before. ``acting`` is the brokerage that
    the page is about, if any; ``brokerages`` are those that a platform admin may choose."""

    request: Request
    token: str | None = None
    me: Mapping[str, Any] | None = None
    acting: Mapping[str, Any] | None = None
    brokerages: Sequence[Mapping[str, Any]] = ()
    form: Form = field(default_factory=Form)

    @property
    def role(self) -> str | None:
        return None if self.me is None else self.me["role"]

    @property
    def zone(self) -> ZoneInfo:
        """In which times are shown and typed: the brokerage's; UTC without one."""
        return ZoneInfo("UTC" if self.acting is None else self.acting["timeZone"])

    def id(self) -> str:
        """The id in the page's path."""
        return str(self.request.path_params["id"])

    async def ask(
        self,
        method: str,
        path: str,
        *,
        id: str | None = None,
        part: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        if_match: str = "",
        host: str | None = None,
    ) -> ApiAnswer:
        """An endpoint's answer, by its *path* as the list of routes has it. *part* is a second id in the path, by its
        name there. Raises what the endpoint refuses with.

        With a *host* it is asked as if at that one. Of a form, what is sent twice happens once: its ``once`` and what
        the endpoint gets make the Idempotency-Key. What a page that only shows asks again is answered as before.
        """
        if method != "GET" or self.request.method == "POST" or host is not None:
            return api_answer(
                await self.answer(method, path, id=id, part=part, query=query, body=body, if_match=if_match, host=host)
            )
        slug = None if self.acting is None else self.acting["slug"]
        asked = (path, id, str(part), slug, urlencode({name: value for name, value in (query or {}).items() if value}))
        known: dict[object, ApiAnswer] = self.request.scope["state"].setdefault("asked", {})
        if asked not in known:
            known[asked] = api_answer(await self.answer(method, path, id=id, part=part, query=query))
        return known[asked]

    async def stream(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """A list's documents, some at a time and as many as there are. Raises what the list refuses with, before the
        first of them."""
        answer = await self.answer("GET", path, query=query)
        assert isinstance(answer, WholeList), f"{path} is no list that comes whole"
        return (orjson.loads(f"[{docs}]") async for docs in answer.parts)

    async def answer(
        self,
        method: str,
        path: str,
        *,
        id: str | None = None,
        part: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        if_match: str = "",
        host: str | None = None,
        passed: tuple[Sequence[tuple[bytes, bytes]], Receive] | None = None,
    ) -> Response:
        """The same as the endpoint answers it. *passed* are headers of the body, and what reads it."""
        content = b"" if body is None else orjson.dumps(body)
        headers = [(name, value) for name, value in self.request.scope["headers"] if name in PASSED_ON]
        if host is not None:
            headers = [(name, value) for name, value in headers if name not in (b"host", b"x-forwarded-host")]
            headers += [(b"host", host.encode())]
        if self.token is not None:
            headers.append((b"authorization", b"Bearer " + self.token.encode()))
        if if_match:
            headers.append((b"if-match", if_match.encode("latin-1", "replace")))
        if method == "POST" and self.form["once"]:
            key = hashlib.blake2b(self.form["once"].encode() + content, digest_size=24).hexdigest()
            headers.append((b"idempotency-key", key.encode()))
        ids = {"id": id, **(part or {})}
        asked_path = path
        for name, value in ids.items():
            asked_path = asked_path.replace(f"{{{name}}}", value or "")
        scope = {
            **self.request.scope,
            "method": method,
            "path": asked_path,
            "query_string": urlencode({name: value for name, value in (query or {}).items() if value}).encode(),
            "headers": headers,
            "path_params": ids,
            FROM_PANEL: True,
            ACTING_FOR: None if self.acting is None else self.acting["slug"],
            "state": {"request_id": self.request.scope["state"]["request_id"]},
        }
        sent = [{"type": "http.request", "body": content}]

        async def receive() -> Message:
            return sent.pop() if sent else {"type": "http.disconnect"}

        if passed is not None:
            headers += passed[0]
        asked = Request(scope, receive if passed is None else passed[1])
        answer = await endpoint_of(method, path).respond(asked)
        _, admission = scope.get(PASSED_AS, (None, None))
        if admission is not None:
            # Of the first question: what is read later is as new, or newer.
            self.request.scope["state"].setdefault("position", admission.caller.head)
        return answer

    async def pass_on(self, path: str, query: Mapping[str, Any], id: str | None = None) -> ApiAnswer:
        """What the endpoint answers to the body of the page's own request, which it reads as it comes in. Raises what
        the endpoint refuses with."""
        own = [(name, value) for name, value in self.request.scope["headers"] if name in PASSED_WITH_BODY]
        return api_answer(await self.answer("POST", path, id=id, query=query, passed=(own, self.request.receive)))

    @property
    def position(self) -> int | None:
        """How far the brokerage's log had come when the page was begun; None for platform admins, who have another."""
        found: int | None = self.request.scope["state"].get("position")
        return None if self.acting is None or self.role == "platform_admin" else found


def api_answer(answer: Response) -> ApiAnswer:
    """An answer of the API, read."""
    found = NEXT.search(answer.headers.get("link", ""))
    more = None
    if found is not None:
        more = {name: values[0] for name, values in parse_qs(urlsplit(found[1]).query).items()}
    return ApiAnswer(orjson.loads(bytes(answer.body)) if answer.body else None, answer.headers.get("etag", ""), more)


def new_once() -> str:
    """What tells one form that was shown from another."""
    return secrets.token_urlsafe(16)
