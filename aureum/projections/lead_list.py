"""The lead list: a row a lead, with the lead as the Aureum API shows it, and what only the admin's view shows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.lead import Lead
from aureum.domain.lead_events import lost_because
from aureum.domain.people import recognized_by
from aureum.projections import activity_list
from aureum.projections.document_list import DocumentList, Row, View, erased, wire_or_none
from aureum.projections.emits import A_LEAD, AN_AGENT, TIMES, Emits
from aureum.projections.list_filters import UPDATED_SINCE, Filter, Index, assigned_by, is_now, seen_by, status_of
from aureum.projections.search import found_by


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a lead's row; events of other aggregates leave it as it is."""
    match event:
        case Lead.Captured():
            return captured(event)
        case (
            Lead.StatusChanged()
            | Lead.Assigned()
            | Lead.DetailsChanged()
            | Lead.Converted()
            | Lead.Suspected()
            | Lead.Cleared()
            | Lead.ActivityLogged()
            | Lead.ActivityCorrected()
            | Lead.ActivityRemoved()
            | Lead.LostReasonGiven()
            | Lead.PassedOn()
            | Lead.Overdue()
            | Lead.ContactChanged()
        ) if row is not None:
            return changed(row, event)
        case Lead.Erased() if row is not None:
            return erased(row, event)
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
        "created_by": event.created_by,
        "source_domain": event.source_domain,
        "phone_e164": event.phone_e164,
        "person": recognized_by(event.email, event.first_name, event.last_name),
        "contact_id": event.contact_id,
        "search": searched(
            event.phone_e164, event.first_name, event.last_name, event.email, event.phone, event.subject
        ),
        "updated_at": event.timestamp,
        "doc": document(event, event.originator_id, event.timestamp, event.timestamp),
        "details": {"notes": event.notes} | routed(event),
    }


def document(lead: Lead | Lead.Captured, lead_id: UUID, created_at: datetime, updated_at: datetime) -> Row:
    """A lead as the Aureum API shows it, of the aggregate or of the event that began it: their fields are the same."""
    created = aureum_time(created_at)
    doc = {
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
        "contactId": wire_or_none(lead.contact_id),
        "sourcePage": lead.source_page,
        "utm": {"source": lead.utm_source, "medium": lead.utm_medium, "campaign": lead.utm_campaign},
        "createdAt": created,
        "updatedAt": created if updated_at is created_at else aureum_time(updated_at),
    }
    doc |= suspicion(lead)
    doc |= lost(lost_because(lead))
    return doc


def routed(event: Any) -> Row:
    """How a lead or a tour found its agent, by the event that says so. An append may replace the first two together."""
    return routing_of(event, event.assigned_to)


def routed_of(aggregate: Any) -> Row:
    """The same by the lead or the tour."""
    return routing_of(aggregate, aggregate.routed_to)


def routing_of(said: Any, routed_to: UUID | None) -> Row:
    """The same by what has it all."""
    return {
        "routed_to": None if said.routing is None or routed_to is None else str(routed_to),
        "routing": said.routing,
        "because": said.because,
    }


def lost(because: tuple[str | None, str | None] | None) -> Row:
    """The fields of a lead that was ever lost for a reason. Other leads do not have them, so that their rows stay
    short."""
    return {} if because is None else {"lostReason": because[0], "lostNote": because[1]}


