"""Follows the logs of all tenants for a consumer: webhooks, mail or timers.

A consumer has one checkpoint per tenant, the position up to which it has done its work (table ``checkpoints``). The
follower looks for tenants whose log goes further, locks the checkpoint, reads the next events, lets the consumer handle
them, and moves the checkpoint in the same transaction. So each event is handled exactly once, however often a worker
dies and however many there are. Positions have no gaps and are committed in their order, so reading on misses nothing.
A tenant whose events cannot be handled is put aside for a while; the others go on.

To add a consumer:

1. Write ``async def handle(batch) -> Handled``. It reads and decides. ``Handled.write`` does the writing: the follower
   calls it at the end, in a pipeline with the checkpoint and the commit. ``Handled.result`` goes to the worker after
   the commit. ``background.reading.read`` opens the events of a stream.
2. Declare ``CONSUMER = Consumer("name", handle)``.
3. Its migration gives the tenants that exist already a checkpoint at their present head, so that an upgrade does not
   handle last year's events. A tenant that is made later begins with its first event::

       INSERT INTO checkpoints (tenant_id, consumer, position) SELECT tenant_id, 'name', position FROM heads;

4. Give ``Follower(store, CONSUMER, heard, poll_seconds)`` a loop in ``worker/worker.py``.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from psycopg import AsyncConnection, sql

from aureum.background.reading import POSITION
from aureum.background.waiting import all_of, wait_for
from aureum.domain.errors import NodeAway, Unavailable
from aureum.log import places
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import SET_TENANT

log = structlog.get_logger()

BATCH = 500

TENANTS_A_ROUND = 100

AT_ONCE = 3
"""Tenants that are handled at the same moment, because most of the time is spent waiting for answers."""

ASIDE_SECONDS = 30.0
"""How long a tenant is put aside if its events cannot be handled."""

LOOK_SHARE = 0.001
LONGEST_PAUSE = 10.0
"""A look at the logs of all tenants takes a thousandth of the time, and there is one every ten seconds at least. With a
hundred tenants that is every time. With ten thousand, only those are looked at in between to which something was
appended a moment ago: comparing every log with its checkpoint twice a second would be a tenth of a processor's work."""

BEHIND = """
SELECT h.tenant_id
  FROM heads h
  LEFT JOIN checkpoints c ON c.tenant_id = h.tenant_id AND c.consumer = %(consumer)s
 WHERE h.position > coalesce(c.position, 0)
"""
"""Of all tenants. A consumer that only some tenants have adds its ``among``."""

MOVED = """
SELECT h.tenant_id
  FROM heads h
 WHERE h.recorded_at > now() - interval '1 minute'
   AND h.position > coalesce((
           SELECT c.position FROM checkpoints c WHERE c.tenant_id = h.tenant_id AND c.consumer = %(consumer)s
       ), 0)
"""
"""The same of tenants to which something was appended within a minute. That is longer than an append may take. What
it overlooks, because a clock was set or a log was imported, the next look at all finds. The checkpoint is asked for
row by row, whatever the planner believes of the number of rows."""

BEGIN = """
INSERT INTO checkpoints (tenant_id, consumer, position) VALUES (%(tenant)s, %(consumer)s, 0)
ON CONFLICT (tenant_id, consumer) DO NOTHING
"""

LOCK_CHECKPOINT = """
SELECT position FROM checkpoints
 WHERE tenant_id = %(tenant)s AND consumer = %(consumer)s
   FOR NO KEY UPDATE SKIP LOCKED
"""

NEW_EVENTS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s
   AND e.position > (SELECT c.position FROM checkpoints c WHERE c.tenant_id = %(tenant)s AND c.consumer = %(consumer)s)
 ORDER BY e.position
 LIMIT %(limit)s
"""
"""Rows as ``background.reading`` knows them."""

ADVANCE = """
UPDATE checkpoints SET position = %(position)s WHERE tenant_id = %(tenant)s AND consumer = %(consumer)s
"""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Batch:
    """The next events of one tenant's log, in a transaction of *connection* that holds the consumer's checkpoint.
    ``beside`` are the rows of the consumer's own query."""

    store: EventStore
    tenant_key: TenantKey
    connection: AsyncConnection[Any]
    rows: Sequence[Any]
    beside: Sequence[Any]

    @property
    def tenant_id(self) -> UUID:
        return self.tenant_key.tenant_id

    @property
    def until(self) -> int:
        """The position of the last event."""
        return int(self.rows[-1][POSITION])


@dataclass(frozen=True, slots=True)
class Handled(Generic[Result]):
    """What became of a batch, and how it is written."""

    result: Result
    write: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Consumer(Generic[Result]):
    """Handles events; ``name`` is that of its checkpoint. A consumer that only some tenants have says which: ``among``
    is a condition on ``h``, the tenant's head, and ``begin`` makes the first checkpoint.
    ``beside`` reads what the handling needs besides the events, after them. All of them get ``arguments``. ``most`` is
    how many events are handled at once."""

    name: str
    handle: Callable[[Batch], Awaitable[Handled[Result]]]
    among: str = ""
    begin: str = BEGIN
    beside: str = "SELECT"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    most: int = BATCH


