"""The tour list: a row a tour, with the tour as the Aureum API shows it (a showing) and as the Leads API does."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.people import recognized_by
from aureum.domain.tour import Tour
from aureum.projections.document_list import DocumentList, Row, View, erased, moment_or_none, wire_or_none
from aureum.projections.emits import A_PROPERTY, A_SHOWING, AN_AGENT, TIMES, Emits
from aureum.projections.lead_list import routed, suspicion
from aureum.projections.list_filters import UPDATED_SINCE, Index, assigned_by, is_now, seen_by, status_of
from aureum.projections.search import found_by

SHOWN_DETAILS = {
    "listing_id": "listingId",
    "property_id": "propertyId",
    "name": "name",
    "email": "email",
    "phone": "phone",
    "message": "message",
}
"""Which details stand in ``doc``, and how they are called there."""


SAID_OF_SOME = {"suspect": "suspect", "noShow": "no_show"}
"""What stands in ``doc`` only where there is something to say, and how the Leads API calls it."""


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a tour's row; events of other aggregates leave it as it is."""
    match event:
        case Tour.Requested():
            doc = document(event, event.originator_id, event.timestamp, event.timestamp)
            return {
                "tour_id": event.originator_id,
                "number": event.number,
                "stream_version": event.originator_version,
                "status": event.status,
                "listing_id": event.listing_id,
                "assigned_to": event.assigned_to,
                "created_by": event.created_by,
                "lead_id": event.lead_id,
                "starts_at": moment_or_none(event.starts_at),
                "phone_e164": event.phone_e164,
                "person": person(doc),
                "search": searched(doc, event.phone_e164),
                "updated_at": event.timestamp,
                "doc": doc,
                "leads_doc": in_leads(doc, event.number),
                "details": routed(event),
            }
        case (
            Tour.StatusChanged()
            | Tour.NoShow()
            | Tour.Rescheduled()
            | Tour.Assigned()
            | Tour.DetailsChanged()
            | Tour.CalendarSent()
            | Tour.Suspected()
            | Tour.Cleared()
        ) if row is not None:
            return changed(row, event)
        case Tour.Erased() if row is not None:
            return erased(row, event)
    return row


def document(tour: Tour | Tour.Requested, tour_id: UUID, created_at: datetime, updated_at: datetime) -> Row:
    """A tour as the Aureum API shows it, of the aggregate or of the event that began it: their fields are the same."""
    return {
        "id": to_wire(tour_id),
        "listingId": tour.listing_id,
        "propertyId": wire_or_none(tour.property_id),
        "name": tour.name,
        "email": tour.email,
        "phone": tour.phone,
        **schedule(tour),
        "assignedToId": wire_or_none(tour.assigned_to),
        **({} if tour.lead_id is None else {"leadId": to_wire(tour.lead_id)}),
        "status": tour.status,
        "message": tour.message,
        "createdAt": aureum_time(created_at),
        "updatedAt": aureum_time(updated_at),
    } | (suspicion(tour) | missed(tour))


def missed(tour: Tour | Tour.Requested) -> Row:
    """That the visitor did not come, as it stands in ``doc``; nothing of a tour of which nothing says so."""
    return {"noShow": True} if isinstance(tour, Tour) and tour.no_show else {}


def schedule(tour: Tour | Tour.Requested | Tour.Rescheduled) -> Row:
    """When, as it stands in ``doc``: the visitor's preference, and what was fixed."""
    return {
        "preferredDate": tour.preferred_date,
        "preferredTime": tour.preferred_time,
        "startsAt": tour.starts_at,
        "timeZone": tour.time_zone,
    }


def in_leads(doc: Row, number: int) -> Row:
    """The same as the Leads API shows it, less ``assigned_agent_id`` and ``lead_id``: those numbers are the user's and
    the lead's, and are read there."""
    return {
        "id": number,
        "listing_id": doc["listingId"],
        "name": doc["name"],
        "email": doc["email"],
        "phone": doc["phone"],
        "preferred_date": doc["preferredDate"],
        "preferred_time": doc["preferredTime"],
        "status": doc["status"],
        "created_at": in_seconds(doc["createdAt"]),
        "message": doc["message"],
        "starts_at": in_seconds(doc["startsAt"]),
        "time_zone": doc["timeZone"],
        "property_id": doc["propertyId"],
        "updated_at": in_seconds(doc["updatedAt"]),
    } | {shown: doc[name] for name, shown in SAID_OF_SOME.items() if name in doc}


