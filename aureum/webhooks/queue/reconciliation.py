"""Mends lanes that no worker would look at although something is due in them. It should never find any: all code that
makes a delivery due brings its lane forward in the same transaction. If it does, a delivery has been late instead of
lost.
"""

from collections import defaultdict
from uuid import UUID

import structlog

from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.database import Database

log = structlog.get_logger()

LATE = Everywhere(
    """
SELECT l.tenant_id, l.endpoint_id
  FROM webhook_lanes l
  JOIN webhook_endpoints w
       ON w.tenant_id = l.tenant_id AND w.endpoint_id = l.endpoint_id AND w.disabled IS NULL AND NOT w.removed
 WHERE l.next_due > now() + interval '30 minutes'
   AND (l.open_until IS NULL OR l.open_until < now() - interval '10 seconds')
   AND EXISTS (
           SELECT FROM (VALUES (false), (true)) AS c (replayed)
            CROSS JOIN LATERAL (
                      SELECT d.position, d.key FROM webhook_deliveries d
                       WHERE d.tenant_id = l.tenant_id AND d.endpoint_id = l.endpoint_id AND d.state = 'due'
                         AND (d.replay_id IS NOT NULL) = c.replayed AND d.due_at < now() - interval '10 seconds'
                       ORDER BY d.due_at, d.position
                       LIMIT 100
                  ) AS d
            WHERE w.mode = 'parallel'
               OR NOT EXISTS (
                      SELECT FROM webhook_deliveries b
                       WHERE b.tenant_id = l.tenant_id AND b.endpoint_id = l.endpoint_id AND b.position < d.position
                         AND (b.replay_id IS NOT NULL) = c.replayed
                         AND (w.mode = 'fifo' OR b.key IS NOT DISTINCT FROM d.key)
                  )
       )
   AND NOT EXISTS (
           SELECT FROM webhook_deliveries f
            WHERE f.tenant_id = l.tenant_id AND f.endpoint_id = l.endpoint_id AND f.state = 'leased'
       )
""",
    "webhook_lanes l",
    "l.next_due > now() + interval '30 minutes'",
)
"""Found without locks. No breaker, of an endpoint or of a host, and no rate limit holds a lane back for half an hour; a
lane with something in flight is looked at when that ends. In ordered modes the first of a row counts."""

MEND = """
UPDATE webhook_lanes SET next_due = now()
 WHERE tenant_id = %(tenant)s AND endpoint_id IN (
           SELECT endpoint_id FROM webhook_lanes
            WHERE tenant_id = %(tenant)s AND endpoint_id = ANY (%(endpoints)s) AND next_due > now()
            ORDER BY endpoint_id
              FOR NO KEY UPDATE SKIP LOCKED
       )
RETURNING endpoint_id
"""


async def mend_lanes(database: Database) -> dict[UUID, int]:
    """How many lanes were mended, by tenant; each is due now. Raises Unavailable."""
    late: dict[UUID, list[UUID]] = defaultdict(list)
    for tenant_id, endpoint_id in await database.everywhere(LATE):
        late[tenant_id].append(endpoint_id)
    mended = {}
    for tenant_id, endpoints in late.items():
        found = await database.rows(MEND, {"tenant": tenant_id, "endpoints": endpoints})
        if found:
            mended[tenant_id] = len(found)
            log.warning("webhook_lanes_mended", tenant=str(tenant_id), lanes=len(found))
    return mended
