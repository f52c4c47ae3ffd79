"""What became of attempts, written in batches: a success ends the delivery, a failure makes it due later.

Only the worker that still holds the lease changes the delivery; a completion that comes too late is logged as
superseded. A batch does not wait for the disk: a crash of the database may forget it, and then its deliveries are sent
again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import structlog

from aureum.background.commits import NO_WAIT_FOR_DISK
from aureum.domain.errors import NodeAway
from aureum.store.postgres.arrays import Big, packed
from aureum.store.postgres.database import Database
from aureum.webhooks.queue.completing_on_citus import HELD, complete
from aureum.webhooks.queue.health import Result
from aureum.webhooks.queue.lane_health import News, Trouble, tell_lanes
from aureum.webhooks.queue.lanes import Claim
from aureum.webhooks.sending.results import Failure

log = structlog.get_logger()

BATCH = 256
LINGER_SECONDS = 0.002
"""How long a batch waits for company. What arrives while one is written makes the next."""

GONE = 410
"""What an endpoint answers that wants to hear nothing any more, for good (RFC 9110 §15.5.11, Standard Webhooks)."""

COMPLETE = f"""
WITH r AS (
    SELECT r.*
      FROM unnest(
               %(endpoint)b::uuid[], %(position)b::bigint[], %(attempt)b::integer[], %(pause)b::float8[],
               %(started_at)b::timestamptz[], %(duration_ms)b::integer[], %(status)b::integer[], %(error)b::text[],
               %(answer)b::bytea[]
           ) AS r (endpoint_id, position, attempt, pause, started_at, duration_ms, status, error, answer)
), {HELD}, logged AS (
    INSERT INTO webhook_attempts (tenant_id, endpoint_id, position, attempt, started_at, duration_ms, status, error,
                                  answer, outcome, lease_owner)
    SELECT %(tenant)s, r.endpoint_id, r.position, r.attempt, r.started_at, r.duration_ms, r.status, r.error, r.answer,
           CASE WHEN h.position IS NULL THEN 'superseded'
                WHEN r.error IS NULL THEN 'delivered'
                WHEN r.pause IS NULL THEN 'exhausted'
                ELSE 'failed' END,
           %(owner)s
      FROM r
      LEFT JOIN held h ON h.endpoint_id = r.endpoint_id AND h.position = r.position AND h.attempt = r.attempt
    -- Written already: the answer to the first try was lost with the connection.
    ON CONFLICT DO NOTHING
    RETURNING endpoint_id, position, attempt, outcome
)
SELECT endpoint_id, position, attempt, outcome FROM logged
"""  # noqa: S608  # of constants


class Completion(NamedTuple):
    """An attempt that was made. ``pause`` is how long to wait for the next; None after a success, or if none follows.

    ``error`` is None for a success.
    """

    claim: Claim
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    answer: bytes
    pause: timedelta | None


Key = tuple[UUID, UUID, int, int]
"""Tenant, endpoint, position, attempt."""


def key_of(completion: Completion) -> Key:
    """What tells the completions of one worker apart."""
    claim = completion.claim
    return claim.tenant_id, claim.endpoint_id, claim.position, claim.attempt


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of each completion, as ``webhook_attempts`` has it, and the endpoints that are in trouble.

    What an earlier call wrote already is left out.
    """

    outcomes: dict[Key, str]
    troubles: list[Trouble]


async def write(database: Database, owner: UUID, completions: Sequence[Completion]) -> Written:
    """Write what became of attempts of *owner*, all or nothing. Raises Unavailable."""
    by_tenant = [
        (tenant_id, list(own))
        for tenant_id, own in groupby(sorted(completions, key=key_of), key=lambda c: c.claim.tenant_id)
    ]
    async with database.connection() as connection:
        cursors = [connection.cursor(binary=True) for _ in by_tenant]
        found: list[Trouble] = []
        async with connection.pipeline():
            await connection.execute("BEGIN")
            await connection.execute(NO_WAIT_FOR_DISK)
            for (tenant_id, own), cursor in zip(by_tenant, cursors, strict=True):
                await cursor.execute(COMPLETE, arguments(tenant_id, owner, own))
            for tenant_id, own in by_tenant:
                if news := news_of(own):
                    found += await tell_lanes(connection, tenant_id, news)
            await connection.execute("COMMIT")
        outcomes = {
            (tenant_id, *row[:-1]): row[-1]
            for (tenant_id, _), cursor in zip(by_tenant, cursors, strict=True)
            for row in await cursor.fetchall()
        }
        return Written(outcomes, found)


async def write_on_citus(database: Database, owner: UUID, completions: Sequence[Completion]) -> Written:
    """``write`` of completions of one tenant, on its node. Raises Unavailable."""
    tenant_id = completions[0].claim.tenant_id
    tried = [(key_of(c)[1:], c.error, c.pause is not None) for c in completions]
    async with database.connection() as connection, connection.transaction():
        await connection.execute(NO_WAIT_FOR_DISK)
        rows = await complete(connection, arguments(tenant_id, owner, completions), tried)
        news = news_of(completions)
        troubles = await tell_lanes(connection, tenant_id, news) if news else []
    return Written({(tenant_id, *row[:-1]): row[-1] for row in rows}, troubles)


