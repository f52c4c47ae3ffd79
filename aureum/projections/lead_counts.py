"""How many leads stand at each status. The only read model that crosses streams: so it changes by increments in SQL."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from aureum.domain.lead import STATUSES, Lead
from aureum.projections.lead_list import LIST
from aureum.projections.list_past import with_rows

Counts = TypeVar("Counts", Counter[str], defaultdict[str, int])

NAME = "lead_counts"
EVENTS: type = Lead.Event
STEP_VERSION = 2
"""Raised whenever ``step`` counts otherwise."""

SUSPECT = "suspect "
"""Before the status of leads that are suspected: they are counted apart, since lists show them."""

COUNTED = """
INSERT INTO lead_counts AS c (tenant_id, read_version, status, leads)
SELECT h.tenant_id,
       CASE WHEN coalesce(r.step, 1) = h.lead_counts_step THEN h.lead_counts_version ELSE other_step() END,
       r.status, {leads}
  FROM json_to_recordset(rows) AS r (item integer, step integer, status text, leads bigint)
  JOIN heads h ON h.tenant_id = tenants[r.item]{grouped}
ON CONFLICT (tenant_id, read_version, status) DO UPDATE SET leads = c.leads + excluded.leads
"""

APPEND = COUNTED.replace("{leads}", "sum(r.leads)").replace("{grouped}", "\n GROUP BY 1, 2, 3")

ALONE = COUNTED.replace("{leads}", "r.leads").replace("{grouped}", "")
"""For an append of one stream, whose rows name each status once: there is nothing to add up."""


def step(counts: Counts, event: Any) -> Counts:
    """*counts* with what *event* changes; the same object comes back."""
    match event:
        case Lead.Captured():
            counts[event.status] += 1
        case Lead.StatusChanged():
            counts[event.previous] -= 1
            counts[event.status] += 1
        case Lead.Suspected():
            counts[event.status] -= 1
            counts[f"{SUSPECT}{event.status}"] += 1
        case Lead.Cleared():
            counts[event.status] += 1
            counts[f"{SUSPECT}{event.status}"] -= 1
        case Lead.Erased():
            counts[f"{SUSPECT if event.suspect else ''}{event.status}"] -= 1
    return counts


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[dict[str, Any]]:
    """The increments that *new* brings; what was before does not matter."""
    changes: defaultdict[str, int] = defaultdict(int)
    for event in new:
        step(changes, event)
    return [{"status": status, "leads": leads} for status, leads in changes.items() if leads]


OF_AGENT = """
SELECT status, count(*) FROM lead_list
 WHERE tenant_id = %(tenant)s AND (assigned_to = %(agent)s OR created_by = %(agent)s)
   AND read_version = (SELECT lead_list_version FROM heads WHERE tenant_id = %(tenant)s)
   AND doc NOT LIKE '%%,"suspect":true%%'
 GROUP BY status
"""
"""Of the leads that an agent sees. In a text of a document the quotes would be escaped."""

OF_PAST = with_rows(
    LIST,
    """
SELECT x.status, count(*)
  FROM {rows}
 WHERE (%(visible_to)s::uuid IS NULL OR x.assigned_to = %(visible_to)s OR x.created_by = %(visible_to)s)
   AND x.doc NOT LIKE '%%,"suspect":true%%'
 GROUP BY x.status
""",
)
"""Of the leads of a moment (``aureum.projections.list_past``), those that an agent would have seen or all."""

OF_TENANTS = "SELECT ord, status, leads FROM lead_counts_of(%b::uuid[])"
"""The function stands in ``lead_counts_of.sql``."""


def summary(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The answer of ``GET /api/leads/count``: the document's keys in its order, the other statuses, the total."""
    counts = dict.fromkeys(("new", "contacted", "qualified", "converted"), 0) | dict.fromkeys(STATUSES, 0)
    counts |= {status: leads for status, leads in found if not status.startswith(SUSPECT)}
    return counts | {"total": sum(counts.values())}
