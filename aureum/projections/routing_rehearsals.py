"""The rehearsals of a tenant: what was asked for, how far the worker has come, and what came of it.

The append writes what was asked for, the worker the rest. ``since`` and ``until`` are positions, both included;
``cursor`` is the last position that was looked at.
"""

from collections.abc import Sequence
from typing import Any

from aureum.domain.routing_rehearsal import RoutingRehearsal

NAME = "routing_rehearsals"
EVENTS: type = RoutingRehearsal.Event

APPEND = """
INSERT INTO routing_rehearsals (
       tenant_id, rehearsal_id, settings, since, until, cursor, since_time, state, requested_at, ended_at)
SELECT tenants[r.item], r.rehearsal_id, r.settings, r.since, r.until, r.since - 1, r.since_time, 'running',
       r.requested_at, NULL
  FROM json_to_recordset(rows) AS r (
           item integer, rehearsal_id uuid, settings jsonb, since bigint, until bigint, since_time timestamptz,
           requested_at timestamptz)
"""

Row = dict[str, Any]


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a rehearsal's stream, none for others."""
    return [
        {
            "rehearsal_id": event.originator_id,
            "settings": event.settings,
            "since": event.since,
            "until": event.until,
            "since_time": event.since_time,
            "requested_at": event.timestamp,
        }
        for event in new
        if isinstance(event, RoutingRehearsal.Requested)
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
