"""The answers of receivers as they really come: a whole status line and head decide, no matter what follows, or when.

aiohttp parses head and body in one go. What breaks in the body, or in what the head says about the body, loses the
head with it: a receiver that has answered 200 would get the same message again and again. So what came is kept until
there is an answer, and where aiohttp's parser gives up, `read_head` looks at it once more, for the status line alone.

Connections are used again only after answers in which every byte has its place.
"""

import asyncio
import re
from functools import partial
from typing import Any, NamedTuple, cast

from aiohttp import HttpVersion11, StreamReader, TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpResponseParser, RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy

MAX_HEAD = 64 * 1024
"""Bytes up to the end of the head, with all interim answers before it."""

TOO_LARGE = f"Got more than {MAX_HEAD} bytes without an end of the head"

NOTHING = ((), False, b"")

_STATUS_LINE = re.compile(rb"(?:[ \t]*\r?\n)*HTTP/[0-9](?:\.[0-9])?[ \t]+([1-9][0-9]{2})(?:[ \t][^\n]*)?\r?\n")
_END = re.compile(rb"\n\r?\n")


class Head(NamedTuple):
    """``end`` is where it ends in what was read."""

    status: int
    retry_after: str | None
    end: int

    @property
    def final(self) -> bool:
        """Whether this is the answer, and not one on the way to it."""
        return self.status == 101 or self.status >= 200


def read_head(data: bytes, searched: int = 0) -> Head | None:
    """The head that *data* begins with; None if it is not whole yet, and it does not end in the first *searched* bytes.

    Raises ValueError if *data* does not begin like an answer in HTTP.
    """
    line = _STATUS_LINE.match(data)
    if line is None:
        start = data[:512].lstrip()
        if b"\n" in start or start[:5] != b"HTTP/"[: len(start)]:
            raise ValueError("No status line")
        return None
    end = _END.search(data, max(line.end() - 1, searched))  # the head may be the status line alone
    return end and Head(int(line[1]), _retry_after(data[line.end() : end.start()]), end.end())


def _retry_after(fields: bytes) -> str | None:
    for field in fields.splitlines():
        name, _, value = field.partition(b":")
        if name.strip().lower() == b"retry-after":
            return value.strip().decode("latin-1")
    return None


class AnswerParser:
    """aiohttp's parser for one answer, and `read_head` where it fails."""

    def __init__(self, protocol: ResponseHandler, loop: asyncio.AbstractEventLoop, strict: HttpResponseParser) -> None:
        self.protocol = protocol
        self.loop = loop
        self.strict = strict
        self.failed = False  # aiohttp's parser has
        self.received = b""  # until there is an answer
        self.searched = 0  # bytes of it in which no head ends
        self.payload: StreamReader | None = None  # of the answer

    def feed_data(self, data: bytes) -> tuple[Any, bool, bytes]:
        """The messages that *data* completes. Raises HttpProcessingError for what can no longer become an answer."""
        if self.payload is not None:
            return self._feed_body(data)
        self.received += data
        if not self.failed:
            try:
                found = self.strict.feed_data(data)
            except Exception:
                self.failed = True
            else:
                return self._found(*found)
        return self._read_again()

    def _feed_body(self, data: bytes) -> tuple[Any, bool, bytes]:
        """The answer has been given: nothing that comes now changes it."""
        assert self.payload is not None
        if self.payload.is_eof():
            if data and self.protocol.transport is not None:
                self.protocol.transport.close()  # what it says belongs to no request
            return NOTHING
        try:
            messages, upgraded, tail = self.strict.feed_data(data)
        except Exception:
            self.protocol.force_close()
            self.payload.feed_eof()  # what came before is shown
            return NOTHING
        if messages:
            self.protocol.force_close()
        return (), upgraded, tail

    def _found(self, messages: Any, upgraded: bool, tail: bytes) -> tuple[Any, bool, bytes]:
        """What aiohttp's parser makes of the bytes so far, in which it finds nothing wrong."""
        for message, payload in messages:
            if message.code == 101 or message.code >= 200:
                if payload.is_eof() and not _is_exact(message, self.received):
                    self.protocol.force_close()
                self.payload, self.received = payload, b""
                break
        else:
            if len(self.received) > MAX_HEAD:
                raise HttpProcessingError(message=TOO_LARGE)
        return messages, upgraded, tail

    def _read_again(self) -> tuple[Any, bool, bytes]:
        try:
            while (head := read_head(self.received[:MAX_HEAD], self.searched)) and not head.final:
                self.received, self.searched = self.received[head.end :], 0
        except ValueError as error:
            raise HttpProcessingError(message=str(error)) from None
        if head is None:
            if len(self.received) > MAX_HEAD:
                raise HttpProcessingError(message=TOO_LARGE)
            self.searched = max(0, len(self.received) - 2)
            return NOTHING
        self.payload = StreamReader(self.protocol, 2**16, loop=self.loop)
        # Where the body ends is unknown: what came with the head is all that is shown of it.
        self.payload.feed_data(self.received[head.end :])
        self.payload.feed_eof()
        self.received = b""
        headers = CIMultiDict() if head.retry_after is None else CIMultiDict({"Retry-After": head.retry_after})
        message = RawResponseMessage(
            HttpVersion11,
            head.status,
            "",
            CIMultiDictProxy(headers),
            (),
            True,  # the connection is closed
            None,
            False,
            False,
        )
        return ((message, self.payload),), False, b""

    def feed_eof(self) -> None:
        """The connection is over. After the head that only shortens what is shown of the body."""
        if self.payload is None or self.payload.is_eof():
            return
        try:
            self.strict.feed_eof()
        except Exception:
            self.payload.feed_eof()

    def pause_reading(self) -> None:
        """More of a body has come than has been read."""
        self.strict.pause_reading()


def _is_exact(message: RawResponseMessage, received: bytes) -> bool:
    """Whether *received* ends where *message* ends, which is whole. What follows belongs to no request."""
    if message.chunked:
        return received.endswith(b"\n")
    end = _END.search(received)
    length = message.headers.get("Content-Length", "0")
    if end is None or not length.isdecimal():
        return False
    return len(received) == end.end() + (0 if message.code in (204, 304) else int(length))


class AnswerHandler(ResponseHandler):
    """A connection whose answers `AnswerParser` reads."""

    def set_response_params(self, **params: Any) -> None:
        """A request is about to be sent."""
        early, self._tail = self._tail, b""
        super().set_response_params(**params)
        assert isinstance(self._parser, HttpResponseParser)
        self._parser = AnswerParser(self, self._loop, self._parser)  # type: ignore[assignment]  # it has what is called
        self._tail = early
        self._drain_tail()


class AnswerConnector(TCPConnector):
    """Opens such connections."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = cast(Any, partial(AnswerHandler, loop=self._loop))
