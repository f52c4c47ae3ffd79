"""What the worker's tables keep no longer: messages after thirty days, and what a removed endpoint leaves in the queue.

Tenant by tenant and in batches. To remove a message, or a lane, takes the lock of the tenant's checkpoint: no delivery
that needs it can be queued meanwhile. A tenant that is being projected is left for the next time.
"""

from uuid import UUID

from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.database import Database
from aureum.webhooks.queue.queueing import LOCK_CHECKPOINT

BATCH = 5_000

TENANTS_WITH_OLD = Everywhere(
    """
SELECT w.tenant_id
  FROM (SELECT DISTINCT e.tenant_id FROM webhook_endpoints e WHERE true) AS w
 CROSS JOIN LATERAL (
           SELECT m.recorded_at FROM webhook_messages m WHERE m.tenant_id = w.tenant_id ORDER BY m.position LIMIT 1
       ) AS m
 WHERE m.recorded_at < now() - interval '30 days'
""",
    "webhook_endpoints e",
    "true",
)

NEXT_MESSAGES = """
SELECT m.position, m.recorded_at < now() - interval '30 days'
  FROM webhook_messages m
 WHERE m.tenant_id = %(tenant)s AND m.position > %(after)s
 ORDER BY m.position
 LIMIT %(limit)s
"""
"""In the order in which they were recorded: behind a young one all are young."""

PRUNE = """
DELETE FROM webhook_messages m
 WHERE m.tenant_id = %(tenant)s AND m.position = ANY (%(positions)s)
   AND NOT EXISTS (
           SELECT FROM webhook_lanes l
             JOIN webhook_deliveries d
                  ON d.tenant_id = l.tenant_id AND d.endpoint_id = l.endpoint_id AND d.position = m.position
            WHERE l.tenant_id = %(tenant)s
       )
"""
"""Every delivery has a lane; through it the queue's primary key finds it."""

OF_REMOVED = """
SELECT l.tenant_id, l.endpoint_id
  FROM webhook_endpoints w
  JOIN webhook_lanes l ON l.tenant_id = w.tenant_id AND l.endpoint_id = w.endpoint_id
 WHERE w.removed
"""

EMPTY_QUEUE = """
DELETE FROM webhook_deliveries
 WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s AND position IN (
           SELECT position FROM webhook_deliveries
            WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s AND state = 'due'
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING 1
"""
"""What is being sent at the moment ends first."""

REMOVE_LANE = """
DELETE FROM webhook_lanes l
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = %(endpoint)s
   AND NOT EXISTS (
           SELECT FROM webhook_deliveries d WHERE d.tenant_id = %(tenant)s AND d.endpoint_id = %(endpoint)s
       )
"""

OF_CANCELLED = """
SELECT DISTINCT d.tenant_id
  FROM webhook_deliveries d
  JOIN webhook_replays r ON r.tenant_id = d.tenant_id AND r.replay_id = d.replay_id AND r.state = 'cancelled'
 WHERE d.replay_id IS NOT NULL AND d.state = 'due'
"""

WITHDRAW = """
DELETE FROM webhook_deliveries d
 USING webhook_replays r
 WHERE d.tenant_id = %(tenant)s AND d.replay_id IS NOT NULL AND d.state = 'due'
   AND r.tenant_id = d.tenant_id AND r.replay_id = d.replay_id AND r.state = 'cancelled'
"""
"""What was being sent when its replay was cancelled, and failed."""


async def prune_messages(database: Database, batch: int = BATCH) -> int:
    """Remove the messages that are old and not needed; how many there were. Raises Unavailable."""
    tenants = await database.everywhere(TENANTS_WITH_OLD)
    return sum([await prune_of(database, tenant_id, batch) for (tenant_id,) in tenants])


async def prune_of(database: Database, tenant_id: UUID, batch: int) -> int:
    """Those of one tenant."""
    removed, after = 0, 0
    while True:
        about = {"tenant": tenant_id, "after": after, "limit": batch}
        async with database.connection() as connection:
            await connection.execute("BEGIN")
            if await (await connection.execute(LOCK_CHECKPOINT, about)).fetchone() is None:
                await connection.execute("ROLLBACK")
                return removed
            rows = await (await connection.execute(NEXT_MESSAGES, about)).fetchall()
            old = [position for position, is_old in rows if is_old]
            removed += (await connection.execute(PRUNE, about | {"positions": old})).rowcount
            await connection.execute("COMMIT")
        if len(old) < batch:
            return removed
        after = old[-1]


async def clear_removed(database: Database, batch: int = BATCH) -> int:
    """Remove queue and lane of each removed endpoint, and what cancelled replays left; how many deliveries.

    Raises Unavailable.
    """
    removed = 0
    for tenant_id, endpoint_id in await database.rows(OF_REMOVED):
        about = {"tenant": tenant_id, "endpoint": endpoint_id, "limit": batch}
        while found := len(await database.rows(EMPTY_QUEUE, about)):
            removed += found
        async with database.connection() as connection:
            await connection.execute("BEGIN")
            if await (await connection.execute(LOCK_CHECKPOINT, about)).fetchone() is not None:
                await connection.execute(REMOVE_LANE, about)
            await connection.execute("COMMIT")
    for (tenant_id,) in await database.rows(OF_CANCELLED):
        await database.rows(WITHDRAW, {"tenant": tenant_id})
    return removed
