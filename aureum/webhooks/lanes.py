"""The queue of deliveries, one lane an endpoint: who is due, and claiming.

    due ──claim──▶ leased ──success, or given up──▶ (row deleted)
     ▲                │
     └──failure, given back, lease expired──┘

Every statement that locks names one tenant; due tenants are found without locks. Times are the database's, never a
worker's. What becomes of a lease counts only for whoever still holds it: tenant, endpoint, position, attempt and owner
must all agree. Claims do not wait for the disk: what a crash of the database forgets of them is sent again, under the
same id.

A lane knows when it is due next (``next_due``). Whatever makes a delivery due brings it forward in its own
transaction; a claim, which holds the lane's lock, sets it to what is left. Of what is due, live deliveries come before
replayed ones. In ordered modes only the first of a row counts: the lane's (``fifo``), or that of each of sixteen rows
of resources (``keyed``).
"""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.domain.brokerage import PLANS, includes
from aureum.store.database import Database
from aureum.webhooks.hosts import Hosts

PLANS_WITH_WEBHOOKS = [plan for plan in PLANS if includes(plan, "Elite")]

LEASE_SECONDS = 40.0
"""An attempt takes 15 s at most. What a killed worker held goes out again within 45 s: the reaper and the claim that
follow a lease's end need their moments too."""

# A lane may hold so many: one while it is tried whether a breaker may close, and in a row that has an order.
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

LOCK_LANES = """
SELECT l.endpoint_id, w.stream_version, w.host, w.mode, w.rate_limit, l.slots, l.window_from IS NOT NULL,
       CASE WHEN l.openings > 0 OR w.mode = 'fifo' THEN 1 ELSE least(l.slots, %(share)s) END,
       least(w.rate_limit, coalesce(l.tokens + w.rate_limit * extract(epoch FROM now() - l.tokens_at), w.rate_limit))
  FROM webhook_lanes l
  JOIN webhook_endpoints w
       ON w.tenant_id = l.tenant_id AND w.endpoint_id = l.endpoint_id AND w.disabled IS NULL AND NOT w.removed
  JOIN brokerages b ON b.tenant_id = l.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
 WHERE l.tenant_id = %(tenant)s AND l.next_due <= now()
   AND NOT w.host = ANY (%(full)s)
   AND CASE WHEN l.openings > 0 OR w.mode = 'fifo' THEN 1 ELSE least(l.slots, %(share)s) END > (
           SELECT count(*) FROM webhook_deliveries f
            WHERE f.tenant_id = l.tenant_id AND f.endpoint_id = l.endpoint_id AND f.state = 'leased'
       )
 ORDER BY l.next_due
 LIMIT %(limit)s
   FOR NO KEY UPDATE OF l SKIP LOCKED
"""

