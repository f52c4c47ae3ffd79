"""The list of envelopes: a row an envelope, with the envelope as the Aureum API shows it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from aureum.domain.envelope import Envelope
from aureum.domain.envelope_events import LINKS, linked
from aureum.domain.envelope_parts import Document, Recipient, field_of, language_or_none
from aureum.domain.ids import aureum_time, from_wire, to_wire
from aureum.projections.document_list import DocumentList, Row, View, erased, wire_or_none
from aureum.projections.envelope_emits import EMITS
from aureum.projections.envelope_shown import document_shown, field_shown, head, recipient_shown
from aureum.projections.list_filters import UPDATED_SINCE, Filter, Index, is_now

SHOWN = {
    "subject": "subject",
    "message": "message",
    "contact_id": "contactId",
    "lead_id": "leadId",
    "provider": "provider",
    "in_order": "inOrder",
    "deadline_days": "deadlineDays",
}
"""What of a draft may change, and how it is called in ``doc``."""


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of an envelope's row; events of other aggregates leave it as it is."""
    match event:
        case Envelope.Drafted():
            return with_columns(
                {
                    "envelope_id": event.originator_id,
                    "stream_version": event.originator_version,
                    "assigned_to": event.assigned_to,
                    "created_by": event.created_by,
                    "updated_at": event.timestamp,
                    "doc": drafted(event),
                }
            )
        case Envelope.Purged() if row is not None:
            return erased(row, event)
        case Envelope.Event() if row is not None:
            doc = row["doc"] | {"updatedAt": aureum_time(event.timestamp)}
            said = SAID.get(type(event))
            if said is not None:
                doc |= said(doc, event)
            changed: Row = {"stream_version": event.originator_version, "updated_at": event.timestamp, "doc": doc}
            if isinstance(event, Envelope.Assigned):
                changed["assigned_to"] = event.assigned_to
            return with_columns(row | changed)
    return row


def with_columns(row: Row) -> Row:
    """The row with the columns that filter, as its document says them."""
    doc = row["doc"]
    links = {name: linked_in(doc[SHOWN[name]], row.get(name)) for name in LINKS}
    shared = doc["contactId"] is not None and doc["leadId"] is None
    return row | links | {"state": doc["state"], "shared": shared}


def linked_in(wire: str | None, before: UUID | None) -> UUID | None:
    """The stream of a wire id."""
    if wire is None:
        return None
    return before if before is not None and to_wire(before) == wire else from_wire(wire)


def drafted(event: Envelope.Drafted) -> Row:
    """A new envelope."""
    at = aureum_time(event.timestamp)
    return {
        "id": to_wire(event.originator_id),
        **head(event),
        "state": "draft",
        **dict.fromkeys(("deadline", "sentAt", "completedAt", "endedReason", "retainUntil", "purgeAt")),
        "documents": [],
        "recipients": [],
        "fields": [],
        "createdAt": at,
        "updatedAt": at,
    }


def of_draft(doc: Row, event: Envelope.DraftChanged) -> Row:
    """What was changed of a draft."""
    said = {**(event.texts if isinstance(event.texts, dict) else {}), **event.settings}
    return {SHOWN[name]: wire_or_none(linked(value)) if name in LINKS else value for name, value in said.items()}


def attached(doc: Row, event: Envelope.DocumentAttached) -> Row:
    """One document more."""
    one = Document(event.document_id, event.name, event.sha256, event.bytes, event.pages)
    return {"documents": [*doc["documents"], document_shown(one, None)]}


def removed(doc: Row, event: Envelope.DocumentRemoved | Envelope.RecipientRemoved) -> Row:
    """A document or a recipient less, and its fields."""
    name, key = ("documents", "documentId")
    gone = getattr(event, "document_id", None)
    if gone is None:
        name, key, gone = "recipients", "recipientId", getattr(event, "recipient_id", None)
    wire = wire_or_none(gone)
    return {
        name: [one for one in doc[name] if one["id"] != wire],
        "fields": [one for one in doc["fields"] if one[key] != wire],
    }


def added(doc: Row, event: Envelope.RecipientAdded) -> Row:
    """One recipient more."""
    one = Recipient(
        id=event.recipient_id,
        role=event.role,
        name=event.name,
        email=event.email,
        contact_id=event.contact_id,
        order=event.order,
        language=language_or_none(event.language),
    )
    return {"recipients": [*doc["recipients"], recipient_shown(one)]}


def placed(doc: Row, event: Envelope.FieldsPlaced) -> Row:
    """Other fields."""
    fields = event.fields if isinstance(event.fields, list) else []
    return {"fields": [field_shown(field_of(one)) for one in fields]}


def reassigned(doc: Row, event: Envelope.RecipientReassigned) -> Row:
    """Another person in a recipient's place."""
    old, new = to_wire(event.recipient_id), to_wire(event.new_id)
    recipients = with_recipient(doc, event.recipient_id, {"state": "reassigned"})
    for before in (one for one in doc["recipients"] if one["id"] == old):
        one = Recipient(
            id=event.new_id,
            role=before["role"],
            name=event.name,
            email=event.email,
            contact_id=event.contact_id,
            order=before["order"],
            language=language_or_none(event.language),
        )
        recipients = [*recipients, recipient_shown(one)]
    fields = [one | {"recipientId": new} if one["recipientId"] == old else one for one in doc["fields"]]
    return {"recipients": recipients, "fields": fields}


