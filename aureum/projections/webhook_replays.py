"""The replays of a tenant: what was asked for, and how far the worker has come.

``until`` and ``since`` are positions, both included; ``cursor`` is the last position that was looked at, ``queued`` how
many deliveries it made. The append writes what was decided, the worker the progress. ``until`` is never beyond the log
as it is once the request stands in it: what happens later is sent anyway.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.webhook_replay import WebhookReplay

NAME = "webhook_replays"
EVENTS: type = WebhookReplay.Event

APPEND = """
INSERT INTO webhook_replays AS w (
       tenant_id, replay_id, stream_version, endpoint_id, since, until, events, which, cause, state, cursor,
       requested_at, ended_at)
SELECT h.tenant_id, r.replay_id, r.stream_version, r.endpoint_id, r.since, least(r.until, h.position), r.events,
       r.which, r.cause, r.state, r.since - 1, r.requested_at, r.ended_at
  FROM json_to_recordset(rows) AS r (
           item integer, replay_id uuid, stream_version integer, endpoint_id uuid, since bigint, until bigint,
           events text[], which text, cause text, state text, requested_at timestamptz, ended_at timestamptz)
  JOIN heads h ON h.tenant_id = tenants[r.item]
ON CONFLICT (tenant_id, replay_id) DO UPDATE SET
       stream_version = excluded.stream_version,
       state = CASE WHEN w.state = 'running' THEN excluded.state ELSE w.state END,
       ended_at = coalesce(w.ended_at, excluded.ended_at)
"""

Row = dict[str, Any]


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a replay's row."""
    match event:
        case WebhookReplay.Requested():
            return {
                "replay_id": event.originator_id,
                "stream_version": event.originator_version,
                "endpoint_id": event.endpoint_id,
                "since": event.since,
                "until": event.until,
                "events": event.events,
                "which": event.which,
                "cause": event.cause,
                "state": "running",
                "requested_at": event.timestamp,
                "ended_at": None,
            }
        case WebhookReplay.Cancelled() if row is not None:
            return row | {
                "stream_version": event.originator_version,
                "state": "cancelled",
                "ended_at": event.timestamp,
            }
    return row


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a replay's stream, none for others."""
    if not isinstance(new[0], WebhookReplay.Event):
        return []
    row = reduce(step, new, reduce(step, before, None))
    return [] if row is None else [row]


COLUMNS = """
SELECT r.replay_id, r.endpoint_id, r.since, r.until, r.events, r.which, r.state, r.cursor, r.queued,
       (
           SELECT count(*) FROM webhook_deliveries d WHERE d.tenant_id = r.tenant_id AND d.replay_id = r.replay_id
       ) AS remaining,
       r.requested_at, r.ended_at
  FROM webhook_replays r
"""
NAMES = (
    "replay_id",
    "endpoint_id",
    "since",
    "until",
    "events",
    "which",
    "state",
    "cursor",
    "queued",
    "remaining",
    "requested_at",
    "ended_at",
)

ONE = f"""{COLUMNS}
  JOIN webhook_endpoints w ON w.tenant_id = r.tenant_id AND w.endpoint_id = r.endpoint_id AND NOT w.removed
 WHERE r.tenant_id = %(tenant)s AND r.replay_id = %(id)s
"""
"""What was asked for a webhook is removed with it."""

PAGE = f"""{COLUMNS}
 WHERE r.tenant_id = %(tenant)s AND r.endpoint_id = %(endpoint)s AND r.replay_id < %(before)s
   AND (%(updated_since)s::timestamptz IS NULL OR coalesce(r.ended_at, r.requested_at) >= %(updated_since)s)
 ORDER BY r.replay_id DESC LIMIT %(limit)s::bigint
"""


def document(row: Mapping[str, Any]) -> Row:
    """A replay as the Aureum API shows it, of a row with ``NAMES``."""
    return {
        "id": to_wire(row["replay_id"]),
        "webhookId": to_wire(row["endpoint_id"]),
        "since": row["since"],
        "until": row["until"],
        "events": list(row["events"]),
        "only": row["which"],
        "status": row["state"],
        "progress": progress(row["state"], row["since"], row["until"], row["cursor"]),
        "queued": row["queued"],
        "remaining": row["remaining"],
        "requestedAt": aureum_time(row["requested_at"]),
        "endedAt": None if row["ended_at"] is None else aureum_time(row["ended_at"]),
    }


def progress(state: str, since: int, until: int, cursor: int) -> float:
    """How much of it was looked at, from 0 to 1; nothing to look at is all of it."""
    if state == "completed" or until < since:
        return 1.0
    return max(0.0, min(1.0, (cursor - since + 1) / (until - since + 1)))