def suspicion(form: Any) -> Row:
    """Of what was ever suspected, whether it still is; it stands last in a document. Of the rest nothing."""
    suspect = getattr(form, "suspect", None)
    return {} if suspect is None else {"suspect": suspect}


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
            if "lostReason" in doc:
                doc |= lost((None, None))
        case Lead.Assigned():
            columns["assigned_to"] = event.assigned_to
            doc["assignedToId"] = wire_or_none(event.assigned_to)
        case Lead.PassedOn():
            columns["assigned_to"] = event.assigned_to
            doc["assignedToId"] = wire_or_none(event.assigned_to)
            columns["details"] = row["details"] | routed(event)
        case Lead.DetailsChanged():
            details = event.details if isinstance(event.details, dict) else {}
            doc |= {SHOWN_DETAILS[name]: value for name, value in details.items() if name in SHOWN_DETAILS}
            doc["name"] = full_name(doc["firstName"], doc["lastName"])
            columns["phone_e164"] = details.get("phone_e164", row["phone_e164"])
            columns["search"] = searched(columns["phone_e164"], *(doc[name] for name in SEARCHED))
            columns["person"] = person(doc)
            columns["details"] = row["details"] | {name: value for name, value in details.items() if name == "notes"}
        case Lead.Converted() | Lead.ContactChanged():
            doc["contactId"] = wire_or_none(event.contact_id)
            columns["contact_id"] = event.contact_id
        case Lead.Suspected():
            doc["suspect"] = True
            columns["person"] = None
        case Lead.Cleared():
            doc["suspect"] = False
            columns["person"] = person(doc)
            doc["assignedToId"] = wire_or_none(event.assigned_to)
            doc["contactId"] = wire_or_none(event.contact_id)
            columns["assigned_to"] = event.assigned_to
            columns["contact_id"] = event.contact_id
            columns["details"] = row["details"] | routed(event)
        case Lead.LostReasonGiven():
            doc |= lost((event.reason, event.note))
    return row | columns


def person(doc: Row) -> UUID | None:
    """The person a lead is recognized by; none while it is suspected."""
    return None if doc.get("suspect") else recognized_by(doc["email"], doc["firstName"], doc["lastName"])


def full_name(first_name: str, last_name: str) -> str:
    """The ``name`` of the Aureum API."""
    return f"{first_name} {last_name}".strip()


def searched(
    e164: str | None, first_name: str, last_name: str, email: str | None, phone: str | None, subject: str | None
) -> str:
    """What a lead is found by."""
    return found_by((subject,), name=(first_name, last_name), email=email, phones=(phone, e164))


SEARCHED = ("firstName", "lastName", "email", "phone", "subject")
"""In the order in which ``captured`` names them."""

ASSIGNED_BY = ("lead.assigned", "lead.passed_on")
"""The events that change a lead's agent."""

LOST_FOR = Filter(
    "lost_reason",
    "text",
    "(x.status = 'lost' AND x.doc::json ->> 'lostReason' = {value})",
    (Index("status, {id}"),),
    ("lead.status_changed", "lead.lost_reason_given"),
)
"""The index of the status finds lost leads. One of its own would make each form cost more."""

UNASSIGNED = Filter(
    "unassigned",
    "boolean",
    "(x.assigned_to IS NULL) = {value}",
    (Index("assigned_to, {id}"),),
    (*ASSIGNED_BY, "lead.cleared"),
)

SUSPECT = Filter(
    "suspect",
    "boolean",
    "(x.person IS NULL AND x.doc LIKE chr(37) || ',\"suspect\":true' || chr(37)) = {value}",
    (Index("person, {id}", called="people"),),
    ("lead.suspected", "lead.cleared"),
)
"""In a text of a document the quotes would be escaped. By whom it is, is not said of what is suspected, so the index of
people finds it. LIKE, because PostgreSQL takes it for rare; of a number that is greater than none it expects a third of
all leads, and looks through all of them. ``chr(37)`` is %, which drivers take for a parameter."""

IN_POND = """(x.assigned_to IS NULL AND x.status NOT IN ('converted', 'lost')
       AND x.details::json -> 'routing' ->> 'why' IN ('pond', 'offered')
       AND coalesce(x.details::json -> 'routing' ->> 'known', '') NOT IN ('contact', 'lead'))"""
"""Whether agents may claim a lead."""

