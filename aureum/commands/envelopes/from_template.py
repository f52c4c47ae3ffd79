"""Envelopes that are begun from a template: with copies of its documents, with a person for each of its roles, and with
the fields of the roles."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.envelopes.copying import Copies, append_with_copies, with_stream
from aureum.commands.envelopes.drafting import DraftEnvelope, NewRecipient, new_envelope
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_template import EnvelopeTemplate
from aureum.domain.errors import Invalid
from aureum.domain.template_roles import role_id
from aureum.store.blobs import BlobStore
from aureum.store.event_store import Appended, EventStore, Idempotency, Stream
from aureum.store.metadata import Origin

NO_SUCH_TEMPLATE = "templateId must be the id of a template of this brokerage."


class DraftFromTemplate(BaseModel):
    """A new envelope. None stands for what the template has. ``visible_to`` is the agent who asks."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    template_id: UUID
    subject: str | None = None
    message: str | None = None
    in_order: bool | None = None
    deadline_days: int | None = None
    contact_id: UUID | None = None
    lead_id: UUID | None = None
    provider: str = "built_in"
    recipients: tuple[NewRecipient, ...] = ()
    created_by: UUID | None = None
    visible_to: UUID | None = None


async def draft_from_template(
    store: EventStore,
    blobs: BlobStore,
    command: DraftFromTemplate,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> tuple[Envelope, Appended]:
    """The envelope as it was begun. Raises Invalid, also for a role without a person, QuotaFull, DocumentLost,
    BucketUnavailable, and what ``EventStore.append`` raises."""

    async def begun(of: Stream) -> tuple[Envelope, Appended]:
        template = of.aggregate()
        if not isinstance(template, EnvelopeTemplate) or template.erased or of.subject_key is None:
            raise Invalid("templateId", NO_SUCH_TEMPLATE)
        envelope = await new_envelope(store, draft_of(template, command))
        appended = await append_with_copies(
            store,
            blobs,
            command.tenant_id,
            template.documents.values(),
            of,
            envelope,
            partial(fill, envelope, template),
            command="DraftEnvelope",
            origin=origin,
            idempotency=idempotency,
        )
        return envelope, appended

    return await with_stream(store, command.tenant_id, command.template_id, begun)


def draft_of(template: EnvelopeTemplate, command: DraftFromTemplate) -> DraftEnvelope:
    """The draft without documents. Raises Invalid."""
    return DraftEnvelope(
        tenant_id=command.tenant_id,
        subject=template.subject if command.subject is None else command.subject,
        message=template.message if command.message is None else command.message,
        contact_id=command.contact_id,
        lead_id=command.lead_id,
        template_id=template.id,
        provider=command.provider,
        in_order=template.in_order if command.in_order is None else command.in_order,
        deadline_days=template.deadline_days if command.deadline_days is None else command.deadline_days,
        recipients=tuple(cast_in_roles(template, command.recipients)),
        created_by=command.created_by,
        visible_to=command.visible_to,
    )


def cast_in_roles(template: EnvelopeTemplate, people: Sequence[NewRecipient]) -> list[NewRecipient]:
    """The recipients, each as the role says. A person without a role is an additional recipient. Raises Invalid unless
    each role has exactly one person."""
    roles = {one.name: one for one in template.roles}
    named = [one.template_role for one in people if one.template_role is not None]
    for name in named:
        if name not in roles:
            known = ", ".join(roles) or "none"
            raise Invalid("recipients", f"The template has no role {name}. Its roles: {known}.")
    for name in roles:
        if named.count(name) > 1:
            raise Invalid("recipients", f"Name only one person for the role {name} of the template.")
        if name not in named:
            raise Invalid("recipients", f"Name a person for the role {name} of the template.")
    return [
        one
        if one.template_role is None
        else one.model_copy(update={"role": roles[one.template_role].role, "order": roles[one.template_role].order})
        for one in people
    ]


def fill(envelope: Envelope, template: EnvelopeTemplate, copies: Copies) -> None:
    """Give the envelope the documents, by the ids of their *copies*, and the fields of the roles."""
    at = envelope.modified_on
    for document in template.documents.values():
        envelope.attach(replace(document, id=copies[document.id]), at)
    people = {
        role_id(one.template_role): one.id for one in envelope.recipients.values() if one.template_role is not None
    }
    envelope.place_fields(
        [
            replace(
                one,
                id=ids.new_id(),
                recipient_id=people[one.recipient_id],
                document_id=copies[one.document_id],
            )
            for one in template.fields
        ],
        at,
    )
