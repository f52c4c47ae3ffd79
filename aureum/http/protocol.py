"""uvicorn's HTTP protocol with a bound on all that is no body: it has none of its own, so that anybody could fill the
memory with headers that never end.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LIMIT = 250_000
"""Bytes of one request besides its body: request line, headers, the lengths of chunks, trailers; and at most one read
from the socket more. Browsers and proxies stop at a fraction of it."""


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

    def on_body(self, body: bytes) -> None:
        self.besides -= len(body)
        super().on_body(body)
