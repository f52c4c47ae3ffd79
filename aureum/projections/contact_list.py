"""The contact list: one row per contact, with the contact as the Aureum API shows it, and the texts of its search.

A contact that was merged into another one keeps its row, which is in no list: forms go on recognizing the person by it,
and suggestions of duplicates find others by its address and phone. Its id answers as the contact that it was merged
into.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.contact import Contact
from aureum.domain.contact_card import Phone
from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.people import email_key, name_key, phone_key, recognized_by
from aureum.projections import activity_list
from aureum.projections.document_list import DocumentList, Row, View, erased, wire_or_none
from aureum.projections.emits import A_CONTACT, TIMES, Emits
from aureum.projections.list_filters import UPDATED_SINCE, Filter, Index, Standing, is_now
from aureum.projections.search import found_by

SHOWN_DETAILS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "phone_e164": "phoneE164",
}
"""Which details stand in ``doc``, and how they are called there."""

SHOWN_OF_CARD = SHOWN_DETAILS | {
    "other_names": "otherNames",
    "other_emails": "otherEmails",
    "tags": "tags",
    "score": "score",
}
"""The same of what a merge changes, where it stands there as it is."""


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
                "merged_into": None,
                "distinct_from": [],
                "doc": doc,
            } | searched(doc)
        case Contact.Erased() if row is not None:
            return erased(row, event)
        case Contact.Event() if row is not None:
            return changed(row, event)
    return row


def document(contact: Contact | Contact.Added, contact_id: UUID, created_at: datetime, updated_at: datetime) -> Row:
    """A contact as the Aureum API shows it, of the aggregate or of the event that began it, which says nothing of
    merges."""
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
        **(merged(contact) if isinstance(contact, Contact) else UNMERGED),
        "createdAt": aureum_time(created_at),
        "updatedAt": aureum_time(updated_at),
    }


UNMERGED: Row = {"otherNames": [], "otherEmails": [], "otherPhones": [], "mergedWith": [], "mergedInto": None}
"""The fields of merges in the document of a contact without any."""


def merged(contact: Contact) -> Row:
    """The fields of merges in the document of a contact."""
    return {
        "otherNames": list(contact.other_names),
        "otherEmails": list(contact.other_emails),
        "otherPhones": phones(contact.other_phones),
        "mergedWith": [to_wire(one) for one in contact.merged_with],
        "mergedInto": wire_or_none(contact.merged_into),
    }


def phones(given: Iterable[Phone]) -> list[dict[str, str | None]]:
    """Phones besides the contact's own."""
    return [{"phone": phone, "phoneE164": e164} for phone, e164 in given]


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
        case Contact.ToldApart():
            columns["distinct_from"] = [*row["distinct_from"], event.other]
        case Contact.Merged():
            columns |= brought(doc, event.gained, event.changes)
            doc["mergedWith"] = [*doc["mergedWith"], *also(event)]
        case Contact.Unmerged():
            columns |= brought(doc, event.restored, event.changes)
            doc["mergedWith"] = [one for one in doc["mergedWith"] if one not in also(event)]
        case Contact.MergedInto():
            columns["merged_into"] = event.into
            doc["mergedInto"] = to_wire(event.into)
        case Contact.Separated():
            columns["merged_into"] = doc["mergedInto"] = None
    return row | columns | {"type": doc["type"]} | searched(doc)


def unseen(event: Any) -> Row:
    """The changes by *event* that no document shows, for histories."""
    if isinstance(event, Contact.ToldApart):
        return {"distinctFrom": {"from": None, "to": to_wire(event.other)}}
    return activity_list.changes(event)


def also(event: Contact.Merged | Contact.Unmerged) -> list[str]:
    """The contacts that *event* merges, or separates again."""
    return [to_wire(event.other), *(to_wire(UUID(one)) for one in event.others)]


