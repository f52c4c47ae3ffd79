"""Tries again what was parked: saves of which no message could be made, once the cause is mended."""

from dataclasses import dataclass
from uuid import UUID

from aureum.store.event_store import EventStore
from aureum.webhooks.queue.queueing import add_deliveries, add_messages, lock_lanes, wake_lanes
from aureum.webhooks.telling.listeners import ENDPOINTS, listener, live
from aureum.webhooks.telling.reading import made_again

BATCH = 200

LOCK_CHECKPOINT = """
SELECT position FROM checkpoints WHERE tenant_id = %(tenant)s AND consumer = 'webhooks' FOR NO KEY UPDATE
"""
"""Behind the projector's batch, which is short."""

PARKED = """
SELECT position, stream_id FROM webhook_parked
 WHERE tenant_id = %(tenant)s AND position > %(after)s
 ORDER BY position
 LIMIT %(limit)s
"""

FORGET = "DELETE FROM webhook_parked WHERE tenant_id = %(tenant)s AND position = ANY (%(positions)s)"


@dataclass(frozen=True, slots=True)
class Retried:
    """Saves that can be told now, the deliveries of them, and saves that still cannot."""

    told: int = 0
    deliveries: int = 0
    left: int = 0


async def retry_parked(store: EventStore, tenant_id: UUID, batch: int = BATCH) -> Retried:
    """Make messages of a tenant's parked saves and queue them for the endpoints that would have got them.

    Raises Unavailable, WrongMasterKey.
    """
    tenant_key = await store.tenant_key(tenant_id)
    total, after = Retried(), 0
    while True:
        about = {"tenant": tenant_id, "after": after, "limit": batch}
        async with store.database.connection() as connection:
            rows, registered = connection.cursor(binary=True), connection.cursor(binary=True)
            async with connection.pipeline():
                await connection.execute("BEGIN")
                await connection.execute(LOCK_CHECKPOINT, about)
                await rows.execute(PARKED, about)
                await registered.execute(ENDPOINTS, about)
            parked: dict[int, UUID] = dict(await rows.fetchall())
            if not parked:
                await connection.execute("COMMIT")
                return total
            streams, until = list(set(parked.values())), max(parked)
            made = await made_again(connection, tenant_key, streams, min(parked) - 1, until)
            told = [message for message in made if message.position in parked]
            deliveries = live(told, [listener(row) for row in await registered.fetchall()])
            wanted = {delivery.position for delivery in deliveries}
            async with connection.pipeline():
                await add_messages(connection, tenant_id, [message for message in told if message.position in wanted])
                await add_deliveries(connection, tenant_id, deliveries)
                await connection.execute(FORGET, about | {"positions": [message.position for message in told]})
                due = [delivery.endpoint_id for delivery in deliveries]
                await lock_lanes(connection, tenant_id, due)
                await wake_lanes(connection, tenant_id, due)
                await connection.execute("COMMIT")
        after = until
        total = Retried(
            total.told + len(told), total.deliveries + len(deliveries), total.left + len(parked) - len(told)
        )
