"""Days of the reports, each counted once: the leads of a day in small groups, with the times until the first contact.

A reader counts the days that are missing, in a transaction that holds the checkpoint of the figures. What changes a row
of ``lead_facts`` forgets the days of that lead in the same transaction (``forget_days``). So a report of a month reads
some thousand small rows instead of all leads of two months, and says the same.
"""

import asyncio
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from sys import byteorder
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.domain.errors import Unavailable
from aureum.figures import reports
from aureum.store.postgres.database import Database

NEAR = timedelta(seconds=2)
"""The id of a lead is made within a second of its ``createdAt``."""

TRIES = 3
"""How often missing days are counted before the leads themselves are read."""

FORGET = """
DELETE FROM report_days d
 USING (
           SELECT l.at, l.at - interval '2 days' AS earliest
             FROM (
                      SELECT f.created_at AS at FROM lead_facts f
                       WHERE f.tenant_id = %(tenant)s AND f.lead_id = ANY (%(leads)s)
                       UNION ALL SELECT unnest(%(moments)s::timestamptz[])
                  ) AS l
           OFFSET 0
       ) AS c
 WHERE d.tenant_id = %(tenant)s AND d.begins > c.earliest AND d.begins <= c.at AND d.ends > c.at
"""

MARK = "UPDATE report_marks SET position = %(until)s WHERE tenant_id = %(tenant)s AND position = %(since)s"

ENDS = "SELECT min(f.created_at), max(f.created_at) FROM lead_facts f WHERE f.tenant_id = %(tenant)s"
"""When the oldest and the newest lead came."""

IN_ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

PERIOD = "unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS n (begins, ends)"

STATE = f"""
SELECT (SELECT m.position FROM report_marks m WHERE m.tenant_id = %(tenant)s)
       = (SELECT c.position FROM checkpoints c WHERE c.tenant_id = %(tenant)s AND c.consumer = 'figures')
       AND NOT EXISTS (
               SELECT FROM {PERIOD}
                WHERE NOT EXISTS (
                          SELECT FROM report_days d
                           WHERE d.tenant_id = %(tenant)s AND d.begins = n.begins AND d.ends = n.ends
                      )
           )
"""  # noqa: S608  # of constants
"""Whether all days of the period are there, as the figures are now."""

COUNTS = f"""
WITH parts AS MATERIALIZED (
    SELECT width_bucket(d.begins, %(bounds)s::timestamptz[]) AS bucket, d.source, d.status, d.assigned_to, d.staff,
           d.leads, d.answered, d.contacted, d.qualified, d.showing, d.offer, d.converted, d.lost, d.unanswered
      FROM {PERIOD}
      JOIN report_days d ON d.tenant_id = %(tenant)s AND d.begins = n.begins AND d.ends = n.ends
     WHERE d.leads > 0
){reports.SUMS}"""  # noqa: S608  # of constants

TIMES = f"""
SELECT d.begins >= %(begins_at)s, d.assigned_to, d.staff, string_agg(d.seconds, '')
  FROM {PERIOD}
  JOIN report_days d ON d.tenant_id = %(tenant)s AND d.begins = n.begins AND d.ends = n.ends
 WHERE d.seconds IS NOT NULL
 GROUP BY 1, 2, 3
"""  # noqa: S608  # of constants

HOLD = """
SELECT c.position, (SELECT m.position FROM report_marks m WHERE m.tenant_id = %(tenant)s)
  FROM checkpoints c WHERE c.tenant_id = %(tenant)s AND c.consumer = 'figures' FOR NO KEY UPDATE OF c
"""

CLEAR = "DELETE FROM report_days WHERE tenant_id = %(tenant)s"

BEGIN = """
INSERT INTO report_marks (tenant_id, position) VALUES (%(tenant)s, %(position)s)
ON CONFLICT (tenant_id) DO UPDATE SET position = excluded.position
"""

OF_ANOTHER_ZONE = f"""
DELETE FROM report_days d
 USING (SELECT n.begins, n.ends, n.begins - interval '2 days' AS earliest FROM {PERIOD} OFFSET 0) AS n
 WHERE d.tenant_id = %(tenant)s AND d.begins > n.earliest AND d.begins < n.ends AND d.ends > n.begins
   AND (d.begins, d.ends) <> (n.begins, n.ends)
"""  # noqa: S608  # of constants

