"""The lead list as staff read it: the full lead detail of the Leads API, in numbered pages and by number, of one
brokerage or, for a platform admin, of all.
"""

from typing import Any

import orjson

from aureum.domain.lead import Lead
from aureum.projections import lead_list
from aureum.projections.document_list import Row
from aureum.projections.list_changes import Condition, changes_of, condition, found_in
from aureum.projections.list_filters import PREVIOUS, is_now, seen_by, status_of
from aureum.projections.list_past import all_hold, with_rows

COLUMNS = ("brokerage_id", "agent", "number", "stream_version", "lead_id", "source_domain", "doc", "details")
"""What the statements below tell of a lead; ``agent`` is the number of the user it is assigned to."""


def loaded(values: tuple[Any, ...]) -> Row:
    """A row of them, with the documents parsed."""
    row = dict(zip(COLUMNS, values, strict=True))
    return row | {name: orjson.loads(row[name]) for name in lead_list.LIST.docs}


def row_of(lead: Lead) -> Row:
    """What ``detail`` needs of the lead list's row, made of the aggregate."""
    return {
        "number": lead.number,
        "source_domain": lead.source_domain,
        "doc": lead_list.document(lead, lead.id, lead.created_on, lead.modified_on),
        "details": {"notes": lead.notes} | lead_list.routed_of(lead),
    }


def detail(row: Row, brokerage_id: int, agent: int | None, routing: Row | None, offer: Row | None) -> Row:
    """The full lead detail, of a row of the lead list whose documents are parsed. *routing* and *offer* stand in it as
    they are given."""
    doc, utm = row["doc"], row["doc"]["utm"]
    return {
        "id": row["number"],
        "brokerage_id": brokerage_id,
        "first_name": doc["firstName"],
        "last_name": doc["lastName"],
        "email": doc["email"],
        "phone": doc["phone"],
        "subject": doc["subject"],
        "message": doc["message"],
        "assigned_agent_id": agent,
        "status": doc["status"],
        "lost_reason": doc.get("lostReason"),
        "lost_note": doc.get("lostNote"),
        "notes": row["details"]["notes"],
        "source": doc["source"],
        "source_domain": row["source_domain"],
        "source_page": doc["sourcePage"],
        "utm_source": utm["source"],
        "utm_medium": utm["medium"],
        "utm_campaign": utm["campaign"],
        "routing": routing,
        "offer": offer,
        "contact_id": doc["contactId"],
        "suspect": doc.get("suspect", False),
        "created_at": in_seconds(doc["createdAt"]),
        "updated_at": in_seconds(doc["updatedAt"]),
    }


SECONDS = len("2024-12-28T15:30:00")


def in_seconds(text: str) -> str:
    """A time of the Aureum API as the Leads API writes it, without parsing it: ``ids.leads_time`` cuts as well."""
    return text[:SECONDS] + "Z"


PAGE = """
SELECT total, brokerage_id, agent, number, stream_version, lead_id, source_domain, doc, details
  FROM staff_leads(%(tenant)s, %(words)s, %(status)s, %(source)s, %(source_domain)s, %(lost_reason)s, %(agent)s,
                   %(visible_to)s, %(limit)s, %(skipped)s)
"""
"""Newest first, since ids sort by time: how many there are in all, and the page's leads, or one row without a lead.

Both are of one snapshot. ``words`` are those of a search (``aureum.projections.search``), ``visible_to`` is the agent
who asks, if it is one. The function stands in ``staff_leads.sql``."""

POND = f"""
WITH offered AS MATERIALIZED (
    SELECT x.lead_id, x.read_version
      FROM lead_list x
      JOIN heads h ON h.tenant_id = x.tenant_id AND h.lead_list_version = x.read_version
     WHERE x.tenant_id = %(tenant)s AND {lead_list.IN_POND}
), page AS (
    SELECT o.lead_id, o.read_version FROM offered o ORDER BY o.lead_id DESC LIMIT %(limit)s OFFSET %(skipped)s
)
SELECT (SELECT count(*) FROM offered), b.number, NULL::bigint, l.number, l.stream_version, l.lead_id, l.source_domain,
       l.doc, l.details
  FROM (VALUES (1)) AS once
  LEFT JOIN page p ON true
  LEFT JOIN lead_list l ON l.tenant_id = %(tenant)s AND l.read_version = p.read_version AND l.lead_id = p.lead_id
  LEFT JOIN brokerages b ON b.tenant_id = l.tenant_id
 ORDER BY l.lead_id DESC
"""  # noqa: S608  # of constants
"""The leads that agents may claim, newest first, each with how many there are; beyond the last page one row that says
only that."""