POND = Filter(
    "pond",
    "boolean",
    f"{IN_POND} = {{value}}",
    (Index("assigned_to, {id}"),),
    (*ASSIGNED_BY, "lead.status_changed", "lead.cleared"),
)

CREATED_AT = "(x.doc::json ->> 'createdAt')::timestamptz"


def id_at(seconds: int) -> str:
    """The least id of a moment *seconds* after the parameter's."""
    milliseconds = f"greatest(0, floor((extract(epoch FROM {{value}}) + {seconds}) * 1000))::bigint"
    return f"(lpad(to_hex({milliseconds}), 12, '0') || repeat('0', 20))::uuid"


CREATED_SINCE = Filter(
    "created_since",
    "timestamptz",
    f"(x.lead_id >= {id_at(-2)} AND (x.lead_id >= {id_at(2)} OR {CREATED_AT} >= {{value}}))",
    (),
)
CREATED_BEFORE = Filter(
    "created_before",
    "timestamptz",
    f"(x.lead_id < {id_at(2)} AND (x.lead_id < {id_at(-2)} OR {CREATED_AT} < {{value}}))",
    (),
)
"""By the id, which is made within a second of the lead's ``createdAt``, so that it needs no index; near the moment by
that itself."""

LATER = (UNASSIGNED, SUSPECT, POND, CREATED_SINCE, CREATED_BEFORE)
"""Filters that are younger than tokens which clients keep."""

LEADS = View(
    "lead",
    (
        status_of("lead.status_changed"),
        is_now("source", "text"),
        LOST_FOR,
        assigned_by(*ASSIGNED_BY),
        *LATER,
        UPDATED_SINCE,
        seen_by(*ASSIGNED_BY),
    ),
)

EMITS = Emits(
    {
        "lead.captured": "lead.created",
        "lead.status_changed": "lead.updated",
        "lead.assigned": "lead.updated",
        "lead.passed_on": "lead.updated",
        "lead.converted": "lead.updated",
        "lead.contact_changed": "lead.updated",
        "lead.details_changed": "lead.updated",
        "lead.cleared": "lead.created",
        "lead.activity_logged": "lead.updated",
        "lead.activity_corrected": "lead.updated",
        "lead.activity_removed": "lead.updated",
        "lead.lost_reason_given": "lead.updated",
        "lead.erased": "lead.updated",
    },
    {
        "id": A_LEAD,
        "name": "Jane Doe",
        "firstName": "Jane",
        "lastName": "Doe",
        "email": "jane@example.com",
        "phone": "+1-555-0200",
        "source": "website",
        "status": "new",
        "subject": None,
        "message": "Interested in the Beverly Hills listing",
        "assignedToId": AN_AGENT,
        "contactId": None,
        "sourcePage": "/property/modern-villa-in-beverly-hills",
        "utm": {"source": None, "medium": None, "campaign": None},
        **TIMES,
    },
    {"lead.updated": {"status": "contacted"}},
    beside=activity_list.changes,
)

LIST = DocumentList(
    "lead_list",
    "lead",
    {
        "lead_id": "uuid",
        "number": "int8",
        "stream_version": "int4",
        "status": "text",
        "source": "text",
        "assigned_to": "uuid",
        "created_by": "uuid",
        "source_domain": "text",
        "phone_e164": "text",
        "person": "uuid",
        "contact_id": "uuid",
        "search": "text",
        "updated_at": "timestamptz",
        "doc": "text",
        "details": "text",
    },
    Lead,
    step,
    emits=EMITS,
    step_version=4,
    views=(LEADS,),
    indexes=(
        Index("source_domain, {id}", called="source_domain"),
        Index("contact_id, {id}", "contact_id IS NOT NULL", called="contact"),
    ),
    docs=("doc", "details"),
)

TENANT_OF_NUMBER = "SELECT tenant_id, lead_id FROM lead_list WHERE number = %(number)s LIMIT 1"
"""Over all tenants, as the owner: for the command line only. The index begins with the tenant, so all of it is read."""
