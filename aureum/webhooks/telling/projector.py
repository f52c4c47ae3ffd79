"""Turns a tenant's log into messages and deliveries: exactly once, since the checkpoint moves in the same transaction.

Positions have no gaps and are committed in their order, so reading from the checkpoint on misses nothing. A tenant that
may have no webhooks now (another plan, disabled) keeps its checkpoint, and is caught up when it may again.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from psycopg import AsyncConnection

from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore
from aureum.store.mapper import REGISTRY
from aureum.webhooks.queue.lanes import PLANS_WITH_WEBHOOKS
from aureum.webhooks.queue.message import Message, Parked
from aureum.webhooks.queue.queueing import (
    LOCK_CHECKPOINT,
    PARKED,
    Delivery,
    add_deliveries,
    add_messages,
    columns_of,
    lock_lanes,
    row_of,
    wake_lanes,
)
from aureum.webhooks.telling.endpoint_changes import changed, follow_changes
from aureum.webhooks.telling.listeners import ENDPOINTS, listener, live
from aureum.webhooks.telling.messages import SOURCE_OF
from aureum.webhooks.telling.reading import EARLIER_EVENTS, POSITION, STREAM, TYPE, VERSION, emitted_by
from aureum.webhooks.telling.requests import Requests, pruned, redeliver, requested, withdraw

log = structlog.get_logger()

BATCH = 500

BEHIND = """
SELECT w.tenant_id
  FROM (SELECT DISTINCT tenant_id FROM webhook_endpoints WHERE NOT removed) AS w
  JOIN brokerages b ON b.tenant_id = w.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
  JOIN heads h ON h.tenant_id = w.tenant_id
  LEFT JOIN checkpoints c ON c.tenant_id = w.tenant_id AND c.consumer = 'webhooks'
 WHERE h.position > coalesce(c.position, 0)
"""

BEGIN_CHECKPOINT = """
INSERT INTO checkpoints (tenant_id, consumer, position)
SELECT %(tenant)s, 'webhooks', min(e.position) - 1
  FROM webhook_endpoints w
  JOIN events e ON e.tenant_id = w.tenant_id AND e.stream_id = w.endpoint_id AND e.version = 1
 WHERE w.tenant_id = %(tenant)s AND NOT w.removed
   AND NOT EXISTS (SELECT FROM checkpoints c WHERE c.tenant_id = %(tenant)s AND c.consumer = 'webhooks')
HAVING count(*) > 0
ON CONFLICT (tenant_id, consumer) DO NOTHING
"""
"""No endpoint hears of what happened before it was registered: the first one's registration is the beginning."""

NEW_EVENTS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s
   AND e.position > (SELECT c.position FROM checkpoints c WHERE c.tenant_id = %(tenant)s AND c.consumer = 'webhooks')
 ORDER BY e.position
 LIMIT %(limit)s
"""

PARK = """
INSERT INTO webhook_parked (tenant_id, position, stream_id, cause, reason)
SELECT %(tenant)s, p.position, p.stream_id, p.cause, p.reason
  FROM unnest(%(position)b::bigint[], %(stream_id)b::uuid[], %(cause)b::bigint[], %(reason)b::text[])
       AS p (position, stream_id, cause, reason)
