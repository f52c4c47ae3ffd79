"""What an act on an envelope says besides the fields that it changes: for its history. Where a signer was, and what was
filled in, is evidence for the certificate, and no answer has it."""

from typing import Any
from uuid import UUID

from aureum.domain.envelope import Envelope
from aureum.domain.ids import to_wire
from aureum.projections.document_list import wire_or_none

Change = dict[str, dict[str, Any]]


def act(event: Any) -> Change:
    """By name, what *event* says."""
    said = {name: {"from": None, "to": value} for name, value in told(event).items()}
    if isinstance(event, Envelope.Assigned):
        said["assignedToId"] = {"from": wire_or_none(event.previous), "to": wire_or_none(event.assigned_to)}
    return said


def told(event: Any) -> dict[str, Any]:
    """What is new by it."""
    match event:
        case Envelope.Drafted():
            return {"assignedToId": wire_or_none(event.assigned_to)}
        case Envelope.RecipientReminded():
            return {"recipientId": to_wire(event.recipient_id), "byItself": event.by_itself}
        case Envelope.RecipientReassigned():
            return {"recipientId": to_wire(event.recipient_id), "newRecipientId": to_wire(event.new_id)}
        case Envelope.Consented():
            return {"recipientId": to_wire(event.recipient_id), "consentVersion": event.text_version}
        case Envelope.Signed():
            shown = [{"id": to_wire(UUID(one)), "sha256": sha256} for one, sha256 in event.shown.items()]
            return {"recipientId": to_wire(event.recipient_id), "method": event.method, "shownDocuments": shown}
        case Envelope.RecipientInvited() | Envelope.Viewed() | Envelope.Declined():
            return {"recipientId": to_wire(event.recipient_id)}
        case Envelope.ProviderLinked():
            return {"providerId": event.provider_id}
        case Envelope.Completed():
            return {"certificateSha256": event.certificate_sha256}
        case Envelope.Expired():
            return {"expired": True}
    return {}
