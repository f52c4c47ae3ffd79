"""Puts messages and deliveries into the queue: for the projector and for replays, inside their transactions.

All of it happens under the lock of the tenant's checkpoint, so that no message is pruned that is about to be needed.
The order is the same everywhere: messages, lanes that are missing, deliveries, and lanes that are due now last.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, AsyncCursor

from aureum.store.postgres.arrays import Big, PackedArray, packed
from aureum.webhooks.queue.message import Message

ROWS_OF_KEYED = 16

LOCK_CHECKPOINT = """
SELECT position FROM checkpoints WHERE tenant_id = %(tenant)s AND consumer = 'webhooks' FOR NO KEY UPDATE SKIP LOCKED
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
INSERT INTO webhook_lanes (tenant_id, endpoint_id, next_due)
SELECT DISTINCT %(tenant)s::uuid, d.endpoint_id, now() FROM unnest(%(endpoint_id)b::uuid[]) AS d (endpoint_id)
ON CONFLICT (tenant_id, endpoint_id) DO NOTHING
"""

ADD_DELIVERIES = """
INSERT INTO webhook_deliveries (tenant_id, endpoint_id, position, key, due_at, attempt, base, replay_id)
SELECT %(tenant)s, d.endpoint_id, d.position, d.key, now(), d.base, d.base, %(replay)s::uuid
  FROM unnest(%(endpoint_id)b::uuid[], %(position)b::bigint[], %(key)b::integer[], %(base)b::integer[])
       AS d (endpoint_id, position, key, base)
ON CONFLICT (tenant_id, endpoint_id, position) DO NOTHING
"""

LOCK_LANES = """
SELECT endpoint_id FROM webhook_lanes
 WHERE tenant_id = %(tenant)s AND endpoint_id = ANY (%(endpoint_id)b)
 ORDER BY endpoint_id
   FOR NO KEY UPDATE
"""

WAKE_LANES = """
UPDATE webhook_lanes SET next_due = greatest(now(), open_until)
 WHERE tenant_id = %(tenant)s AND endpoint_id = ANY (%(endpoint_id)b) AND next_due > greatest(now(), open_until)
"""
"""A statement of its own: only behind the locks does it see what a claim has just written."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message for an endpoint. ``base`` is the number of the last attempt that was made of it before."""

    endpoint_id: UUID
    position: int
    key: int | None
    base: int = 0


def row_of(mode: str, stream_id: UUID) -> int | None:
    """Which of a keyed endpoint's rows a resource's events stand in; None in the other modes."""
    return zlib.crc32(stream_id.bytes) % ROWS_OF_KEYED if mode == "keyed" else None


MESSAGE = {
    "position": Big,
    "message_id": str,
    "event": str,
    "stream_id": UUID,
    "body": bytes,
    "recorded_at": datetime,
}
DELIVERY = {"endpoint_id": UUID, "position": Big, "key": int, "base": int}
PARKED = {"position": Big, "stream_id": UUID, "cause": Big, "reason": str}
"""The fields of what is put away, with their kinds."""


def columns_of(kinds: Mapping[str, Any], records: Sequence[Any]) -> dict[str, PackedArray]:
    """*records* as one array a field."""
    return {name: packed(kind, [getattr(record, name) for record in records]) for name, kind in kinds.items()}


async def add_messages(connection: AsyncConnection[Any], tenant_id: UUID, messages: Sequence[Message]) -> None:
    """Store *messages*, but for those that are stored already: their bytes would be the same."""
    if messages:
        await connection.execute(ADD_MESSAGES, {"tenant": tenant_id} | columns_of(MESSAGE, messages))


async def add_deliveries(
    connection: AsyncConnection[Any], tenant_id: UUID, deliveries: Sequence[Delivery], replay_id: UUID | None = None
) -> AsyncCursor[Any] | None:
    """Queue *deliveries*, but for those that are queued already; the cursor knows how many there were."""
    if not deliveries:
        return None
    about = {"tenant": tenant_id, "replay": replay_id} | columns_of(DELIVERY, deliveries)
    await connection.execute(ADD_LANES, about)
    return await connection.execute(ADD_DELIVERIES, about)


async def lock_lanes(connection: AsyncConnection[Any], tenant_id: UUID, endpoints: Iterable[UUID]) -> None:
    """Lock the lanes of *endpoints*, all at once and in their order, so that no two wait in a circle."""
    if concerned := list(set(endpoints)):
        await connection.execute(LOCK_LANES, {"tenant": tenant_id, "endpoint_id": concerned})


async def wake_lanes(connection: AsyncConnection[Any], tenant_id: UUID, endpoints: Iterable[UUID]) -> None:
    """Lanes of *endpoints*, which are locked, are due now, or when their breaker lets them."""
    if concerned := list(set(endpoints)):
        await connection.execute(WAKE_LANES, {"tenant": tenant_id, "endpoint_id": concerned})