AGENT_IS = "(SELECT a.user_id FROM users a WHERE a.number = %(agent)s)"

CHANGED_IN = (
    condition(status_of("lead.status_changed")),
    condition(is_now("source", "text")),
    condition(is_now("source_domain", "text")),
    condition(lead_list.LOST_FOR),
    Condition(
        f"(%(agent)s::bigint IS NULL OR x.assigned_to = {AGENT_IS})",
        lead_list.ASSIGNED_BY,
        f"{PREVIOUS} = {AGENT_IS}::text",
    ),
    found_in("lead.details_changed"),
    condition(seen_by(*lead_list.ASSIGNED_BY)),
)

CHANGED = changes_of(
    lead_list.LIST,
    CHANGED_IN,
    number="x.number",
    more={
        "brokerage_id": "(SELECT b.number FROM brokerages b WHERE b.tenant_id = x.tenant_id)",
        "agent": "(SELECT u.number FROM users u WHERE u.tenant_id = x.tenant_id AND u.user_id = x.assigned_to)",
        "same_number": "x.number",
        "stream_version": "x.stream_version",
        "lead_id": "x.lead_id",
        "source_domain": "x.source_domain",
        "same_doc": "x.doc",
        "details": "x.details",
    },
)
"""As ``changes_in`` has it for the public list; behind its columns those of ``COLUMNS``."""

PAST = with_rows(
    lead_list.LIST,
    """
WITH found AS MATERIALIZED (
    SELECT x.* FROM {rows}
     WHERE true{conditions}
), page AS (
    SELECT f.* FROM found f ORDER BY f.lead_id DESC LIMIT %(limit)s OFFSET %(skipped)s
)
SELECT (SELECT count(*) FROM found), b.number, u.number, p.number, p.stream_version, p.lead_id, p.source_domain, p.doc,
       p.details
  FROM (VALUES (1)) AS once
  LEFT JOIN page p ON true
  LEFT JOIN brokerages b ON b.tenant_id = p.tenant_id
  LEFT JOIN users u ON u.tenant_id = p.tenant_id AND u.user_id = p.assigned_to
 ORDER BY p.lead_id DESC
""".replace("{conditions}", all_hold([one.holds for one in CHANGED_IN])),
)
"""As ``PAGE``, of a moment (``aureum.projections.list_past``)."""

CHANGED_COUNT = f"SELECT count(*) FROM ({CHANGED}) AS c"  # noqa: S608  # of constants
"""How many changes a run has."""

PAGE_OF_ALL = """
SELECT total, brokerage_id, agent, number, stream_version, lead_id, source_domain, doc, details
  FROM staff_leads_of_all(%(words)s, %(status)s, %(source)s, %(source_domain)s, %(lost_reason)s, %(agent)s,
                          %(visible_to)s, %(limit)s, %(skipped)s)
"""
"""As the owner, for platform admins only: the live brokerages, each in the version that is live for it."""

ONE = """
SELECT b.number, u.number, l.number, l.stream_version, l.lead_id, l.source_domain, l.doc, l.details
  FROM lead_list l
  JOIN heads h ON h.tenant_id = l.tenant_id AND h.lead_list_version = l.read_version
  JOIN brokerages b ON b.tenant_id = l.tenant_id
  LEFT JOIN users u ON u.tenant_id = l.tenant_id AND u.user_id = l.assigned_to
 WHERE l.tenant_id = %(tenant)s AND l.number = %(number)s
   AND (%(visible_to)s::uuid IS NULL OR l.assigned_to = %(visible_to)s OR l.created_by = %(visible_to)s)
"""

AGENTS = "SELECT user_id, number FROM users WHERE tenant_id = %(tenant)s AND user_id = ANY(%(users)s)"
"""The numbers of those whom a lead is or was assigned to."""

BROKERAGE_OF_LEAD = """
SELECT tenant_id, number, country, position, read_version FROM brokerage_of_lead(%(number)s::bigint)
"""
"""For platform admins only. The function stands in ``brokerage_of_lead.sql``."""

BROKERAGE = """
SELECT b.tenant_id, b.number, b.country, h.position, h.lead_list_version - 1
  FROM brokerages b
  JOIN heads h ON h.tenant_id = b.tenant_id
 WHERE b.number = %(number)s AND NOT b.disabled
"""
"""The brokerage that a platform admin names, as the owner; none if it is disabled."""

EVERYWHERE = "SELECT sum(position)::bigint, sum(lead_list_version)::bigint FROM heads"
"""How far all logs together have come, the platform's too, as the owner. Each only grows: so does the sum, and while it
stays the same so does every list."""