def in_seconds(time: str | None) -> str | None:
    """``2025-01-15T10:30:00.000Z`` as the Leads API writes times."""
    return None if time is None else f"{time[:19]}Z"


def changed(row: Row, event: Any) -> Row:
    """A new row with what *event* says; the old one stays as it was."""
    doc = row["doc"] | {"updatedAt": aureum_time(event.timestamp)}
    columns: Row = {"stream_version": event.originator_version, "updated_at": event.timestamp, "doc": doc}
    match event:
        case Tour.StatusChanged():
            columns["status"] = doc["status"] = event.status
            # What was undone: the visitor came after all.
            doc.pop("noShow", None)
        case Tour.NoShow():
            columns["status"] = doc["status"] = "cancelled"
            doc["noShow"] = True
        case Tour.Rescheduled():
            columns["starts_at"] = moment_or_none(event.starts_at)
            doc |= schedule(event)
        case Tour.Assigned():
            columns["assigned_to"] = event.assigned_to
            doc["assignedToId"] = wire_or_none(event.assigned_to)
        case Tour.DetailsChanged():
            details = event.details if isinstance(event.details, dict) else {}
            doc |= {SHOWN_DETAILS[name]: value for name, value in details.items() if name in SHOWN_DETAILS}
            if details.get("property_id") is not None:
                doc["propertyId"] = to_wire(UUID(details["property_id"]))
            columns["listing_id"] = doc["listingId"]
            columns["phone_e164"] = details.get("phone_e164", row["phone_e164"])
            columns["search"] = searched(doc, columns["phone_e164"])
            columns["person"] = person(doc)
        case Tour.Suspected():
            doc["suspect"] = True
            columns["person"] = None
        case Tour.Cleared():
            doc["suspect"] = False
            columns["person"] = person(doc)
            columns["lead_id"] = event.lead_id
            if event.lead_id is not None:
                doc = with_lead(doc, event.lead_id)
                columns["doc"] = doc
            if event.routing is not None:
                columns["assigned_to"] = event.assigned_to
                doc["assignedToId"] = wire_or_none(event.assigned_to)
                columns["details"] = routed(event)
    columns["leads_doc"] = in_leads(doc, row["number"])
    return row | columns


def person(doc: Row) -> UUID | None:
    """The person a tour is recognized by; none while it is suspected."""
    return None if doc.get("suspect") else recognized_by(doc["email"], doc["name"])


def with_lead(doc: Row, lead_id: UUID) -> Row:
    """*doc* with the open lead, in its place."""
    made: Row = {}
    for name, value in doc.items():
        made[name] = value
        if name == "assignedToId":
            made["leadId"] = to_wire(lead_id)
    return made


def searched(doc: Row, e164: str | None) -> str:
    """What a tour is found by."""
    return found_by((), name=(doc["name"],), email=doc["email"], phones=(doc["phone"], e164))


STATUS = status_of("tour.status_changed", "tour.no_show")
LISTING = is_now("listing_id", "text", "tour.details_changed")
SEEN = seen_by("tour.assigned")

SHOWINGS = View("showing", (STATUS, LISTING, assigned_by("tour.assigned"), UPDATED_SINCE, SEEN))

TOURS = View(
    "tour",
    (STATUS, LISTING, UPDATED_SINCE, SEEN),
    doc="""left(x.leads_doc, -1) || ',"assigned_agent_id":' || coalesce((
                     SELECT u.number::text FROM users u WHERE u.tenant_id = x.tenant_id AND u.user_id = x.assigned_to
                 ), 'null') || ',"lead_id":' || coalesce((
                     SELECT l.number::text FROM lead_list l
                       JOIN heads h ON h.tenant_id = l.tenant_id AND h.lead_list_version = l.read_version
                      WHERE l.tenant_id = x.tenant_id AND l.lead_id = x.lead_id
                 ), 'null') || '}'""",
    number="x.number",
)
"""The same in the Leads API, which has numbers for tours, users and leads."""

