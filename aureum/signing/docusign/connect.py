"""Connect, DocuSign's own webhooks: whether a call is genuine, and what it says.

A call is signed with HMAC-SHA256 of its raw body by each key that is active in the account, in the headers
X-DocuSign-Signature-1 to -100. Without a key here, or without a right signature, nothing of it is read.
"""

import base64
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from aureum.domain.ids import from_wire
from aureum.signing.docusign.status import ProviderStatus, SignerStatus, moment, status_of, text

HEADER = re.compile(rb"x-docusign-signature-([1-9][0-9]?|100)")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class ConnectCall:
    """``envelope_id`` is DocuSign's, ``transaction_id`` ours."""

    event: str
    account_id: str
    envelope_id: str
    transaction_id: UUID | None
    at: datetime | None
    status: ProviderStatus


def is_genuine(raw: bytes, headers: Iterable[tuple[bytes, bytes]], keys: Sequence[str]) -> bool:
    """Whether one of the signatures in *headers* is that of *raw* by one of *keys*. Without keys nothing is."""
    given = [value.strip() for name, value in headers if HEADER.fullmatch(name.lower())]
    right = [base64.b64encode(hmac.digest(key.encode(), raw, "sha256")) for key in keys]
    # All pairs, so that the time tells nothing of which.
    return any([hmac.compare_digest(one, other) for one in given for other in right])


def read_call(raw: bytes) -> ConnectCall | None:
    """What a genuine call says; None for what is no event of an envelope."""
    try:
        said: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    data = said.get("data") if isinstance(said, dict) else None
    if not isinstance(data, dict):
        return None
    event = text(said, "event")
    envelope_id = text(data, "envelopeId").lower()
    if not event or not GUID.fullmatch(envelope_id):
        return None
    summary = data.get("envelopeSummary")
    summary = summary if isinstance(summary, dict) else {}
    number = text(data, "recipientId")
    at = moment(said.get("generatedDateTime"))
    status = status_of(summary) if summary else from_name(event, number, at)
    return ConnectCall(
        event,
        text(data, "accountId").lower(),
        envelope_id,
        from_wire(text(summary, "transactionId")),
        at,
        status,
    )


def from_name(event: str, number: str, at: datetime | None) -> ProviderStatus:
    """What the event's name alone says, where Connect is not set to send data."""
    about, _, what = event.partition("-")
    if about == "envelope":
        return status_of({"status": what, "statusChangedDateTime": at and at.isoformat()})
    if about == "recipient":
        told = status_of({"recipients": {"signers": [{"recipientId": number, "status": what}]}})
        return ProviderStatus("unknown", at, tuple(timed(one, at) for one in told.signers))
    return ProviderStatus("unknown", at)


def timed(signer: SignerStatus, at: datetime | None) -> SignerStatus:
    """The signer, with the moment of the event as that of its state."""
    times = {"viewed": "viewed_at", "signed": "signed_at", "declined": "declined_at"}
    values = {name: at if times.get(signer.state) == name else None for name in times.values()}
    return SignerStatus(signer.id, signer.number, signer.state, reason=signer.reason, **values)