def brought(doc: Row, personal: Any, changes: Row) -> Row:
    """The columns that change with the fields of a card, which go into *doc*."""
    said = (personal if isinstance(personal, dict) else {}) | changes
    for name, value in said.items():
        match name:
            case "other_phones":
                doc["otherPhones"] = phones(value)
            case "lead_id":
                doc["leadId"] = wire_or_none(None if value is None else UUID(value))
            case _ if name in SHOWN_OF_CARD:
                doc[SHOWN_OF_CARD[name]] = value
    return {"distinct_from": [UUID(one) for one in said["distinct_from"]]} if "distinct_from" in said else {}


def searched(doc: Row) -> Row:
    """The columns that a contact is found by."""
    name = (doc["firstName"], doc["lastName"])
    numbers = [number for phone in doc["otherPhones"] for number in phone.values()]
    return {
        "tags": doc["tags"],
        "person": recognized_by(doc["email"], *name),
        "email_key": email_key(doc["email"]),
        "phone_key": phone_key(doc["phoneE164"]),
        "name_key": name_key(*name),
        "search": found_by(
            (*doc["otherNames"], *doc["otherEmails"]),
            name=name,
            email=doc["email"],
            phones=(doc["phone"], doc["phoneE164"], *numbers),
        ),
    }


TAG = Filter(
    "tag",
    "text",
    "x.tags @> ARRAY[{value}]",
    (Index("tags", called="tags", method="gin"),),
    ("contact.classified", "contact.unmerged"),
)

CONTACTS = View(
    "contact",
    (is_now("type", "text", "contact.classified"), TAG, UPDATED_SINCE),
    standing=Standing("x.merged_into IS NULL", ("contact.merged_into",)),
)

EMITS = Emits(
    {
        "contact.added": "contact.created",
        "contact.details_changed": "contact.updated",
        "contact.classified": "contact.updated",
        "contact.activity_logged": "contact.updated",
        "contact.activity_corrected": "contact.updated",
        "contact.activity_removed": "contact.updated",
        "contact.merged": "contact.updated",
        "contact.unmerged": "contact.updated",
        "contact.merged_into": "contact.updated",
        "contact.separated": "contact.updated",
        "contact.erased": "contact.updated",
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
        "otherNames": [],
        "otherEmails": [],
        "otherPhones": [],
        "mergedWith": [],
        "mergedInto": None,
        **TIMES,
    },
    {"contact.updated": {"score": 90}},
    beside=activity_list.changes,
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
        "email_key": "uuid",
        "phone_key": "uuid",
        "name_key": "uuid",
        "merged_into": "uuid",
        "distinct_from": "uuid[]",
        "search": "text",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    Contact,
    step,
    emits=EMITS,
    step_version=4,
    views=(CONTACTS,),
    indexes=tuple(
        Index(f"{key}, {{id}}", f"{key} IS NOT NULL", called=key)
        for key in ("person", "email_key", "phone_key", "name_key")
    ),
    moved="merged_into",
)

OWN = replace(LIST, moved="")
"""The same list, in which each id is its own contact's, merged or not."""

ANSWERING = LIST.statement("""
SELECT coalesce(x.merged_into, x.contact_id) FROM {table} x
 WHERE x.tenant_id = %(tenant)s AND x.{id} = %(id)s
   AND x.read_version = (SELECT h.{table}_version FROM heads h WHERE h.tenant_id = %(tenant)s)
""")
"""The contact that answers for an id."""

NAMED_BY = """
SELECT l.lead_id FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.contact_id = %(contact)s
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 UNION ALL
SELECT t.task_id FROM task_list t
 WHERE t.tenant_id = %(tenant)s AND t.contact_id = %(contact)s
   AND t.read_version = (SELECT h.task_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 UNION ALL
SELECT e.envelope_id FROM envelope_list e
 WHERE e.tenant_id = %(tenant)s AND e.contact_id = %(contact)s
   AND e.read_version = (SELECT h.envelope_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 ORDER BY 1
"""
"""The leads, tasks and envelopes that name a contact."""

THERE = """
SELECT x.contact_id FROM contact_list x
 WHERE x.tenant_id = %(tenant)s AND x.contact_id = ANY (%(contacts)s::uuid[]) AND x.merged_into IS NULL
   AND x.read_version = (SELECT h.contact_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""
"""Which contacts there are."""
