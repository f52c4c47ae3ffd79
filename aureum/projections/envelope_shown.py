"""An envelope as the Aureum API shows it: of the aggregate, and its parts as the list has them."""

from datetime import datetime

from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Field, Recipient
from aureum.domain.ids import aureum_time, to_wire
from aureum.projections.document_list import Row, wire_or_none


def head(envelope: Envelope | Envelope.Drafted) -> Row:
    """What is known of an envelope from its beginning."""
    return {
        "subject": envelope.subject,
        "message": envelope.message,
        "provider": envelope.provider,
        "contactId": wire_or_none(envelope.contact_id),
        "leadId": wire_or_none(envelope.lead_id),
        "createdById": wire_or_none(envelope.created_by),
        "inOrder": envelope.in_order,
        "deadlineDays": envelope.deadline_days,
    }


def document(envelope: Envelope) -> Row:
    """An envelope as the Aureum API shows it, of the aggregate."""
    return {
        "id": to_wire(envelope.id),
        **head(envelope),
        "state": envelope.state,
        "deadline": time_or_none(envelope.deadline),
        "sentAt": time_or_none(envelope.sent_at),
        "completedAt": time_or_none(envelope.completed_at),
        "endedReason": envelope.ended_reason,
        "retainUntil": time_or_none(envelope.retain_until),
        "purgeAt": time_or_none(envelope.purge_at),
        "documents": [
            document_shown(one, None if one.id not in envelope.sealed else envelope.sealed[one.id].sha256)
            for one in envelope.documents.values()
        ],
        "recipients": [recipient_shown(one) for one in envelope.recipients.values()],
        "fields": [field_shown(one) for one in envelope.fields],
        "createdAt": aureum_time(envelope.created_on),
        "updatedAt": aureum_time(envelope.modified_on),
    } | ({"erased": True} if envelope.erased else {})


def document_shown(one: Document, sealed_sha256: str | None) -> Row:
    """A document of an envelope."""
    return {
        "id": to_wire(one.id),
        "name": one.name,
        "bytes": one.bytes,
        "pages": one.pages,
        "sha256": one.sha256,
        "sealedSha256": sealed_sha256,
    }


def recipient_shown(one: Recipient) -> Row:
    """A recipient, without anything that lets it in."""
    return {
        "id": to_wire(one.id),
        "role": one.role,
        "name": one.name,
        "email": one.email,
        "contactId": wire_or_none(one.contact_id),
        "order": one.order,
        "language": one.language,
        "state": one.state,
        "invitedAt": time_or_none(one.invited_at),
        "remindedAt": time_or_none(one.reminded_at),
        "viewedAt": time_or_none(one.viewed_at),
        "signedAt": time_or_none(one.signed_at),
        "declinedReason": one.declined_reason,
    }


def field_shown(one: Field) -> Row:
    """A field, at its anchor or on its page."""
    return {
        "id": to_wire(one.id),
        "recipientId": to_wire(one.recipient_id),
        "documentId": to_wire(one.document_id),
        "kind": one.kind,
        "required": one.required,
        "label": one.label,
        "anchor": one.anchor,
        "page": one.page,
        "x": one.x,
        "y": one.y,
        "width": one.width,
        "height": one.height,
    }


def time_or_none(moment: datetime | None) -> str | None:
    """A time as the Aureum API writes it."""
    return None if moment is None else aureum_time(moment)
