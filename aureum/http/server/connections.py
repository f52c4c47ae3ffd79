"""Limits on the connections of this process: how many, how long, how much memory. No client shuts others out by doing
nothing.

Uvicorn waits for a client without an end, and takes connections until the system refuses them. Here a head must come in
a time, a body and the reading of an answer must go on, and idle connections end. What has come of unfinished bodies has
a cap, for one client address and for the process. When there are as many connections as there may be, the one that has
been waiting longest for its client makes room, among those of the address that holds most.

Once a second all connections are looked at. Requests that come and go in between cost nothing.
"""

import asyncio
import sys
from collections import Counter
from contextlib import suppress
from fcntl import ioctl
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from termios import TIOCOUTQ
from typing import TYPE_CHECKING, Any

import structlog
from starlette.types import Message, Receive

from aureum.http.access.hosts import client_address
from aureum.http.wire.error_codes import Code
from aureum.http.wire.errors import HttpError
from aureum.metrics import Metrics
from aureum.settings import Settings

if TYPE_CHECKING:
    from aureum.http.server.protocol import BoundedProtocol

LOOK_SECONDS = 1.0

BODY_RATE, BODY_WINDOW = 500.0, 60.0
ANSWER_RATE, ANSWER_WINDOW = 100.0, 300.0
"""Bytes a second that are the least, on average over so many seconds; a telephone with a bad connection has some
thousands. Of an answer the network takes much at once, and tells rarely what the client has read of it."""

HELD_OF_ONE = 1_100_000
"""The most of one body that is held in memory: what is longer is refused, or read and dropped."""

GIVE_UP_SECONDS = 10.0
"""For what was refused to be gone."""

AT_ONCE = pack("ii", 1, 0)

MEGABYTE = 1_000_000

UNFINISHED = "aureum.unfinished"
"""In a request's scope: what may cut short the wait for its body."""

HEAD_TOO_SLOW = "The headers of the request did not arrive in time. Send it again."
BODY_TOO_SLOW = "The body of the request did not arrive in time. Send the request again, on a faster connection."
TOO_MUCH = "Too many requests are in progress. Send this one again shortly."
TOO_MANY = "The server has too many connections. Try again shortly."

log = structlog.get_logger("aureum.http")


class Progress:
    """Whether something goes on, by how much there has been of it."""

    __slots__ = ("amount", "changed", "mark", "marked")

    def __init__(self, now: float, amount: int) -> None:
        self.restart(now, amount)

    def restart(self, now: float, amount: int) -> None:
        """Start again: what kept it up was not the client."""
        self.amount = self.mark = amount
        self.changed = self.marked = now

    def stuck(self, now: float, amount: int, seconds: float, rate: float, window: float) -> bool:
        """Whether it stood still for so many *seconds*, or went on below *rate* a second for a *window*."""
        if amount != self.amount:
            self.amount, self.changed = amount, now
        if now - self.marked >= window:
            slow = amount - self.mark < rate * (now - self.marked)
            self.mark, self.marked = amount, now
            if slow:
                return True
        return now - self.changed >= seconds


class Unfinished:
    """The wait of one request for its body."""

    __slots__ = ("refusal",)

    def __init__(self) -> None:
        self.refusal: HttpError | None = None

    def watched(self, receive: Receive) -> Receive:
        """*receive*, which raises the refusal once there is one."""

        async def receive_or_refuse() -> Message:
            message = await receive()
            if self.refusal is not None:
                raise self.refusal
            return message

        return receive_or_refuse


