"""The gate: one statement tells who asks, which brokerage, its plan, whether the rate limit lets them pass, and how far
its log has come. Requests that wait at the same moment pass together (gate.sql), one call at a time; for one that comes
alone there is a cheaper statement (gate_one.sql).
"""

import asyncio
import time
from collections import defaultdict
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
from aureum.store.postgres.batches import Batches
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import AWAY, NO_WRITING, connect, unavailable, was_lost
from aureum.store.postgres.functions import named
from aureum.store.postgres.watch import COUNTING, Watch

CALL = """
SELECT ord, caller_id, role, caller_tenant, host_tenant, tenant_id, number, slug, plan, country, public_lead_count,
       site_version, head, read_version, rate_limit, granted, used_before, resets_at, told_at
  FROM gate(%b::bytea[], %b::text[], %b::text[], %b::text[], %b::integer[], %s::integer)
"""

CALL_ONE = CALL.replace(
    "gate(%b::bytea[], %b::text[], %b::text[], %b::text[], %b::integer[], ", "gate_one(%b::bytea, %b, %b, %b, "
)

UNCOUNTED = CALL.replace("FROM gate(", "FROM gate_uncounted(")
"""The same where the database can store nothing: all limits let pass, so that reads go on."""

UNCOUNTED_SECONDS = 5.0
"""How long to go on uncounted before trying again to count."""

LIMIT = 256
"""Requests in one call; more wait for the next."""

TURNS = 2
"""A client that is answered often asks again at once. In one turn of the loop the answers go out, and before the next
one what they bring in is read: more requests pass in one call, and few of them cost as much."""


class Lookup(NamedTuple):
    """Who asks. What is not known or does not matter is empty. With ``client`` a form's limit counts."""

    key_hash: bytes
    host: str
    slug: str
    client: str


class Caller(NamedTuple):
    """What the gate knows of the brokerage, as it stood at that moment, and who asks.

    ``role`` is ``key`` or a user's, None for a visitor. ``read_version`` is how often a read model was rebuilt.
    A user without a brokerage belongs to the platform, which has neither number, slug nor plan.
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
    def visible_to(self) -> UUID | None:
        """The agent who asks, who sees only what is assigned to or created by the agent. None: the caller sees all of
        it."""
        return self.caller_id if self.role == "agent" else None

    @property
    def user_id(self) -> UUID | None:
        """The user who asks, if it is one."""
        return None if self.role == "key" else self.caller_id

    @property
    def view(self) -> str:
        """What tells apart the answers that different callers get: part of every list's ETag and cache key."""
        return "all" if self.visible_to is None else str(self.visible_to)


class Admission(NamedTuple):
    """One request's way through: ``remaining`` requests in the window after it; it passes if that is not negative."""

    caller: Caller
    remaining: int
    resets_at: datetime | None

    @property
    def passes(self) -> bool:
        return self.caller.rate_limit == 0 or self.remaining >= 0


PASSED_AS = "aureum.passed_as"
"""In a request's scope: the first lookup that the gate was asked for, and the admission that it gave."""

