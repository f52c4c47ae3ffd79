"""The outermost layer, as plain ASGI: a request's id, the answer to any exception, one log line, the measurements.

What every answer says to browsers and caches is in ``DEFAULTS``: no cache that several people share may keep it, the
client's own asks again each time (an ETag makes that cheap), and nothing runs, loads or frames it. ETags hold the
brokerage and the caller's view, so ``Vary`` need not name Authorization. Strict-Transport-Security is for the proxy
that ends TLS: this process does not know whether all of a brokerage's domain is served over https.

The log line has the route, never the path or the query: those hold ids and what people search for. Of an unforeseen
error the log has the class and the places in the code, never the message: it may quote what a visitor wrote.
"""

import re
import time
from types import SimpleNamespace
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.types import Message, Receive, Scope, Send
from uuid_utils import uuid4

from aureum.app import Aureum
from aureum.domain.errors import Unavailable
from aureum.http.contract.answers import body_kept
from aureum.http.server.connections import UNFINISHED, Connections
from aureum.http.server.revalidation import STARTED, KeptAnswer, Revalidations
from aureum.http.wire.compression import Compressed
from aureum.http.wire.error_log import log_error, route_of
from aureum.http.wire.errors import HttpError, render
from aureum.http.wire.headers import header as find
from aureum.http.wire.headers import lines

SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Accept-Encoding"),
)
"""Headers of every answer that does not bring its own."""

NOTHING_HERE = "This path does not exist."

log = structlog.get_logger("aureum.http")


class Edge:
    """The ASGI application: *router* on an opened ``Aureum``, which requests reach as ``request.app.state.aureum``."""

    def __init__(self, router: Router, aureum: Aureum, **state: Any) -> None:
        """*state*: what else requests reach beside the ``Aureum``."""
        self.router = router
        self.compressed = Compressed(router)
        self.aureum = aureum
        self.state = SimpleNamespace(aureum=aureum, **state)
        self.revalidations = Revalidations()
        self.connections = Connections(aureum.settings, aureum.metrics)
        self.log = log.bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = scope.get(STARTED) or time.perf_counter()
        given = given_id(scope)
        request_id = given or uuid4().hex
        unfinished = scope.get(UNFINISHED)
        if unfinished is not None:
            receive = unfinished.watched(receive)
        scope["app"] = self
        state: dict[str, Any] = {"request_id": request_id}
        scope["state"] = state
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                names = {name for name, _ in message["headers"]}
                own = [*message["headers"], *[default for default in DEFAULTS if default[0] not in names]]
                if (
                    "unchanged" in state
                    and given is None
                    and "page_headers" not in state
                    and b"content-encoding" not in names
                ):
                    kept = KeptAnswer(route_of(scope), lines(own), "limit_headers" in state, state.get("kept_as"))
                    self.revalidations.keep(scope, state["unchanged"], kept)
                message["headers"] = [
                    *own,
                    (b"x-request-id", request_id.encode()),
                    *state.get("limit_headers", ()),
                    *state.get("page_headers", ()),
                ]
            await send(message)

        try:
            plain = find(scope, b"accept-encoding") is None
            await (self.router if plain else self.compressed)(scope, receive, send_with_id)
        except Exception as error:
            if status:
                # The answer has begun and cannot be taken back: the client sees a connection that breaks off.
                log_error(scope, error)
                raise ConnectionAbortedError from None
            await self.refuse(error, scope, send_with_id)
        finally:
            self.tell(request_id, scope["method"], route_of(scope), status, time.perf_counter() - started)

    def body_of(self, known: KeptAnswer) -> bytes | None:
        """The body of the same answer again; None if it is kept no more."""
        if known.kept_as is None:
            return b""
        kept = self.aureum.answers.find(known.kept_as)
        return None if kept is None else body_kept(kept)

    def tell(self, request_id: str, method: str, route: str, status: int, seconds: float) -> None:
        """Count and log one request that is over."""
        self.aureum.metrics.observe_request(method, route, status, seconds)
        self.log.info(
            "request", request=request_id, method=method, route=route, status=status, ms=round(seconds * 1000, 2)
        )

    async def refuse(self, error: Exception, scope: Scope, send: Send) -> None:
        """Answer an exception in the dialect of the address; unknown paths are of the Aureum API."""
        if isinstance(error, HTTPException) and error.status_code == 404:
            error = HttpError("path_not_found", NOTHING_HERE)
        status, headers, body = render(error, getattr(scope.get("endpoint"), "dialect", "aureum"))
        if status == 500 or isinstance(error, Unavailable):
            log_error(scope, error)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def given_id(scope: Scope) -> str | None:
    """The client's X-Request-Id, if it is sane enough to be repeated and logged."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if SANE_ID.fullmatch(value) else None
    return None
