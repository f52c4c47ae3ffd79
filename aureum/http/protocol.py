"""uvicorn's HTTP protocol, with a bound on all that is no body: it has none of its own, so that anybody could fill the
memory with headers that never end. And with head and body of an answer in one write, of which it makes two: each is a
call of the system and wakes the client.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LIMIT = 250_000
"""Bytes of one request besides its body: request line, headers, the lengths of chunks, trailers; and at most one read
from the socket more. Browsers and proxies stop at a fraction of it."""


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
    """Ends a connection whose request goes beyond ``LIMIT``."""

    besides = 0

    def data_received(self, data: bytes) -> None:
        """What has come in; on_message_begin and on_body say what of it does not count."""
        self.besides += len(data)
        super().data_received(data)
        if self.besides > LIMIT and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.send_400_response("The headers of the request are too large.")
            else:
                # An answer may have begun on this connection.
                self.transport.close()

    def on_message_begin(self) -> None:
        self.besides = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        # The answer to HEAD writes no body, so that its head must not wait for any.
        if self.scope["method"] != "HEAD":
            self.cycle.transport = Joined(self.transport)

    def on_body(self, body: bytes) -> None:
        self.besides -= len(body)
        super().on_body(body)
