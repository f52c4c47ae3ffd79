"""What may happen to an envelope: its events, and the state that they make of it. The rules are in ``envelope``.

The stream has a key of its own. Names, addresses, where a signer was, what was filled in and why an envelope ended are
encrypted with it. Hashes, times, states and the ids of contacts are not, so that the log proves them after the purge.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created, PersonErased
from aureum.domain.envelope_parts import Document, Field, Recipient, Sealed, Signature, field_of, language_or_none
from aureum.domain.moved import Path, moved

SETTINGS = ("contact_id", "lead_id", "provider", "in_order", "deadline_days")
TEXTS = ("subject", "message")
LINKS = ("contact_id", "lead_id")


class EnvelopeEvents(Aggregate):
    """The state of an envelope. ``sealed`` are the documents as they were sealed, by their ids."""

    subject: str
    message: str | None
    contact_id: UUID | None
    moved_from: Path
    lead_id: UUID | None
    template_id: UUID | None
    provider: str
    provider_id: str | None
    in_order: bool
    deadline_days: int
    assigned_to: UUID | None
    created_by: UUID | None
    state: str
    documents: Mapping[UUID, Document]
    recipients: Mapping[UUID, Recipient]
    fields: tuple[Field, ...]
    deadline: datetime | None
    remind_after_days: tuple[int, ...]
    sent_at: datetime | None
    completed_at: datetime | None
    ended_reason: str | None
    retain_until: datetime | None
    purge_at: datetime | None
    sealed: Mapping[UUID, Sealed]
    certificate_sha256: str | None
    provider_events: frozenset[str]

    def set_recipient(self, recipient_id: UUID, **values: Any) -> None:
        """Another state of one recipient."""
        changed = replace(self.recipients[recipient_id], **values)
        self.recipients = {**self.recipients, recipient_id: changed}

    def heard(self, provider_event: str | None) -> None:
        """The provider has told of this event."""
        if provider_event is not None:
            self.provider_events |= {provider_event}

    class Event(Aggregate.Event):
        """Base of an envelope's events."""

    class Drafted(Event, Created):
        """An envelope was begun. ``assigned_to`` is the agent of its lead."""

        TOPIC: ClassVar[str] = "envelope.drafted"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(TEXTS)

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

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.subject = self.subject
            aggregate.message = self.message
            aggregate.contact_id = self.contact_id
            aggregate.moved_from = ()
            aggregate.lead_id = self.lead_id
            aggregate.template_id = self.template_id
            aggregate.provider = self.provider
            aggregate.in_order = self.in_order
            aggregate.deadline_days = self.deadline_days
            aggregate.assigned_to = self.assigned_to
            aggregate.created_by = self.created_by
            aggregate.state = "draft"
            aggregate.documents = {}
            aggregate.recipients = {}
            aggregate.fields = ()
            aggregate.deadline = aggregate.sent_at = aggregate.completed_at = None
            aggregate.retain_until = aggregate.purge_at = None
            aggregate.ended_reason = aggregate.certificate_sha256 = aggregate.provider_id = None
            aggregate.remind_after_days = ()
            aggregate.sealed = {}
            aggregate.provider_events = frozenset()

    class DraftChanged(Event):
        """``texts`` holds those of ``TEXTS`` that changed, ``settings`` those of ``SETTINGS``, ids as hex digits."""

        TOPIC: ClassVar[str] = "envelope.draft_changed"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("texts",))

        texts: dict[str, str | None]
        settings: dict[str, Any]

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            texts = self.texts if isinstance(self.texts, dict) else {}
            for name, value in texts.items():
                setattr(aggregate, name, value)
            for name, value in self.settings.items():
                setattr(aggregate, name, linked(value) if name in LINKS else value)
            if "contact_id" in self.settings:
                aggregate.moved_from = ()

    class Assigned(Event):
        """Another agent has the envelope's lead now."""

        TOPIC: ClassVar[str] = "envelope.assigned"

        previous: UUID | None
        assigned_to: UUID | None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.assigned_to = self.assigned_to

    class ContactChanged(Event):
        """The envelope's contact was merged into another one, or that was undone."""

        TOPIC: ClassVar[str] = "envelope.contact_changed"

        previous: UUID
        contact_id: UUID

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.moved_from = moved(aggregate.moved_from, self.previous, self.contact_id)
            aggregate.contact_id = self.contact_id

    class DocumentAttached(Event):
        """A PDF belongs to the envelope; its bytes are kept apart."""

        TOPIC: ClassVar[str] = "envelope.document_attached"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("name", "anchors"))

        document_id: UUID
        name: str
        sha256: str
        bytes: int
        pages: int
        sizes: list[list[float]]
        anchors: list[str]

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            sizes = tuple((wide, high) for wide, high in self.sizes)
            anchors = tuple(self.anchors) if isinstance(self.anchors, list) else ()
            document = Document(self.document_id, self.name, self.sha256, self.bytes, self.pages, anchors, sizes)
            aggregate.documents = {**aggregate.documents, self.document_id: document}

    class DocumentRemoved(Event):
        """The document and its fields belong to the envelope no longer."""

        TOPIC: ClassVar[str] = "envelope.document_removed"

        document_id: UUID

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.documents = {one: found for one, found in aggregate.documents.items() if one != self.document_id}
            aggregate.fields = tuple(one for one in aggregate.fields if one.document_id != self.document_id)

    class RecipientAdded(Event):
        """A person is to sign, or to get a copy."""

        TOPIC: ClassVar[str] = "envelope.recipient_added"
        class_version: ClassVar[int] = 2
        OPTIONAL_SINCE: ClassVar[Mapping[int, tuple[str, ...]]] = {2: ("language",)}
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("name", "email", "language"))

        recipient_id: UUID
        role: str
        name: str
        email: str
        contact_id: UUID | None
        order: int
        template_role: str | None
        language: str | None

        @staticmethod
        def upcast_v1_v2(data: dict[str, Any]) -> None:
            """A sender could not say yet in which language the recipient reads."""
            data["language"] = None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            one = Recipient(
                id=self.recipient_id,
                role=self.role,
                name=self.name,
                email=self.email,
                contact_id=self.contact_id,
                order=self.order,
                template_role=self.template_role,
                language=language_or_none(self.language),
            )
            aggregate.recipients = {**aggregate.recipients, one.id: one}

    class RecipientRemoved(Event):
        """The recipient and its fields belong to the envelope no longer."""

        TOPIC: ClassVar[str] = "envelope.recipient_removed"

        recipient_id: UUID

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            left = {one: found for one, found in aggregate.recipients.items() if one != self.recipient_id}
            aggregate.recipients = left
            aggregate.fields = tuple(one for one in aggregate.fields if one.recipient_id != self.recipient_id)

    class FieldsPlaced(Event):
        """All fields as they are from now on, as ``Field.recorded`` writes them."""

        TOPIC: ClassVar[str] = "envelope.fields_placed"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("fields",))

        fields: list[dict[str, Any]]

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.fields = tuple(map(field_of, self.fields)) if isinstance(self.fields, list) else ()

    class Sent(Event):
        """The documents are fixed, and the recipients are asked to sign."""

        TOPIC: ClassVar[str] = "envelope.sent"

        provider: str
        in_order: bool
        deadline: str
        remind_after_days: list[int]

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.state = "sent"
            aggregate.sent_at = self.timestamp
            aggregate.deadline = datetime.fromisoformat(self.deadline)
            aggregate.remind_after_days = tuple(self.remind_after_days)

    class ProviderLinked(Event):
        """The provider knows the envelope by this id."""

        TOPIC: ClassVar[str] = "envelope.provider_linked"

        provider_id: str

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.provider_id = self.provider_id

    class RecipientInvited(Event):
        """The recipient's turn has come: a mail tells of it."""

        TOPIC: ClassVar[str] = "envelope.recipient_invited"

        recipient_id: UUID

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.set_recipient(self.recipient_id, state="invited", invited_at=self.timestamp)

    class RecipientReminded(Event):
        """A mail reminds the recipient. Staff, or the worker (``by_itself``), have sent it."""

        TOPIC: ClassVar[str] = "envelope.recipient_reminded"

        recipient_id: UUID
        by_itself: bool

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            sent = aggregate.recipients[self.recipient_id].reminders + self.by_itself
            aggregate.set_recipient(self.recipient_id, reminded_at=self.timestamp, reminders=sent)

    class RecipientReassigned(Event):
        """Another person takes the recipient's place, with its order and fields."""

        TOPIC: ClassVar[str] = "envelope.recipient_reassigned"
        class_version: ClassVar[int] = 2
        OPTIONAL_SINCE: ClassVar[Mapping[int, tuple[str, ...]]] = {2: ("language",)}
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("name", "email", "language"))

        recipient_id: UUID
        new_id: UUID
        name: str
        email: str
        contact_id: UUID | None
        language: str | None

        @staticmethod
        def upcast_v1_v2(data: dict[str, Any]) -> None:
            """A sender could not say yet in which language the recipient reads."""
            data["language"] = None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            old = aggregate.recipients[self.recipient_id]
            new = Recipient(
                id=self.new_id,
                role=old.role,
                name=self.name,
                email=self.email,
                contact_id=self.contact_id,
                order=old.order,
                template_role=old.template_role,
                language=language_or_none(self.language),
            )
            aggregate.set_recipient(self.recipient_id, state="reassigned")
            aggregate.recipients = {**aggregate.recipients, new.id: new}
            aggregate.fields = tuple(
                replace(one, recipient_id=new.id) if one.recipient_id == old.id else one for one in aggregate.fields
            )

    class DeadlineExtended(Event):
        """The recipients have more time."""

        TOPIC: ClassVar[str] = "envelope.deadline_extended"

        previous: str
        deadline: str

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.deadline = datetime.fromisoformat(self.deadline)

    class Viewed(Event):
        """The recipient opened the documents for the first time."""

        TOPIC: ClassVar[str] = "envelope.viewed"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("address", "program"))

        recipient_id: UUID
        address: str | None
        program: str | None
        provider_event: str | None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.heard(self.provider_event)
            aggregate.set_recipient(self.recipient_id, state="viewed", viewed_at=self.timestamp)

    class Consented(Event):
        """The recipient agreed to electronic records, by this version of the text."""

        TOPIC: ClassVar[str] = "envelope.consented"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("address", "program"))

        recipient_id: UUID
        text_version: str
        address: str | None
        program: str | None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.set_recipient(
                self.recipient_id,
                state="consented",
                consented_at=self.timestamp,
                consent_version=self.text_version,
            )

    class Signed(Event):
        """The recipient signed. ``shown`` has the SHA-256 of each document by its id in hex digits, as the signer saw
        it; ``values`` what was filled in by the fields' ids; ``signed_in_at`` when the person proved the address."""

        TOPIC: ClassVar[str] = "envelope.signed"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("values", "typed", "address", "program"))

        recipient_id: UUID
        shown: dict[str, str]
        method: str
        typed: str | None
        image_id: UUID | None
        image_sha256: str | None
        values: dict[str, str]
        address: str | None
        program: str | None
        signed_in_at: str | None
        provider_event: str | None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.heard(self.provider_event)
            aggregate.set_recipient(
                self.recipient_id,
                state="signed",
                signed_at=self.timestamp,
                signature=Signature(self.method, self.typed, self.image_id, self.image_sha256),
                values=self.values if isinstance(self.values, dict) else {},
            )
            if all(one.state == "signed" for one in aggregate.recipients.values() if one.signs):
                aggregate.state = "completing"

    class Declined(Event):
        """The recipient does not sign, and the envelope has ended."""

        TOPIC: ClassVar[str] = "envelope.declined"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("reason", "address", "program"))

        recipient_id: UUID
        reason: str | None
        address: str | None
        program: str | None
        provider_event: str | None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.heard(self.provider_event)
            aggregate.set_recipient(self.recipient_id, state="declined", declined_reason=self.reason)
            aggregate.state = "declined"
            aggregate.ended_reason = self.reason

    class Completed(Event):
        """The documents are sealed. ``documents`` has of each its ``id`` in hex digits, and the ``sha256`` and
        ``bytes`` of the sealed file."""

        TOPIC: ClassVar[str] = "envelope.completed"

        documents: list[dict[str, Any]]
        certificate_sha256: str | None
        retain_until: str
        provider_event: str | None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.heard(self.provider_event)
            aggregate.state = "completed"
            aggregate.completed_at = self.timestamp
            aggregate.retain_until = datetime.fromisoformat(self.retain_until)
            aggregate.sealed = {UUID(one["id"]): Sealed(one["sha256"], one["bytes"]) for one in self.documents}
            aggregate.certificate_sha256 = self.certificate_sha256

    class Voided(Event):
        """The sender withdrew it."""

        TOPIC: ClassVar[str] = "envelope.voided"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("reason",))

        reason: str | None
        provider_event: str | None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.heard(self.provider_event)
            aggregate.state = "voided"
            aggregate.ended_reason = self.reason

    class Expired(Event):
        """Its deadline passed."""

        TOPIC: ClassVar[str] = "envelope.expired"

        provider_event: str | None

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.heard(self.provider_event)
            aggregate.state = "expired"
            for one in list(aggregate.recipients.values()):
                if one.signs and one.state != "signed":
                    aggregate.set_recipient(one.id, state="expired")

    class PurgeAnnounced(Event):
        """An owner has it purged earlier than the law of the brokerage says, and the recipients are told."""

        TOPIC: ClassVar[str] = "envelope.purge_announced"

        purge_at: str

        def apply(self, aggregate: "EnvelopeEvents") -> None:
            aggregate.purge_at = datetime.fromisoformat(self.purge_at)

    class Purged(Event, PersonErased):
        """The key was destroyed, and the bytes were deleted. The hashes remain."""

        TOPIC: ClassVar[str] = "envelope.purged"

        def apply(self, aggregate: Aggregate) -> None:
            super().apply(aggregate)
            assert isinstance(aggregate, EnvelopeEvents)
            aggregate.state = "purged"


def linked(stream_id: UUID | str | None) -> UUID | None:
    """The id of a link, which is hex digits where it is recorded among settings."""
    return UUID(stream_id) if isinstance(stream_id, str) else stream_id