EMITS = Emits(
    {
        "tour.requested": "showing.created",
        "tour.status_changed": "showing.updated",
        "tour.no_show": "showing.updated",
        "tour.rescheduled": "showing.updated",
        "tour.assigned": "showing.updated",
        "tour.details_changed": "showing.updated",
        "tour.cleared": "showing.created",
        "tour.erased": "showing.updated",
    },
    {
        "id": A_SHOWING,
        "listingId": "202412345",
        "propertyId": A_PROPERTY,
        "name": "Jane Doe",
        "email": "jane@example.com",
        "phone": "+1-555-0200",
        "preferredDate": "2025-01-20",
        "preferredTime": "10:00 AM",
        "startsAt": None,
        "timeZone": None,
        "assignedToId": AN_AGENT,
        "status": "pending",
        "message": "Interested in the Beverly Hills listing",
        **TIMES,
    },
    {"showing.updated": {"status": "confirmed"}},
)

LIST = DocumentList(
    "tour_list",
    "tour",
    {
        "tour_id": "uuid",
        "number": "int8",
        "stream_version": "int4",
        "status": "text",
        "listing_id": "text",
        "assigned_to": "uuid",
        "created_by": "uuid",
        "lead_id": "uuid",
        "starts_at": "timestamptz",
        "phone_e164": "text",
        "person": "uuid",
        "search": "text",
        "updated_at": "timestamptz",
        "doc": "text",
        "leads_doc": "text",
        "details": "text",
    },
    Tour,
    step,
    emits=EMITS,
    step_version=5,
    views=(SHOWINGS, TOURS),
    # Forms say no fixed time, so that they cost the first three nothing.
    indexes=(
        Index("starts_at, {id}", "starts_at IS NOT NULL", called="starts"),
        Index("{id}", "starts_at IS NULL AND status = 'confirmed'", called="confirmed_untimed"),
        Index("assigned_to, starts_at, {id}", "starts_at IS NOT NULL", called="agent_starts"),
        Index("person, {id}", "person IS NOT NULL", called="people"),
    ),
    docs=("doc", "leads_doc", "details"),
)

OF_NUMBER = """
SELECT x.tour_id, x.stream_version, x.leads_doc, x.details, u.number, l.number
  FROM tour_list x
  LEFT JOIN users u ON u.tenant_id = x.tenant_id AND u.user_id = x.assigned_to
  LEFT JOIN heads h ON h.tenant_id = x.tenant_id
  LEFT JOIN lead_list l ON l.tenant_id = x.tenant_id AND l.read_version = h.lead_list_version AND l.lead_id = x.lead_id
 WHERE x.tenant_id = %(tenant)s AND x.number = %(number)s
   AND x.read_version = (SELECT h.tour_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND (%(visible_to)s::uuid IS NULL OR x.assigned_to = %(visible_to)s OR x.created_by = %(visible_to)s)
"""
"""One tour by the number that the Leads API calls it, and the numbers of its agent and its lead."""

AGENT = "SELECT number FROM users WHERE tenant_id = %(tenant)s AND user_id = %(user)s"
"""How the Leads API calls a user, disabled or not."""

LEAD = """
SELECT l.number FROM lead_list l
  JOIN heads h ON h.tenant_id = l.tenant_id AND h.lead_list_version = l.read_version
 WHERE l.tenant_id = %(tenant)s AND l.lead_id = %(lead)s
"""
"""How it calls a lead."""

PLACE = """
SELECT b.name, b.time_zone, p.doc
  FROM brokerages b
  LEFT JOIN property_list p ON p.tenant_id = b.tenant_id AND p.property_id = %(property)s
   AND p.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 WHERE b.tenant_id = %(tenant)s
"""
"""Where a tour takes place: the brokerage's name and time zone, and the property, if it has one."""

PROPERTIES_LISTED = "SELECT ord, property_id FROM properties_listed(%b::uuid[], %b::text[])"
"""The properties of an mlsId: several if it is used in several MLS, of which two are enough to know. The function
stands in ``properties_listed.sql``."""
