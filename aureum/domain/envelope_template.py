"""A template of a brokerage's envelopes: documents, the roles that persons play in them, and the fields of each role.

An envelope that is begun from it gets copies of the documents, so that what is done to the template later changes no
envelope.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.envelope_parts import (
    MOST_DOCUMENTS,
    MOST_FIELDS,
    MOST_RECIPIENTS,
    Document,
    Field,
    Recipient,
    check_document,
    check_field,
)
from aureum.domain.envelope_rules import NO_DOCUMENT, check_settings
from aureum.domain.envelope_template_events import SETTINGS, TEXTS, EnvelopeTemplateEvents
from aureum.domain.errors import Invalid, NotFound
from aureum.domain.template_roles import Role, check_role

LONGEST_TEMPLATE_NAME = 100


@dataclass(frozen=True, kw_only=True)
class TemplateFields:
    """What a template is begun with; each caller says all of it. ``created_by`` is None for a key."""

    name: str
    subject: str
    message: str | None
    in_order: bool
    deadline_days: int
    created_by: UUID | None


class EnvelopeTemplate(EnvelopeTemplateEvents):
    """The aggregate."""

    def __init__(self) -> None:
        """Added.apply assigns everything."""

    @classmethod
    def add(cls, template_id: UUID, at: datetime, fields: TemplateFields) -> "EnvelopeTemplate":
        """A new template without roles and documents. Raises Invalid."""
        check_texts(vars(fields))
        return cls._create(cls.Added, id=template_id, timestamp=at, **vars(fields))

    @property
    def kept_documents(self) -> Collection[UUID]:
        """The ids of all bytes that belong to it."""
        return () if self.erased else self.documents.keys()

    def change(self, changes: Mapping[str, Any], at: datetime) -> None:
        """Change some of ``TEXTS`` and ``SETTINGS``. Raises Invalid."""
        changed = {name: value for name, value in changes.items() if value != getattr(self, name)}
        if not changed:
            return
        check_texts(changed)
        self.trigger_event(
            self.Changed,
            timestamp=at,
            texts={name: value for name, value in changed.items() if name in TEXTS},
            settings={name: value for name, value in changed.items() if name in SETTINGS},
        )

    def change_roles(self, roles: Sequence[Role], at: datetime) -> None:
        """All roles from now on. Raises Invalid."""
        if len(roles) > MOST_RECIPIENTS:
            raise Invalid("roles", f"A template has at most {MOST_RECIPIENTS} roles.")
        if len({one.name for one in roles}) < len(roles):
            raise Invalid("roles", "Each role needs a name of its own.")
        for one in roles:
            check_role(one)
        if tuple(roles) != self.roles:
            self.trigger_event(self.RolesChanged, timestamp=at, roles=[asdict(one) for one in roles])

    def attach(self, document: Document, at: datetime, replaces: UUID | None = None) -> None:
        """Add a PDF, or put it in the place of another one, whose fields stay where the new one has their mark or their
        place. The same PDF again records nothing. Raises Invalid, NotFound."""
        if document.id in self.documents:
            return
        check_document(document.name, document.sha256, document.bytes, document.pages)
        self.check_room(replaces)
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
            replaces=replaces,
        )
        self.place_fields([one for one in self.fields if one.document_id != document.id or self.fits(one)], at)

    def remove_document(self, document_id: UUID, at: datetime) -> None:
        """Take a document out, with its fields. Raises NotFound."""
        if document_id not in self.documents:
            raise NotFound(NO_DOCUMENT)
        self.trigger_event(self.DocumentRemoved, timestamp=at, document_id=document_id)

    def place_fields(self, fields: Sequence[Field], at: datetime) -> None:
        """All fields from now on. Raises Invalid."""
        if len(fields) > MOST_FIELDS:
            raise Invalid("fields", f"A template has at most {MOST_FIELDS} fields.")
        if len({one.id for one in fields}) < len(fields):
            raise Invalid("fields", "Each field needs an id of its own.")
        for one in fields:
            self.check_place_of(one)
        if tuple(fields) != self.fields:
            self.trigger_event(self.FieldsPlaced, timestamp=at, fields=[one.recorded() for one in fields])

    def erase(self, at: datetime) -> None:
        """Remove it."""
        if not self.erased:
            self.trigger_event(self.Removed, timestamp=at)

    def check_room(self, replaces: UUID | None = None) -> None:
        """Raises Invalid if it can have no further document, NotFound if it does not have the one that is replaced."""
        if replaces is not None:
            if replaces not in self.documents:
                raise NotFound(NO_DOCUMENT)
        elif len(self.documents) >= MOST_DOCUMENTS:
            raise Invalid("documents", f"A template has at most {MOST_DOCUMENTS} documents. Remove one first.")

    def fits(self, one: Field) -> bool:
        """Whether the document of the field has its mark or its place."""
        try:
            self.check_place_of(one)
        except Invalid:
            return False
        return True

    def check_place_of(self, one: Field) -> None:
        """Raises Invalid for a field of no document or role, at no anchor, or outside of its page."""
        signing = {
            role.id: Recipient(role.id, role.role, role.name, "", None, role.order)
            for role in self.roles
            if role.role == "signer"
        }
        document = self.documents.get(one.document_id)
        if document is None:
            raise Invalid("fields", "documentId of a field must be the id of a document of this template.")
        if one.recipient_id not in signing:
            raise Invalid("fields", "role of a field must be a role of this template that signs.")
        check_field(one, self.documents, signing)
        if one.anchor is not None and one.anchor not in document.anchors:
            raise Invalid("fields", f"The anchor {one.anchor} does not stand in {document.name}.")


def check_texts(values: Mapping[str, Any]) -> None:
    """Raises Invalid for the first that breaks a rule; those that are not there break none."""
    if "name" in values and not (values["name"] or "").strip():
        raise Invalid("name", "name must not be blank.")
    if len(values.get("name") or "") > LONGEST_TEMPLATE_NAME:
        raise Invalid("name", f"name must have at most {LONGEST_TEMPLATE_NAME} characters.")
    check_settings(values)
