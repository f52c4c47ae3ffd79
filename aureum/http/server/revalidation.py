"""Requests that ask for what has not changed, recognized by the bytes they come in.

A client that polls sends the same bytes until they get a new answer. When they got 304 the ordinary way, or an answer
that this process keeps, from an endpoint whose answer follows from the request and from what the gate said
(``etag_from_position``), a digest of them is kept with that. The same bytes pass the gate again: their key is looked
up, they are counted, the log's end is reported. If the gate says the same as before, so does the answer, and nothing
has to be parsed, routed or validated to know it. If it says anything else, the request goes the ordinary way with what
the gate said.

Never kept are the bytes themselves: there is a key in them.
"""

from collections.abc import Hashable
from hashlib import blake2b
from typing import NamedTuple

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from aureum.http.access.callers import limit_headers
from aureum.http.access.gate import PASSED_AS, Admission, Caller, Lookup
from aureum.http.wire.headers import Headers, lines
from aureum.lru import Lru

KEPT = 4_096
"""Requests that one process recognizes, some 2 KB each; the one that was not asked for longest goes first."""

LONGEST = 4_096
"""Bytes of a request that may be recognized."""

CAME_AS = "aureum.came_as"
"""In the scope: the digest of the bytes that were this request and nothing else."""

STARTED = "aureum.started"
"""In the scope of what was recognized and goes the ordinary way after all: the moment of ``time.perf_counter`` at which
its answer began."""


class KeptAnswer(NamedTuple):
    """The answer to a request, but for the time and the ids: a body of ``AnswerCache``, or without one 304.

    With *limited* it names the limit of the key as well.
    """

    route: str
    headers: bytes
    limited: bool
    kept_as: Hashable

    @property
    def status(self) -> int:
        return 304 if self.kept_as is None else 200


class Known(NamedTuple):
    """A request: whom the gate was asked for, what it said, and what followed from it."""

    line: Lookup
    caller: Caller
    answer: KeptAnswer


class Revalidations:
    """What one process recognizes."""

    def __init__(self, kept: int = KEPT) -> None:
        self.hits = 0
        self._known: Lru[bytes, Known] = Lru(kept)
        self._defaults: Headers = ()
        self._default_lines = b""

    def find(self, came_as: bytes) -> Known | None:
        """What these bytes were the last time."""
        return self._known.find(came_as)

    def keep(self, scope: Scope, caller: Caller, kept: KeptAnswer) -> None:
        """Recognize the request from now on, if it came alone and *caller* is what the gate said to its first question.
        A client that asks twice is likely to ask again."""
        came_as: bytes | None = scope.get(CAME_AS)
        line, admission = scope.get(PASSED_AS, (None, None))
        if came_as is None or admission is None or admission.caller is not caller:
            return
        self._known.keep(came_as, Known(line, caller, kept))

    def forget(self, came_as: bytes) -> None:
        """Its answer has become another one."""
        self._known.forget(came_as)

    def answer(
        self, kept: KeptAnswer, admission: Admission, request_id: bytes, defaults: Headers, body: bytes
    ) -> bytes:
        """The same again. *defaults* are the headers that the server gives to all answers: a new list once a second."""
        self.hits += 1
        if defaults is not self._defaults:
            self._defaults, self._default_lines = defaults, lines(defaults)
        return b"%b%b%bx-request-id: %b\r\n%b\r\n%b" % (
            STATUS_LINE[kept.status],
            self._default_lines,
            kept.headers,
            request_id,
            lines(limit_headers(admission)) if kept.limited else b"",
            body,
        )


def digest(client: bytes, data: bytes) -> bytes | None:
    """What *data* is recognized by, coming from the address *client*; None for what cannot be a whole GET.

    The address is part of it, since whether forwarded headers count depends on it.
    """
    if len(data) > LONGEST or not data.startswith(b"GET ") or not data.endswith(b"\r\n\r\n"):
        return None
    return blake2b(b"%b %b" % (client, data), digest_size=32).digest()


def still_true(known: Known, admission: Admission) -> bool:
    """Whether the answer is the one of the last time."""
    return admission.passes and admission.caller == known.caller
