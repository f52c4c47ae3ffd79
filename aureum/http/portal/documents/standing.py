"""Where a recipient stands with an envelope: which page comes next. Pure, and judged anew for every request, so that
two tabs, the back button and what others did meanwhile lead to the page that fits."""

from datetime import datetime
from typing import Literal

from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Recipient

Standing = Literal[
    "open",  # invited, and has not looked yet
    "read",  # has opened the documents, and not agreed
    "sign",  # has agreed
    "signed",  # others have still to sign
    "sealing",  # all have signed, and the documents are being sealed
    "completed",
    "turn",  # others sign first
    "copy",  # gets a copy once all have signed
    "elsewhere",  # signs at DocuSign
    "declined",
    "voided",
    "expired",
]

TO_SIGN: frozenset[Standing] = frozenset(("open", "read", "sign", "elsewhere"))
WAITING: frozenset[Standing] = frozenset(("signed", "sealing", "turn", "copy"))

_OF_ENVELOPE: dict[str, Standing] = {
    "completing": "sealing",
    "completed": "completed",
    "declined": "declined",
    "voided": "voided",
    "expired": "expired",
}

_OF_RECIPIENT: dict[str, Standing] = {
    "waiting": "turn",
    "invited": "open",
    "viewed": "read",
    "consented": "sign",
    "signed": "signed",
    "declined": "declined",
    "expired": "expired",
}


def standing(envelope: Envelope, recipient: Recipient, at: datetime) -> Standing:
    """Where *recipient* stands at the moment *at*."""
    late = envelope.is_late(at)
    return standing_by(envelope.state, envelope.provider, recipient.role, recipient.state, late=late)


def standing_by(state: str, provider: str, role: str, of_recipient: str, *, late: bool) -> Standing:
    """The same by the states of the envelope and of the recipient; *late* is whether the deadline has passed."""
    if state == "sent" and late:
        return "expired"
    if state != "sent":
        return _OF_ENVELOPE[state]
    if role != "signer":
        return "copy"
    found = _OF_RECIPIENT[of_recipient]
    return "elsewhere" if provider == "docusign" and found in ("open", "read", "sign") else found
