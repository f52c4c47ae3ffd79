"""Feeds running replays into the queue: a stretch of the log at a time, behind live deliveries, without an end to how
much. A replay goes on at its cursor, even if a worker was killed: cursor and deliveries move in one transaction.

    running ──cursor has come to until, and nothing of it is queued──▶ completed
       └──cancelled, or the endpoint removed──▶ cancelled

It never passes the projector: of each position that it looks at, it is settled whether it was told live. While its
endpoint is disabled, or its brokerage may have no webhooks, it waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore
from aureum.webhooks.queue.lanes import PLANS_WITH_WEBHOOKS
from aureum.webhooks.queue.queueing import LOCK_CHECKPOINT, add_deliveries, add_messages, lock_lanes, wake_lanes
from aureum.webhooks.telling.reading import made_again
from aureum.webhooks.telling.replay_choice import UNTRIED, Target, Tried, chosen, may_go, target, types_of

BATCH = 500
"""Events that one step looks at, and deliveries of one replay that wait in the queue before the next."""

FAR = 20_000
"""Positions that one step passes at most, where hardly any event tells something: the projector waits for it."""

TENANTS = """
SELECT DISTINCT r.tenant_id
  FROM webhook_replays r
  JOIN brokerages b ON b.tenant_id = r.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
  JOIN webhook_endpoints w ON w.tenant_id = r.tenant_id AND w.endpoint_id = r.endpoint_id
 WHERE r.state = 'running' AND (w.removed OR w.disabled IS NULL)
"""

CANCEL_OF_REMOVED = """
UPDATE webhook_replays r
   SET state = 'cancelled', ended_at = now()
  FROM webhook_endpoints w
 WHERE r.tenant_id = %(tenant)s AND r.state = 'running'
   AND w.tenant_id = r.tenant_id AND w.endpoint_id = r.endpoint_id AND w.removed
"""

RUNNING = """
SELECT r.replay_id
  FROM webhook_replays r
  JOIN webhook_endpoints w
       ON w.tenant_id = r.tenant_id AND w.endpoint_id = r.endpoint_id AND w.disabled IS NULL AND NOT w.removed
 CROSS JOIN LATERAL (
           SELECT count(*) AS waiting
             FROM (SELECT 1 FROM webhook_deliveries d
                    WHERE d.tenant_id = %(tenant)s AND d.replay_id = r.replay_id LIMIT %(batch)s) AS d
       ) AS q
 WHERE r.tenant_id = %(tenant)s AND r.state = 'running'
   AND (q.waiting = 0 OR r.cursor < r.until AND q.waiting < %(batch)s)
 ORDER BY r.replay_id
 LIMIT 100
"""
"""Those with something to do: room in the queue, or nothing left in it."""

STATE = """
SELECT r.endpoint_id, w.mode, w.events, r.events, r.which, r.cursor,
       CASE WHEN r.cause = 'enabled' THEN e.position ELSE least(r.until, e.position) END,
       (SELECT count(*)
          FROM (SELECT 1 FROM webhook_deliveries d
                 WHERE d.tenant_id = %(tenant)s AND d.replay_id = r.replay_id LIMIT %(batch)s) AS d)
  FROM webhook_replays r
  JOIN webhook_endpoints w
       ON w.tenant_id = r.tenant_id AND w.endpoint_id = r.endpoint_id AND w.disabled IS NULL AND NOT w.removed
  JOIN brokerages b ON b.tenant_id = r.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
  JOIN events e ON e.tenant_id = r.tenant_id AND e.stream_id = r.replay_id AND e.version = 1
 WHERE r.tenant_id = %(tenant)s AND r.replay_id = %(replay)s AND r.state = 'running'
"""
"""What came after the request is not replayed. Of what an endpoint missed, all that came before is: the user who
enabled it could not know yet what was appended at the same moment."""

STRETCH = """
SELECT e.position, e.stream_id
  FROM events e
 WHERE e.tenant_id = %(tenant)s AND e.position > %(after)s AND e.position <= %(until)s AND e.type = ANY (%(types)s)
 ORDER BY e.position
 LIMIT %(batch)s
"""

QUEUED = """
SELECT position FROM webhook_deliveries
 WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s AND position > %(after)s AND position <= %(until)s
"""

TRIED = """
SELECT a.position, max(a.attempt),
       (array_agg(a.outcome ORDER BY a.attempt DESC, a.started_at DESC) FILTER (WHERE a.outcome <> 'superseded'))[1],
       bool_or(a.outcome = 'delivered')
  FROM webhook_attempts a
 WHERE a.tenant_id = %(tenant)s AND a.endpoint_id = %(endpoint)s
   AND a.position > %(after)s AND a.position <= %(until)s
 GROUP BY a.position
"""
"""Context after ``QUEUED``: what leaves the queue in between is found here."""

PROGRESS = """
UPDATE webhook_replays SET cursor = %(cursor)s, until = %(until)s, queued = queued + %(added)s
 WHERE tenant_id = %(tenant)s AND replay_id = %(replay)s AND state = 'running'
RETURNING 1
"""

COMPLETE = """
UPDATE webhook_replays SET state = 'completed', until = %(until)s, ended_at = now()
 WHERE tenant_id = %(tenant)s AND replay_id = %(replay)s AND state = 'running'
