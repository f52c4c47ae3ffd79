"""The gate: one statement tells who asks, which brokerage, its plan, whether the rate limit lets them pass, and how far
its log has come. Requests that wait at the same moment pass together (aureum/store/gate.sql), one call at a time.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncCursor

from aureum.domain.clock import CLOCK
from aureum.domain.errors import Busy, Unavailable
from aureum.store.postgres.arrays import packed
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import AWAY, NO_WRITING, connect, unavailable
from aureum.store.postgres.watch import COUNTING, Watch

CALL = """
SELECT ord, caller_id, role, caller_tenant, host_tenant, tenant_id, number, slug, plan, country, public_lead_count,
       site_version, head, read_version, rate_limit, granted, used_before, resets_at, told_at
  FROM gate(%b::bytea[], %b::text[], %b::text[], %b::text[], %b::integer[], %s::integer)
"""

UNCOUNTED = CALL.replace("FROM gate(", "FROM gate_uncounted(")
"""The same where the database can store nothing: all limits let pass, so that reads go on."""

UNCOUNTED_SECONDS = 5.0
"""How long to go on uncounted before trying again to count."""

LINE_LIMIT = 256
"""Different callers in one call; more wait for the next."""


class Line(NamedTuple):
    """Who asks; whatever is not known or does not matter is empty. With ``client`` a form's limit counts."""

    key_hash: bytes
    host: str
    slug: str
    client: str


class Brokerage(NamedTuple):
    """What the gate knows of the brokerage, as it stood at that moment, and who asks.

    ``role`` is ``key`` or a user's, None for a visitor. ``read_version`` is how often a read model was made anew.
    Whoever belongs to no brokerage is of the platform, which has neither number, slug nor plan.
    """

    caller_id: UUID | None
    role: str | None
    caller_tenant: UUID | None
    host_tenant: UUID | None
    tenant_id: UUID
    number: int
    slug: str
    plan: str
    country: str
    public_lead_count: bool
    site_version: int
    head: int
    read_version: int
    rate_limit: int

    @property
    def sees(self) -> UUID | None:
        """The agent who asks: he or she sees only what is assigned to or created by him or her. None sees all of it."""
        return self.caller_id if self.role == "agent" else None

    @property
    def user_id(self) -> UUID | None:
        """The user who asks, if it is one."""
        return None if self.role == "key" else self.caller_id

    @property
    def view(self) -> str:
        """What tells apart the answers that different callers get: part of every list's ETag and cache key."""
        return "all" if self.sees is None else str(self.sees)


class Passage(NamedTuple):
    """One request's way through: ``remaining`` requests in the window after it; it passes if that is not negative."""

    brokerage: Brokerage
    remaining: int
    resets_at: datetime | None

    @property
    def passes(self) -> bool:
        return self.brokerage.rate_limit == 0 or self.remaining >= 0


PASSED_AS = "aureum.passed_as"
"""In a request's scope: the first line that the gate was asked for, and the passage that it gave."""

log = structlog.get_logger("aureum.http")

Waiters = list[asyncio.Future[Passage | None]]


