"""``GET /admin/live``: a stream of events (``EventSource``) that tells an open page which resources have changed.

The names are all that it tells. What the change is, the page asks for again, as its reader. Without a session the
answer is 204, after which a browser does not ask again by itself.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from aureum.commands.api_keys import hash_key
from aureum.domain.ids import PLATFORM
from aureum.http.access.callers import by_staff
from aureum.http.access.session_cookie import session_token
from aureum.http.panel.listeners import Listener, Listeners
from aureum.http.panel.rendering import HEADERS
from aureum.http.panel.visit import ACTING_COOKIE
from aureum.http.wire.errors import HttpError
from aureum.projections import admin_leads

PATH = "/admin/live"

HEARTBEAT_SECONDS = 15.0
"""Proxies end what is silent for a minute."""

RETRY_MS = 1_000
"""How soon a browser comes back after the stream has ended."""

OTHER_METHOD = "This address only accepts GET."

STREAM_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": HEADERS["Content-Security-Policy"],
    "X-Accel-Buffering": "no",
}


class Stream(StreamingResponse):
    """The answer to one listener, who leaves however it ends."""

    def __init__(self, listeners: Listeners, listener: Listener) -> None:
        super().__init__(messages(listener), headers=STREAM_HEADERS, media_type="text/event-stream")
        self.listeners = listeners
        self.listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.listeners.leave(self.listener)


class Live:
    """The address, as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await opened(Request(scope, receive))
        await response(scope, receive, send)


async def opened(request: Request) -> Response:
    """The stream of a user who is logged in. Raises HttpError 405, 429, 503, Unavailable."""
    if request.method != "GET":
        raise HttpError("method_not_allowed", OTHER_METHOD, {"Allow": "GET"})
    app = request.app.state.aureum
    token = session_token(request.scope, app.settings.trusted_proxies)
    try:
        caller = await by_staff(request)
    except HttpError as error:
        if error.status != 401:
            raise
        return Response(status_code=204)
    tenant_id, head = caller.tenant_id, caller.head
    if caller.role == "platform_admin":
        tenant_id, head = await acting(request) or (tenant_id, head)
    if token is None or tenant_id == PLATFORM or caller.user_id is None:
        return Response(status_code=204)
    seen = number(request.headers.get("last-event-id", "")) or number(request.query_params.get("since", ""))
    listener = Listener(
        hash_key(token), caller.user_id, str(caller.role), tenant_id, head if seen is None else min(seen, head)
    )
    listeners: Listeners = request.app.state.listeners
    listeners.join(listener)
    return Stream(listeners, listener)


async def acting(request: Request) -> tuple[UUID, int] | None:
    """The brokerage that a platform admin acts for, and how far its log has come. Raises Unavailable."""
    chosen = number(request.query_params.get("of", "")) or number(request.cookies.get(ACTING_COOKIE, ""))
    if chosen is None:
        return None
    found = await request.app.state.aureum.database.rows(admin_leads.BROKERAGE, {"number": chosen})
    return (found[0][0], found[0][3]) if found else None


def number(text: str) -> int | None:
    """The whole number that a browser sent; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


async def messages(listener: Listener) -> AsyncIterator[bytes]:
    """What goes over the wire until the listener ends: first where the log is, then each change."""
    yield b"retry: %d\n" % RETRY_MS + message(listener)
    while not listener.ended:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await listener.wake.wait()
        except TimeoutError:
            yield b":\n\n"
            continue
        listener.wake.clear()
        if listener.changed:
            yield message(listener)


def message(listener: Listener) -> bytes:
    """What has changed, up to which position."""
    body = orjson.dumps({"resources": sorted(listener.changed)})
    listener.changed.clear()
    return b"id: %d\nevent: changed\ndata: %b\n\n" % (listener.position, body)
