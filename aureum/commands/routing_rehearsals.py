"""Rehearsals of routing as jobs: asked for over the API, done by the worker a slice at a time.

    running ──cursor has come to until──▶ completed
       ├──it broke off three times──▶ failed
       └──staff cancelled it──▶ cancelled

A worker holds a job for a slice and gives it back; one that is killed loses the stretch that it was at. Cursor, counts
and leads move in one transaction.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from aureum.commands.conflicts import deciding_again
from aureum.commands.rehearsal_model import model_for
from aureum.commands.rehearsing import begun, rehearse, rehearsed_team
from aureum.commands.routed import team_of
from aureum.commands.routing import check_agents
from aureum.commands.webhook_replays import HEAD, first_since
from aureum.domain import ids
from aureum.domain.errors import NotFound, WrongState
from aureum.domain.routing import reasons
from aureum.domain.routing.rehearsal import Rehearsal, Rehearsed, from_json, to_json
from aureum.domain.routing.settings import Routing
from aureum.domain.routing.settings import from_json as settings_from_json
from aureum.domain.routing_rehearsal import RoutingRehearsal
from aureum.projections import routing_rehearsals
from aureum.settings import NO_MODEL
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin
from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.database import Database

NO_REHEARSAL = "There is no such rehearsal."

MOST_RUNNING = 5
TOO_MANY = f"{MOST_RUNNING} rehearsals of this brokerage are running. Wait until one of them has ended, or cancel one."
ENDED = "This rehearsal is {state}. Only a running rehearsal can be cancelled."

MOST_LEADS = 100_000
"""Leads of a job that are kept one by one; those beyond are counted."""

SLICE_SECONDS = 15.0
"""How long a worker stays with one job while others wait."""

WAITS = "state = 'running' AND (held_until IS NULL OR held_until < statement_timestamp())"

CLAIM = Everywhere(
    """
UPDATE routing_rehearsals r
   SET held_until = statement_timestamp() + interval '60 seconds'
  FROM (
           SELECT w.tenant_id, w.rehearsal_id
             FROM routing_rehearsals w
            WHERE {waits}
            ORDER BY w.held_until NULLS FIRST, w.rehearsal_id
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       ) AS n
 WHERE r.tenant_id = n.tenant_id AND r.rehearsal_id = n.rehearsal_id
RETURNING r.tenant_id, r.rehearsal_id, r.settings, r.since, r.until, r.cursor, r.since_time, r.rehearsal
""".replace("{waits}", WAITS),
    "routing_rehearsals w",
    WAITS,
)
"""The one that was left alone longest."""

WAITING = """
SELECT 1 FROM routing_rehearsals
 WHERE state = 'running' AND (held_until IS NULL OR held_until < statement_timestamp())
 LIMIT 1
"""

MOVE = """
UPDATE routing_rehearsals
   SET cursor = %(cursor)s, rehearsal = %(rehearsal)s, failures = 0,
       held_until = statement_timestamp() + interval '60 seconds',
       state = CASE WHEN %(cursor)s >= until THEN 'completed' ELSE state END,
       ended_at = CASE WHEN %(cursor)s >= until THEN clock.now END
  FROM (SELECT statement_timestamp() AS now OFFSET 0) AS clock
 WHERE tenant_id = %(tenant)s AND rehearsal_id = %(id)s AND state = 'running' AND cursor = %(before)s
RETURNING 1
"""
"""Nothing, if another worker has moved it: this one took too long."""

ADD = """
INSERT INTO routing_rehearsal_leads (
       tenant_id, rehearsal_id, place, kind, stream_id, number, routed_at, had, would, erased, rule, reason)
SELECT %(tenant)s, %(id)s, a.*
  FROM unnest(%(place)s::integer[], %(kind)s::text[], %(stream_id)s::uuid[], %(number)s::bigint[],
              %(at)s::timestamptz[], %(had)s::uuid[], %(would)s::uuid[], %(erased)s::boolean[], %(rule)s::integer[],
              %(reason)s::text[]) AS a
"""

GIVE_BACK = """
UPDATE routing_rehearsals SET held_until = statement_timestamp()
 WHERE tenant_id = %(tenant)s AND rehearsal_id = %(id)s AND state = 'running'
