"""What became of deliveries, as the API shows it: the queue has those that are not finished, the log the attempts.

A delivery is one message for one endpoint, so its id is made of both: the endpoint's, and the message's position. It
stays the same when it is delivered again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.ids import LENGTH, aureum_time, from_wire, to_wire
from aureum.store.postgres.database import Database
from aureum.webhooks.queue.message import message_id
from aureum.webhooks.sending.results import Failure

PATTERN = "^c[0-9a-z]{25}_[1-9][0-9]{0,18}$"
"""What a delivery's id looks like."""

LAST_POSITION = 2**63 - 1

STATUSES = ("pending", "delivered", "failed")

LARGEST_BATCH = 10_000
SECONDS = 3.0

CANDIDATES = """
SELECT c.position
  FROM (
           (SELECT q.position FROM webhook_deliveries q
             WHERE q.tenant_id = %(tenant)s AND q.endpoint_id = %(endpoint)s AND q.position < %(before)s
               AND (%(status)s::text IS NULL OR %(status)s = 'pending')
             ORDER BY q.position DESC LIMIT %(batch)s)
           UNION
           (SELECT DISTINCT q.position FROM webhook_attempts q
             WHERE q.tenant_id = %(tenant)s AND q.endpoint_id = %(endpoint)s AND q.position < %(before)s
               AND coalesce(%(status)s::text <> 'pending', true)
               AND (%(status)s::text IS NULL OR (%(status)s = 'delivered') = (q.error IS NULL))
             ORDER BY q.position DESC LIMIT %(batch)s)
       ) AS c
 ORDER BY c.position DESC LIMIT %(batch)s
"""
"""The next positions below *before*. A delivery of a status has an attempt that looks like it, or stands in the queue;
whether it is the last one is asked of these few."""

SHOWN = """
SELECT k.position, m.message_id, m.event, s.status, coalesce(a.attempts, 0), a.started_at, a.status, a.error,
       CASE WHEN d.state = 'due' THEN d.due_at END, d.replay_id, m.body
  FROM unnest(%(positions)b::bigint[]) AS k (position)
  LEFT JOIN webhook_messages m ON m.tenant_id = %(tenant)s AND m.position = k.position
  LEFT JOIN webhook_deliveries d
         ON d.tenant_id = %(tenant)s AND d.endpoint_id = %(endpoint)s AND d.position = k.position
  LEFT JOIN LATERAL (
           SELECT count(*) OVER () AS attempts, x.started_at, x.status, x.error
             FROM webhook_attempts x
            WHERE x.tenant_id = %(tenant)s AND x.endpoint_id = %(endpoint)s AND x.position = k.position
            ORDER BY x.started_at DESC LIMIT 1
       ) AS a ON true
 CROSS JOIN LATERAL (
           SELECT CASE WHEN d.position IS NOT NULL THEN 'pending'
                       WHEN a.error IS NULL THEN 'delivered'
                       ELSE 'failed' END AS status
       ) AS s
 WHERE (d.position IS NOT NULL OR a.attempts > 0)
   AND (%(status)s::text IS NULL OR s.status = %(status)s)
   AND (%(events)s::text[] IS NULL OR m.event = ANY (%(events)s))
 ORDER BY k.position DESC LIMIT %(limit)s
"""
NAMES = (
    "position",
    "message_id",
    "event",
    "status",
    "attempts",
    "last_attempt_at",
    "last_status",
    "last_error",
    "next_attempt_at",
    "replay_id",
    "body",
)
"""Of ``SHOWN``: what its columns are called here."""

DAYS = 30
"""How long attempts are kept."""

BY_DAY = """
WITH here AS (
    SELECT b.time_zone AS zone, (now() AT TIME ZONE b.time_zone)::date AS today
      FROM brokerages b WHERE b.tenant_id = %(tenant)s
), made AS (
    SELECT (a.started_at AT TIME ZONE here.zone)::date AS day,
           count(*) AS attempts, count(*) FILTER (WHERE a.error IS NULL) AS succeeded
      FROM here, webhook_attempts a
     WHERE a.tenant_id = %(tenant)s AND a.endpoint_id = %(endpoint)s
       AND a.started_at >= (here.today - %(days)s + 1)::timestamp AT TIME ZONE here.zone
     GROUP BY 1
)
SELECT to_char(d.day, 'YYYY-MM-DD'), coalesce(made.attempts, 0), coalesce(made.succeeded, 0)
  FROM here
 CROSS JOIN LATERAL generate_series((here.today - %(days)s + 1)::timestamp, here.today::timestamp, '1 day') AS d (day)
  LEFT JOIN made ON made.day = d.day::date
 ORDER BY d.day
"""
"""The attempts of one endpoint on each of the last days, by the brokerage's clock, the oldest day first."""

ATTEMPTS = """
SELECT attempt, started_at, duration_ms, status, error, outcome, answer
  FROM webhook_attempts
 WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s AND position = %(position)s
 ORDER BY started_at DESC LIMIT 100
"""

EVENT = "SELECT event FROM webhook_messages WHERE tenant_id = %(tenant)s AND position = %(position)s"
"""What the message tells, whichever endpoint it was for."""

