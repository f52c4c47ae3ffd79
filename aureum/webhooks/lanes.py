"""The queue of deliveries, one lane an endpoint: who is due, claiming, giving back, and what a dead worker held.

    due ──claim──▶ leased ──success, or given up──▶ (row deleted)
     ▲                │
     └──failure, given back, lease expired──┘

Every statement that locks names one tenant; due tenants are found without locks. Times are the database's, never a
worker's. What becomes of a lease counts only for whoever still holds it: tenant, endpoint, position, attempt and owner
must all agree. Claims do not wait for the disk: what a crash of the database forgets of them is sent again, under the
same id.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from aureum.domain.brokerage import PLANS, includes
from aureum.store.database import Database

PLANS_WITH_WEBHOOKS = [plan for plan in PLANS if includes(plan, "Elite")]

SLOTS = 8
"""Deliveries that one endpoint may have in flight."""

SLOTS_AFTER_TIMEOUT = 1

LEASE_SECONDS = 40.0
"""An attempt takes 15 s at most. What a killed worker held goes out again within 45 s: the reaper and the claim that
follow a lease's end need their moments too."""

DUE_TENANTS = """
SELECT l.tenant_id
  FROM webhook_lanes l
  JOIN brokerages b ON b.tenant_id = l.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
 CROSS JOIN LATERAL (
           SELECT d.due_at FROM webhook_deliveries d
            WHERE d.tenant_id = l.tenant_id AND d.endpoint_id = l.endpoint_id
              AND d.state = 'due' AND d.due_at <= now()
            ORDER BY d.due_at LIMIT 1
       ) AS d
 WHERE l.slots > (
           SELECT count(*) FROM webhook_deliveries f
            WHERE f.tenant_id = l.tenant_id AND f.endpoint_id = l.endpoint_id AND f.state = 'leased'
       )
 GROUP BY l.tenant_id
 ORDER BY min(d.due_at)
 LIMIT %(limit)s
"""

LOCK_LANES = """
SELECT l.endpoint_id, l.slots, w.stream_version
  FROM webhook_lanes l
  JOIN webhook_endpoints w ON w.tenant_id = l.tenant_id AND w.endpoint_id = l.endpoint_id
  JOIN brokerages b ON b.tenant_id = l.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
 CROSS JOIN LATERAL (
           SELECT d.due_at FROM webhook_deliveries d
            WHERE d.tenant_id = l.tenant_id AND d.endpoint_id = l.endpoint_id
              AND d.state = 'due' AND d.due_at <= now()
            ORDER BY d.due_at LIMIT 1
       ) AS d
 WHERE l.tenant_id = %(tenant)s
   AND least(l.slots, %(share)s) > (
           SELECT count(*) FROM webhook_deliveries f
            WHERE f.tenant_id = l.tenant_id AND f.endpoint_id = l.endpoint_id AND f.state = 'leased'
       )
 ORDER BY d.due_at
 LIMIT %(limit)s
   FOR NO KEY UPDATE OF l SKIP LOCKED
"""

CLAIM = """
WITH lane AS MATERIALIZED (
    SELECT l.endpoint_id,
           least(l.slots, %(share)s) - (
               SELECT count(*) FROM webhook_deliveries f
                WHERE f.tenant_id = %(tenant)s AND f.endpoint_id = l.endpoint_id AND f.state = 'leased'
           ) AS room
      FROM webhook_lanes l
     WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = ANY (%(endpoints)s)
), found AS (
    SELECT d.endpoint_id, d.position, d.due_at, l.room
      FROM lane l
     CROSS JOIN LATERAL (
               -- No lane has more slots than 8. A number that the planner knows keeps it from preparing for thousands.
               SELECT x.endpoint_id, x.position, x.due_at FROM webhook_deliveries x
                WHERE x.tenant_id = %(tenant)s AND x.endpoint_id = l.endpoint_id
                  AND x.state = 'due' AND x.due_at <= now()
                ORDER BY x.due_at, x.position LIMIT 8 FOR NO KEY UPDATE SKIP LOCKED
           ) AS d
), placed AS (
    SELECT f.*, row_number() OVER (PARTITION BY f.endpoint_id ORDER BY f.due_at, f.position) AS place FROM found f
), chosen AS (
    SELECT p.endpoint_id, p.position, p.room FROM placed p
     WHERE p.place <= p.room
     ORDER BY p.place, p.due_at
     LIMIT %(limit)s
)
UPDATE webhook_deliveries d
   SET state = 'leased', attempt = d.attempt + 1, lease_owner = %(owner)s,
       lease_until = now() + %(lease)s * interval '1 second'
  FROM chosen c, webhook_messages m
 WHERE d.tenant_id = %(tenant)s AND d.endpoint_id = c.endpoint_id AND d.position = c.position
   AND m.tenant_id = %(tenant)s AND m.position = c.position
RETURNING d.endpoint_id, d.position, d.attempt, m.message_id, m.event, m.body, m.recorded_at, now(),
          c.room
"""

