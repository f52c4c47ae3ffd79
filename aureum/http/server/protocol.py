"""uvicorn's HTTP protocol, with a bound on all that is no body: it has none of its own, so any client could fill the
memory with headers that never end. And with head and body of an answer in one write, of which it makes two: each is a
call of the system and wakes the client. What it cannot read it answers as Aureum answers everything.
"""

import asyncio
from typing import Any

from uuid_utils import uuid4
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from aureum.http.contract.answers import JSON, encoded
from aureum.http.server.connections import TOO_MANY, Progress, Unfinished
from aureum.http.server.edge import DEFAULTS, Edge
from aureum.http.wire.error_codes import CODES, Code
from aureum.http.wire.headers import lines

LIMIT = 250_000
"""Bytes of one request besides its body: request line, headers, the lengths of chunks, trailers; and at most one read
from the socket more. Browsers and proxies stop at a fraction of it."""

TOO_LARGE = "The headers of the request are too large. The limit is 250,000 bytes."
NO_HTTP = "This is not a valid HTTP request. Check the request line, the headers and the lengths."

INTERIM = b"HTTP/1.1 100 "
"""How "100 Continue" begins, behind which no body follows."""


class Joined(asyncio.Transport):
    """The connection as the answer to one request writes to it, which has a body, were it an empty one: its head waits
    for the first of the body."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.head = b""
        self.begun = False

    def write(self, data: Any) -> None:
        if self.begun:
            self.transport.write(self.head + data if self.head else data)
            self.head = b""
        elif data.startswith(INTERIM):
            self.transport.write(data)
        else:
            self.begun, self.head = True, data

    def close(self) -> None:
        if self.head:
            self.write(b"")
        self.transport.close()

    def is_closing(self) -> bool:
        return self.transport.is_closing()


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose request goes beyond ``LIMIT``, or that ``Connections`` has no more patience with."""

    app: Edge

    besides = 0
    answering: RequestResponseCycle | None = None
    """The request whose turn it is; ``cycle`` is the last that has come."""

    begun = 0
    """Requests that have begun on this connection."""
    ended = 0
    """Those whose last byte has come."""
    recognized = 0
    """Those that were answered without being parsed."""
    in_head = False
    """Whether the head of a request has begun and not ended."""
    body_bytes = 0
    """What has come of the body of the last request."""
    pauses = 0
    """How often the client has not read as fast as was written."""

    # What ``Connections`` knows of this one.
    peer = ""
    state: tuple[int, int, bool, int] = (0, 0, False, 0)
    since = 0.0
    body_progress: Progress | None = None
    answer_progress: Progress | None = None
    unfinished: Unfinished | None = None
    holder = ""
    holding = 0
    given_up: float | None = None
    turned_away = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.app.connections.made(self)

    def is_answering(self) -> bool:
        """Whether the client waits for us and not we for the client."""
        whole = self.begun == self.ended
        return (whole or self.in_head) and self.cycle is not None and not self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """What has come in; on_message_begin and on_body say what of it does not count."""
        if self.turned_away:
            self.refuse("busy", TOO_MANY, (b"retry-after", b"5"))
            return
        self.besides += len(data)
        super().data_received(data)
        if self.begun != self.ended and not self.in_head:
            self.app.connections.hold(self)
        if self.besides > LIMIT and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.refuse("headers_too_large", TOO_LARGE)
            else:
                # An answer may have begun on this connection.
                self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self.answering = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone. uvicorn tells the last request only; to the one before it writing would be an error."""
        if self.answering is not None and not self.answering.response_complete:
            self.answering.disconnected = True
            self.answering.message_event.set()
        super().connection_lost(exc)
        self.app.connections.lost(self)

    def pause_writing(self) -> None:
        self.pauses += 1
        super().pause_writing()

    def on_message_begin(self) -> None:
        self.besides = 0
        self.begun += 1
        self.in_head = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self.ended += 1
        if self.unfinished is not None:
            self.app.connections.release(self)
            self.unfinished = None
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.in_head = False
        self.body_bytes = 0
        # The answer to HEAD writes no body, so that its head must not wait for any.
        if self.scope["method"] != "HEAD":
            self.cycle.transport = Joined(self.transport)

    def on_body(self, body: bytes) -> None:
        self.besides -= len(body)
        self.body_bytes += len(body)
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """The server's refusal of bytes that are no HTTP; its own *msg* does not tell what to do."""
        self.refuse("request_unreadable", NO_HTTP)

    def refuse(self, code: Code, text: str, *more: tuple[bytes, bytes]) -> None:
        """A refusal in the dialect of the Aureum API, as of any unknown address, and the end of the connection."""
        body = encoded({"error": text, "code": code})
        headers = [
            *self.server_state.default_headers,
            (b"content-type", JSON.encode()),
            (b"content-length", b"%d" % len(body)),
            *DEFAULTS,
            (b"x-error-code", code.encode()),
            (b"x-request-id", uuid4().hex.encode()),
            (b"connection", b"close"),
            *more,
        ]
        self.transport.write(STATUS_LINE[CODES[code].status] + lines(headers) + b"\r\n" + body)
        self.transport.close()
