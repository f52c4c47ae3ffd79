"""What may happen to a template of envelopes: its events, and the state that they make of it. The rules are in
``envelope_template``.

The stream has a key of its own, with which the bytes of its documents are encrypted too. Once the template is removed,
the key is destroyed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created, PersonErased
from aureum.domain.envelope_parts import Document, Field, field_of
from aureum.domain.template_roles import Role

TEXTS = ("name", "subject", "message")
SETTINGS = ("in_order", "deadline_days")


class EnvelopeTemplateEvents(Aggregate):
    """The state of a template. ``roles`` are in the order in which they were given."""

    name: str
    subject: str
    message: str | None
    in_order: bool
    deadline_days: int
    created_by: UUID | None
    roles: tuple[Role, ...]
    documents: Mapping[UUID, Document]
    fields: tuple[Field, ...]

    class Event(Aggregate.Event):
        """Base of a template's events."""

    class Added(Event, Created):
        """A template was begun."""

        TOPIC: ClassVar[str] = "envelope_template.added"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(TEXTS)

        name: str
        subject: str
        message: str | None
        in_order: bool
        deadline_days: int
        created_by: UUID | None

        def apply(self, aggregate: "EnvelopeTemplateEvents") -> None:
            aggregate.name = self.name
            aggregate.subject = self.subject
            aggregate.message = self.message
            aggregate.in_order = self.in_order
            aggregate.deadline_days = self.deadline_days
            aggregate.created_by = self.created_by
            aggregate.roles = ()
            aggregate.documents = {}
            aggregate.fields = ()

    class Changed(Event):
        """``texts`` holds those of ``TEXTS`` that changed, ``settings`` those of ``SETTINGS``."""

        TOPIC: ClassVar[str] = "envelope_template.changed"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("texts",))

        texts: dict[str, str | None]
        settings: dict[str, Any]

        def apply(self, aggregate: "EnvelopeTemplateEvents") -> None:
            texts = self.texts if isinstance(self.texts, dict) else {}
            for name, value in {**texts, **self.settings}.items():
                setattr(aggregate, name, value)

    class RolesChanged(Event):
        """All roles as they are from now on. Fields of roles that sign no longer are gone."""

        TOPIC: ClassVar[str] = "envelope_template.roles_changed"

        roles: list[dict[str, Any]]

        def apply(self, aggregate: "EnvelopeTemplateEvents") -> None:
            aggregate.roles = tuple(Role(**one) for one in self.roles)
            signing = {one.id for one in aggregate.roles if one.role == "signer"}
            aggregate.fields = tuple(one for one in aggregate.fields if one.recipient_id in signing)

    class DocumentAttached(Event):
        """A PDF belongs to the template, in the place of the one that it ``replaces``; its bytes are kept apart."""

        TOPIC: ClassVar[str] = "envelope_template.document_attached"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("name", "anchors"))

        document_id: UUID
        name: str
        sha256: str
        bytes: int
        pages: int
        sizes: list[list[float]]
        anchors: list[str]
        replaces: UUID | None

        def apply(self, aggregate: "EnvelopeTemplateEvents") -> None:
            sizes = tuple((wide, high) for wide, high in self.sizes)
            anchors = tuple(self.anchors) if isinstance(self.anchors, list) else ()
            document = Document(self.document_id, self.name, self.sha256, self.bytes, self.pages, anchors, sizes)
            if self.replaces is None:
                aggregate.documents = {**aggregate.documents, document.id: document}
                return
            after = (document if one.id == self.replaces else one for one in aggregate.documents.values())
            aggregate.documents = {one.id: one for one in after}
            aggregate.fields = tuple(
                replace(one, document_id=document.id) if one.document_id == self.replaces else one
                for one in aggregate.fields
            )

    class DocumentRemoved(Event):
        """The document and its fields belong to the template no longer."""

        TOPIC: ClassVar[str] = "envelope_template.document_removed"

        document_id: UUID

        def apply(self, aggregate: "EnvelopeTemplateEvents") -> None:
            aggregate.documents = {one: found for one, found in aggregate.documents.items() if one != self.document_id}
            aggregate.fields = tuple(one for one in aggregate.fields if one.document_id != self.document_id)

    class FieldsPlaced(Event):
        """All fields as they are from now on, as ``Field.recorded`` writes them; the recipient is the role."""

        TOPIC: ClassVar[str] = "envelope_template.fields_placed"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("fields",))

        fields: list[dict[str, Any]]

        def apply(self, aggregate: "EnvelopeTemplateEvents") -> None:
            aggregate.fields = tuple(map(field_of, self.fields)) if isinstance(self.fields, list) else ()

    class Removed(Event, PersonErased):
        """The key was destroyed, and the bytes were deleted."""

        TOPIC: ClassVar[str] = "envelope_template.removed"
