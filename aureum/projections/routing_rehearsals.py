"""The rehearsals of a tenant: what was asked for, how far the worker has come, and what came of it.

The append writes what was asked for and that it was cancelled, the worker the rest. ``since`` and ``until`` are
positions, both included; ``cursor`` is the last position that was looked at.
"""

from collections.abc import Sequence
from typing import Any

from aureum.domain.routing_rehearsal import RoutingRehearsal

NAME = "routing_rehearsals"
EVENTS: type = RoutingRehearsal.Event

APPEND = """
INSERT INTO routing_rehearsals (
       tenant_id, rehearsal_id, settings, since, until, cursor, since_time, state, requested_at, ended_at)
SELECT tenants[r.item], r.rehearsal_id, r.settings, r.since, r.until, r.since - 1, r.since_time, r.state,
       r.requested_at, r.ended_at
  FROM json_to_recordset(rows) AS r (
           item integer, rehearsal_id uuid, settings jsonb, since bigint, until bigint, since_time timestamptz,
           state text, requested_at timestamptz, ended_at timestamptz)
ON CONFLICT (tenant_id, rehearsal_id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at
 WHERE routing_rehearsals.state = 'running'
"""
"""A rehearsal that has ended meanwhile stays as it ended."""

Row = dict[str, Any]


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a rehearsal's stream, none for others."""
    if not isinstance(new[0], RoutingRehearsal.Event):
        return []
    asked, last = [*before, *new][0], new[-1]
    cancelled = isinstance(last, RoutingRehearsal.Cancelled)
    return [
        {
            "rehearsal_id": asked.originator_id,
            "settings": asked.settings,
            "since": asked.since,
            "until": asked.until,
            "since_time": asked.since_time,
            "state": "cancelled" if cancelled else "running",
            "requested_at": asked.timestamp,
            "ended_at": last.timestamp if cancelled else None,
        }
    ]


NAMES = (
    "rehearsal_id", "settings", "since", "until", "cursor", "since_time", "state", "rehearsal", "requested_at",
    "ended_at",
)  # fmt: skip

ONE = """
SELECT rehearsal_id, settings, since, until, cursor, since_time, state, rehearsal, requested_at, ended_at
  FROM routing_rehearsals
 WHERE tenant_id = %(tenant)s AND rehearsal_id = %(id)s
"""

NEWEST = """
SELECT rehearsal_id, settings, since, until, cursor, since_time, state, rehearsal, requested_at, ended_at
  FROM routing_rehearsals
 WHERE tenant_id = %(tenant)s
 ORDER BY rehearsal_id DESC
 LIMIT %(limit)s
"""

STATE = "SELECT state FROM routing_rehearsals WHERE tenant_id = %(tenant)s AND rehearsal_id = %(id)s"

RUNNING = "SELECT count(*) FROM routing_rehearsals WHERE tenant_id = %(tenant)s AND state = 'running'"

LEAD = ("place", "kind", "stream_id", "number", "at", "had", "would", "erased", "rule", "reason")
"""The columns of ``LEADS``."""

LEADS = """
SELECT place, kind, stream_id, number, routed_at, had, would, erased, rule, reason
  FROM routing_rehearsal_leads
 WHERE tenant_id = %(tenant)s AND rehearsal_id = %(id)s AND place > %(after)s
 ORDER BY place
 LIMIT %(limit)s
"""

LEADS_KEPT = """
SELECT count(*) FROM routing_rehearsal_leads WHERE tenant_id = %(tenant)s AND rehearsal_id = %(id)s
"""