CLAIM = """
WITH lane AS MATERIALIZED (
    SELECT x.endpoint_id, x.mode, x.host, x.host_room,
           least(x.tokens, x.slots - (
               SELECT count(*) FROM webhook_deliveries f
                WHERE f.tenant_id = %(tenant)s AND f.endpoint_id = x.endpoint_id AND f.state = 'leased'
           )) AS room
      FROM unnest(
               %(endpoint)b::uuid[], %(mode)s::text[], %(host)s::text[], %(host_room)b::integer[],
               %(slots)b::integer[], %(tokens)b::integer[]
           ) AS x (endpoint_id, mode, host, host_room, slots, tokens)
), found AS (
    SELECT l.endpoint_id, d.position, d.due_at, c.replayed
      FROM lane l
     CROSS JOIN (VALUES (false), (true)) AS c (replayed)
     CROSS JOIN LATERAL (
               -- No lane has more slots than 8. A number that the planner knows keeps it from preparing for thousands.
               SELECT x.position, x.due_at FROM webhook_deliveries x
                WHERE x.tenant_id = %(tenant)s AND x.endpoint_id = l.endpoint_id
                  AND x.state = 'due' AND x.due_at <= now() AND (x.replay_id IS NOT NULL) = c.replayed
                  AND (x.key IS NULL OR l.mode = 'parallel')
                ORDER BY x.due_at, x.position LIMIT 8
           ) AS d
     WHERE l.mode <> 'fifo'
    UNION ALL
    SELECT l.endpoint_id, d.position, d.due_at, c.replayed
      FROM lane l
     CROSS JOIN (VALUES (false), (true)) AS c (replayed)
     CROSS JOIN LATERAL (
               SELECT x.position, x.due_at, x.state FROM webhook_deliveries x
                WHERE x.tenant_id = %(tenant)s AND x.endpoint_id = l.endpoint_id
                  AND (x.replay_id IS NOT NULL) = c.replayed
                ORDER BY x.position LIMIT 1
           ) AS d
     WHERE l.mode = 'fifo' AND d.state = 'due' AND d.due_at <= now()
    UNION ALL
    SELECT l.endpoint_id, d.position, d.due_at, c.replayed
      FROM lane l
     CROSS JOIN (VALUES (false), (true)) AS c (replayed)
     CROSS JOIN generate_series(0, 15) AS k (key)
     CROSS JOIN LATERAL (
               SELECT x.position, x.due_at, x.state FROM webhook_deliveries x
                WHERE x.tenant_id = %(tenant)s AND x.endpoint_id = l.endpoint_id AND x.key = k.key
                  AND (x.replay_id IS NOT NULL) = c.replayed
                ORDER BY x.position LIMIT 1
           ) AS d
     WHERE l.mode = 'keyed' AND d.state = 'due' AND d.due_at <= now()
), placed AS (
    SELECT f.*, l.room, l.host, l.host_room,
           row_number() OVER (PARTITION BY f.endpoint_id ORDER BY f.replayed, f.due_at, f.position) AS place
      FROM found f
      JOIN lane l ON l.endpoint_id = f.endpoint_id
), of_host AS (
    SELECT p.*, row_number() OVER (PARTITION BY p.host ORDER BY p.replayed, p.place, p.due_at) AS host_place
      FROM placed p
     WHERE p.place <= p.room
), chosen AS (
    SELECT h.endpoint_id, h.position, h.room FROM of_host h
     WHERE h.host_place <= h.host_room
     ORDER BY h.replayed, h.place, h.due_at
     LIMIT %(limit)s
), held AS (
    -- Never waits: what somebody else changes at the moment is left for the next claim.
    SELECT d.endpoint_id, d.position, c.room
      FROM webhook_deliveries d
      JOIN chosen c ON c.endpoint_id = d.endpoint_id AND c.position = d.position
     WHERE d.tenant_id = %(tenant)s AND d.state = 'due'
       FOR NO KEY UPDATE OF d SKIP LOCKED
)
UPDATE webhook_deliveries d
   SET state = 'leased', attempt = d.attempt + 1, lease_owner = %(owner)s,
       lease_until = now() + %(lease)s * interval '1 second'
  FROM held h, webhook_messages m
 WHERE d.tenant_id = %(tenant)s AND d.endpoint_id = h.endpoint_id AND d.position = h.position
   AND m.tenant_id = %(tenant)s AND m.position = h.position
RETURNING h.room, d.endpoint_id, d.position, d.attempt, d.base, m.message_id, m.event, m.body, m.recorded_at, now()
"""