ON CONFLICT (tenant_id, position) DO NOTHING
"""

ADVANCE = "UPDATE checkpoints SET position = %(position)s WHERE tenant_id = %(tenant)s AND consumer = 'webhooks'"


@dataclass(frozen=True, slots=True)
class Projected:
    """What one batch had: its events, what became of them, and how many of them asked for something themselves."""

    events: int = 0
    deliveries: int = 0
    parked: int = 0
    requests: int = 0


async def tenants_behind(store: EventStore) -> list[UUID]:
    """Tenants that have endpoints, may have webhooks, and whose head is past their checkpoint. Raises Unavailable."""
    found = await store.database.rows(BEHIND, {"plans": PLANS_WITH_WEBHOOKS})
    return [tenant_id for (tenant_id,) in found]


async def project(store: EventStore, tenant_id: UUID, limit: int = BATCH) -> Projected:
    """Project the next *limit* events of one tenant; none if another projector is at it, or there are none.

    Raises Unavailable, WrongMasterKey.
    """
    tenant_key = await store.tenant_key(tenant_id)
    about = {"tenant": tenant_id, "limit": limit}
    async with store.database.connection() as connection:
        locked, new, registered = (connection.cursor(binary=True) for _ in range(3))
        async with connection.pipeline():
            await connection.execute("BEGIN")
            await connection.execute(BEGIN_CHECKPOINT, about)
            await locked.execute(LOCK_CHECKPOINT, about)
            await new.execute(NEW_EVENTS, about)
            # Read after the events: what happened to an endpoint before one of them is known.
            await registered.execute(ENDPOINTS, about)
        rows = await new.fetchall()
        if await locked.fetchone() is None or not rows:
            await connection.execute("COMMIT")
            return Projected()
        listeners = {one.endpoint_id: one for one in map(listener, await registered.fetchall())}
        until = rows[-1][POSITION]
        told: list[Message | Parked] = []
        if any(one.registered < until for one in listeners.values()):
            told = await tell(connection, tenant_key, rows)
        messages = [save for save in told if isinstance(save, Message)]
        parked = [save for save in told if isinstance(save, Parked)]
        deliveries = live(messages, listeners.values())
        asked = requested(tenant_key, rows, listeners)
        deliveries += [Delivery(e, ping.position, row_of(listeners[e].mode, ping.stream_id)) for e, ping in asked.pings]
        messages = wanted(messages + [ping for _, ping in asked.pings], deliveries, asked)
        streams: dict[int, UUID] = {message.position: message.stream_id for message in messages}
        if others := [position for _, position in asked.redeliveries if position not in streams]:
            made, more = await pruned(connection, tenant_key, others)
            messages, streams = messages + made, streams | more
        async with connection.pipeline():
            await add_messages(connection, tenant_id, messages)
            await add_deliveries(connection, tenant_id, deliveries)
            again = await redeliver(connection, tenant_id, asked.redeliveries, streams, listeners)
            await withdraw(connection, tenant_id, asked.cancelled)
            if parked:
                await connection.execute(PARK, about | columns_of(PARKED, parked))
            await connection.execute(ADVANCE, about | {"position": until})
            due = [*(delivery.endpoint_id for delivery in deliveries), *again]
            await lock_lanes(connection, tenant_id, [*due, *changed(rows)])
            await wake_lanes(connection, tenant_id, due)
            await follow_changes(connection, tenant_id, rows)
            await connection.execute("COMMIT")
    for save in parked:
        log.error("webhook_parked", tenant=str(tenant_id), position=save.position, cause=save.cause, reason=save.reason)
    return Projected(len(rows), len(deliveries), len(parked), asked.number)


def wanted(messages: Sequence[Message], deliveries: Sequence[Delivery], asked: Requests) -> list[Message]:
    """Those of *messages* that at least one endpoint is to get."""
    positions = {delivery.position for delivery in deliveries} | {position for _, position in asked.redeliveries}
    return [message for message in messages if message.position in positions]


async def tell(connection: AsyncConnection[Any], tenant_key: TenantKey, rows: Sequence[Any]) -> list[Message | Parked]:
    """What is told of the appends that end in *rows*, which are the next of the tenant's log."""
    new: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        new[row[STREAM]].append(row)
    # What this version has never heard of is not passed over: it would be lost without a word.
    streams = {s: own for s, own in new.items() if any(r[TYPE] in SOURCE_OF or r[TYPE] not in REGISTRY for r in own)}
    if not streams:
        return []
    after, before = rows[0][POSITION] - 1, []
    if begun_earlier := [stream_id for stream_id, own in streams.items() if own[0][VERSION] > 1]:
        about = {"tenant": tenant_key.tenant_id, "streams": begun_earlier, "after": after}
        before = await (await connection.execute(EARLIER_EVENTS, about, binary=True)).fetchall()
    return await emitted_by(tenant_key, streams, before, after)
