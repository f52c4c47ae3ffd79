"""The lead list: a row a lead, with the lead as the Aureum API shows it stored as the text that goes over the wire.

A row of the step is the table's columns, ``doc`` parsed. The order of the keys in ``doc`` is the order on the wire.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import Any
from uuid import UUID

import orjson

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.lead import Lead

NAME = "lead_list"
COLUMNS = ("lead_id", "number", "stream_version", "status", "source", "assigned_to", "updated_at", "doc")

APPEND = """
INSERT INTO lead_list AS l (tenant_id, read_version, lead_id, number, stream_version, status, source, assigned_to,
                            updated_at, doc)
SELECT a.tenant_id, a.lead_list_version, r.lead_id, r.number, r.stream_version, r.status, r.source, r.assigned_to,
       r.updated_at, r.doc
  FROM json_to_recordset(p_rows -> 'lead_list') AS r (
           item integer, lead_id uuid, number bigint, stream_version integer, status text, source text,
           assigned_to uuid, updated_at timestamptz, doc text)
  JOIN unnest(accepted) AS a ON a.item = r.item
ON CONFLICT (tenant_id, read_version, lead_id) DO UPDATE SET
       stream_version = excluded.stream_version, status = excluded.status, source = excluded.source,
       assigned_to = excluded.assigned_to, updated_at = excluded.updated_at, doc = excluded.doc
"""

Row = dict[str, Any]


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a lead's row; events of other aggregates leave it as it is."""
    match event:
        case Lead.Captured():
            return captured(event)
        case Lead.StatusChanged() | Lead.Assigned() | Lead.DetailsChanged() if row is not None:
            return changed(row, event)
    return row


def captured(event: Lead.Captured) -> Row:
    """The first row of a lead."""
    return {
        "lead_id": event.originator_id,
        "number": event.number,
        "stream_version": event.originator_version,
        "status": event.status,
        "source": event.source,
        "assigned_to": event.assigned_to,
        "updated_at": event.timestamp,
        "doc": document(event, event.originator_id, event.timestamp, event.timestamp),
    }


def document(lead: Lead | Lead.Captured, lead_id: UUID, created_at: datetime, updated_at: datetime) -> Row:
    """A lead as the Aureum API shows it, of the aggregate or of the event that began it: their fields are the same."""
    return {
        "id": to_wire(lead_id),
        "name": full_name(lead.first_name, lead.last_name),
        "firstName": lead.first_name,
        "lastName": lead.last_name,
        "email": lead.email,
        "phone": lead.phone,
        "source": lead.source,
        "status": lead.status,
        "subject": lead.subject,
        "message": lead.message,
        "assignedToId": wire_or_none(lead.assigned_to),
        "contactId": None,
        "sourcePage": lead.source_page,
        "utm": {"source": lead.utm_source, "medium": lead.utm_medium, "campaign": lead.utm_campaign},
        "createdAt": aureum_time(created_at),
        "updatedAt": aureum_time(updated_at),
    }


SHOWN_DETAILS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "subject": "subject",
    "message": "message",
}
"""Which details stand in ``doc``, and how they are called there."""


def changed(row: Row, event: Any) -> Row:
    """A new row with what *event* says; the old one stays as it was."""
    doc = row["doc"] | {"updatedAt": aureum_time(event.timestamp)}
    columns: Row = {"stream_version": event.originator_version, "updated_at": event.timestamp, "doc": doc}
    match event:
        case Lead.StatusChanged():
            columns["status"] = doc["status"] = event.status
        case Lead.Assigned():
            columns["assigned_to"] = event.assigned_to
            doc["assignedToId"] = wire_or_none(event.assigned_to)
        case Lead.DetailsChanged():
            details = event.details if isinstance(event.details, dict) else {}
            doc |= {SHOWN_DETAILS[name]: value for name, value in details.items() if name in SHOWN_DETAILS}
            doc["name"] = full_name(doc["firstName"], doc["lastName"])
    return row | columns


def full_name(first_name: str, last_name: str) -> str:
    """The ``name`` of the Aureum API."""
    return f"{first_name} {last_name}".strip()


def wire_or_none(stream_id: UUID | None) -> str | None:
    """A stream's wire id, if there is one."""
    return None if stream_id is None else to_wire(stream_id)


def stored(row: Row) -> Row:
    """The row as the table keeps it: ``doc`` as text."""
    return row | {"doc": orjson.dumps(row["doc"]).decode()}


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a lead whose stream grew by *new*, none for other streams."""
    if not isinstance(new[0], Lead.Event):
        return []
    row = reduce(step, new, reduce(step, before, None))
    return [] if row is None else [stored(row)]


PAGE = """
SELECT docs, last_id, found FROM lead_page(
    %(tenant)s, %(status)s, %(source)s, %(assigned_to)s, %(updated_since)s, %(before)s, %(limit)s)
"""
"""Newest first, since ids sort by time: the documents joined by commas, the last id, how many, and one more than
``limit`` if another page follows. ``before`` is the id that the page begins after. The function stands in
``aureum/store/hot_reads.sql``."""

ONE = """
SELECT doc, stream_version FROM lead_list
 WHERE tenant_id = %(tenant)s AND lead_id = %(lead)s
   AND read_version = (SELECT lead_list_version FROM heads WHERE tenant_id = %(tenant)s)
"""

ABOVE_ALL = UUID(int=(1 << 128) - 1)
"""Where a list begins: above every id."""

TENANT_OF_ID = "SELECT tenant_id, stream_id FROM events WHERE stream_id = %(lead)s AND version = 1"

TENANT_OF_NUMBER = "SELECT tenant_id, lead_id FROM lead_list WHERE number = %(number)s LIMIT 1"
"""Over all tenants, as the owner: for the command line only. The index begins with the tenant, so all of it is read."""