SO_FAR = """
SELECT EXISTS (
           SELECT FROM webhook_attempts a
            WHERE a.tenant_id = %(tenant)s AND a.endpoint_id = %(endpoint)s AND a.position = %(position)s
              AND a.outcome <> 'superseded'
       ),
       c.position,
       EXISTS (
           SELECT FROM events e
            WHERE e.tenant_id = %(tenant)s AND e.position > greatest(c.position, %(position)s - 100)
              AND e.position <= %(position)s AND e.type = 'webhook_ping.requested'
              AND e.recorded_at < now() - %(patience)s * interval '1 second'
       )
  FROM (
           SELECT coalesce(max(k.position), 0) AS position FROM checkpoints k
            WHERE k.tenant_id = %(tenant)s AND k.consumer = 'webhooks'
       ) AS c
"""
"""Whether the delivery was tried; how far the log is projected; whether a test, this one or one of those before it,
waits for that longer than *patience*. How old other events are says nothing: a log is not followed while its tenant has
no webhook."""

TESTED = """
SELECT stream_id FROM events
 WHERE tenant_id = %(tenant)s AND position = %(position)s AND type = 'webhook_ping.requested'
"""


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Rows with ``NAMES``, newest first; the next page is below the position ``until``, if there is one."""

    rows: Sequence[Mapping[str, Any]]
    until: int | None


async def page(
    database: Database,
    tenant_id: UUID,
    endpoint_id: UUID,
    *,
    before: int,
    limit: int,
    status: str | None = None,
    events: Sequence[str] | None = None,
    seconds: float = SECONDS,
) -> DeliveryPage:
    """Up to *limit* deliveries of an endpoint below the position *before*, of one of ``STATUSES`` and of *events*.

    What is rare is looked for as long as *seconds*; then the page is shorter, and goes on. Raises Unavailable.
    """
    about = {"tenant": tenant_id, "endpoint": endpoint_id, "status": status, "events": events}
    found: list[Mapping[str, Any]] = []
    batch, end = limit + 1, time.monotonic() + seconds
    while True:
        candidates = await database.tenant_rows(tenant_id, CANDIDATES, about | {"before": before, "batch": batch})
        positions = [position for (position,) in candidates]
        wanted = about | {"positions": positions, "limit": limit + 1 - len(found)}
        found += [dict(zip(NAMES, row, strict=True)) for row in await database.tenant_rows(tenant_id, SHOWN, wanted)]
        if len(found) > limit:
            return DeliveryPage(found[:limit], found[limit - 1]["position"])
        if len(positions) < batch:
            return DeliveryPage(found, None)
        before = positions[-1]
        if time.monotonic() > end:
            return DeliveryPage(found, before)
        batch = min(4 * batch, LARGEST_BATCH)


async def one(database: Database, tenant_id: UUID, endpoint_id: UUID, position: int) -> Mapping[str, Any] | None:
    """The row of one delivery with ``NAMES``, if there is one. Raises Unavailable."""
    about = {"tenant": tenant_id, "endpoint": endpoint_id, "positions": [position], "status": None, "events": None}
    rows = await database.tenant_rows(tenant_id, SHOWN, about | {"limit": 1})
    return dict(zip(NAMES, rows[0], strict=True)) if rows else None


def delivery_id(endpoint_id: UUID, position: int) -> str:
    """``c…_216``: the endpoint's wire id, and the position of the message."""
    return f"{to_wire(endpoint_id)}_{position}"


def parse_delivery_id(text: str) -> tuple[UUID, int] | None:
    """The inverse of ``delivery_id``; None for anything that never was one."""
    endpoint_id, digits = from_wire(text[:LENGTH]), text[LENGTH + 1 :]
    if endpoint_id is None or text[LENGTH : LENGTH + 1] != "_" or not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) > len(str(LAST_POSITION)) or digits.startswith("0") or int(digits) > LAST_POSITION:
        return None
    return endpoint_id, int(digits)


def document(tenant_id: UUID, endpoint_id: UUID, row: Mapping[str, Any]) -> dict[str, Any]:
    """A delivery as the API shows it, of a row with ``NAMES``; a message's id is known also once that is pruned."""
    return {
        "id": delivery_id(endpoint_id, row["position"]),
        "webhookId": to_wire(endpoint_id),
        "event": row["event"],
        "eventId": row["message_id"] or message_id(tenant_id, row["position"]),
        "sequence": row["position"],
        "status": row["status"],
        "attempts": row["attempts"],
        "lastAttemptAt": time_or_none(row["last_attempt_at"]),
        "lastStatus": row["last_status"],
        "lastError": row["last_error"],
        "nextAttemptAt": time_or_none(row["next_attempt_at"]),
        "replayId": None if row["replay_id"] is None else to_wire(row["replay_id"]),
    }


def asked_for(position: int, event: str) -> dict[str, Any]:
    """A row as it will be once the projector has seen that the delivery was asked for."""
    row: dict[str, Any] = dict.fromkeys(NAMES)
    return row | {"position": position, "event": event, "status": "pending", "attempts": 0}


def attempt(row: Sequence[Any]) -> dict[str, Any]:
    """An attempt as the API shows it. What stands at a forbidden address is not shown."""
    number, started_at, duration_ms, status, error, outcome, answer = row
    return {
        "number": number,
        "startedAt": aureum_time(started_at),
        "durationMs": duration_ms,
        "status": status,
        "error": error,
        "outcome": outcome,
        "answer": "" if error == Failure.BLOCKED_ADDRESS else readable(answer),
    }


def readable(answer: bytes) -> str:
    r"""The bytes as text; those that are no UTF-8, and NUL, as ``\xff``."""
    return answer.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def time_or_none(moment: datetime | None) -> str | None:
    """A moment as the Aureum API writes it, if there is one."""
    return None if moment is None else aureum_time(moment)
