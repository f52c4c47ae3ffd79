"""What people ask for by events in the log, each granted exactly once, in the transaction that moves the checkpoint:
a delivery again, a test of an endpoint, that a replay be cancelled.

For an endpoint that is unknown, removed or disabled there is nothing to do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import structlog
from psycopg import AsyncConnection

from aureum.background.reading import STREAM, TYPE, Unreadable, read
from aureum.domain.ids import aureum_time
from aureum.domain.webhook_ping import WebhookPing
from aureum.domain.webhook_redelivery import WebhookRedelivery
from aureum.domain.webhook_replay import WebhookReplay
from aureum.store.cipher import TenantKey
from aureum.store.event_store import Recorded
from aureum.webhooks.queue.message import Message, message_id
from aureum.webhooks.queue.queueing import ADD_LANES, Delivery, row_of
from aureum.webhooks.telling.listeners import Listener
from aureum.webhooks.telling.reading import made_again
from aureum.webhooks.telling.samples import sample

log = structlog.get_logger()

TYPES = frozenset(
    (
        WebhookRedelivery.Requested.TOPIC,
        WebhookPing.Requested.TOPIC,
        WebhookReplay.Requested.TOPIC,
        WebhookReplay.Cancelled.TOPIC,
    )
)

STORED = """
SELECT position, stream_id FROM webhook_messages WHERE tenant_id = %(tenant)s AND position = ANY (%(positions)s)
"""

AT_POSITIONS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, NULL
  FROM events e
 WHERE e.tenant_id = %(tenant)s AND e.position = ANY (%(positions)s)
"""

HOLD = """
SELECT d.position
  FROM webhook_deliveries d
  JOIN unnest(%(endpoint_id)b::uuid[], %(position)b::bigint[]) AS r (endpoint_id, position)
       ON r.endpoint_id = d.endpoint_id AND r.position = d.position
 WHERE d.tenant_id = %(tenant)s
 ORDER BY d.endpoint_id, d.position
   FOR NO KEY UPDATE OF d
"""
"""Behind an attempt that ends at this moment: the next statement sees its number."""

REDELIVER = """
INSERT INTO webhook_deliveries AS d (tenant_id, endpoint_id, position, key, due_at, attempt, base)
SELECT %(tenant)s, r.endpoint_id, r.position, r.key, m.recorded_at, coalesce(a.attempt, 0), coalesce(a.attempt, 0)
  FROM unnest(%(endpoint_id)b::uuid[], %(position)b::bigint[], %(key)s::smallint[])
       AS r (endpoint_id, position, key)
  JOIN webhook_messages m ON m.tenant_id = %(tenant)s AND m.position = r.position
 CROSS JOIN LATERAL (
           SELECT max(x.attempt) AS attempt FROM webhook_attempts x
            WHERE x.tenant_id = %(tenant)s AND x.endpoint_id = r.endpoint_id AND x.position = r.position
       ) AS a
ON CONFLICT (tenant_id, endpoint_id, position) DO UPDATE
   SET due_at = excluded.due_at, base = d.attempt, replay_id = NULL
 WHERE d.state = 'due'
"""
"""First in its lane: due since its message was recorded. What is being sent at the moment stays as it is."""

WITHDRAW = """
DELETE FROM webhook_deliveries
 WHERE tenant_id = %(tenant)s AND replay_id = ANY (%(replays)s) AND state = 'due'
"""


@dataclass(frozen=True, slots=True)
class Requests:
    """What a batch of the log asks for. ``redeliveries`` are endpoints and positions, ``number`` counts all."""

    redeliveries: dict[tuple[UUID, int], None] = field(default_factory=dict)
    pings: list[tuple[UUID, Message]] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)
    number: int = 0


