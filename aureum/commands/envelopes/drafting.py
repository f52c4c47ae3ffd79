"""Drafts of envelopes: begun, changed, filled with documents, recipients and fields."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change
from aureum.commands.references import answering, check_links
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_draft import EnvelopeFields
from aureum.domain.envelope_events import LINKS
from aureum.domain.envelope_parts import Document, Field, Recipient
from aureum.domain.envelope_rules import DEADLINE_DAYS, NO_RECIPIENT
from aureum.domain.errors import Invalid
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

NO_ENVELOPE = "There is no such envelope."

AGENT = """
SELECT l.assigned_to FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.lead_id = %(lead)s
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""


class NewRecipient(BaseModel):
    """A person who is to sign or to get a copy. With ``id`` it is one that the draft has already."""

    model_config = ConfigDict(frozen=True)

    id: UUID | None = None
    role: str = "signer"
    name: str
    email: str
    contact_id: UUID | None = None
    order: int = 1
    template_role: str | None = None
    language: str | None = None


class EnvelopeRef(BaseModel):
    """An envelope. ``visible_to`` is the agent who asks, ``expected_versions`` the caller's If-Match."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    envelope_id: UUID
    visible_to: UUID | None = None
    expected_versions: frozenset[int] | None = None


class DraftEnvelope(BaseModel):
    """A new envelope. ``visible_to`` is the agent who asks."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    subject: str
    message: str | None = None
    contact_id: UUID | None = None
    lead_id: UUID | None = None
    template_id: UUID | None = None
    provider: str = "built_in"
    in_order: bool = True
    deadline_days: int = DEADLINE_DAYS
    recipients: tuple[NewRecipient, ...] = ()
    created_by: UUID | None = None
    visible_to: UUID | None = None


class ChangeDraft(EnvelopeRef):
    """Only what is set changes. ``changes`` are by the names of ``TEXTS`` and ``SETTINGS``; ``recipients`` and
    ``fields`` are all of them from now on."""

    changes: dict[str, Any] = {}
    recipients: tuple[NewRecipient, ...] | None = None
    fields: tuple[Field, ...] | None = None


class AttachDocument(EnvelopeRef):
    """A PDF whose bytes are kept already, under the document's id."""

    document: Document


class RemoveDocument(EnvelopeRef):
    """The document is not to be sent."""

    document_id: UUID