@dataclass(frozen=True, slots=True)
class Followed(Generic[Result]):
    """So many events were handled, with this result."""

    events: int
    result: Result


async def tenants_behind(store: EventStore, consumer: Consumer[Any]) -> list[UUID]:
    """Tenants whose log goes further than the consumer's checkpoint. Raises Unavailable."""
    return await look(store, consumer, BEHIND)


async def look(store: EventStore, consumer: Consumer[Any], statement: str) -> list[UUID]:
    """``BEHIND`` or ``MOVED`` of the consumer's tenants. Raises Unavailable."""
    about = {"consumer": consumer.name, **consumer.arguments}
    found = await store.database.look(statement + consumer.among, "h", about)
    return [tenant_id for (tenant_id,) in found]


async def follow(
    store: EventStore, consumer: Consumer[Result], tenant_id: UUID, limit: int | None = None
) -> Followed[Result] | None:
    """Handle the next *limit* events of one tenant, by default as many as the consumer takes at once. Returns None if
    another follower holds the checkpoint, or there are no events.

    Raises Unavailable, WrongMasterKey, and what the consumer raises.
    """
    tenant_key = await store.tenant_key(tenant_id)
    about = {"tenant": tenant_id, "consumer": consumer.name, "limit": limit or consumer.most, **consumer.arguments}
    async with store.database.connection() as connection:
        locked, new, beside = (connection.cursor(binary=True) for _ in range(3))
        async with connection.pipeline():
            await connection.execute("BEGIN")
            if connection.owns_nothing:
                # A process that answers requests follows one tenant at times, by a login that sees no other.
                await connection.execute(SET_TENANT.format(sql.Literal(str(tenant_id))), prepare=False)
            await connection.execute(consumer.begin, about)
            await locked.execute(LOCK_CHECKPOINT, about)
            await new.execute(NEW_EVENTS, about)
            await beside.execute(consumer.beside, about)
        rows = await new.fetchall()
        if await locked.fetchone() is None or not rows:
            await connection.execute("COMMIT")
            return None
        batch = Batch(store, tenant_key, connection, rows, await beside.fetchall())
        handled = await consumer.handle(batch)
        async with connection.pipeline():
            await handled.write()
            await connection.execute(ADVANCE, about | {"position": batch.until})
            await connection.execute("COMMIT")
    return Followed(len(rows), handled.result)


class Follower(Generic[Result]):
    """Follows the logs of all tenants for one consumer, and calls *heard* with each tenant and result. A worker has one
    per consumer, runs its rounds, and sets ``wake`` when something was appended."""

    def __init__(
        self,
        store: EventStore,
        consumer: Consumer[Result],
        heard: Callable[[UUID, Result], None],
        poll_seconds: float,
    ) -> None:
        self.store = store
        self.consumer = consumer
        self.heard = heard
        self.poll_seconds = poll_seconds
        self.aside: dict[UUID, float] = {}
        self.behind: set[UUID] = set()
        self.next_look = 0.0
        self.wake = asyncio.Event()

    async def round(self) -> None:
        """One batch of each tenant that is behind; if none is, wait for something to happen. Raises Unavailable."""
        self.wake.clear()
        began = time.monotonic()
        if began < self.next_look:
            self.behind.update(await look(self.store, self.consumer, MOVED))
        else:
            self.behind = set(await tenants_behind(self.store, self.consumer))
            ended = time.monotonic()
            self.next_look = ended + min((ended - began) / LOOK_SHARE, LONGEST_PAUSE)
        # In random order, so that no tenant is always last.
        some = random.sample(sorted(self.behind), min(len(self.behind), TENANTS_A_ROUND))
        events = 0
        for start in range(0, len(some), AT_ONCE):
            events += sum(await all_of(self._follow(tenant_id) for tenant_id in some[start : start + AT_ONCE]))
        if not events and not self.wake.is_set():
            await wait_for(self.wake, self.poll_seconds)

    async def _follow(self, tenant_id: UUID) -> int:
        """One batch of a tenant; the number of its events. A tenant that fails holds up no other. It stays among those
        that are behind if there may be more."""
        if time.monotonic() < self.aside.get(tenant_id, 0.0):
            self.behind.discard(tenant_id)
            return 0
        try:
            followed = await follow(self.store, self.consumer, tenant_id)
        except NodeAway:
            # The next look finds those whose node answers.
            self.behind.discard(tenant_id)
            return 0
        except Unavailable:
            raise
        except Exception as error:
            self.aside[tenant_id] = time.monotonic() + ASIDE_SECONDS
            self.behind.discard(tenant_id)
            log.error(
                "log_not_followed",
                consumer=self.consumer.name,
                tenant=str(tenant_id),
                error=type(error).__name__,
                trace=places(error),
            )
            return 0
        self.aside.pop(tenant_id, None)
        if followed is None or followed.events < self.consumer.most:
            self.behind.discard(tenant_id)
        if followed is None:
            return 0
        self.heard(tenant_id, followed.result)
        return followed.events
