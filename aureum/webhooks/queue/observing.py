"""What the tables tell of how the worker does, asked every ten seconds: cheaply, however long the queue is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.database import Database
from aureum.webhooks.queue.lanes import PLANS_WITH_WEBHOOKS

COUNT_AT_MOST = 10_000
"""Rows of the queue that are counted; of a longer one the database's own estimate is shown."""

WORST = 20
"""Tenants whose age is shown: each is a label that Prometheus keeps."""

STATE = """
SELECT q.due, q.leased, q.breakers, q.disabled, q.replays, q.parked, q.xmin_age, coalesce(t.dead, 0),
       greatest(coalesce(t.live, 0) - q.leased, 0)
  FROM (
           SELECT (SELECT count(*)
                     FROM (SELECT 1 FROM webhook_deliveries WHERE state = 'due' LIMIT %(most)s) AS d) AS due,
                  (SELECT count(*) FROM webhook_deliveries WHERE state = 'leased') AS leased,
                  (SELECT count(*) FROM webhook_lanes WHERE open_until > now()) AS breakers,
                  (SELECT count(*) FROM webhook_endpoints WHERE disabled IS NOT NULL AND NOT removed) AS disabled,
                  (SELECT count(*) FROM webhook_replays WHERE state = 'running') AS replays,
                  (SELECT count(*) FROM webhook_parked) AS parked,
                  (SELECT coalesce(max(age(backend_xmin)), 0)::bigint FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()) AS xmin_age
       ) AS q
  LEFT JOIN (
           SELECT n_live_tup AS live, n_dead_tup AS dead FROM pg_stat_user_tables
            WHERE relid = 'webhook_deliveries'::regclass
       ) AS t ON true
"""

OLDEST_DUE = Everywhere(
    """
SELECT l.tenant_id, max(extract(epoch FROM now() - d.due_at))::float8
  FROM (
           SELECT y.tenant_id, y.endpoint_id FROM webhook_lanes y
            WHERE y.next_due <= now()
            ORDER BY y.next_due LIMIT 1000
       ) AS l
  JOIN webhook_endpoints w
       ON w.tenant_id = l.tenant_id AND w.endpoint_id = l.endpoint_id AND w.disabled IS NULL AND NOT w.removed
  JOIN brokerages b ON b.tenant_id = l.tenant_id AND NOT b.disabled AND b.plan = ANY (%(plans)s)
 CROSS JOIN LATERAL (
           SELECT x.due_at FROM webhook_deliveries x
            WHERE x.tenant_id = l.tenant_id AND x.endpoint_id = l.endpoint_id AND x.state = 'due'
              AND x.due_at <= now() AND x.replay_id IS NULL AND x.base = 0
            ORDER BY (x.replay_id IS NOT NULL), x.due_at
            LIMIT 1
       ) AS d
 GROUP BY l.tenant_id
 ORDER BY 2 DESC
 LIMIT %(worst)s
""",
    "webhook_lanes y",
    "y.next_due <= now()",
)
"""Of lanes that may be claimed: what waits for a breaker is late for a reason. What is sent again does not count."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Rows of the queue; endpoints and replays; transactions since the oldest snapshot that is still held; rows
    of the queue that wait for a vacuum. ``oldest_due`` is in seconds, of the tenants where it is worst."""

    due: int
    leased: int
    open_breakers: int
    disabled_endpoints: int
    running_replays: int
    parked: int
    xmin_age: int
    dead_rows: int
    oldest_due: Mapping[UUID, float]


@dataclass
class Observations:
    """What a worker knows besides its attempts."""

    mended_lanes: int = 0
    last: Observed | None = field(default=None, repr=False)

    def mended(self, lanes: int) -> None:
        """So many lanes had to be mended."""
        self.mended_lanes += lanes

    def observed(self, found: Observed) -> None:
        """The tables were asked."""
        self.last = found


async def observe(database: Database) -> Observed:
    """Ask. Raises Unavailable."""
    ((due, *counts, estimate),) = await database.rows(STATE, {"most": COUNT_AT_MOST})
    rows = await database.everywhere(OLDEST_DUE, {"plans": PLANS_WITH_WEBHOOKS, "worst": WORST})
    return Observed(*(due if due < COUNT_AT_MOST else max(due, estimate), *counts, dict(rows)))
