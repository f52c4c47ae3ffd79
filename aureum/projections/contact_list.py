"""The contact list: a row a contact, with the contact as the Aureum API shows it, and what it is searched by."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.contact import Contact
from aureum.domain.ids import aureum_time, to_wire
from aureum.projections.document_list import DocumentList, Row, wire_or_none

NAME = "contact_list"

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
            return {
                "contact_id": event.originator_id,
                "stream_version": event.originator_version,
                "type": event.type,
                "tags": list(event.tags),
                "updated_at": event.timestamp,
                "doc": document(event, event.originator_id, event.timestamp, event.timestamp),
            } | searched(event.first_name, event.last_name, event.email)
        case Contact.DetailsChanged() | Contact.Classified() if row is not None:
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
            columns |= searched(doc["firstName"], doc["lastName"], doc["email"])
        case Contact.Classified():
            doc |= event.changes
            columns |= {"type": doc["type"], "tags": doc["tags"]}
    return row | columns


WORD = re.compile(r"[^\W_]+")
SHORTEST_WORD = 3
"""Shorter words are too much alike for a typo in them to be forgiven."""

LONGEST_WORD = 40


def searched(*texts: str | None) -> Row:
    """What a contact is found by: its texts in lower case, and its words with each letter left out once."""
    text = " ".join(text for text in texts if text).lower()
    return {"search": text, "misspelt": sorted(misspelt(WORD.findall(text)))}


def misspelt(words: Iterable[str]) -> set[str]:
    """*words*, and each of them with one letter left out. Two words share one of these if they are one letter apart:
    one too many, one too few, another one, or two swapped."""
    found: set[str] = set()
    for word in words:
        if SHORTEST_WORD <= len(word) <= LONGEST_WORD:
            found |= {word} | {word[:place] + word[place + 1 :] for place in range(len(word))}
    return found


LIST = DocumentList(
    NAME,
    {
        "contact_id": "uuid",
        "stream_version": "int4",
        "type": "text",
        "tags": "text[]",
        "search": "text",
        "misspelt": "text[]",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    Contact.Event,
    step,
)
APPEND, ONE, rows = LIST.append, LIST.one, LIST.rows