"""

BROKEN = """
UPDATE routing_rehearsals
   SET failures = failures + 1, held_until = statement_timestamp() + interval '10 seconds',
       state = CASE WHEN failures >= 2 THEN 'failed' ELSE state END,
       ended_at = CASE WHEN failures >= 2 THEN clock.now END
  FROM (SELECT statement_timestamp() AS now OFFSET 0) AS clock
 WHERE tenant_id = %(tenant)s AND rehearsal_id = %(id)s AND state = 'running'
"""

PRUNE = """
DELETE FROM routing_rehearsal_leads l
 WHERE (l.tenant_id, l.rehearsal_id, l.place) IN (
           SELECT o.tenant_id, o.rehearsal_id, o.place
             FROM (
                      SELECT r.tenant_id, r.rehearsal_id
                        FROM (
                                 SELECT tenant_id, rehearsal_id, ended_at,
                                        row_number() OVER (PARTITION BY tenant_id ORDER BY rehearsal_id DESC) AS newer
                                   FROM routing_rehearsals
                             ) AS r
                       WHERE r.ended_at < now() - interval '7 days' OR r.ended_at IS NOT NULL AND r.newer > 5
                  ) AS old
             JOIN routing_rehearsal_leads o ON o.tenant_id = old.tenant_id AND o.rehearsal_id = old.rehearsal_id
            LIMIT %(limit)s
       )
RETURNING 1
"""
"""What is kept lead by lead: of the newest five of a brokerage, for seven days."""

PRUNE_BATCH = 5_000


class RequestRehearsal(BaseModel):
    """Route what came since a moment again by other settings; by those of now for None."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    routing: Routing
    since: datetime


