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

from aureum.background import follower
from aureum.background.follower import Batch, Consumer, Handled
from aureum.background.reading import EARLIER_EVENTS, POSITION, STREAM, TYPE, VERSION
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore
from aureum.store.mapper import REGISTRY
from aureum.webhooks.queue.lanes import PLANS_WITH_WEBHOOKS
from aureum.webhooks.queue.message import Message, Parked
from aureum.webhooks.queue.queueing import (
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
from aureum.webhooks.telling.reading import emitted_by
from aureum.webhooks.telling.requests import Requests, pruned, redeliver, requested, withdraw

log = structlog.get_logger()

AMONG = """
   AND EXISTS (SELECT FROM webhook_endpoints w WHERE w.tenant_id = h.tenant_id AND NOT w.removed)
   AND EXISTS (
           SELECT FROM brokerages b WHERE b.tenant_id = h.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
       )
"""
"""Tenants that have endpoints, and may have webhooks."""

BEGIN = """
INSERT INTO checkpoints (tenant_id, consumer, position)
SELECT %(tenant)s, %(consumer)s, min(e.position) - 1
  FROM webhook_endpoints w
  JOIN events e ON e.tenant_id = w.tenant_id AND e.stream_id = w.endpoint_id AND e.version = 1
 WHERE w.tenant_id = %(tenant)s AND NOT w.removed
   AND NOT EXISTS (SELECT FROM checkpoints c WHERE c.tenant_id = %(tenant)s AND c.consumer = %(consumer)s)
HAVING count(*) > 0
ON CONFLICT (tenant_id, consumer) DO NOTHING
"""
"""No endpoint hears of what happened before it was registered: the first one's registration is the beginning."""

PARK = """
INSERT INTO webhook_parked (tenant_id, position, stream_id, cause, reason)
SELECT %(tenant)s, p.position, p.stream_id, p.cause, p.reason
  FROM unnest(%(position)b::bigint[], %(stream_id)b::uuid[], %(cause)b::bigint[], %(reason)b::text[])
       AS p (position, stream_id, cause, reason)
ON CONFLICT (tenant_id, position) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Projected:
    """What one batch had: its events, what became of them, and how many of them asked for something themselves."""

    events: int = 0
    deliveries: int = 0
    parked: int = 0
    requests: int = 0


async def tenants_behind(store: EventStore) -> list[UUID]:
    """Tenants that have endpoints, may have webhooks, and whose head is past their checkpoint. Raises Unavailable."""
    return await follower.tenants_behind(store, WEBHOOKS)


async def project(store: EventStore, tenant_id: UUID, limit: int = follower.BATCH) -> Projected:
    """Project the next *limit* events of one tenant; none if another projector is at it, or there are none.

    Raises Unavailable, WrongMasterKey.
    """
    followed = await follower.follow(store, WEBHOOKS, tenant_id, limit)
    return Projected() if followed is None else followed.result


async def handle(batch: Batch) -> Handled[Projected]:
    """Make messages and deliveries of the batch for the endpoints that listen."""
    tenant_id, connection, tenant_key, rows = batch.tenant_id, batch.connection, batch.tenant_key, batch.rows
    listeners = {one.endpoint_id: one for one in map(listener, batch.beside)}
    told: list[Message | Parked] = []
    if any(one.registered < batch.until for one in listeners.values()):
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

    async def write() -> None:
        await add_messages(connection, tenant_id, messages)
        await add_deliveries(connection, tenant_id, deliveries)
        again = await redeliver(connection, tenant_id, asked.redeliveries, streams, listeners)
        await withdraw(connection, tenant_id, asked.cancelled)
        if parked:
            await connection.execute(PARK, {"tenant": tenant_id} | columns_of(PARKED, parked))
        due = [*(delivery.endpoint_id for delivery in deliveries), *again]
        await lock_lanes(connection, tenant_id, [*due, *changed(rows)])
        await wake_lanes(connection, tenant_id, due)
        await follow_changes(connection, tenant_id, rows)
        for save in parked:
            log.error(
                "webhook_parked", tenant=str(tenant_id), position=save.position, cause=save.cause, reason=save.reason
            )

    return Handled(Projected(len(rows), len(deliveries), len(parked), asked.number), write)


WEBHOOKS = Consumer("webhooks", handle, AMONG, BEGIN, ENDPOINTS, {"plans": PLANS_WITH_WEBHOOKS})
"""The projector, as the worker follows the logs with it."""


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
