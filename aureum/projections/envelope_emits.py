"""What webhooks are told of envelopes: which events, and nothing that names a person or opens a document."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aureum.domain.ids import to_wire
from aureum.projections.document_list import Row, wire_or_none
from aureum.projections.emits import A_CONTACT, A_LEAD, Emits

NAMES = {
    "envelope.sent": "document.sent",
    "envelope.viewed": "document.viewed",
    "envelope.signed": "document.signed",
    "envelope.completed": "document.completed",
    "envelope.declined": "document.declined",
    "envelope.voided": "document.voided",
    "envelope.expired": "document.expired",
}


def data(doc: Mapping[str, Any], event: Any) -> Row:
    """What webhooks are told: ids, the state and hashes. No name, no address, no link and no document."""
    recipient: UUID | None = getattr(event, "recipient_id", None)
    return {
        "id": doc["id"],
        "state": doc["state"],
        "contactId": doc["contactId"],
        "leadId": doc["leadId"],
        "recipientId": wire_or_none(recipient),
        "documents": [{name: one[name] for name in ("id", "sha256", "sealedSha256")} for one in doc["documents"]],
    }


AN_ENVELOPE, A_DOCUMENT, A_RECIPIENT = (
    to_wire(UUID(f"01946962-6140-7000-8000-00000000000{number}")) for number in ("a", "b", "c")
)
PLAIN, SEALED = "ab" * 32, "cd" * 32

EMITS = Emits(
    NAMES,
    {
        "id": AN_ENVELOPE,
        "state": "sent",
        "contactId": A_CONTACT,
        "leadId": A_LEAD,
        "recipientId": None,
        "documents": [{"id": A_DOCUMENT, "sha256": PLAIN, "sealedSha256": None}],
    },
    {
        "document.viewed": {"recipientId": A_RECIPIENT},
        "document.signed": {"recipientId": A_RECIPIENT, "state": "completing"},
        "document.completed": {
            "state": "completed",
            "documents": [{"id": A_DOCUMENT, "sha256": PLAIN, "sealedSha256": SEALED}],
        },
        "document.declined": {"recipientId": A_RECIPIENT, "state": "declined"},
        "document.voided": {"state": "voided"},
        "document.expired": {"state": "expired"},
    },
    opt_in=True,
    data=data,
)
