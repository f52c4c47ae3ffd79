"""What became of the attempts of one tenant, written on Citus in two statements. Each goes to the tenant's node.

As one (``COMPLETE`` in completions.py) it would be sent to all nodes, and fail while any of them is away.
"""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection

from aureum.store.postgres.arrays import packed

HELD = """held AS (
    SELECT x.* FROM (
        SELECT d.endpoint_id, d.position, r.attempt, r.pause, now() + r.pause * interval '1 second' AS due_at
          FROM webhook_deliveries d
          JOIN r ON r.endpoint_id = d.endpoint_id AND r.position = d.position AND r.attempt = d.attempt
         WHERE d.tenant_id = %(tenant)s AND d.lease_owner = %(owner)s
           FOR UPDATE OF d
    ) x
), later AS (
    UPDATE webhook_deliveries d
       SET state = 'due', due_at = h.due_at, lease_owner = NULL, lease_until = NULL
      FROM held h
     WHERE d.tenant_id = %(tenant)s AND d.endpoint_id = h.endpoint_id AND d.position = h.position
       AND h.pause IS NOT NULL
), finished AS (
    DELETE FROM webhook_deliveries d
     USING held h
     WHERE d.tenant_id = %(tenant)s AND d.endpoint_id = h.endpoint_id AND d.position = h.position AND h.pause IS NULL
)"""
"""The deliveries that the worker still held, of ``r``: due again later, or finished."""

SETTLE = f"""
WITH r AS (
    SELECT r.*
      FROM unnest(%(endpoint)b::uuid[], %(position)b::bigint[], %(attempt)b::integer[], %(pause)b::float8[])
           AS r (endpoint_id, position, attempt, pause)
), {HELD}
SELECT endpoint_id, position, attempt FROM held
"""  # noqa: S608  # of constants

LOG = """
INSERT INTO webhook_attempts (tenant_id, endpoint_id, position, attempt, started_at, duration_ms, status, error,
                              answer, outcome, lease_owner)
SELECT %(tenant)s, r.*, %(owner)s::uuid
  FROM unnest(
           %(endpoint)b::uuid[], %(position)b::bigint[], %(attempt)b::integer[], %(started_at)b::timestamptz[],
           %(duration_ms)b::integer[], %(status)b::integer[], %(error)b::text[], %(answer)b::bytea[],
           %(outcome)b::text[]
       ) AS r (endpoint_id, position, attempt, started_at, duration_ms, status, error, answer, outcome)
-- Written already: the answer to the first try was lost with the connection.
ON CONFLICT DO NOTHING
RETURNING endpoint_id, position, attempt, outcome
"""


async def complete(
    connection: AsyncConnection[Any], about: Mapping[str, Any], tried: list[tuple[Any, str | None, bool]]
) -> list[Any]:
    """Settle the leases of one tenant and log its attempts, in a transaction of *connection*; (endpoint, position,
    attempt, outcome) of each that was not logged before. *about* has the parameters of ``COMPLETE``; *tried* has for
    each attempt its endpoint, position and number, its error, and whether another one follows. Raises the driver's
    errors.
    """
    cursor = connection.cursor(binary=True)
    await cursor.execute(SETTLE, about)
    held = {tuple(row) for row in await cursor.fetchall()}
    outcomes = [
        "superseded" if key not in held else "delivered" if error is None else "failed" if again else "exhausted"
        for key, error, again in tried
    ]
    await cursor.execute(LOG, {**about, "outcome": packed(str, outcomes)})
    return await cursor.fetchall()