NEXT_DUE = """
UPDATE webhook_lanes l
   SET next_due = greatest(now(), coalesce(
           CASE x.mode
           WHEN 'fifo' THEN (
               SELECT min(d.due_at)
                 FROM (VALUES (false), (true)) AS c (replayed)
                CROSS JOIN LATERAL (
                          SELECT q.due_at, q.state FROM webhook_deliveries q
                           WHERE q.tenant_id = %(tenant)s AND q.endpoint_id = x.endpoint_id
                             AND (q.replay_id IS NOT NULL) = c.replayed
                           ORDER BY q.position LIMIT 1
                      ) AS d
                WHERE d.state = 'due'
           )
           WHEN 'keyed' THEN (
               SELECT min(d.due_at)
                 FROM (VALUES (false), (true)) AS c (replayed)
                CROSS JOIN generate_series(0, 16) AS k (key)
                CROSS JOIN LATERAL (
                          (SELECT q.due_at, q.state FROM webhook_deliveries q
                            WHERE q.tenant_id = %(tenant)s AND q.endpoint_id = x.endpoint_id AND q.key = k.key
                              AND (q.replay_id IS NOT NULL) = c.replayed
                            ORDER BY q.position LIMIT 1)
                          UNION ALL
                          -- What was made before the endpoint had an order has no row.
                          (SELECT q.due_at, q.state FROM webhook_deliveries q
                            WHERE k.key = 16 AND q.tenant_id = %(tenant)s AND q.endpoint_id = x.endpoint_id
                              AND q.state = 'due' AND (q.replay_id IS NOT NULL) = c.replayed AND q.key IS NULL
                            ORDER BY q.due_at LIMIT 1)
                      ) AS d
                WHERE d.state = 'due'
           )
           ELSE (
               SELECT min(d.due_at)
                 FROM (VALUES (false), (true)) AS c (replayed)
                CROSS JOIN LATERAL (
                          SELECT q.due_at FROM webhook_deliveries q
                           WHERE q.tenant_id = %(tenant)s AND q.endpoint_id = x.endpoint_id
                             AND q.state = 'due' AND (q.replay_id IS NOT NULL) = c.replayed
                           ORDER BY q.due_at LIMIT 1
                      ) AS d
           ) END, 'infinity'))
  FROM unnest(%(endpoint)b::uuid[], %(mode)s::text[]) AS x (endpoint_id, mode)
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = x.endpoint_id
"""

SPEND = """
UPDATE webhook_lanes l
   SET tokens = s.tokens, tokens_at = now(),
       next_due = greatest(l.next_due, now() + greatest(1 - s.tokens, 0) / s.rate * interval '1 second')
  FROM unnest(%(endpoint)b::uuid[], %(tokens)b::float8[], %(rate)b::float8[]) AS s (endpoint_id, tokens, rate)
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = s.endpoint_id
"""

LEAVE_HOST_ALONE = """
UPDATE webhook_lanes l
   SET next_due = now() + h.pause * (1 + (hashtext(l.endpoint_id::text) & 255) / 512.0) * interval '1 second'
  FROM webhook_endpoints w, unnest(%(host)s::text[], %(pause)b::float8[]) AS h (host, pause)
 WHERE l.tenant_id = %(tenant)s AND l.next_due <= now() + h.pause * interval '1 second'
   AND w.tenant_id = l.tenant_id AND w.endpoint_id = l.endpoint_id AND w.host = h.host
"""
"""All lanes of the tenant that lead to a host whose breaker is open; spread, so that they do not come back together."""