def with_recipient(doc: Row, recipient_id: UUID, values: Row) -> list[Row]:
    """The recipients, one of them with other *values*."""
    wire = to_wire(recipient_id)
    return [one | values if one["id"] == wire else one for one in doc["recipients"]]


def of_recipient(**names: str) -> Callable[[Row, Any], Row]:
    """What an event says of its recipient: a time where *names* have ``at``, else that state."""

    def said(doc: Row, event: Any) -> Row:
        values = {name: aureum_time(event.timestamp) if say == "at" else say for name, say in names.items()}
        return {"recipients": with_recipient(doc, event.recipient_id, values)}

    return said


def signed(doc: Row, event: Envelope.Signed) -> Row:
    """A signature, perhaps the last."""
    values = {"state": "signed", "signedAt": aureum_time(event.timestamp)}
    recipients = with_recipient(doc, event.recipient_id, values)
    over = ("signed", "declined", "reassigned", "expired")
    open_ones = [one for one in recipients if one["role"] == "signer" and one["state"] not in over]
    return {"recipients": recipients, "state": doc["state"] if open_ones else "completing"}


def declined(doc: Row, event: Envelope.Declined) -> Row:
    """The end of it."""
    values = {"state": "declined", "declinedReason": event.reason}
    return {
        "recipients": with_recipient(doc, event.recipient_id, values),
        "state": "declined",
        "endedReason": event.reason,
    }


def completed(doc: Row, event: Envelope.Completed) -> Row:
    """All is signed and sealed."""
    sealed = {to_wire(UUID(one["id"])): one["sha256"] for one in event.documents}
    return {
        "state": "completed",
        "completedAt": aureum_time(event.timestamp),
        "retainUntil": event.retain_until,
        "documents": [one | {"sealedSha256": sealed.get(one["id"])} for one in doc["documents"]],
    }


def expired(doc: Row, _: Envelope.Expired) -> Row:
    """The deadline has passed."""
    over = ("signed", "declined", "reassigned")
    recipients = [
        one | {"state": "expired"} if one["role"] == "signer" and one["state"] not in over else one
        for one in doc["recipients"]
    ]
    return {"state": "expired", "recipients": recipients}


SAID: Mapping[type, Callable[[Row, Any], Row]] = {
    Envelope.DraftChanged: of_draft,
    Envelope.ContactChanged: lambda _, event: {"contactId": to_wire(event.contact_id)},
    Envelope.DocumentAttached: attached,
    Envelope.DocumentRemoved: removed,
    Envelope.RecipientAdded: added,
    Envelope.RecipientRemoved: removed,
    Envelope.FieldsPlaced: placed,
    Envelope.Sent: lambda _, event: {
        "state": "sent",
        "sentAt": aureum_time(event.timestamp),
        "deadline": event.deadline,
    },
    Envelope.RecipientInvited: of_recipient(state="invited", invitedAt="at"),
    Envelope.RecipientReminded: of_recipient(remindedAt="at"),
    Envelope.RecipientReassigned: reassigned,
    Envelope.DeadlineExtended: lambda _, event: {"deadline": event.deadline},
    Envelope.Viewed: of_recipient(state="viewed", viewedAt="at"),
    Envelope.Consented: of_recipient(state="consented"),
    Envelope.Signed: signed,
    Envelope.Declined: declined,
    Envelope.Completed: completed,
    Envelope.Voided: lambda _, event: {"state": "voided", "endedReason": event.reason},
    Envelope.Expired: expired,
    Envelope.PurgeAnnounced: lambda _, event: {"purgeAt": event.purge_at},
}
"""What each type of event changes in ``doc``."""

STATES = tuple(f"envelope.{name}" for name in ("sent", "signed", "declined", "completed", "voided", "expired"))
"""The types of events after which an envelope is in another state."""

SEEN_BY = Filter(
    "visible_to",
    "uuid",
    "(x.assigned_to = {value} OR x.created_by = {value} OR x.shared)",
    (
        Index("assigned_to, {id}"),
        Index("created_by, {id}", "created_by IS NOT NULL"),
        Index("shared, {id}", "shared"),
    ),
    ("envelope.assigned", "envelope.draft_changed"),
)
"""The caller may see it: an agent sees those of the own leads, the own ones, and those of contacts, which all staff
see."""

OF_CONTACT = Filter(
    "contact_id",
    "uuid",
    "x.contact_id = {value}",
    (Index("contact_id, {id}", "contact_id IS NOT NULL", called="contact"),),
    ("envelope.draft_changed", "envelope.contact_changed"),
)
OF_LEAD = Filter(
    "lead_id",
    "uuid",
    "x.lead_id = {value}",
    (Index("lead_id, {id}", "lead_id IS NOT NULL", called="lead"),),
    ("envelope.draft_changed",),
)

ENVELOPES = View("envelope", (is_now("state", "text", *STATES), OF_CONTACT, OF_LEAD, UPDATED_SINCE, SEEN_BY))

SEEN = """
   AND (%(visible_to)s::uuid IS NULL OR assigned_to = %(visible_to)s OR created_by = %(visible_to)s OR shared)"""

LIST = DocumentList(
    "envelope_list",
    "envelope",
    {
        "envelope_id": "uuid",
        "stream_version": "int4",
        "state": "text",
        "contact_id": "uuid",
        "lead_id": "uuid",
        "assigned_to": "uuid",
        "created_by": "uuid",
        "shared": "bool",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    Envelope,
    step,
    step_version=2,
    views=(ENVELOPES,),
    emits=EMITS,
    seen=SEEN,
)