def arguments(tenant_id: UUID, owner: UUID, completions: Sequence[Completion]) -> dict[str, Any]:
    """The parameters of ``COMPLETE`` for one tenant."""
    claims = [c.claim for c in completions]
    return {
        "tenant": tenant_id,
        "owner": owner,
        "endpoint": packed(UUID, [c.endpoint_id for c in claims]),
        "position": packed(Big, [c.position for c in claims]),
        "attempt": packed(int, [c.attempt for c in claims]),
        "pause": packed(float, [None if c.pause is None else c.pause.total_seconds() for c in completions]),
        "started_at": packed(datetime, [c.started_at for c in completions]),
        "duration_ms": packed(int, [c.duration_ms for c in completions]),
        "status": packed(int, [c.status for c in completions]),
        "error": packed(str, [c.error for c in completions]),
        "answer": packed(bytes, [c.answer for c in completions]),
    }


def news_of(completions: Sequence[Completion]) -> list[News]:
    """What the lanes of one tenant are to hear: of a lane in good health nothing but failures."""
    by_endpoint: dict[UUID, list[Completion]] = defaultdict(list)
    for completion in completions:
        by_endpoint[completion.claim.endpoint_id].append(completion)
    return [
        News(
            endpoint_id,
            [Result(c.error is None, c.error in (Failure.TIMEOUT, Failure.CONNECT_TIMEOUT)) for c in own],
            earliest(own),
            any(c.status == GONE for c in own),
        )
        for endpoint_id, own in by_endpoint.items()
        if any(c.error is not None or c.claim.troubled or c.claim.mode != "parallel" for c in own)
    ]


def earliest(completions: Sequence[Completion]) -> float | None:
    """In how many seconds one of an endpoint's deliveries is due because of these: a retry, or the next of a row."""
    pauses = [c.pause.total_seconds() for c in completions if c.pause is not None]
    in_order = completions[0].claim.mode != "parallel"
    return 0.0 if in_order else min(pauses, default=None)


class Completer:
    """Writes the completions of one worker, a batch at a time, however long the database is away. The worker runs
    its rounds.

    Afterwards *written* hears of each with its outcome: ``repeated`` if it had been written before, ``lost`` if it
    cannot be (then its lease ends by itself); and *tell* of endpoints in trouble.
    """

    def __init__(
        self,
        database: Database,
        owner: UUID,
        written: Callable[[Completion, str], None],
        tell: Callable[[Trouble], Awaitable[None]],
    ) -> None:
        self.database = database
        self.owner = owner
        self.written = written
        self.tell = tell
        self.waiting: list[Completion] = []
        self.wake = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()

    def complete(self, completion: Completion) -> None:
        """Have *completion* written soon."""
        self.waiting.append(completion)
        self.wake.set()
        self.idle.clear()

    async def round(self) -> None:
        """Wait for completions and write a batch of them; what could not be written waits on. Raises Unavailable."""
        if not self.waiting:
            self.wake.clear()
            await self.wake.wait()
            await asyncio.sleep(LINGER_SECONDS)
        batch = self.waiting[:BATCH]
        try:
            written = await (self._write_by_tenant if self.database.citus else self._write)(batch)
        except (psycopg.Error, OverflowError):
            written = await self._write_each(batch)
        del self.waiting[: len(batch)]
        for completion in batch:
            self.written(completion, written.outcomes.get(key_of(completion), "repeated"))
        for trouble in written.troubles:
            await self.tell(trouble)
        if not self.waiting:
            self.idle.set()

    async def _write(self, completions: Sequence[Completion]) -> Written:
        return await (write_on_citus if self.database.citus else write)(self.database, self.owner, completions)

    async def _write_by_tenant(self, completions: Sequence[Completion]) -> Written:
        """On Citus: a node that dies amid a transaction of several leaves locks on all of them, for a minute. Those
        whose node is away must not keep the others from being written; their leases end by themselves."""
        all_written = Written({}, [])
        for tenant_id, some in groupby(sorted(completions, key=key_of), key=lambda c: c.claim.tenant_id):
            own = list(some)
            try:
                written = await self._write(own)
            except NodeAway:
                log.error("webhook_completions_lost", tenant=str(tenant_id), attempts=len(own))
                written = Written(dict.fromkeys(map(key_of, own), "lost"), [])
            except (psycopg.Error, OverflowError):
                written = await self._write_each(own)
            all_written.outcomes.update(written.outcomes)
            all_written.troubles.extend(written.troubles)
        return all_written

    async def _write_each(self, completions: Sequence[Completion]) -> Written:
        """The database refuses one of *completions*: that one must not keep the others from being written."""
        all_written = Written({}, [])
        for completion in completions:
            try:
                written = await self._write([completion])
            except (psycopg.Error, OverflowError, NodeAway) as error:
                claim = completion.claim
                log.error(
                    "webhook_completion_refused",
                    tenant=str(claim.tenant_id),
                    endpoint=str(claim.endpoint_id),
                    position=claim.position,
                    sqlstate=getattr(error, "sqlstate", None),
                )
                all_written.outcomes[key_of(completion)] = "lost"
            else:
                all_written.outcomes.update(written.outcomes)
                all_written.troubles.extend(written.troubles)
        return all_written