log = structlog.get_logger("aureum.http")


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
        arrived: "Callable[[Lookup, Admission | None], None]" = lambda lookup, admission: None,
        used: Callable[[bytes], None] = lambda key_hash: None,
    ) -> None:
        """*uncounted* hears of requests that passed without being counted, *arrived* of all that were not recognized by
        their bytes, *used* of each key or token that opened something, by its hash."""
        self.url = url
        self.uncounted = uncounted
        self.arrived = arrived
        self.used = used
        self.uncounted_until = 0.0
        self.watch = watch or Watch()
        self.form_rate_limit = form_rate_limit
        self.prepared = prepared
        self.batches = Batches(self._pass, LIMIT, TURNS)
        self.connection: Connection | None = None
        self.cursor: AsyncCursor[Any] | None = None
        """Of that connection, kept: a new cursor would look up again how each parameter is sent and each column
        read."""
        self.closing = False

    async def __aenter__(self) -> "Gate":
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.closing = True
        await self.batches.end()
        if self.connection is not None:
            await self.connection.close()

    async def ask(self, lookup: Lookup) -> Admission | None:
        """The admission, or None if there is no such key and host, or the brokerage is disabled.

        Raises Busy once the gate is closing, Unavailable.
        """
        if self.closing:
            raise Busy()
        admission = await self.batches.ask(lookup)
        self.arrived(lookup, admission)
        return admission

    def put(self, lookup: Lookup) -> asyncio.Future[Admission | None]:
        """``ask`` for what is no task. Raises Busy; the future raises Unavailable."""
        if self.closing:
            raise Busy()
        return self.batches.put(lookup)

    async def _pass(self, lookups: Sequence[Lookup]) -> Sequence[Admission | None]:
        """Of each lookup in its turn. Equal lookups count as one that so many wait behind."""
        places: defaultdict[Lookup, list[int]] = defaultdict(list)
        for place, lookup in enumerate(lookups):
            places[lookup].append(place)
        admissions: list[Admission | None] = [None] * len(lookups)
        behind, asked = list(places.values()), list(places)
        for row in await self._call(asked, [len(some) for some in behind]):
            caller = Caller._make(row[1:-4])
            if caller.caller_id is not None:
                self.used(asked[row[0] - 1].key_hash)
            granted, used_before, resets_at, _ = row[-4:]
            for turn, place in enumerate(behind[row[0] - 1]):
                remaining = -1
                if resets_at is not None and turn < granted:
                    remaining = caller.rate_limit - used_before - turn - 1
                admissions[place] = Admission(caller, remaining, resets_at)
        return admissions

    async def _call(self, lookups: Sequence[Lookup], counts: Sequence[int]) -> list[Any]:
        counts_now = time.monotonic() >= self.uncounted_until
        try:
            try:
                if not counts_now:
                    return await self._ask_uncounted(lookups, counts)
                if sum(counts) == 1:
                    return await self._ask_again(CALL_ONE, (*lookups[0], self.form_rate_limit))
                return await self._ask_again(CALL, self._parameters(lookups, counts))
            except NO_WRITING as error:
                if not counts_now:
                    raise
                # Reads do not depend on whether anything can be stored.
                log.error("limits_not_counted", error=type(error).__name__, sqlstate=error.sqlstate)
                self.uncounted_until = time.monotonic() + UNCOUNTED_SECONDS
                unavailable(error, self.watch, COUNTING)
                if isinstance(error, psycopg.errors.ReadOnlySqlTransaction) and self.connection is not None:
                    # The next connection may find the server that has taken over.
                    await self.connection.close()
                return await self._ask_uncounted(lookups, counts)
        except Unavailable:
            raise
        except AWAY as error:
            raise unavailable(error, self.watch) from error

    async def _ask_again(self, call: str, parameters: Sequence[Any]) -> list[Any]:
        """``_ask``, on a new connection if this one had broken. A request that was counted already is counted twice."""
        try:
            return await self._ask(call, parameters)
        except psycopg.OperationalError as error:
            if not was_lost(error):
                raise
        if self.connection is not None:
            await self.connection.close()
        return await self._ask(call, parameters)

    def _parameters(self, lookups: Sequence[Lookup], counts: Sequence[int]) -> list[Any]:
        """Of the calls for many."""
        arrays = map(packed, (bytes, str, str, str, int), (*zip(*lookups, strict=True), counts))
        return [*arrays, self.form_rate_limit]

    async def _ask_uncounted(self, lookups: Sequence[Lookup], counts: Sequence[int]) -> list[Any]:
        rows = await self._ask_again(UNCOUNTED, self._parameters(lookups, counts))
        self.uncounted(sum(counts))
        return rows

    async def _ask(self, call: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows of one call. Raises Unavailable, what the driver raises."""
        cursor = await self._connected()
        asked = time.monotonic()
        await cursor.execute(named(call), parameters)
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
        if self.connection.citus:
            # A tenant whose node is away holds up no other one.
            self.batches.limit = 1
        self.cursor = self.connection.cursor(binary=True)
        return self.cursor