"""


@dataclass(frozen=True, slots=True)
class Fed:
    """What steps of replays did: positions that were passed, deliveries that were made, replays that were completed."""

    passed: int = 0
    deliveries: int = 0
    completed: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """The next part of the log that a replay looks at: the streams of its events by position, and where it ends."""

    after: int
    until: int
    streams: dict[int, UUID]


async def tenants_replaying(store: EventStore) -> list[UUID]:
    """Tenants with replays that need not wait for anything but the queue. Raises Unavailable."""
    found = await store.database.look(TENANTS, "r", {"plans": PLANS_WITH_WEBHOOKS})
    return [tenant_id for (tenant_id,) in found]


async def feed(store: EventStore, tenant_id: UUID) -> Fed:
    """One step of each running replay of a tenant. Raises Unavailable, WrongMasterKey."""
    about = {"tenant": tenant_id, "batch": BATCH}
    tenant_key = await store.tenant_key(tenant_id)
    await store.database.rows(CANCEL_OF_REMOVED, about)
    fed = [await step(store, tenant_key, replay_id) for (replay_id,) in await store.database.rows(RUNNING, about)]
    return Fed(sum(f.passed for f in fed), sum(f.deliveries for f in fed), sum(f.completed for f in fed))


async def step(store: EventStore, tenant_key: TenantKey, replay_id: UUID) -> Fed:
    """The next stretch of one replay, or its end; nothing while there is no room, or if another worker is at it."""
    tenant_id = tenant_key.tenant_id
    about = {"tenant": tenant_id, "replay": replay_id, "batch": BATCH, "plans": PLANS_WITH_WEBHOOKS}
    async with store.database.connection() as connection:
        locked, state = connection.cursor(binary=True), connection.cursor(binary=True)
        async with connection.pipeline():
            await connection.execute("BEGIN")
            await locked.execute(LOCK_CHECKPOINT, about)
            await state.execute(STATE, about)
        checkpoint, row = await locked.fetchone(), await state.fetchone()
        if checkpoint is None or row is None:
            await connection.execute("ROLLBACK")
            return Fed()
        endpoint_id, mode, own, narrowed, which, cursor, until, waiting = row
        if cursor >= until:
            if waiting == 0:
                await connection.execute(COMPLETE, about | {"until": until})
            await connection.execute("COMMIT")
            return Fed(completed=int(waiting == 0))
        last = min(until, checkpoint[0], cursor + FAR)
        if cursor >= last or waiting >= BATCH:
            await connection.execute("ROLLBACK")
            return Fed()
        goal = target(endpoint_id, mode, own, narrowed, which)
        stretch = await next_stretch(connection, tenant_id, goal, cursor, last)
        added = await queue(connection, tenant_key, replay_id, goal, stretch)
        moved = await connection.execute(PROGRESS, about | {"cursor": stretch.until, "until": until, "added": added})
        # It was cancelled meanwhile: the code that withdraws what it queued must find all of it.
        going_on = await moved.fetchone() is not None
        if added:
            await lock_lanes(connection, tenant_id, [endpoint_id])
            await wake_lanes(connection, tenant_id, [endpoint_id])
        await connection.execute("COMMIT" if going_on else "ROLLBACK")
    return Fed(stretch.until - cursor, added) if going_on else Fed()


async def next_stretch(
    connection: AsyncConnection[Any], tenant_id: UUID, goal: Target, cursor: int, last: int
) -> Stretch:
    """What follows *cursor*, up to *last*. It may end within an append, whose message comes with its last event."""
    about = {"tenant": tenant_id, "after": cursor, "until": last, "types": types_of(goal.events), "batch": BATCH}
    rows: Sequence[tuple[int, UUID]] = await (await connection.execute(STRETCH, about, binary=True)).fetchall()
    return Stretch(cursor, rows[-1][0] if len(rows) == BATCH else last, dict(rows))


async def queue(
    connection: AsyncConnection[Any], tenant_key: TenantKey, replay_id: UUID, goal: Target, stretch: Stretch
) -> int:
    """Queue what *goal* is to be told of in *stretch*; the number of deliveries."""
    if not stretch.streams:
        return 0
    tenant_id = tenant_key.tenant_id
    about = {"tenant": tenant_id, "endpoint": goal.endpoint_id, "after": stretch.after, "until": stretch.until}
    queued_rows, tried_rows = connection.cursor(binary=True), connection.cursor(binary=True)
    async with connection.pipeline():
        await queued_rows.execute(QUEUED, about)
        await tried_rows.execute(TRIED, about)
    queued = {position for (position,) in await queued_rows.fetchall()}
    tried = {position: Tried(*row) for position, *row in await tried_rows.fetchall()}
    going = {
        position: stream_id
        for position, stream_id in stretch.streams.items()
        if may_go(goal.which, position in queued, tried.get(position, UNTRIED))
    }
    told = await made_again(connection, tenant_key, list(set(going.values())), stretch.after, stretch.until)
    choice = chosen((message for message in told if message.position in going), goal, tried)
    if not choice:
        return 0
    await add_messages(connection, tenant_id, list(choice))
    added = await add_deliveries(connection, tenant_id, list(choice.values()), replay_id)
    return 0 if added is None else added.rowcount