class Connections:
    """Those of one process."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.limit = 0
        """How many there may be; 0: as many as come."""
        self.open: set[BoundedProtocol] = set()
        self.by_peer: Counter[str] = Counter()
        self.held = 0
        self.held_by: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        """Why connections were ended since the last look."""

    async def watch(self) -> None:
        """Look at them until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for one in list(self.open):
                self.look(one, loop.time())
            self.tell()

    def tell(self) -> None:
        """Measure, and log why connections were ended, in one line for all."""
        self.metrics.connections.set(len(self.open))
        self.metrics.connection_limit.set(self.limit)
        self.metrics.unfinished_bytes.set(self.held)
        if self.ended:
            for why, times in self.ended.items():
                self.metrics.connections_ended.labels(why).inc(times)
            log.warning("connections_ended", **self.ended, open=len(self.open), limit=self.limit or None)
            self.ended.clear()

    def look(self, one: "BoundedProtocol", now: float) -> None:
        """End it if its client keeps it waiting too long."""
        if self.is_unread(one, now):
            self.ended["answer_not_read"] += 1
            with suppress(OSError):
                # The system, too, drops what it holds for the client.
                one.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, AT_ONCE)
            one.transport.abort()
            return
        if one.given_up is not None:
            if now - one.given_up >= GIVE_UP_SECONDS:
                one.transport.abort()
            return
        state = (one.begun, one.ended, one.in_head, one.recognized)
        if state != one.state or one.is_answering():
            one.state, one.since = state, now
            one.body_progress = None
        waited = now - one.since
        if one.in_head:
            if waited >= self.settings.head_timeout and not one.is_answering():
                self.ended["head_not_sent"] += 1
                self.refuse_head(one, now, "request_timeout", HEAD_TOO_SLOW)
        elif one.begun != one.ended:
            self.look_at_body(one, now)
        elif one.begun or one.recognized:
            if waited >= self.settings.idle_timeout:
                one.transport.close()
        elif waited >= self.settings.head_timeout:
            # No byte has come, or none of a request: there is nothing to answer.
            self.ended["nothing_sent"] += 1
            one.given_up = now
            one.transport.close()

    def look_at_body(self, one: "BoundedProtocol", now: float) -> None:
        """The same of one whose body is under way."""
        if one.body_progress is None:
            one.body_progress = Progress(now, one.body_bytes)
        elif one.flow.read_paused:
            one.body_progress.restart(now, one.body_bytes)
        elif one.body_progress.stuck(now, one.body_bytes, self.settings.body_timeout, BODY_RATE, BODY_WINDOW):
            self.ended["body_not_sent"] += 1
            self.refuse_body(one, now, HttpError("request_timeout", BODY_TOO_SLOW, {"Connection": "close"}))

    def is_unread(self, one: "BoundedProtocol", now: float) -> bool:
        """Whether its client has stopped reading, or nearly so, while there is something to read."""
        left = one.transport.get_write_buffer_size()
        if not left:
            one.answer_progress = None
            return False
        # All that was ever to be read, less what is left, but for an unknown amount that is the same while it waits.
        read = one.pauses * (1 << 40) - left - unsent(one.transport)
        if one.answer_progress is None or one.answer_progress.amount > read:
            one.answer_progress = Progress(now, read)
            return False
        return one.answer_progress.stuck(now, read, self.settings.answer_timeout, ANSWER_RATE, ANSWER_WINDOW)

    def refuse_head(self, one: "BoundedProtocol", now: float, code: Code, text: str) -> None:
        """Answer a request whose head is not there, and end the connection."""
        one.given_up = now
        one.refuse(code, text)

    def refuse_body(self, one: "BoundedProtocol", now: float, refusal: HttpError) -> None:
        """Have a request refused whose body is not there; where it was answered already, end the connection."""
        self.release(one)
        one.given_up = now
        unfinished, cycle = one.unfinished, one.cycle
        if unfinished is None or cycle.response_started:
            one.transport.close()
            return
        unfinished.refusal = refusal
        one.flow.pause_reading()
        cycle.more_body = False
        cycle.message_event.set()

    def made(self, one: "BoundedProtocol") -> None:
        """A connection has come. One that there is no room for is answered so."""
        one.since = one.loop.time()
        one.peer = client_address({"client": one.client}, ())
        self.open.add(one)
        self.by_peer[one.peer] += 1
        if self.limit and len(self.open) > self.limit and not self.make_room(one):
            self.ended["no_room"] += 1
            one.turned_away = True
            one.given_up = one.since - GIVE_UP_SECONDS + 2 * LOOK_SECONDS
            if len(self.open) > self.limit + SPARE // 2:
                one.transport.abort()

    def make_room(self, new: "BoundedProtocol") -> bool:
        """End the connection that has been waiting for its client longest, of the address that holds most; several
        where there are many, so that not every new one has to look at all. Whether there was one."""
        waiting = [one for one in self.open if one is not new and self.may_make_room(one)]
        waiting.sort(key=lambda one: (-self.by_peer[one.peer], one.begun != one.ended, one.since))
        for one in waiting[: 1 + self.limit // 100]:
            self.ended["for_room"] += 1
            one.given_up = one.loop.time()
            one.transport.abort()
        return bool(waiting)

    def may_make_room(self, one: "BoundedProtocol") -> bool:
        """Whether nothing is lost that the client has a right to: no answer is being made or read."""
        return one.given_up is None and not one.is_answering() and not one.transport.get_write_buffer_size()

    def lost(self, one: "BoundedProtocol") -> None:
        """A connection has ended."""
        self.release(one)
        self.open.discard(one)
        self.by_peer[one.peer] -= 1
        if self.by_peer[one.peer] <= 0:
            del self.by_peer[one.peer]

    def hold(self, one: "BoundedProtocol") -> None:
        """Count what has come of a body that is not finished, and refuse it where that is too much."""
        cycle = one.cycle
        if cycle.response_complete or one.given_up is not None:
            self.release(one)
            return
        if one.unfinished is None:
            one.unfinished = Unfinished()
            scope: Any = one.scope
            scope[UNFINISHED] = one.unfinished
        grown = min(one.body_bytes, HELD_OF_ONE) - one.holding
        if grown <= 0:
            return
        if not one.holding:
            asked: Any = one.scope
            one.holder = client_address(asked, self.settings.trusted_proxies)
        one.holding += grown
        self.held += grown
        self.held_by[one.holder] += grown
        if self.held_by[one.holder] > self.settings.body_memory_of_client * MEGABYTE:
            self.refuse_some(one)
        elif self.held > self.settings.body_memory * MEGABYTE:
            most = max(self.held_by, key=lambda holder: self.held_by[holder])
            of_most = [other for other in self.open if other.holding and other.holder == most]
            self.refuse_some(max(of_most, key=lambda other: other.holding))

    def refuse_some(self, one: "BoundedProtocol") -> None:
        """Refuse a body for the memory that all of them hold."""
        self.ended["bodies_too_large"] += 1
        headers = {"Connection": "close", "Retry-After": "5"}
        self.refuse_body(one, one.loop.time(), HttpError("busy", TOO_MUCH, headers))

    def release(self, one: "BoundedProtocol") -> None:
        """Its body is there, or will never be."""
        if one.holding:
            self.held -= one.holding
            self.held_by[one.holder] -= one.holding
            if self.held_by[one.holder] <= 0:
                del self.held_by[one.holder]
            one.holding = 0


def unsent(transport: asyncio.Transport) -> int:
    """Bytes that the system holds for the client, some megabytes, of which it makes room only now and then; 0 where it
    does not tell."""
    try:
        counted = ioctl(transport.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4))
    except (OSError, AttributeError, ValueError):
        return 0
    return int.from_bytes(counted, sys.byteorder)


SPARE = 16
"""Connections above the limit that a process has files for, to tell them that there is no room."""

OWN_FILES = 48
"""Files and sockets of a process besides its clients': the database's, the log, the event loop's, modules."""


def connection_limit(open_files: int, pool_size: int, wanted: int | None) -> int:
    """How many connections a process may take that may open so many files."""
    most = max(8, open_files - OWN_FILES - pool_size - SPARE)
    return most if wanted is None else min(most, wanted)
