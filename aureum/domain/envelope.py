"""An envelope: documents that recipients sign. Order, turn and deadline are judged here, by the moment of the command.

    draft ──▶ sent ──▶ completing ──▶ completed ──▶ purged
                └──▶ declined, voided, expired ──▶ purged

A recipient: waiting ──▶ invited ──▶ viewed ──▶ consented ──▶ signed; or declined, reassigned, expired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.emails import one_form
from aureum.domain.envelope_events import SETTINGS, TEXTS
from aureum.domain.envelope_parts import (
    LONGEST_ORDER,
    MOST_DOCUMENTS,
    MOST_FIELDS,
    MOST_RECIPIENTS,
    ROLES,
    SENT_TO,
    Document,
    Field,
    Recipient,
    Sealed,
    Signature,
    check_document,
    check_field,
    check_person,
)
from aureum.domain.envelope_rules import (
    BETWEEN_REMINDERS,
    FRESH,
    MOST_DAYS,
    NO_DOCUMENT,
    NO_RECIPIENT,
    NOT_SENT,
    PURGE_NOTICE,
    REMIND_AFTER_DAYS,
    REMINDED_FOR,
    EnvelopeRules,
    NotAsShown,
    SignInTooOld,
    check_reason,
    check_settings,
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


@dataclass(frozen=True, kw_only=True)
class EnvelopeFields:
    """What an envelope is begun with; each caller says all of it. ``created_by`` is None for a key."""

    subject: str
    message: str | None
    contact_id: UUID | None
    lead_id: UUID | None
    template_id: UUID | None
    provider: str
    in_order: bool
    deadline_days: int
    assigned_to: UUID | None
    created_by: UUID | None


class Envelope(EnvelopeRules):
    """The aggregate."""

    def __init__(self) -> None:
        """Drafted.apply assigns everything."""

    @classmethod
    def draft(cls, envelope_id: UUID, at: datetime, fields: EnvelopeFields) -> "Envelope":
        """A new envelope. Raises Invalid."""
        check_settings(vars(fields))
        return cls._create(cls.Drafted, id=envelope_id, timestamp=at, **vars(fields))

    def change(self, changes: Mapping[str, Any], at: datetime) -> None:
        """Change some of ``TEXTS`` and ``SETTINGS`` of a draft. Raises Invalid, WrongState."""
        self.check_draft()
        changed = {name: value for name, value in changes.items() if value != getattr(self, name)}
        if not changed:
            return
        check_settings(changed)
        recorded = {name: value.hex if isinstance(value, UUID) else value for name, value in changed.items()}
        self.trigger_event(
            self.DraftChanged,
            timestamp=at,
            texts={name: value for name, value in recorded.items() if name in TEXTS},
            settings={name: value for name, value in recorded.items() if name in SETTINGS},
        )

    def assign(self, user: UUID | None, at: datetime) -> None:
        """The lead of the envelope has another agent."""
        if user != self.assigned_to:
            self.trigger_event(self.Assigned, timestamp=at, previous=self.assigned_to, assigned_to=user)

    def change_contact(self, contact_id: UUID, at: datetime) -> None:
        """Go along with the contact, which was merged into *contact_id*, or back to it."""
        if self.contact_id is not None and contact_id != self.contact_id:
            self.trigger_event(self.ContactChanged, timestamp=at, previous=self.contact_id, contact_id=contact_id)

    def attach(self, document: Document, at: datetime) -> None:
        """Add a PDF; the same one again records nothing. Raises Invalid, WrongState."""
        self.check_draft()
        if document.id in self.documents:
            return
        check_document(document.name, document.sha256, document.bytes, document.pages)
        if len(self.documents) >= MOST_DOCUMENTS:
            raise Invalid("documents", f"An envelope has at most {MOST_DOCUMENTS} documents. Remove one first.")
        self.trigger_event(
            self.DocumentAttached,
            timestamp=at,
            document_id=document.id,
            name=document.name,
            sha256=document.sha256,
            bytes=document.bytes,
            pages=document.pages,
            sizes=[list(size) for size in document.sizes],
            anchors=list(document.anchors),
        )

    def remove_document(self, document_id: UUID, at: datetime) -> None:
        """Take a document out of a draft, with its fields. Raises NotFound, WrongState."""
        self.check_draft()
        if document_id not in self.documents:
            raise NotFound(NO_DOCUMENT)
        self.trigger_event(self.DocumentRemoved, timestamp=at, document_id=document_id)

    def add_recipient(self, recipient: Recipient, at: datetime) -> None:
        """Add a person to a draft. Raises Invalid, WrongState."""
        self.check_draft()
        if recipient.role not in ROLES:
            raise Invalid("role", f"role must be one of: {', '.join(ROLES)}.")
        if not 1 <= recipient.order <= LONGEST_ORDER:
            raise Invalid("order", f"order must be from 1 to {LONGEST_ORDER}.")
        if len(self.recipients) >= MOST_RECIPIENTS:
            raise Invalid("recipients", f"An envelope has at most {MOST_RECIPIENTS} recipients.")
        check_person(recipient.name, recipient.email)
        self.check_address_is_free(recipient.email)
        self.trigger_event(
            self.RecipientAdded,
            timestamp=at,
            recipient_id=recipient.id,
            role=recipient.role,
            name=recipient.name,
            email=recipient.email,
            contact_id=recipient.contact_id,
            order=recipient.order,
            template_role=recipient.template_role,
        )

    def remove_recipient(self, recipient_id: UUID, at: datetime) -> None:
        """Take a person out of a draft, with the person's fields. Raises NotFound, WrongState."""
        self.check_draft()
        self.recipient(recipient_id)
        self.trigger_event(self.RecipientRemoved, timestamp=at, recipient_id=recipient_id)

    def place_fields(self, fields: Sequence[Field], at: datetime) -> None:
        """All fields from now on. Raises Invalid, WrongState."""
        self.check_draft()
        if len(fields) > MOST_FIELDS:
            raise Invalid("fields", f"An envelope has at most {MOST_FIELDS} fields.")
        if len({one.id for one in fields}) < len(fields):
            raise Invalid("fields", "Each field needs an id of its own.")
        for one in fields:
            check_field(one, self.documents, self.recipients)
        if tuple(fields) != self.fields:
            self.trigger_event(self.FieldsPlaced, timestamp=at, fields=[one.recorded() for one in fields])

    def send(self, at: datetime, *, remind_after_days: Sequence[int] = REMIND_AFTER_DAYS) -> None:
        """Fix the documents and invite those who sign first. Sending twice records nothing. Raises Invalid,
        WrongState."""
        if self.state in ("sent", "completing", "completed"):
            return
        self.check_draft()
        self.check_can_be_sent()
        self.trigger_event(
            self.Sent,
            timestamp=at,
            provider=self.provider,
            in_order=self.in_order,
            deadline=ids.aureum_time(at + timedelta(days=self.deadline_days)),
            remind_after_days=list(remind_after_days),
        )
        self.invite_next(at)

    def remind(self, recipient_id: UUID, at: datetime, *, by_itself: bool = False) -> None:
        """Send the recipient another mail: at most one a day, for 30 days. A worker that comes later than that still
        sends what was due, once. Raises NotFound, WrongState."""
        one = self.recipient(recipient_id)
        self.check_open(at)
        if one.state not in SENT_TO or one.state == "signed" or one.invited_at is None:
            raise WrongState(f"{one.name} has nothing to sign now, so there is nothing to remind of.")
        if not by_itself and at > one.invited_at + REMINDED_FOR:
            raise WrongState(f"{one.name} was invited more than 30 days ago. Reassign or void the envelope.")
        if one.reminded_at is not None and at < one.reminded_at + BETWEEN_REMINDERS:
            raise WrongState(f"{one.name} was reminded within the last day. Try again tomorrow.")
        self.trigger_event(self.RecipientReminded, timestamp=at, recipient_id=recipient_id, by_itself=by_itself)

    def reassign(
        self, recipient_id: UUID, new_id: UUID, name: str, email: str, contact_id: UUID | None, at: datetime
    ) -> None:
        """Another person takes the place of a recipient who has not signed. Raises NotFound, Invalid, WrongState."""
        one = self.recipient(recipient_id)
        self.check_open(at)
        if one.state == "signed" or (one.state not in SENT_TO and one.state != "waiting"):
            raise WrongState(f"{one.name} cannot be replaced, since the state is {one.state}.")
        if self.provider == "docusign":
            raise WrongState("A recipient at DocuSign cannot be replaced here. Void the envelope and send a new one.")
        check_person(name, email)
        if one_form(email) == one_form(one.email):
            raise Invalid("email", "email is the address of this recipient already.")
        self.check_address_is_free(email)
        if len(self.recipients) >= 3 * MOST_RECIPIENTS:
            raise WrongState("The recipients of this envelope were replaced too often. Void it and send a new one.")
        self.trigger_event(
            self.RecipientReassigned,
            timestamp=at,
            recipient_id=recipient_id,
            new_id=new_id,
            name=name,
            email=email,
            contact_id=contact_id,
        )
        self.invite_next(at)

    def extend(self, deadline: datetime, at: datetime) -> None:
        """Give the recipients more time. Raises Invalid, WrongState."""
        self.check_open(at)
        assert self.sent_at is not None and self.deadline is not None
        if deadline == self.deadline:
            return
        if not self.deadline < deadline <= self.sent_at + timedelta(days=MOST_DAYS):
            raise Invalid(
                "deadline",
                f"deadline must be later than the present one, and at most {MOST_DAYS} days after the envelope was "
                "sent.",
            )
        self.trigger_event(
            self.DeadlineExtended,
            timestamp=at,
            previous=ids.aureum_time(self.deadline),
            deadline=ids.aureum_time(deadline),
        )

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

    def complete(
        self,
        sealed: Mapping[UUID, Sealed],
        certificate_sha256: str | None,
        retain_until: datetime,
        at: datetime,
        *,
        provider_event: str | None = None,
    ) -> None:
        """All have signed, and each document is sealed. The first time counts. Raises Invalid, WrongState."""
        if self.state == "completed":
            return
        if self.state != "completing":
            raise WrongState(NOT_SENT.format(state=self.state))
        if sealed.keys() != self.documents.keys():
            raise Invalid("documents", "Each document of the envelope must be sealed.")
        self.trigger_event(
            self.Completed,
            timestamp=at,
            documents=[
                {"id": document_id.hex, "sha256": one.sha256, "bytes": one.bytes} for document_id, one in sealed.items()
            ],
            certificate_sha256=certificate_sha256,
            retain_until=ids.aureum_time(retain_until),
            provider_event=provider_event,
        )

    def void(self, reason: str | None, at: datetime) -> None:
        """Withdraw what was sent. Voiding twice records nothing. Raises Invalid, WrongState."""
        if self.state == "voided":
            return
        if self.state != "sent":
            raise WrongState(NOT_SENT.format(state=self.state))
        check_reason(reason)
        self.trigger_event(self.Voided, timestamp=at, reason=reason, provider_event=None)

    def expire(self, at: datetime) -> None:
        """End it at its deadline. Before that, and once it has ended, nothing is recorded."""
        if self.state == "sent" and self.is_late(at):
            self.trigger_event(self.Expired, timestamp=at, provider_event=None)

    def purge(self, at: datetime, *, announced: bool = False) -> None:
        """Destroy what is personal, at once if the envelope was never completed. A completed one is purged at the end
        of its time, or two weeks after that was *announced*: then the first call only announces it. Raises
        WrongState."""
        if self.state == "purged":
            return
        self.check_can_end()
        if self.can_be_purged(at):
            self.trigger_event(self.Purged, timestamp=at)
            return
        assert self.retain_until is not None
        if not announced:
            raise WrongState(f"This envelope is kept until {ids.aureum_time(self.retain_until)}.")
        if self.purge_at is None:
            purge_at = min(self.retain_until, at + PURGE_NOTICE)
            self.trigger_event(self.PurgeAnnounced, timestamp=at, purge_at=ids.aureum_time(purge_at))

    def erase(self, at: datetime) -> None:
        """As ``purge``, for those who erase a person. Raises WrongState."""
        self.purge(at)

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

    def act_by_the_clock(self, at: datetime) -> None:
        """What is due at *at*: the envelope expires, or recipients are reminded."""
        self.expire(at)
        for one in list(self.recipients.values()):
            due = self.next_reminder(one)
            if due is not None and due <= at and self.is_open(at):
                self.remind(one.id, at, by_itself=True)

    def invite_next(self, at: datetime) -> None:
        """Invite all whose turn has come."""
        if self.state != "sent":
            return
        for one in list(self.recipients.values()):
            if one.state == "waiting" and one.signs and self.is_turn_of(one):
                self.trigger_event(self.RecipientInvited, timestamp=at, recipient_id=one.id)
