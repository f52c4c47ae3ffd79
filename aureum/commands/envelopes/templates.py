"""Templates of envelopes: added, changed, filled with documents, roles and fields, removed."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change
from aureum.commands.conflicts import deciding_again
from aureum.commands.erasing_streams import erase_streams
from aureum.domain import ids
from aureum.domain.envelope_parts import Document, Field
from aureum.domain.envelope_rules import DEADLINE_DAYS
from aureum.domain.envelope_template import EnvelopeTemplate, TemplateFields
from aureum.domain.errors import NotFound, StaleVersion
from aureum.domain.template_roles import Role
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

NO_TEMPLATE = "There is no such template."


class AddTemplate(BaseModel):
    """A new template. None stands for the default."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    name: str
    subject: str
    message: str | None = None
    in_order: bool | None = None
    deadline_days: int | None = None
    roles: tuple[Role, ...] = ()
    created_by: UUID | None = None


class TemplateRef(BaseModel):
    """A template. ``expected_versions`` is the caller's If-Match."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    template_id: UUID
    expected_versions: frozenset[int] | None = None


class ChangeTemplate(TemplateRef):
    """Only what is set changes. ``roles`` and ``fields`` replace those of before."""

    changes: dict[str, Any] = {}
    roles: tuple[Role, ...] | None = None
    fields: tuple[Field, ...] | None = None


class AttachTemplateDocument(TemplateRef):
    """A PDF whose bytes are kept already, under the document's id. It takes the place of the one it ``replaces``."""

    document: Document
    replaces: UUID | None = None


class RemoveTemplateDocument(TemplateRef):
    """The document belongs to the template no longer."""

    document_id: UUID


class RemoveTemplate(TemplateRef):
    """Destroy the template and its documents. Envelopes that were begun from it stay."""


async def add_template(
    store: EventStore, command: AddTemplate, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[EnvelopeTemplate, Appended]:
    """The new template. Raises Invalid, and what ``EventStore.append`` raises."""
    template = new_template(command)
    appended = await store.append(
        command.tenant_id, template, NO_STREAM, command="AddTemplate", origin=origin, idempotency=idempotency
    )
    return template, appended


def new_template(command: AddTemplate) -> EnvelopeTemplate:
    """The template, not appended yet. Raises Invalid."""
    at = ids.now()
    fields = TemplateFields(
        name=command.name,
        subject=command.subject,
        message=command.message,
        in_order=True if command.in_order is None else command.in_order,
        deadline_days=DEADLINE_DAYS if command.deadline_days is None else command.deadline_days,
        created_by=command.created_by,
    )
    template = EnvelopeTemplate.add(ids.new_id(), at, fields)
    template.change_roles(command.roles, at)
    return template


async def change_template(store: EventStore, command: ChangeTemplate, origin: Origin) -> EnvelopeTemplate:
    """The template as it is afterwards; what holds already records nothing. Raises NotFound, StaleVersion, Invalid,
    Conflict, and what ``EventStore.append`` raises."""

    def decide(template: EnvelopeTemplate, at: datetime) -> None:
        template.change(command.changes, at)
        if command.roles is not None:
            template.change_roles(command.roles, at)
        if command.fields is not None:
            template.place_fields(command.fields, at)

    template, _ = await changed(store, command, decide, "ChangeTemplate", origin)
    return template


async def attach_template_document(
    store: EventStore, command: AttachTemplateDocument, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[EnvelopeTemplate, Appended]:
    """The template with the document; the same document again records nothing. Raises NotFound, Invalid, Conflict, and
    what ``EventStore.append`` raises."""
    return await changed(
        store,
        command,
        lambda template, at: template.attach(command.document, at, command.replaces),
        "AttachTemplateDocument",
        origin,
        idempotency,
    )


async def remove_template_document(
    store: EventStore, command: RemoveTemplateDocument, origin: Origin
) -> EnvelopeTemplate:
    """The template without the document. Raises NotFound, StaleVersion, Conflict, and what ``EventStore.append``
    raises."""
    template, _ = await changed(
        store,
        command,
        lambda template, at: template.remove_document(command.document_id, at),
        "RemoveTemplateDocument",
        origin,
    )
    return template


async def remove_template(store: EventStore, command: RemoveTemplate, origin: Origin) -> None:
    """Remove the template. Raises NotFound, StaleVersion, Conflict, Busy, Unavailable."""
    template = (await store.load(command.tenant_id, command.template_id)).aggregate()
    if not isinstance(template, EnvelopeTemplate) or template.erased:
        raise NotFound(NO_TEMPLATE)
    if command.expected_versions is not None and template.version not in command.expected_versions:
        raise StaleVersion
    removing = partial(erase_streams, store, command.tenant_id, [command.template_id], origin, command="RemoveTemplate")
    await deciding_again(removing)


async def changed(
    store: EventStore,
    command: TemplateRef,
    decide: Callable[[EnvelopeTemplate, datetime], None],
    name: str,
    origin: Origin,
    idempotency: Idempotency | None = None,
) -> tuple[EnvelopeTemplate, Appended]:
    """The template after *decide*. Raises NotFound, StaleVersion, what *decide* raises, Conflict, and what
    ``EventStore.append`` raises."""
    return await change(
        store,
        command.tenant_id,
        command.template_id,
        EnvelopeTemplate,
        decide,
        command=name,
        origin=origin,
        missing=NO_TEMPLATE,
        expected_versions=command.expected_versions,
        idempotency=idempotency,
    )
