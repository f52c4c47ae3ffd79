"""Turns a tenant's log into messages and deliveries: exactly once, since the checkpoint moves in the same transaction.

Positions have no gaps and are committed in their order, so reading from the checkpoint on misses nothing. A tenant that
may have no webhooks now (another plan, disabled) keeps its checkpoint, and is caught up when it may again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import StoredEvent
from psycopg import AsyncConnection

from aureum.store import metadata
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore, Recorded
from aureum.store.mapper import REGISTRY, EventMapper, join_topic
from aureum.webhooks.lanes import PLANS_WITH_WEBHOOKS
from aureum.webhooks.messages import SOURCE_OF, Message, Parked, Unreadable, messages

log = structlog.get_logger()

BATCH = 500
STREAM, VERSION, POSITION, TYPE = range(4)
WRAPPED = 8
"""Where these stand in a row of the log. The last is the key of the stream's subject."""

SLICE = 50
"""Streams that are worked through in one go; then the process's other tasks have their turn."""

BEHIND = """
SELECT w.tenant_id
  FROM (SELECT DISTINCT tenant_id FROM webhook_endpoints) AS w
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
 WHERE w.tenant_id = %(tenant)s
   AND NOT EXISTS (SELECT FROM checkpoints c WHERE c.tenant_id = %(tenant)s AND c.consumer = 'webhooks')
HAVING count(*) > 0
ON CONFLICT (tenant_id, consumer) DO NOTHING
"""
"""No endpoint hears of what happened before it was registered: the first one's registration is the beginning."""

LOCK_CHECKPOINT = """
SELECT position FROM checkpoints WHERE tenant_id = %(tenant)s AND consumer = 'webhooks' FOR NO KEY UPDATE SKIP LOCKED
"""

NEW_EVENTS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s
   AND e.position > (SELECT c.position FROM checkpoints c WHERE c.tenant_id = %(tenant)s AND c.consumer = 'webhooks')
 ORDER BY e.position
 LIMIT %(limit)s
"""

ENDPOINTS = """
SELECT w.endpoint_id, w.events, e.position
  FROM webhook_endpoints w
  JOIN events e ON e.tenant_id = w.tenant_id AND e.stream_id = w.endpoint_id AND e.version = 1
 WHERE w.tenant_id = %(tenant)s
"""

EARLIER_EVENTS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, NULL
  FROM events e
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(streams)s) AND e.position <= %(after)s
 ORDER BY e.stream_id, e.version
"""

ADD_MESSAGES = """
INSERT INTO webhook_messages (tenant_id, position, message_id, event, stream_id, body, recorded_at)
SELECT %(tenant)s, m.position, m.message_id, m.event, m.stream_id, m.body, m.recorded_at
  FROM unnest(
           %(position)b::bigint[], %(message_id)b::text[], %(event)b::text[], %(stream_id)b::uuid[], %(body)b::bytea[],
           %(recorded_at)b::timestamptz[]
       ) AS m (position, message_id, event, stream_id, body, recorded_at)
ON CONFLICT (tenant_id, position) DO NOTHING
"""

ADD_LANES = """
INSERT INTO webhook_lanes AS l (tenant_id, endpoint_id, next_due)
SELECT DISTINCT %(tenant)s::uuid, d.endpoint_id, %(now)s::timestamptz
  FROM unnest(%(endpoint)b::uuid[]) AS d (endpoint_id)
ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET
       next_due = greatest(least(l.next_due, excluded.next_due), l.open_until)
"""

