"""What the recipients of an envelope do, each in turn: read, agree, sign or decline. They do it in the portal, or at
DocuSign, which tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.envelope_draft import EnvelopeDraft
from aureum.domain.envelope_parts import Signature
from aureum.domain.envelope_rules import (
    FRESH,
    NO_RECIPIENT,
    NotAsShown,
    SignInTooOld,
    check_reason,
    check_signature,
    cut,
)
from aureum.domain.errors import Invalid, NotFound, WrongState


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a recipient was when it acted, and when the person proved the address."""

    signed_in_at: datetime
    address: str | None = None
    program: str | None = None


class EnvelopeCeremony(EnvelopeDraft):
    """What is decided by recipients."""

    def __init__(self) -> None:
        """As in ``EnvelopeRules``."""

    def open_document(self, recipient_id: UUID, presence: Presence, at: datetime) -> None:
        """The recipient reads the documents. Only the first time is recorded, and only of a signer in the signer's
        turn. Raises NotFound, WrongState before the turn."""
        one = self.recipient(recipient_id)
        self.check_may_read(one)
        if one.state != "invited" or self.state != "sent" or self.is_late(at):
            return
        self.trigger_event(
            self.Viewed,
            timestamp=at,
            recipient_id=recipient_id,
            address=presence.address,
            program=presence.program,
            provider_event=None,
        )

    def consent(self, recipient_id: UUID, text_version: str, presence: Presence, at: datetime) -> None:
        """The recipient agrees to electronic records. The same version again records nothing. Raises NotFound, Invalid,
        WrongState."""
        one = self.recipient(recipient_id)
        if one.state == "signed" or (one.state == "consented" and one.consent_version == text_version):
            return
        self.check_acts(one, at)
        if not text_version.strip() or len(text_version) > 100:
            raise Invalid("text_version", "text_version must name the version of the text.")
        if one.state == "invited":
            raise WrongState("Read the documents first.")
        self.trigger_event(
            self.Consented,
            timestamp=at,
            recipient_id=recipient_id,
            text_version=text_version,
            address=presence.address,
            program=presence.program,
        )

    def sign(
        self,
        recipient_id: UUID,
        shown: Mapping[UUID, str],
        signature: Signature,
        values: Mapping[UUID, str],
        presence: Presence,
        at: datetime,
    ) -> None:
        """The recipient signs what was *shown*: the SHA-256 of each document. Signing twice records nothing. Raises
        NotFound, Invalid, NotAsShown, SignInTooOld, WrongState."""
        one = self.recipient(recipient_id)
        if one.state == "signed":
            return
        self.check_acts(one, at)
        if one.state != "consented":
            raise WrongState("Agree to electronic records first.")
        if dict(shown) != {document.id: document.sha256 for document in self.documents.values()}:
            raise NotAsShown
        if not at - FRESH <= presence.signed_in_at:
            raise SignInTooOld
        check_signature(signature)
        self.check_values(one, values)
        self.trigger_event(
            self.Signed,
            timestamp=at,
            recipient_id=recipient_id,
            shown={document_id.hex: sha256 for document_id, sha256 in shown.items()},
            method=signature.method,
            typed=signature.typed,
            image_id=signature.image_id,
            image_sha256=signature.image_sha256,
            values={field_id.hex: value for field_id, value in values.items()},
            address=presence.address,
            program=presence.program,
            signed_in_at=ids.aureum_time(presence.signed_in_at),
            provider_event=None,
        )
        self.invite_next(at)

    def decline(self, recipient_id: UUID, reason: str | None, presence: Presence, at: datetime) -> None:
        """The recipient does not sign: the envelope has ended. Declining twice records nothing. Raises NotFound,
        Invalid, WrongState."""
        one = self.recipient(recipient_id)
        if one.state == "declined":
            return
        if one.state == "signed":
            raise WrongState("You have signed these documents already.")
        self.check_acts(one, at)
        check_reason(reason)
        self.trigger_event(
            self.Declined,
            timestamp=at,
            recipient_id=recipient_id,
            reason=reason,
            address=presence.address,
            program=presence.program,
            provider_event=None,
        )

    def link_provider(self, provider_id: str, at: datetime) -> None:
        """The provider has taken the envelope and calls it *provider_id*. Raises WrongState."""
        if self.provider != "docusign" or self.provider_id not in (None, provider_id):
            raise WrongState("This envelope belongs to another provider, or to another envelope there.")
        if self.provider_id is None:
            self.trigger_event(self.ProviderLinked, timestamp=at, provider_id=provider_id)

    def record_provider_status(
        self, event_id: str, status: str, at: datetime, *, recipient_id: UUID | None = None, reason: str | None = None
    ) -> None:
        """What DocuSign tells: ``viewed``, ``signed`` or ``declined`` of a recipient, ``voided`` or ``expired`` of the
        envelope. Each event counts once, and what comes late changes nothing. Raises NotFound, Invalid, WrongState."""
        if self.provider != "docusign":
            raise WrongState("This envelope is signed here.")
        if status not in ("viewed", "signed", "declined", "voided", "expired"):
            raise Invalid("status", f"{status} is no status of a provider.")
        if event_id in self.provider_events or self.state != "sent":
            return
        if status in ("voided", "expired"):
            kind: Any = self.Voided if status == "voided" else self.Expired
            values = {"reason": cut(reason)} if status == "voided" else {}
            self.trigger_event(kind, timestamp=at, provider_event=event_id, **values)
            return
        if recipient_id is None:
            raise NotFound(NO_RECIPIENT)
        one = self.recipient(recipient_id)
        if not one.signs or one.state == "signed" or (status == "viewed" and one.state not in ("waiting", "invited")):
            return
        about: dict[str, Any] = {"recipient_id": one.id, "address": None, "program": None, "provider_event": event_id}
        if status == "viewed":
            self.trigger_event(self.Viewed, timestamp=at, **about)
        elif status == "declined":
            self.trigger_event(self.Declined, timestamp=at, reason=cut(reason), **about)
        else:
            self.trigger_event(
                self.Signed,
                timestamp=at,
                shown={document.id.hex: document.sha256 for document in self.documents.values()},
                method="docusign",
                typed=None,
                image_id=None,
                image_sha256=None,
                values={},
                signed_in_at=None,
                **about,
            )
            self.invite_next(at)

    def invite_next(self, at: datetime) -> None:
        """Invite all whose turn has come."""
        if self.state != "sent":
            return
        for one in list(self.recipients.values()):
            if one.state == "waiting" and one.signs and self.is_turn_of(one):
                self.trigger_event(self.RecipientInvited, timestamp=at, recipient_id=one.id)
