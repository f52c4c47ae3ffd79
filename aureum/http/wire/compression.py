"""Answers in the encoding that the client takes: zstd, br or gzip, by starlette-compress.

An ETag stays what it is: it names what an answer says, and a client that revalidates a compressed answer gets its 304.
"""

from collections.abc import Callable, Iterable
from typing import Any

from starlette.types import ASGIApp
from starlette_compress import CompressMiddleware, remove_compress_type

# Of a stream that is open for hours: an encoder takes memory for each client, and saves nothing of a few words.
remove_compress_type("text/event-stream")


class Flushed:
    """An encoder that hands on each chunk of a stream at once, so that the client gets a long list as it is read."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder

    def feed(self, data: bytes, flush: bool) -> Iterable[bytes]:
        """What goes out for one chunk; the library itself would flush event streams only."""
        chunks: Iterable[bytes] = self.encoder.feed(data, True)
        return chunks

    def finish(self) -> Iterable[bytes]:
        """The end of the stream."""
        end: Iterable[bytes] = self.encoder.finish()
        return end


class Compressed(CompressMiddleware):
    """*app*, for clients that sent Accept-Encoding. Bodies below 500 bytes stay as they are."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        for responder in (self._zstd, self._brotli, self._gzip):
            assert responder is not None, "all three are asked for"
            responder.create_encoder = flushed(responder.create_encoder)


def flushed(create: Callable[[int], Any]) -> Callable[[int], Flushed]:
    """*create* with ``Flushed`` around what it makes."""
    return lambda content_length: Flushed(create(content_length))
