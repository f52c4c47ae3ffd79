"""Keeps with each lane how its endpoint fares, by the rules of ``health``.

A lane in good health costs nothing: it is only touched when something failed, until a success ends that, and after each
attempt of an endpoint whose deliveries have an order, since then the next one is due.
"""

import random
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.webhooks.queue.health import Health, Result, after, failing_too_long

LOCK = """
SELECT l.endpoint_id, now(), l.slots, l.failures, l.window_tried, l.window_failed, l.window_from, l.failing_since,
       l.openings, l.open_until
  FROM webhook_lanes l
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = ANY (%(endpoint)s)
 ORDER BY l.endpoint_id
   FOR NO KEY UPDATE
"""

SET = """
UPDATE webhook_lanes l
   SET slots = n.slots, failures = n.failures, window_tried = n.tried, window_failed = n.failed,
       window_from = n.window_from, failing_since = n.failing_since, openings = n.openings, open_until = n.open_until,
       next_due = greatest(least(l.next_due, n.due_at), n.open_until)
  FROM (
           SELECT u.*, now() + u.pause * interval '1 second' AS due_at
             FROM unnest(
                      %(endpoint)b::uuid[], %(pause)s::float8[], %(slots)b::smallint[], %(failures)b::integer[],
                      %(tried)b::integer[], %(failed)b::integer[], %(window_from)s::timestamptz[],
                      %(failing_since)s::timestamptz[], %(openings)b::integer[], %(open_until)s::timestamptz[]
                  ) AS u (
                      endpoint_id, pause, slots, failures, tried, failed, window_from, failing_since, openings,
                      open_until
                  )
           OFFSET 0
       ) AS n
 WHERE l.tenant_id = %(tenant)s AND l.endpoint_id = n.endpoint_id
"""

FIELDS = ("slots", "failures", "tried", "failed", "window_from", "failing_since", "openings", "open_until")
"""Of ``Health``, in its order."""


@dataclass(frozen=True, slots=True)
class News:
    """What attempts told of one endpoint. ``pause``: seconds until one of its deliveries is due because of them."""

    endpoint_id: UUID
    results: Sequence[Result]
    pause: float | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """An endpoint that is to be disabled, and why: one of ``DISABLED_BY``."""

    tenant_id: UUID
    endpoint_id: UUID
    reason: str


async def tell_lanes(connection: AsyncConnection[Any], tenant_id: UUID, news: Sequence[News]) -> list[Trouble]:
    """Write *news* of a tenant's endpoints, in the transaction of *connection*; the endpoints to disable now."""
    about = {"tenant": tenant_id, "endpoint": [one.endpoint_id for one in news]}
    cursor = await connection.execute(LOCK, about, binary=True)
    told = {one.endpoint_id: one for one in news}
    columns: dict[str, list[Any]] = {name: [] for name in ("endpoint", "pause", *FIELDS)}
    troubles = []
    for endpoint_id, now, *stored in await cursor.fetchall():
        one = told[endpoint_id]
        before = Health(*stored)
        health = after(before, one.results, now, random.random())  # noqa: S311  it spreads load
        columns["endpoint"].append(endpoint_id)
        # What waited for the breaker need not wait any more.
        columns["pause"].append(0.0 if before.openings and not health.openings else one.pause)
        for name, value in zip(FIELDS, astuple(health), strict=True):
            columns[name].append(value)
        if one.gone or failing_too_long(health, now):
            troubles.append(Trouble(tenant_id, endpoint_id, "gone" if one.gone else "failing"))
    await connection.execute(SET, {"tenant": tenant_id} | columns)
    return troubles
