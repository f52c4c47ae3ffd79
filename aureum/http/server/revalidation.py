"""Requests that ask whether something has changed, recognized by the bytes they come in.

A client that polls sends the same bytes until they get a new answer. When they got 304 the ordinary way, from an
endpoint whose answer follows from the request and from what the gate said (``of_log``), a digest of them is kept with
that. The same bytes pass the gate again: their key is looked up, they are counted, the log's end is told. If the gate
says the same as before, so does the answer, and nothing has to be parsed, routed or validated to know it. If it says
anything else, the request goes the ordinary way with what the gate said.

Never kept are the bytes themselves: there is a key in them.
"""

from collections import OrderedDict
from hashlib import blake2b
from typing import NamedTuple

from starlette.types import Scope

from aureum.http.access.callers import limit_headers
from aureum.http.access.gate import PASSED_AS, Brokerage, Line, Passage
from aureum.http.wire.headers import Headers, lines

KEPT = 4_096
"""Requests that one process recognizes, some 2 KB each; the one that was not asked for longest goes first."""

LONGEST = 4_096
"""Bytes of a request that may be recognized."""

CAME_AS = "aureum.came_as"
"""In the scope: the digest of the bytes that were this request and nothing else."""

STARTED = "aureum.started"
"""In the scope of what was recognized and goes the ordinary way after all: the moment of ``time.perf_counter`` at which
its answer began."""


class Known(NamedTuple):
    """A request that got 304: whom the gate was asked for, what it said, and the headers that follow from it.

    With *limited* the answer tells the limit of the key as well.
    """

    line: Line
    about: Brokerage
    route: str
    headers: bytes
    limited: bool


class Revalidations:
    """What one process recognizes."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self.hits = 0
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self._defaults: Headers = ()
        self._default_lines = b""

    def find(self, came_as: bytes) -> Known | None:
        """What these bytes were the last time."""
        known = self._known.get(came_as)
        if known is not None:
            self._known.move_to_end(came_as)
        return known

    def keep(self, scope: Scope, about: Brokerage, route: str, headers: Headers, *, limited: bool) -> None:
        """Recognize the request from now on, if it came alone and *about* is what the gate said to its first question.
        Whoever asks it twice goes on to do so."""
        came_as: bytes | None = scope.get(CAME_AS)
        line, passage = scope.get(PASSED_AS, (None, None))
        if came_as is None or passage is None or passage.brokerage is not about:
            return
        self._known[came_as] = Known(line, about, route, lines(headers), limited)
        if len(self._known) > self.kept:
            self._known.popitem(last=False)

    def forget(self, came_as: bytes) -> None:
        """Its answer has become another one."""
        self._known.pop(came_as, None)

    def answer(self, known: Known, passage: Passage, request_id: bytes, defaults: Headers) -> bytes:
        """304. *defaults* are the headers that the server gives to all answers: a new list once a second."""
        self.hits += 1
        if defaults is not self._defaults:
            self._defaults, self._default_lines = defaults, lines(defaults)
        return b"%b%b%bx-request-id: %b\r\n%b\r\n" % (
            b"HTTP/1.1 304 Not Modified\r\n",
            self._default_lines,
            known.headers,
            request_id,
            lines(limit_headers(passage)) if known.limited else b"",
        )


def digest(client: bytes, data: bytes) -> bytes | None:
    """What *data* is recognized by, coming from the address *client*; None for what cannot be a whole GET.

    The address is part of it, since whether forwarded headers count depends on it.
    """
    if len(data) > LONGEST or not data.startswith(b"GET ") or not data.endswith(b"\r\n\r\n"):
        return None
    return blake2b(b"%b %b" % (client, data), digest_size=32).digest()


def still_true(known: Known, passage: Passage) -> bool:
    """Whether the answer is the one of the last time."""
    return passage.passes and passage.brokerage == known.about