NO_WAIT_FOR_DISK = "SET LOCAL synchronous_commit = off"


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane that a claim has locked. ``room``: what it may hold; ``tokens``: what its rate limit allows now."""

    endpoint_id: UUID
    stream_version: int
    host: str
    mode: str
    rate_limit: int | None
    slots: int
    troubled: bool
    room: int
    tokens: float | None


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery that a worker holds, with the message to send.

    ``base``: how many attempts were made before it was asked for again. ``lane``: as the claim found it. ``more``: its
    lane was filled, or the claim was, or it has an order; others may be due once this one has ended.
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
    lane: Lane
    more: bool


async def due_tenants(database: Database, limit: int, full: Sequence[str] = ()) -> list[UUID]:
    """Tenants with a lane that is due and has room, the longest due first. *full*: hosts that have no room.

    Raises Unavailable.
    """
    found = await database.rows(DUE_TENANTS, {"plans": PLANS_WITH_WEBHOOKS, "limit": limit, "full": list(full)})
    return [tenant_id for (tenant_id,) in found]


async def claim(
    database: Database,
    owner: UUID,
    tenant_id: UUID,
    *,
    limit: int,
    share: int,
    hosts: Hosts,
    lease_seconds: float = LEASE_SECONDS,
) -> list[Claim]:
    """Lease up to *limit* due deliveries of one tenant to *owner*, the same number from each lane as far as it goes.

    No lane has more than *share* in flight. Room is taken from *hosts* for each claim. Raises Unavailable.
    """
    about: dict[str, Any] = {
        "tenant": tenant_id,
        "plans": PLANS_WITH_WEBHOOKS,
        "limit": limit,
        "share": share,
        "full": list(hosts.full),
    }
    async with database.connection() as connection:
        locked = connection.cursor(binary=True)
        async with connection.pipeline():
            await connection.execute("BEGIN")
            await connection.execute(NO_WAIT_FOR_DISK)
            await locked.execute(LOCK_LANES, about)
        lanes = [Lane(*row) for row in await locked.fetchall()]
        wanted: Counter[str] = Counter()
        for lane in lanes:
            wanted[lane.host] += lane.room
        now = time.monotonic()
        granted = {host: hosts.take(host, min(number, limit), now) for host, number in wanted.items()}
        taken: Sequence[Claim] = ()
        try:
            pauses = {host: hosts.wait(host, now) for host, room in granted.items() if room == 0}
            taken = await claim_of_lanes(
                connection, about | {"owner": owner, "lease": lease_seconds}, lanes, granted, pauses
            )
        finally:
            used = Counter(one.lane.host for one in taken)
            for host, room in granted.items():
                if room > used[host]:
                    hosts.give_back(host, room - used[host])
        return list(taken)


async def claim_of_lanes(
    connection: AsyncConnection[Any],
    about: dict[str, Any],
    lanes: Sequence[Lane],
    granted: Mapping[str, int],
    pauses: Mapping[str, float],
) -> list[Claim]:
    """Claim from *lanes*, which are locked, as far as their hosts have room, and end the transaction.

    *pauses*: seconds to leave a host alone, by host, of those that have no room.
    """
    open_lanes = {lane.endpoint_id: lane for lane in lanes if granted[lane.host]}
    of_lanes = about | {
        "endpoint": list(open_lanes),
        "mode": [lane.mode for lane in open_lanes.values()],
        "host": [lane.host for lane in open_lanes.values()],
        "host_room": [granted[lane.host] for lane in open_lanes.values()],
        "slots": [lane.room for lane in open_lanes.values()],
        "tokens": [lane.room if lane.tokens is None else int(lane.tokens) for lane in open_lanes.values()],
    }
    limited = [lane for lane in open_lanes.values() if lane.rate_limit is not None]
    claimed = connection.cursor(binary=True)
    # A statement of its own, so that it counts, with a new snapshot, what is in flight now that the lanes are ours.
    async with connection.pipeline():
        if any(pauses.values()):
            alone = {"host": list(pauses), "pause": list(pauses.values())}
            await connection.execute(LEAVE_HOST_ALONE, about | alone)
        if open_lanes:
            await claimed.execute(CLAIM, of_lanes)
            await connection.execute(NEXT_DUE, of_lanes)
        if not limited:
            await connection.execute("COMMIT")
    rows = await claimed.fetchall() if open_lanes else []
    number: Counter[UUID] = Counter(endpoint_id for _, endpoint_id, *_ in rows)
    of_host = Counter(open_lanes[endpoint_id].host for _, endpoint_id, *_ in rows)
    if limited:
        async with connection.pipeline():
            await connection.execute(SPEND, about | spent(limited, number))
            await connection.execute("COMMIT")
    claims = []
    for room, *row in rows:
        endpoint_id = row[0]
        lane = open_lanes[endpoint_id]
        filled = number[endpoint_id] == room or of_host[lane.host] == granted[lane.host] or len(rows) == about["limit"]
        values = (about["tenant"], *row, lane, filled or lane.mode != "parallel")
        claims.append(Claim(*values))
    return claims


def spent(limited: Sequence[Lane], number: Mapping[UUID, int]) -> dict[str, list[Any]]:
    """What is left in the buckets of *limited* lanes, of which so many deliveries were claimed."""
    columns: dict[str, list[Any]] = defaultdict(list)
    for lane in limited:
        assert lane.tokens is not None and lane.rate_limit is not None
        columns["endpoint"].append(lane.endpoint_id)
        columns["tokens"].append(float(lane.tokens) - number[lane.endpoint_id])
        columns["rate"].append(float(lane.rate_limit))
    return columns
