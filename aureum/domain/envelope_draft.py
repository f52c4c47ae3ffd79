"""A draft of an envelope: what it says, its documents, its recipients and the fields that they fill in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from aureum.domain.envelope_events import SETTINGS, TEXTS
from aureum.domain.envelope_parts import (
    LONGEST_ORDER,
    MOST_DOCUMENTS,
    MOST_FIELDS,
    MOST_RECIPIENTS,
    ROLES,
    Document,
    Field,
    Recipient,
    check_document,
    check_field,
    check_language,
    check_person,
)
from aureum.domain.envelope_rules import NO_DOCUMENT, EnvelopeRules, check_settings
from aureum.domain.errors import Invalid, NotFound


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


class EnvelopeDraft(EnvelopeRules):
    """What is decided before an envelope is sent, and what goes along with its lead and its contact at any time."""

    def __init__(self) -> None:
        """As in ``EnvelopeRules``."""

    @classmethod
    def draft(cls, envelope_id: UUID, at: datetime, fields: EnvelopeFields) -> Self:
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
        self.check_room()
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
        check_language(recipient.language)
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
            language=recipient.language,
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

    def check_room(self) -> None:
        """Raises Invalid if it can have no further document."""
        if len(self.documents) >= MOST_DOCUMENTS:
            raise Invalid("documents", f"An envelope has at most {MOST_DOCUMENTS} documents. Remove one first.")