FILL = f"""
INSERT INTO report_days (tenant_id, begins, ends, part, source, status, assigned_to, staff, leads, answered, contacted,
                         qualified, showing, offer, converted, lost, unanswered, seconds)
SELECT %(tenant)s, n.begins, n.ends, row_number() OVER (PARTITION BY n.begins), f.source, f.status, f.assigned_to,
       {reports.STAFF}, count(f.lead_id), {reports.FIGURES},
       string_agg(float8send({reports.SECONDS}), '') FILTER (WHERE f.contacted_at IS NOT NULL)
  FROM {PERIOD}
  LEFT JOIN lead_facts f
    ON f.tenant_id = %(tenant)s AND f.created_at >= n.begins AND f.created_at < n.ends AND NOT f.suspect
 WHERE NOT EXISTS (
           SELECT FROM report_days d
            WHERE d.tenant_id = %(tenant)s AND d.begins = n.begins AND d.ends = n.ends
       )
 GROUP BY n.begins, n.ends, f.source, f.status, f.assigned_to, {reports.STAFF}
"""  # noqa: S608  # of constants


async def forget_days(
    connection: AsyncConnection[Any], tenant_id: UUID, leads: Sequence[UUID], erased: Sequence[UUID] = ()
) -> None:
    """Delete the days in which these leads came: *leads*, whose rows are there, and *erased* ones, of which only the id
    tells it."""
    moments = [datetime.fromtimestamp((one.int >> 80) / 1000, UTC) + near for one in erased for near in (-NEAR, NEAR)]
    about = {"tenant": tenant_id, "leads": [*leads, *erased], "moments": moments}
    await connection.execute(FORGET, about)


async def counted(
    database: Database, tenant_id: UUID, midnights: Sequence[datetime], begins: datetime, bounds: Sequence[datetime]
) -> tuple[Sequence[Any], Mapping[Any, Sequence[float]]] | None:
    """The rows of ``reports.COUNTS`` and the times of ``reports.TIMES`` for a whole brokerage, whose figures are caught
    up. *midnights* are those of both periods, the current of which *begins* at one of them. None where the days change
    all the time, or where nothing can be written. Raises Unavailable."""
    asked = {
        "tenant": tenant_id,
        "begins": list(midnights[:-1]),
        "ends": list(midnights[1:]),
        "begins_at": begins,
        "bounds": list(bounds),
    }
    for _ in range(TRIES):
        async with database.transaction(tenant_id) as connection:
            await connection.execute(IN_ONE_SNAPSHOT)
            # By itself: after a change, days are missing, and the sums would be made for nothing.
            (whole,) = await (await connection.execute(STATE, asked, binary=True)).fetchone() or (False,)
            if whole:
                counts, times = (connection.cursor(binary=True) for _ in range(2))
                async with connection.pipeline():
                    await counts.execute(COUNTS, asked)
                    await times.execute(TIMES, asked)
                found, seconds = await counts.fetchall(), await times.fetchall()
        if whole:
            # A million times take seconds to put in order, in which other requests go on.
            return found, await asyncio.to_thread(times_of, seconds)
        if not await filled(database, tenant_id, asked):
            return None
    return None


async def filled(database: Database, tenant_id: UUID, asked: Mapping[str, Any]) -> bool:
    """Count the days that are missing. False where that cannot be."""
    try:
        async with database.transaction(tenant_id) as connection:
            held = await (await connection.execute(HOLD, asked, binary=True)).fetchone()
            if held is None:
                return False
            position, kept = held
            if kept != position:
                await connection.execute(CLEAR, asked)
                await connection.execute(BEGIN, {"tenant": tenant_id, "position": position})
            await connection.execute(OF_ANOTHER_ZONE, asked)
            await connection.execute(FILL, asked)
    except Unavailable:
        # A database that takes no writes still answers: from the leads themselves.
        return False
    return True


def times_of(rows: Sequence[Any]) -> dict[Any, list[float]]:
    """The median and the ninth decile, by what ``reports.TIMES`` groups by."""
    groups: dict[Any, list[list[float]]] = defaultdict(list)
    for current, agent, staff, packed in rows:
        found = array("d", packed)
        if byteorder == "little":
            found.byteswap()
        ordered = sorted(found)
        for key in (
            (reports.TIMES_TOTAL, current, None, None),
            (reports.TIMES_BY_AGENT, current, agent, None),
            (reports.TIMES_BY_STAFF, current, None, staff),
        ):
            groups[key].append(ordered)
    return {key: percentiles(sorted(one for part in parts for one in part)) for key, parts in groups.items()}


def percentiles(ordered: Sequence[float]) -> list[float]:
    """As PostgreSQL's ``percentile_cont(ARRAY[0.5, 0.9])`` finds them."""
    found = []
    for share in (0.5, 0.9):
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        found.append(ordered[low] + (place - low) * (ordered[high] - ordered[low]))
    return found