GIVE_BACK = """
UPDATE webhook_deliveries d
   SET state = 'due', attempt = d.attempt - 1, lease_owner = NULL, lease_until = NULL,
       due_at = greatest(d.due_at, now() + %(pause)s * interval '1 second')
 WHERE d.tenant_id = %(tenant)s AND d.endpoint_id = %(endpoint)s AND d.position = %(position)s
   AND d.attempt = %(attempt)s AND d.lease_owner = %(owner)s
"""

TENANTS_WITH_EXPIRED = """
SELECT tenant_id FROM webhook_deliveries WHERE state = 'leased' AND lease_until < now() GROUP BY tenant_id
"""

REAP = """
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
"""

NO_WAIT_FOR_DISK = "SET LOCAL synchronous_commit = off"


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery that a worker holds, with the message to send.

    ``stream_version`` is the endpoint's, ``slots`` its lane's. ``more``: its lane was filled, or the claim was; others
    may be due.
    """

    tenant_id: UUID
    endpoint_id: UUID
    position: int
    attempt: int
    message_id: str
    event: str
    body: bytes
    recorded_at: datetime
    claimed_at: datetime
    slots: int
    stream_version: int
    more: bool


async def due_tenants(database: Database, limit: int) -> list[UUID]:
    """Tenants with a due delivery in a lane that has room, the longest due first. Raises Unavailable."""
    found = await database.rows(DUE_TENANTS, {"plans": PLANS_WITH_WEBHOOKS, "limit": limit})
    return [tenant_id for (tenant_id,) in found]


async def claim(
    database: Database, owner: UUID, tenant_id: UUID, *, limit: int, share: int, lease_seconds: float = LEASE_SECONDS
) -> list[Claim]:
    """Lease up to *limit* due deliveries of one tenant to *owner*, the same number from each lane as far as it goes.

    No lane has more than *share* in flight. Raises Unavailable.
    """
    about = {"tenant": tenant_id, "plans": PLANS_WITH_WEBHOOKS, "limit": limit, "share": share}
    async with database.connection() as connection:
        lanes, claimed = connection.cursor(binary=True), connection.cursor(binary=True)
        async with connection.pipeline():
            await connection.execute("BEGIN")
            await connection.execute(NO_WAIT_FOR_DISK)
            await lanes.execute(LOCK_LANES, about)
        lane = {endpoint_id: (slots, version) for endpoint_id, slots, version in await lanes.fetchall()}
        if not lane:
            await connection.execute("ROLLBACK")
            return []
        # A statement of its own, so that it counts, with a new snapshot, what is in flight now that the lanes are ours.
        async with connection.pipeline():
            await claimed.execute(CLAIM, about | {"endpoints": list(lane), "owner": owner, "lease": lease_seconds})
            await connection.execute("COMMIT")
        rows = await claimed.fetchall()
    taken = Counter(endpoint_id for endpoint_id, *_ in rows)
    return [
        Claim(
            tenant_id,
            endpoint_id,
            position,
            attempt,
            message,
            event,
            body,
            recorded_at,
            claimed_at,
            lane[endpoint_id][0],
            lane[endpoint_id][1],
            more=len(rows) == limit or taken[endpoint_id] == room,
        )
        for endpoint_id, position, attempt, message, event, body, recorded_at, claimed_at, room in rows
    ]


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
    tenants = [tenant_id for (tenant_id,) in await database.rows(TENANTS_WITH_EXPIRED)]
    for tenant_id in tenants:
        await database.rows(REAP, {"tenant": tenant_id})
    return tenants
