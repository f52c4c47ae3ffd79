"""How a lease ends without an outcome: given back by its holder, or reaped once its time is over."""

from datetime import timedelta
from uuid import UUID

from aureum.store.postgres.database import Database
from aureum.webhooks.queue.lanes import Claim

GIVE_BACK = """
WITH given AS (
    UPDATE webhook_deliveries d
       SET state = 'due', attempt = d.attempt - 1, lease_owner = NULL, lease_until = NULL,
           due_at = greatest(d.due_at, now() + %(pause)s * interval '1 second')
     WHERE d.tenant_id = %(tenant)s AND d.endpoint_id = %(endpoint)s AND d.position = %(position)s
       AND d.attempt = %(attempt)s AND d.lease_owner = %(owner)s
    RETURNING d.due_at
)
UPDATE webhook_lanes l
   SET next_due = least(l.next_due, greatest(g.due_at, now(), l.open_until))
  FROM given g
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = %(endpoint)s
"""

TENANTS_WITH_EXPIRED = """
SELECT tenant_id FROM webhook_deliveries
 WHERE state = 'leased' AND lease_until < now()
 GROUP BY tenant_id
"""

REAP = """
WITH reaped AS (
    UPDATE webhook_deliveries d
       SET state = 'due', lease_owner = NULL, lease_until = NULL
      FROM (
               SELECT x.endpoint_id, x.position
                 FROM webhook_deliveries x
                WHERE x.tenant_id = %(tenant)s AND x.state = 'leased' AND x.lease_until < now()
                LIMIT 1000
                  FOR NO KEY UPDATE SKIP LOCKED
           ) AS x
     WHERE d.tenant_id = %(tenant)s AND d.endpoint_id = x.endpoint_id AND d.position = x.position
    RETURNING d.endpoint_id
), lanes AS (
    SELECT l.endpoint_id FROM webhook_lanes l
     WHERE l.tenant_id = %(tenant)s AND l.endpoint_id IN (SELECT r.endpoint_id FROM reaped r)
     ORDER BY l.endpoint_id
       FOR NO KEY UPDATE
)
UPDATE webhook_lanes l
   SET next_due = least(l.next_due, greatest(now(), l.open_until))
  FROM lanes x
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = x.endpoint_id
"""


async def give_back(database: Database, owner: UUID, claim: Claim, pause: timedelta = timedelta(0)) -> None:
    """End the lease of what was not sent: it is due after *pause*, and no attempt was made. Raises Unavailable."""
    await database.rows(
        GIVE_BACK,
        {
            "tenant": claim.tenant_id,
            "endpoint": claim.endpoint_id,
            "position": claim.position,
            "attempt": claim.attempt,
            "owner": owner,
            "pause": pause.total_seconds(),
        },
    )


async def reap(database: Database) -> list[UUID]:
    """Make due again what is leased beyond its time; the tenants concerned. Raises Unavailable."""
    tenants = [tenant_id for (tenant_id,) in await database.look(TENANTS_WITH_EXPIRED, "webhook_deliveries")]
    for tenant_id in tenants:
        await database.rows(REAP, {"tenant": tenant_id})
    return tenants