ADD_DELIVERIES = """
INSERT INTO webhook_deliveries (tenant_id, endpoint_id, position, due_at)
SELECT %(tenant)s, d.endpoint_id, d.position, now()
  FROM unnest(%(endpoint)b::uuid[], %(position)b::bigint[]) AS d (endpoint_id, position)
ON CONFLICT (tenant_id, endpoint_id, position) DO NOTHING
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
    """What one batch had: its events, and what became of them."""

    events: int = 0
    deliveries: int = 0
    parked: int = 0


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
            # Read after the events: whoever was registered before one of them is among these.
            await registered.execute(ENDPOINTS, about)
        rows = await new.fetchall()
        if await locked.fetchone() is None or not rows:
            await connection.execute("COMMIT")
            return Projected()
        endpoints = await registered.fetchall()
        until = rows[-1][POSITION]
        told: list[Message | Parked] = []
        if any(since < until for _, _, since in endpoints):
            told = await tell(connection, tenant_key, rows)
        deliveries = [
            (endpoint_id, message)
            for message in told
            if isinstance(message, Message)
            for endpoint_id, events, since in endpoints
            if message.event in events and since < message.position
        ]
        parked = [save for save in told if isinstance(save, Parked)]
        async with connection.pipeline():
            if deliveries:
                wanted = {message.position: message for _, message in deliveries}
                await connection.execute(ADD_MESSAGES, about | columns_of(list(wanted.values())))
                added = {"endpoint": [e for e, _ in deliveries], "position": [m.position for _, m in deliveries]}
                await connection.execute(ADD_DELIVERIES, about | added)
                await connection.execute(ADD_LANES, about | added | {"now": datetime.now(UTC)})
            if parked:
                await connection.execute(PARK, about | columns_of(parked))
            await connection.execute(ADVANCE, about | {"position": until})
            await connection.execute("COMMIT")
    for save in parked:
        log.error("webhook_parked", tenant=str(tenant_id), position=save.position, cause=save.cause, reason=save.reason)
    return Projected(len(rows), len(deliveries), len(parked))


def columns_of(records: Sequence[Any]) -> dict[str, list[Any]]:
    """Records of one class, of which there is at least one, as one list a field."""
    return {field.name: [getattr(record, field.name) for record in records] for field in fields(records[0])}


async def tell(connection: AsyncConnection[Any], tenant_key: TenantKey, rows: Sequence[Any]) -> list[Message | Parked]:
    """What is told of the appends that end in *rows*, which are the next of the tenant's log."""
    new: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        new[row[STREAM]].append(row)
    # What this version has never heard of is not passed over: it would be lost without a word.
    streams = {s: own for s, own in new.items() if any(r[TYPE] in SOURCE_OF or r[TYPE] not in REGISTRY for r in own)}
    if not streams:
        return []
    tenant_id, after = tenant_key.tenant_id, rows[0][POSITION] - 1
    before: dict[UUID, list[Any]] = defaultdict(list)
    begun_earlier = [stream_id for stream_id, own in streams.items() if own[0][VERSION] > 1]
    if begun_earlier:
        about = {"tenant": tenant_id, "streams": begun_earlier, "after": after}
        for row in await (await connection.execute(EARLIER_EVENTS, about, binary=True)).fetchall():
            before[row[STREAM]].append(row)
    told: list[Message | Parked] = []
    for place, (stream_id, own) in enumerate(streams.items()):
        if place % SLICE == 0:
            await asyncio.sleep(0)
        history = read(tenant_key, stream_id, own[0][WRAPPED], [*before[stream_id], *own])
        told += messages(tenant_id, stream_id, history, after)
    return told


def read(tenant_key: TenantKey, stream_id: UUID, wrapped: bytes | None, rows: Sequence[Any]) -> Iterator[Recorded]:
    """The events of one stream; those whose bytes cannot be read as ``Unreadable``. No key: the person was erased."""
    opened: list[AESGCM | None] = []

    def subject_key(_: UUID) -> AESGCM | None:
        if not opened:
            opened.append(None if wrapped is None else tenant_key.open_subject_key(stream_id, wrapped))
        return opened[0]

    mapper = EventMapper(tenant_key.tenant_id, subject_key)
    for _, version, position, name, schema_version, data, about, recorded_at, _ in rows:
        try:
            event = mapper.to_domain_event(StoredEvent(stream_id, version, join_topic(name, schema_version), data))
        except Exception as error:
            # Bytes may be broken in any way; the tenant's other streams go on.
            event = Unreadable(type(error).__name__)
        yield Recorded(event, position, recorded_at, about_event(about))


def about_event(stored: bytes) -> dict[str, Any]:
    """An event's metadata, or nothing where it is broken."""
    try:
        found: Any = metadata.decode(stored)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
