"""The queue of deliveries, one lane an endpoint: which tenants are due, and claiming.

    due ──claim──▶ leased ──success, or given up──▶ (row deleted)
     ▲                │
     └──failure, given back, lease expired──┘

Every statement that locks names one tenant; due tenants are found without locks. Times are the database's, never a
worker's. What becomes of a lease counts only for the worker that still holds it: tenant, endpoint, position, attempt
and owner must all agree.

A lane knows when it is due next (``next_due``). All code that makes a delivery due brings it forward in its own
transaction; a claim, which holds the lane's lock, sets it to what is left. The claim itself is a function of the
database, ``claim_deliveries`` in ``claim.sql``.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from aureum.background.hosts import Hosts
from aureum.domain.brokerage import PLANS, includes
from aureum.store.postgres.arrays import packed
from aureum.store.postgres.database import Database

PLANS_WITH_WEBHOOKS = [plan for plan in PLANS if includes(plan, "Elite")]

LEASE_SECONDS = 40.0
"""An attempt takes 15 s at most. What a killed worker held goes out again within 45 s: the reaper and the claim that
follow a lease's end need their moments too."""

DUE_TENANTS = """
SELECT l.tenant_id
  FROM webhook_lanes l
  JOIN webhook_endpoints w
       ON w.tenant_id = l.tenant_id AND w.endpoint_id = l.endpoint_id AND w.disabled IS NULL AND NOT w.removed
  JOIN brokerages b ON b.tenant_id = l.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
 WHERE l.next_due <= now()
   AND NOT w.host = ANY (%(full)s)
   AND CASE WHEN l.openings > 0 OR w.mode = 'fifo' THEN 1 ELSE l.slots END > (
           SELECT count(*) FROM webhook_deliveries f
            WHERE f.tenant_id = l.tenant_id AND f.endpoint_id = l.endpoint_id AND f.state = 'leased'
       )
 GROUP BY l.tenant_id
 ORDER BY min(l.next_due)
 LIMIT %(limit)s
"""

CLAIM = """
SELECT * FROM claim_deliveries(
    %(tenant)b::uuid[], %(room)b::integer[], %(limit)s::integer, %(share)s::integer, %(plans)b::text[],
    %(host)b::text[], %(host_room)b::integer[], %(host_pause)b::float8[], %(host_share)s::integer,
    %(owner)s::uuid, %(lease)s::float8)
"""


class Claim(NamedTuple):
    """One delivery that a worker holds, with the message to send, and how the claim found its lane.

    ``base``: how many attempts were made before it was asked for again. ``troubled``: something failed lately.
    ``filled``: the lane, its host or the claim got all that it may, or it has an order; others may be due once this one
    has ended.
    """

    tenant_id: UUID
    endpoint_id: UUID
    position: int
    attempt: int
    base: int
    message_id: str
    event: str
    body: bytes
    recorded_at: datetime
    claimed_at: datetime
    stream_version: int
    host: str
    mode: str
    slots: int
    troubled: bool
    filled: bool


async def due_tenants(database: Database, limit: int, full: Sequence[str] = ()) -> list[UUID]:
    """Tenants with a lane that is due and has room, the longest due first. *full*: hosts that have no room.

    Raises Unavailable.
    """
    found = await database.look(DUE_TENANTS, "l", {"plans": PLANS_WITH_WEBHOOKS, "limit": limit, "full": list(full)})
    return [tenant_id for (tenant_id,) in found]


async def claim(
    database: Database,
    owner: UUID,
    rooms: Mapping[UUID, int],
    *,
    limit: int,
    share: int,
    hosts: Hosts,
    lease_seconds: float = LEASE_SECONDS,
) -> list[Claim]:
    """Lease up to *limit* due deliveries to *owner*: of each tenant up to its room, the same number from each of its
    lanes as far as it goes. No lane has more than *share* in flight, no host more than it may. Raises Unavailable.
    """
    known = hosts.rooms(time.monotonic())
    found = await database.rows(
        CLAIM,
        {
            "tenant": packed(UUID, list(rooms)),
            "room": packed(int, list(rooms.values())),
            "limit": limit,
            "share": share,
            "plans": packed(str, PLANS_WITH_WEBHOOKS),
            "host": packed(str, [name for name, _, _ in known]),
            "host_room": packed(int, [room for _, room, _ in known]),
            "host_pause": packed(float, [pause for _, _, pause in known]),
            "host_share": hosts.unknown_share,
            "owner": owner,
            "lease": lease_seconds,
        },
    )
    return [Claim._make(row) for row in found]
