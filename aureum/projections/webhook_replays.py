"""The replays of a tenant: what was asked for, and how far the worker has come.

``until`` and ``since`` are positions, both included; ``cursor`` is the last position that was looked at, ``queued`` how
many deliveries it made. The append writes what was decided, the worker the progress.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from aureum.domain.webhook_replay import WebhookReplay

NAME = "webhook_replays"

APPEND = """
INSERT INTO webhook_replays AS w (
       tenant_id, replay_id, stream_version, endpoint_id, since, until, events, which, cause, state, cursor,
       requested_at, ended_at)
SELECT a.tenant_id, r.replay_id, r.stream_version, r.endpoint_id, r.since, r.until, r.events, r.which, r.cause, r.state,
       r.since - 1, r.requested_at, r.ended_at
  FROM json_to_recordset(p_rows -> 'webhook_replays') AS r (
           item integer, replay_id uuid, stream_version integer, endpoint_id uuid, since bigint, until bigint,
           events text[], which text, cause text, state text, requested_at timestamptz, ended_at timestamptz)
  JOIN unnest(accepted) AS a ON a.item = r.item
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
