"""What DocuSign says of an envelope and its recipients, in the words of our envelopes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from aureum.domain.ids import from_wire

SignerState = Literal["invited", "viewed", "signed", "declined"]
EnvelopeState = Literal["created", "sent", "completed", "declined", "voided", "unknown"]

SIGNERS: dict[str, SignerState] = {
    "sent": "invited",
    "delivered": "viewed",
    "signed": "signed",
    "completed": "signed",
    "declined": "declined",
}
ENVELOPES: dict[str, EnvelopeState] = {
    "created": "created",
    "sent": "sent",
    "delivered": "sent",
    "signed": "sent",
    "processing": "sent",
    "completed": "completed",
    "declined": "declined",
    "voided": "voided",
    "deleted": "voided",
    "timedout": "voided",
}

REASON_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class SignerStatus:
    """Where a recipient is; the times are DocuSign's. ``number`` counts the signers from 1."""

    id: UUID | None
    number: int | None
    state: SignerState
    viewed_at: datetime | None = None
    signed_at: datetime | None = None
    declined_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """Where the envelope is, and those of its recipients that DocuSign told of."""

    state: EnvelopeState
    at: datetime | None = None
    signers: tuple[SignerStatus, ...] = ()
    reason: str | None = None


def status_of(summary: Mapping[str, Any]) -> ProviderStatus:
    """What DocuSign's object of an envelope says; what cannot be read of it is left out."""
    state = ENVELOPES.get(text(summary, "status").lower(), "unknown")
    recipients = summary.get("recipients")
    signers = recipients.get("signers") if isinstance(recipients, dict) else None
    listed = [one for one in signers if isinstance(one, dict)] if isinstance(signers, list) else []
    told = (signer_status(one) for one in listed)
    names = {"completed": "completedDateTime", "voided": "voidedDateTime", "declined": "declinedDateTime"}
    at = moment(summary.get(names.get(state, "statusChangedDateTime")))
    return ProviderStatus(
        state,
        at or moment(summary.get("statusChangedDateTime")),
        tuple(one for one in told if one is not None),
        text(summary, "voidedReason")[:REASON_LONGEST] or None,
    )


def signer_status(signer: Mapping[str, Any]) -> SignerStatus | None:
    """One signer; None while nothing has happened to it."""
    state = SIGNERS.get(text(signer, "status").lower())
    if state is None:
        return None
    number = text(signer, "recipientId")
    return SignerStatus(
        from_wire(text(signer, "clientUserId")),
        int(number) if number.isascii() and number.isdigit() and len(number) < 6 else None,
        state,
        moment(signer.get("deliveredDateTime")),
        moment(signer.get("signedDateTime")),
        moment(signer.get("declinedDateTime")),
        text(signer, "declinedReason")[:REASON_LONGEST] or None,
    )


def text(values: Mapping[str, Any], name: str) -> str:
    """The text of that name, without NUL; empty if there is none."""
    value = values.get(name)
    return value.replace("\0", "") if isinstance(value, str) else ""


def moment(value: object) -> datetime | None:
    """A time as DocuSign writes it, ``2026-11-30T15:04:05.1230000Z``, to the millisecond; None for anything else."""
    if not isinstance(value, str) or not value.isascii() or len(value) > 40:
        return None
    head, point, tail = value.partition(".")
    if point:
        digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        value = f"{head}.{digits[:3]:0<3}{tail[len(digits) :]}"
    try:
        found = datetime.fromisoformat(value)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found.replace(microsecond=found.microsecond // 1000 * 1000) if 2000 <= found.year <= 2100 else None
