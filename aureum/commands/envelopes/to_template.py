"""Templates that are made from an envelope: with copies of its documents, a role for each of its recipients, and their
fields.

What the envelope says about persons stays behind: their names and addresses, the subject and message of its mail, and
what they filled in. A template outlives the erasure of a person.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from uuid import UUID

from aureum.commands.envelopes.copying import Copies, append_with_copies, with_stream
from aureum.commands.envelopes.templates import AddTemplate, new_template
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Recipient
from aureum.domain.envelope_template import EnvelopeTemplate
from aureum.domain.errors import Invalid
from aureum.domain.template_roles import Role
from aureum.store.blobs import BlobStore
from aureum.store.event_store import Appended, EventStore, Idempotency, Stream
from aureum.store.metadata import Origin

NO_SUCH_ENVELOPE = "envelopeId must be the id of an envelope of this brokerage whose documents were not deleted."
OWN_ROLES = "roles cannot be sent with envelopeId: they are made from the recipients. Change them afterwards."


async def add_template_of_envelope(
    store: EventStore,
    blobs: BlobStore,
    envelope_id: UUID,
    command: AddTemplate,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> tuple[EnvelopeTemplate, Appended]:
    """The new template, with the documents and fields of the envelope. Raises Invalid, QuotaFull, DocumentLost,
    BucketUnavailable, and what ``EventStore.append`` raises."""
    if command.roles:
        raise Invalid("roles", OWN_ROLES)

    async def made(of: Stream) -> tuple[EnvelopeTemplate, Appended]:
        envelope = of.aggregate()
        if not isinstance(envelope, Envelope) or envelope.erased or of.subject_key is None:
            raise Invalid("envelopeId", NO_SUCH_ENVELOPE)
        roles = roles_of(envelope)
        template = new_template(of_envelope(command, envelope, roles))
        appended = await append_with_copies(
            store,
            blobs,
            command.tenant_id,
            envelope.documents.values(),
            of,
            template,
            partial(fill, template, envelope, roles),
            command="AddTemplate",
            origin=origin,
            idempotency=idempotency,
        )
        return template, appended

    return await with_stream(store, command.tenant_id, envelope_id, made)


def of_envelope(command: AddTemplate, envelope: Envelope, roles: Mapping[UUID, Role]) -> AddTemplate:
    """The template without documents. None stands for what the envelope has."""
    return command.model_copy(
        update={
            "in_order": envelope.in_order if command.in_order is None else command.in_order,
            "deadline_days": envelope.deadline_days if command.deadline_days is None else command.deadline_days,
            "roles": tuple(roles.values()),
        }
    )


def roles_of(envelope: Envelope) -> dict[UUID, Role]:
    """The role of each recipient who was not replaced: the role of the template that the envelope was begun from, or
    else ``signer 1``, ``signer 2``, ``copy 1``."""
    there = [one for one in envelope.recipients.values() if one.state != "reassigned"]
    roles: dict[UUID, Role] = {}
    taken = {one.template_role for one in there}
    for one in there:
        name = one.template_role or free_name(one, taken)
        taken.add(name)
        roles[one.id] = Role(name, one.role, one.order)
    return roles


def free_name(one: Recipient, taken: set[str | None]) -> str:
    """The first name of its kind that is not taken."""
    return next(name for number in range(1, len(taken) + 2) if (name := f"{one.role} {number}") not in taken)


def fill(template: EnvelopeTemplate, envelope: Envelope, roles: Mapping[UUID, Role], copies: Copies) -> None:
    """Give the template the documents, by the ids of their *copies*, and the fields of the recipients."""
    at = template.modified_on
    for document in envelope.documents.values():
        template.attach(replace(document, id=copies[document.id]), at)
    template.place_fields(
        [
            replace(one, id=ids.new_id(), recipient_id=roles[one.recipient_id].id, document_id=copies[one.document_id])
            for one in envelope.fields
            if one.recipient_id in roles
        ],
        at,
    )