async def draft_envelope(
    store: EventStore, command: DraftEnvelope, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope as it was begun. Raises Invalid, also for a link that is not of this brokerage, and what
    ``EventStore.append`` raises."""
    envelope = await new_envelope(store, command)
    appended = await store.append(
        command.tenant_id, envelope, NO_STREAM, command="DraftEnvelope", origin=origin, idempotency=idempotency
    )
    return envelope, appended


async def new_envelope(store: EventStore, command: DraftEnvelope) -> Envelope:
    """The envelope, not appended yet. Raises Invalid."""
    links = {"contact_id": command.contact_id, "lead_id": command.lead_id}
    await check_links(store, command.tenant_id, links, command.visible_to)
    await check_contacts(store, command.tenant_id, command.recipients)
    at = ids.now()
    fields = EnvelopeFields(
        subject=command.subject,
        message=command.message,
        contact_id=await answering(store, command.tenant_id, command.contact_id),
        lead_id=command.lead_id,
        template_id=command.template_id,
        provider=command.provider,
        in_order=command.in_order,
        deadline_days=command.deadline_days,
        assigned_to=await agent_of(store, command.tenant_id, command.lead_id),
        created_by=command.created_by,
    )
    envelope = Envelope.draft(ids.new_id(), at, fields)
    for one in command.recipients:
        envelope.add_recipient(made(one), at)
    return envelope


async def change_draft(store: EventStore, command: ChangeDraft, origin: Origin) -> Envelope:
    """The envelope as it is afterwards; what holds already records nothing.

    Raises NotFound, StaleVersion, Invalid, WrongState for one that was sent, and what ``EventStore.append`` raises.
    """
    changes = dict(command.changes)
    links: dict[str, UUID | None] = {name: changes[name] for name in LINKS if name in changes}
    await check_links(store, command.tenant_id, links, command.visible_to)
    await check_contacts(store, command.tenant_id, command.recipients or ())
    if "contact_id" in changes:
        changes["contact_id"] = await answering(store, command.tenant_id, changes["contact_id"])
    agent = await agent_of(store, command.tenant_id, changes.get("lead_id"))

    def decide(envelope: Envelope, at: datetime) -> None:
        envelope.change(changes, at)
        if "lead_id" in changes:
            envelope.assign(agent, at)
        if command.recipients is not None:
            change_recipients(envelope, command.recipients, at)
        if command.fields is not None:
            envelope.place_fields(command.fields, at)

    envelope, _ = await changed(store, command, decide, "ChangeDraft", origin)
    return envelope


def change_recipients(envelope: Envelope, wanted: Sequence[NewRecipient], at: datetime) -> None:
    """Make *wanted* the recipients of a draft. One that goes on with another name or address keeps its id and fields.
    Raises Invalid, WrongState."""
    envelope.check_draft()
    known = envelope.recipients
    if any(one.id is not None and one.id not in known for one in wanted):
        raise Invalid("recipients", NO_RECIPIENT)
    if len({one.id for one in wanted if one.id is not None}) < sum(one.id is not None for one in wanted):
        raise Invalid("recipients", "Each recipient can stand in the list once.")
    all_of = [made(playing(one, known)) for one in wanted]
    if all_of == list(known.values()):
        return
    fields = envelope.fields
    kept = {one.id for one in all_of if known.get(one.id) == one}
    for recipient_id in [one for one in known if one not in kept]:
        envelope.remove_recipient(recipient_id, at)
    for one in all_of:
        if one.id not in kept:
            envelope.add_recipient(one, at)
    there = {one.id for one in envelope.recipients.values() if one.role == "signer"}
    envelope.place_fields([field for field in fields if field.recipient_id in there], at)


def playing(one: NewRecipient, known: Mapping[UUID, Recipient]) -> NewRecipient:
    """The person, who goes on playing the role of the template that the recipient had."""
    before = None if one.id is None else known.get(one.id)
    return one if before is None else one.model_copy(update={"template_role": before.template_role})


async def attach_document(
    store: EventStore, command: AttachDocument, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope with the document; the same document again records nothing. Raises NotFound, Invalid, WrongState for
    one that was sent, and what ``EventStore.append`` raises."""
    return await changed(
        store,
        command,
        lambda envelope, at: envelope.attach(command.document, at),
        "AttachDocument",
        origin,
        idempotency,
    )


async def remove_document(store: EventStore, command: RemoveDocument, origin: Origin) -> Envelope:
    """The envelope without the document. Raises NotFound, StaleVersion, WrongState for one that was sent, and what
    ``EventStore.append`` raises."""
    envelope, _ = await changed(
        store,
        command,
        lambda envelope, at: envelope.remove_document(command.document_id, at),
        "RemoveDocument",
        origin,
    )
    return envelope


async def changed(
    store: EventStore,
    command: EnvelopeRef,
    decide: Callable[[Envelope, datetime], None],
    name: str,
    origin: Origin,
    idempotency: Idempotency | None = None,
) -> tuple[Envelope, Appended]:
    """The envelope after *decide*. Raises NotFound, StaleVersion, what *decide* raises, Conflict, and what
    ``EventStore.append`` raises."""
    return await change(
        store,
        command.tenant_id,
        command.envelope_id,
        Envelope,
        decide,
        command=name,
        origin=origin,
        missing=NO_ENVELOPE,
        visible_to=command.visible_to,
        expected_versions=command.expected_versions,
        idempotency=idempotency,
    )


async def agent_of(store: EventStore, tenant_id: UUID, lead_id: UUID | None) -> UUID | None:
    """The agent of the lead."""
    if lead_id is None:
        return None
    rows = await store.database.tenant_rows(tenant_id, AGENT, {"tenant": tenant_id, "lead": lead_id})
    agent: UUID | None = rows[0][0] if rows else None
    return agent


async def check_contacts(store: EventStore, tenant_id: UUID, recipients: Sequence[NewRecipient]) -> None:
    """Raises Invalid unless the contacts that recipients are linked to are of this brokerage."""
    for contact_id in {one.contact_id for one in recipients}:
        await check_links(store, tenant_id, {"contact_id": contact_id})


def made(one: NewRecipient) -> Recipient:
    """The recipient as it waits for the envelope to be sent."""
    return replace(
        Recipient(
            id=one.id or ids.new_id(),
            role=one.role,
            name=one.name,
            email=one.email,
            contact_id=one.contact_id,
            order=one.order,
            language=one.language,
        ),
        template_role=one.template_role,
    )
