"""The leads that were given to another agent than the one they had: for routing that learns from them.

A row says whose the lead became by its last assignment, None if it is no example: it was taken from its agent, or had
none before. What the visitor said is not here: it is read from the log, with the person's key.
"""

from collections.abc import Sequence
from typing import Any

from aureum.domain.lead import Lead

NAME = "routing_examples"
EVENTS: type = Lead.Event

APPEND = """
INSERT INTO routing_examples (tenant_id, lead_id, agent_id, reassigned_at)
SELECT tenants[r.item], r.lead_id, r.agent_id, r.reassigned_at
  FROM json_to_recordset(rows) AS r (item integer, lead_id uuid, agent_id uuid, reassigned_at timestamptz)
ON CONFLICT (tenant_id, lead_id) DO UPDATE SET
       agent_id = excluded.agent_id, reassigned_at = excluded.reassigned_at
"""

Row = dict[str, Any]


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a lead that is assigned, none for others."""
    assigned = [event for event in new if isinstance(event, Lead.Assigned)]
    if not assigned:
        return []
    last = assigned[-1]
    routed = any(
        event.routing is not None for event in (*before, *new) if isinstance(event, Lead.Captured | Lead.Cleared)
    )
    agent = last.assigned_to if routed and last.previous is not None else None
    if agent is None and not any(isinstance(event, Lead.Assigned) for event in before):
        return []
    return [{"lead_id": last.originator_id, "agent_id": agent, "reassigned_at": last.timestamp}]


NEWEST = """
SELECT x.lead_id, x.agent_id, x.reassigned_at,
       (SELECT max(e.version) FROM events e WHERE e.tenant_id = %(tenant)s AND e.stream_id = x.lead_id)
  FROM users u
 CROSS JOIN LATERAL (
           SELECT r.lead_id, r.agent_id, r.reassigned_at
             FROM routing_examples r
             JOIN subject_keys k ON k.tenant_id = r.tenant_id AND k.subject_id = r.lead_id
            WHERE r.tenant_id = %(tenant)s AND r.agent_id = u.user_id
            ORDER BY r.reassigned_at DESC, r.lead_id DESC
            LIMIT %(of_agent)s
       ) AS x
 WHERE u.tenant_id = %(tenant)s AND NOT u.disabled
 ORDER BY x.reassigned_at DESC, x.lead_id DESC
 LIMIT %(limit)s
"""
"""Of erased persons there is no key, so that they are not among them."""

STREAMS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(leads)s)
 ORDER BY e.stream_id, e.version
"""