class Gate:
    """One a process. Open it with ``async with``."""

    def __init__(
        self,
        url: str,
        *,
        form_rate_limit: int,
        prepared: bool | None = None,
        watch: Watch | None = None,
        uncounted: Callable[[int], None] = lambda requests: None,
    ) -> None:
        """*uncounted* hears of requests that passed without being counted."""
        self.url = url
        self.uncounted = uncounted
        self.uncounted_until = 0.0
        self.watch = watch or Watch()
        self.form_rate_limit = form_rate_limit
        self.prepared = prepared
        self.waiting: dict[Line, Waiters] = {}
        self.wake = asyncio.Event()
        self.connection: Connection | None = None
        self.cursor: AsyncCursor[Any] | None = None
        """Of that connection, kept: a new one looks up anew how each parameter is sent and each column read."""
        self.closing = False
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Gate":
        self.task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.closing = True
        self.wake.set()
        if self.task is not None:
            await self.task
        if self.connection is not None:
            await self.connection.close()

    def ask(self, line: Line) -> asyncio.Future[Passage | None]:
        """The passage, or None if there is no such key and host, or the brokerage is disabled.

        Raises Busy once the gate is closing; the future raises Unavailable.
        """
        if self.closing:
            raise Busy()
        future: asyncio.Future[Passage | None] = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(line, []).append(future)
        self.wake.set()
        return future

    async def _run(self) -> None:
        while True:
            if not self.waiting:
                if self.closing:
                    return
                self.wake.clear()
                await self.wake.wait()
                continue
            lines = list(self.waiting)[:LINE_LIMIT]
            waiters = [self.waiting.pop(line) for line in lines]
            try:
                await self._pass(lines, waiters)
            except Exception as error:
                # Whatever it is, the gate goes on, and whoever waited hears of it.
                for future in (future for some in waiters for future in some):
                    if not future.done():
                        future.set_exception(error)
            # Who is answered often asks again at once. In the next turn of the loop the answers go out, and before the
            # one after it what they bring in is read: more requests pass in one call, and few of them cost as much.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def _pass(self, lines: Sequence[Line], waiters: Sequence[Waiters]) -> None:
        found = {row[0]: row for row in await self._call(lines, [len(some) for some in waiters])}
        for place, some in enumerate(waiters, start=1):
            row = found.get(place)
            if row is None:
                for future in some:
                    if not future.done():
                        future.set_result(None)
                continue
            brokerage = Brokerage._make(row[1:-4])
            granted, used_before, resets_at, _ = row[-4:]
            for turn, future in enumerate(some):
                remaining = -1
                if resets_at is not None and turn < granted:
                    remaining = brokerage.rate_limit - used_before - turn - 1
                if not future.done():
                    future.set_result(Passage(brokerage, remaining, resets_at))

    async def _call(self, lines: Sequence[Line], counts: Sequence[int]) -> list[Any]:
        keys, hosts, slugs, clients = zip(*lines, strict=True)
        arrays = map(packed, (bytes, str, str, str, int), (keys, hosts, slugs, clients, counts))
        parameters = [*arrays, self.form_rate_limit]
        counts_now = time.monotonic() >= self.uncounted_until
        try:
            try:
                return await self._ask(CALL if counts_now else UNCOUNTED, parameters, sum(counts))
            except NO_WRITING as error:
                if not counts_now:
                    raise
                # Who may read does not depend on whether anything can be stored.
                log.error("limits_not_counted", error=type(error).__name__, sqlstate=error.sqlstate)
                self.uncounted_until = time.monotonic() + UNCOUNTED_SECONDS
                unavailable(error, self.watch, COUNTING)
                if isinstance(error, psycopg.errors.ReadOnlySqlTransaction) and self.connection is not None:
                    # The next connection may find the server that has taken over.
                    await self.connection.close()
                return await self._ask(UNCOUNTED, parameters, sum(counts))
        except Unavailable:
            raise
        except AWAY as error:
            raise unavailable(error, self.watch) from error

    async def _ask(self, call: str, parameters: Sequence[Any], requests: int) -> list[Any]:
        """The rows of one call. Raises Unavailable, what the driver raises."""
        cursor = await self._connected()
        asked = time.monotonic()
        await cursor.execute(call, parameters)
        if call is UNCOUNTED:
            self.uncounted(requests)
        rows = await cursor.fetchall()
        if rows:
            CLOCK.heard(rows[0][-1], asked, time.monotonic())
        return rows

    async def _connected(self) -> AsyncCursor[Any]:
        """The cursor. Raises Unavailable, what the driver raises."""
        connection = self.connection
        if connection is not None and self.cursor is not None:
            if not connection.closed and self.watch.trusts(connection.made):
                return self.cursor
            await connection.close()
        self.connection = await connect(self.url, prepared=self.prepared, watch=self.watch)
        self.cursor = self.connection.cursor(binary=True)
        return self.cursor