async def request_rehearsal(
    store: EventStore, command: RequestRehearsal, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[RoutingRehearsal, Appended]:
    """The job. Raises Invalid, WrongState (too many are running), and what ``EventStore.append`` raises."""
    tenant_id = command.tenant_id
    await check_agents(store, tenant_id, command.routing)
    ((running,),) = await store.database.tenant_rows(tenant_id, routing_rehearsals.RUNNING, {"tenant": tenant_id})
    if running >= MOST_RUNNING:
        raise WrongState(TOO_MANY)
    ((head,),) = await store.database.tenant_rows(tenant_id, HEAD, {"tenant": tenant_id})
    rehearsal = RoutingRehearsal.request(
        ids.new_id(),
        ids.now(),
        routing=command.routing,
        since=await first_since(store, tenant_id, command.since, included=True),
        until=head,
        since_time=command.since,
    )
    appended = await store.append(
        tenant_id, rehearsal, NO_STREAM, command="RequestRehearsal", origin=origin, idempotency=idempotency
    )
    return rehearsal, appended


async def cancel_rehearsal(
    store: EventStore, tenant_id: UUID, rehearsal_id: UUID, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[RoutingRehearsal, Appended]:
    """The rehearsal, which goes no further; what it has found stays. Cancelling it again changes nothing.

    Raises NotFound, WrongState (it has ended), Conflict, and what ``EventStore.append`` raises.
    """

    async def once() -> tuple[RoutingRehearsal, Appended]:
        stream = await store.load(tenant_id, rehearsal_id)
        rehearsal = stream.aggregate()
        about = {"tenant": tenant_id, "id": rehearsal_id}
        found = await store.database.tenant_rows(tenant_id, routing_rehearsals.STATE, about)
        if not isinstance(rehearsal, RoutingRehearsal) or not found:
            raise NotFound(NO_REHEARSAL)
        ((state,),) = found
        if state not in ("running", "cancelled"):
            raise WrongState(ENDED.format(state=state))
        rehearsal.cancel(max(ids.now(), rehearsal.modified_on))
        appended = await store.append(
            tenant_id, rehearsal, stream, command="CancelRehearsal", origin=origin, idempotency=idempotency
        )
        return rehearsal, appended

    return await deciding_again(once)


@dataclass(frozen=True, slots=True)
class Job:
    """A rehearsal that this worker holds, as its row keeps it."""

    tenant_id: UUID
    id: UUID
    settings: dict[str, Any]
    since: int
    until: int
    cursor: int
    since_time: datetime
    rehearsal: dict[str, Any] | None


async def claim(database: Database) -> Job | None:
    """The next job, which no other worker does meanwhile; None if there is none. Raises Unavailable."""
    rows = await database.everywhere(CLAIM, {"limit": 1})
    return Job(*rows[0]) if rows else None


async def go_on(store: EventStore, job: Job, model: str = NO_MODEL, seconds: float = SLICE_SECONDS) -> None:
    """*job* to its end, or a slice of it if others wait. *model* ranks agents. Raises Unavailable, WrongMasterKey."""
    routing = settings_from_json(job.settings)
    async with model_for(routing, model):
        held = await run(store, job, routing, seconds)
    if held:
        await store.database.rows(GIVE_BACK, {"tenant": job.tenant_id, "id": job.id})


async def run(store: EventStore, job: Job, routing: Routing, seconds: float) -> bool:
    """The same, where the model is there; whether the job is still this worker's."""
    team = await rehearsed_team(store, job.tenant_id, await team_of(store, job.tenant_id), routing)
    if job.rehearsal is None:
        rehearsal = await begun(store, job.tenant_id, team, job.since, job.since_time)
    else:
        rehearsal = from_json(job.rehearsal)
    cursor, until = job.cursor, time.monotonic() + seconds
    if cursor >= job.until:
        return await move(store.database, job, cursor, cursor, rehearsal, [])
    async for last, found in rehearse(store, job.tenant_id, team, rehearsal, cursor, job.until):
        if not await move(store.database, job, cursor, last, rehearsal, found):
            return False
        cursor = last
        if time.monotonic() > until:
            if await store.database.rows(WAITING):
                break
            until = time.monotonic() + seconds
    return True


async def move(
    database: Database, job: Job, before: int, cursor: int, rehearsal: Rehearsal, found: Sequence[Rehearsed]
) -> bool:
    """Store what a stretch has brought; whether *job* is still this worker's."""
    first = rehearsal.leads - len(found) + 1
    kept = list(enumerate(found, first))[: max(MOST_LEADS - first + 1, 0)]
    about: dict[str, Any] = {"tenant": job.tenant_id, "id": job.id}
    async with database.connection() as connection, connection.transaction():
        moved = await connection.execute(
            MOVE, about | {"cursor": cursor, "before": before, "rehearsal": Jsonb(to_json(rehearsal))}
        )
        if await moved.fetchone() is None:
            return False
        if kept:
            await connection.execute(ADD, about | columns(kept))
    return True


def columns(found: Sequence[tuple[int, Rehearsed]]) -> dict[str, list[Any]]:
    """Leads with their places, a list a column."""
    rows = [row_of(place, one) for place, one in found]
    return dict(zip(routing_rehearsals.LEAD, map(list, zip(*rows, strict=True)), strict=True))


def row_of(place: int, one: Rehearsed) -> tuple[Any, ...]:
    """A lead as a job keeps it, in the order of ``LEAD``."""
    about = (place, one.kind, one.stream_id, one.number, one.at, one.had, one.would, one.erased)
    return (*about, rule_of(one), reason_of(one))


def rule_of(one: Rehearsed) -> int | None:
    """The number of the rule that would have decided."""
    rule = None if one.routing is None else one.routing.get("rule")
    return None if rule is None else int(rule["number"])


def reason_of(one: Rehearsed) -> str | None:
    """Why it would have gone there, in words."""
    return None if one.routing is None else reasons.reason(one.routing)


async def broke_off(database: Database, job: Job) -> None:
    """Something is wrong with *job*. It is tried twice more."""
    await database.rows(BROKEN, {"tenant": job.tenant_id, "id": job.id})


async def prune_rehearsals(database: Database, batch: int = PRUNE_BATCH) -> int:
    """Remove what older rehearsals keep lead by lead; how many rows. Raises Unavailable."""
    removed = 0
    while True:
        found = len(await database.rows(PRUNE, {"limit": batch}))
        removed += found
        if found < batch:
            return removed
