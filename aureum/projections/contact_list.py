"""The contact list: a row a contact, with the contact as the Aureum API shows it, and what it is searched by."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.contact import Contact
from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.people import recognized_by
from aureum.projections import activities
from aureum.projections.document_list import DocumentList, Row, View, wire_or_none
from aureum.projections.emits import A_CONTACT, TIMES, Emits
from aureum.projections.list_filters import UPDATED_SINCE, Filter, Index, is_now
from aureum.projections.search import found_by

SHOWN_DETAILS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "phone_e164": "phoneE164",
}
"""Which details stand in ``doc``, and how they are called there."""


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a contact's row; events of other aggregates leave it as it is."""
    match event:
        case Contact.Added():
            doc = document(event, event.originator_id, event.timestamp, event.timestamp)
            return {
                "contact_id": event.originator_id,
                "stream_version": event.originator_version,
                "type": event.type,
                "updated_at": event.timestamp,
                "doc": doc,
            } | searched(doc)
        case (
            Contact.DetailsChanged()
            | Contact.Classified()
            | Contact.ActivityLogged()
            | Contact.ActivityCorrected()
            | Contact.ActivityRemoved()
        ) if row is not None:
            return changed(row, event)
    return row


def document(contact: Contact | Contact.Added, contact_id: UUID, created_at: datetime, updated_at: datetime) -> Row:
    """A contact as the Aureum API shows it, of the aggregate or of the event that began it."""
    return {
        "id": to_wire(contact_id),
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "email": contact.email,
        "phone": contact.phone,
        "phoneE164": contact.phone_e164,
        "type": contact.type,
        "tags": list(contact.tags),
        "score": contact.score,
        "leadId": wire_or_none(contact.lead_id),
        "createdAt": aureum_time(created_at),
        "updatedAt": aureum_time(updated_at),
    }


def changed(row: Row, event: Any) -> Row:
    """A new row with what *event* says; the old one stays as it was."""
    doc = row["doc"] | {"updatedAt": aureum_time(event.timestamp)}
    columns: Row = {"stream_version": event.originator_version, "updated_at": event.timestamp, "doc": doc}
    match event:
        case Contact.DetailsChanged():
            details = event.details if isinstance(event.details, dict) else {}
            doc |= {SHOWN_DETAILS[name]: value for name, value in details.items() if name in SHOWN_DETAILS}
        case Contact.Classified():
            doc |= event.changes
    return row | columns | {"type": doc["type"]} | searched(doc)


def searched(doc: Row) -> Row:
    """The columns that a contact is found by."""
    name, phones = (doc["firstName"], doc["lastName"]), (doc["phone"], doc["phoneE164"])
    return {
        "tags": doc["tags"],
        "person": recognized_by(doc["email"], *name),
        "search": found_by((), name=name, email=doc["email"], phones=phones),
    }


TAG = Filter(
    "tag", "text", "x.tags @> ARRAY[{value}]", (Index("tags", called="tags", method="gin"),), ("contact.classified",)
)

CONTACTS = View("contact", (is_now("type", "text", "contact.classified"), TAG, UPDATED_SINCE))

EMITS = Emits(
    {
        "contact.added": "contact.created",
        "contact.details_changed": "contact.updated",
        "contact.classified": "contact.updated",
        "contact.activity_logged": "contact.updated",
        "contact.activity_corrected": "contact.updated",
        "contact.activity_removed": "contact.updated",
    },
    {
        "id": A_CONTACT,
        "firstName": "John",
        "lastName": "Smith",
        "email": "john@example.com",
        "phone": "+1-555-0100",
        "phoneE164": None,
        "type": "BUYER",
        "tags": ["vip", "beverly-hills"],
        "score": 85,
        "leadId": None,
        **TIMES,
    },
    {"contact.updated": {"score": 90}},
    beside=activities.changes,
)

LIST = DocumentList(
    "contact_list",
    "contact",
    {
        "contact_id": "uuid",
        "stream_version": "int4",
        "type": "text",
        "tags": "text[]",
        "person": "uuid",
        "search": "text",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    Contact,
    step,
    emits=EMITS,
    step_version=3,
    views=(CONTACTS,),
    indexes=(Index("person, {id}", "person IS NOT NULL", called="person"),),
)