def requested(tenant_key: TenantKey, rows: Iterable[Any], listeners: Mapping[UUID, Listener]) -> Requests:
    """What *rows* of the log ask for, as far as there is anything to do. Pure, but for what it logs."""
    redeliveries: dict[tuple[UUID, int], None] = {}
    pings: list[tuple[UUID, Message]] = []
    cancelled: list[UUID] = []
    number = 0
    for row in rows:
        if row[TYPE] not in TYPES:
            continue
        number += 1
        (record,) = read(tenant_key, row[STREAM], None, [row])
        match record.event:
            case WebhookRedelivery.Requested() as asked if is_open(listeners, asked.endpoint_id):
                redeliveries[asked.endpoint_id, asked.message_position] = None
            case WebhookPing.Requested() as asked if is_open(listeners, asked.endpoint_id):
                pings.append((asked.endpoint_id, ping_message(tenant_key.tenant_id, record)))
            case WebhookReplay.Cancelled() as asked:
                cancelled.append(asked.originator_id)
            case Unreadable(reason):
                log.error(
                    "webhook_request_unreadable",
                    tenant=str(tenant_key.tenant_id),
                    position=record.position,
                    reason=reason,
                )
    return Requests(redeliveries, pings, cancelled, number)


def is_open(listeners: Mapping[UUID, Listener], endpoint_id: UUID) -> bool:
    """Whether the endpoint is there, and not disabled."""
    return endpoint_id in listeners and listeners[endpoint_id].open


def ping_message(tenant_id: UUID, record: Recorded) -> Message:
    """The sample of a test, at the position of its event. Its id begins with ``test_``: it is attempted once."""
    ping, position = record.event, record.position
    data, changes = sample(ping.event)
    identifier = message_id(tenant_id, position, "test")
    body = {
        "event": ping.event,
        "timestamp": aureum_time(ping.timestamp),
        "data": data,
        "id": identifier,
        "sequence": position,
    }
    if changes is not None:
        body["changes"] = changes
    return Message(position, identifier, ping.event, ping.originator_id, orjson.dumps(body), record.recorded_at)


async def pruned(
    connection: AsyncConnection[Any], tenant_key: TenantKey, positions: Sequence[int]
) -> tuple[list[Message], dict[int, UUID]]:
    """Those messages at *positions* that are stored no more, made again; and the stream of each that there is."""
    about = {"tenant": tenant_key.tenant_id, "positions": list(positions)}
    stored = await (await connection.execute(STORED, about, binary=True)).fetchall()
    streams: dict[int, UUID] = dict(stored)
    about["positions"] = gone = [position for position in positions if position not in streams]
    if not gone:
        return [], streams
    rows = await (await connection.execute(AT_POSITIONS, about, binary=True)).fetchall()
    made = await made_again(connection, tenant_key, list({row[STREAM] for row in rows}), min(gone) - 1, max(gone))
    found = [message for message in made if message.position in set(gone)]
    for row in rows:
        if row[TYPE] == WebhookPing.Requested.TOPIC:
            (record,) = read(tenant_key, row[STREAM], None, [row])
            if not isinstance(record.event, Unreadable):
                found.append(ping_message(tenant_key.tenant_id, record))
    return found, streams | {message.position: message.stream_id for message in found}


async def redeliver(
    connection: AsyncConnection[Any],
    tenant_id: UUID,
    redeliveries: Iterable[tuple[UUID, int]],
    streams: Mapping[int, UUID],
    listeners: Mapping[UUID, Listener],
) -> list[UUID]:
    """Put *redeliveries* in front of their lanes, with their attempts counted from 0 again; the endpoints concerned.

    *streams* has the position of each message that there is.
    """
    wanted = [
        Delivery(endpoint_id, position, row_of(listeners[endpoint_id].mode, streams[position]))
        for endpoint_id, position in redeliveries
        if position in streams
    ]
    if wanted:
        about = {
            "tenant": tenant_id,
            "endpoint_id": [delivery.endpoint_id for delivery in wanted],
            "position": [delivery.position for delivery in wanted],
            "key": [delivery.key for delivery in wanted],
        }
        await connection.execute(ADD_LANES, about)
        await connection.execute(HOLD, about)
        await connection.execute(REDELIVER, about)
    return [delivery.endpoint_id for delivery in wanted]


async def withdraw(connection: AsyncConnection[Any], tenant_id: UUID, replays: Sequence[UUID]) -> None:
    """Take what cancelled *replays* queued out of the queue, but for what is being sent."""
    if replays:
        await connection.execute(WITHDRAW, {"tenant": tenant_id, "replays": list(replays)})
