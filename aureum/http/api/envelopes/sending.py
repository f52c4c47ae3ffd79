"""What is done with an envelope in the Aureum API: sent, voided, extended, purged; a recipient reminded or replaced."""

from functools import partial
from uuid import UUID

from starlette.responses import Response

from aureum.commands.changes import visible
from aureum.commands.docusign_connections import check_connected
from aureum.commands.envelopes.drafting import NO_ENVELOPE
from aureum.commands.envelopes.ending import PurgeEnvelope, VoidEnvelope, purge_envelope, void_envelope
from aureum.commands.envelopes.sending import (
    ExtendDeadline,
    ReassignRecipient,
    RemindRecipient,
    SendEnvelope,
    extend_deadline,
    reassign_recipient,
    remind_recipient,
    send_envelope,
)
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_rules import NO_RECIPIENT
from aureum.domain.errors import NotAllowed, NotFound
from aureum.http.access.roles import ADMIN, OWNER, check_leader
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.api.envelopes.access import check_provider
from aureum.http.api.envelopes.envelope_fields import Deadline, EnvelopeResponse, OtherPerson, VoidReason
from aureum.http.api.envelopes.envelopes import envelope_body
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import reference, row, run_once
from aureum.projections import envelope_list

OWNERS_ONLY = (
    "A completed envelope is kept for its other parties. Only the owner of the brokerage or a platform admin may have "
    "it purged earlier."
)


async def post_envelope_send(context: Context, envelope_id: UUID) -> Response:
    """Sends the envelope. From then on its documents and fields cannot be changed, and the recipients whose turn it is
    get a mail. Sending it again has no further effect."""
    found = await loaded(context, envelope_id)
    check_provider(context.caller, found.provider)
    if found.provider == "docusign" and found.state == "draft":
        await check_connected(context.app.store, context.tenant_id)
    command = SendEnvelope(tenant_id=context.tenant_id, envelope_id=envelope_id, visible_to=context.caller.visible_to)
    return await run_once(context, partial(send_envelope, context.app.store, command), envelope_body)


async def post_envelope_void(context: Context, envelope_id: UUID, why: VoidReason) -> Response:
    """Withdraws a sent envelope. Every invited recipient gets a mail. Voiding it again has no further effect."""
    command = VoidEnvelope(
        tenant_id=context.tenant_id, envelope_id=envelope_id, visible_to=context.caller.visible_to, reason=why.reason
    )
    return await run_once(context, partial(void_envelope, context.app.store, command), envelope_body)


async def post_envelope_extend(context: Context, envelope_id: UUID, until: Deadline) -> Response:
    """Moves the deadline of a sent envelope to a later moment."""
    command = ExtendDeadline(
        tenant_id=context.tenant_id,
        envelope_id=envelope_id,
        visible_to=context.caller.visible_to,
        deadline=until.deadline,
    )
    return await run_once(context, partial(extend_deadline, context.app.store, command), envelope_body)


async def post_envelope_purge(context: Context, envelope_id: UUID) -> Response:
    """Destroys the documents and all personal data of an envelope. Hashes remain. An envelope that is a draft, or was
    declined, voided or expired, is purged at once, by API keys, brokers and owners. A completed envelope is kept until
    ``retainUntil``. Only owners can purge it earlier: the recipients get a mail, and it is purged 14 days later, at
    ``purgeAt``. Purging it again has no further effect."""
    caller = context.caller
    found = (await context.app.store.load(context.tenant_id, envelope_id)).aggregate()
    if not isinstance(found, Envelope) or not (found.erased or visible(found, caller.visible_to)):
        raise NotFound(NO_ENVELOPE)
    if caller.role != "key":
        check_leader(caller.role)
    announce = caller.role in (OWNER, ADMIN)
    if found.state == "completed" and not announce:
        raise NotAllowed(OWNERS_ONLY)
    command = PurgeEnvelope(tenant_id=context.tenant_id, envelope_id=envelope_id, announce=announce)
    return await run_once(context, partial(purge_envelope, context.app.store, command), envelope_body)


async def post_recipient_reminder(context: Context, envelope_id: UUID, recipient_id: UUID) -> Response:
    """Sends another mail to a recipient whose turn it is. A recipient gets at most one a day, for at most 30 days."""
    command = RemindRecipient(
        tenant_id=context.tenant_id,
        envelope_id=envelope_id,
        visible_to=context.caller.visible_to,
        recipient_id=recipient_id,
    )
    return await run_once(context, partial(remind_recipient, context.app.store, command), envelope_body)


async def post_recipient_reassignment(
    context: Context, envelope_id: UUID, recipient_id: UUID, person: OtherPerson
) -> Response:
    """Replaces a recipient who has not signed by another person, who gets the recipient's order and fields."""
    command = ReassignRecipient(
        tenant_id=context.tenant_id,
        envelope_id=envelope_id,
        visible_to=context.caller.visible_to,
        recipient_id=recipient_id,
        name=person.name,
        email=person.email,
        contact_id=reference(person.contact_id),
        language=person.language,
    )
    return await run_once(context, partial(reassign_recipient, context.app.store, command), envelope_body)


async def loaded(context: Context, envelope_id: UUID) -> Envelope:
    """The envelope, if the caller may see it. Raises NotFound."""
    if await row(context, envelope_list.LIST, envelope_id) is None:
        raise NotFound(NO_ENVELOPE)
    envelope = (await context.app.store.load(context.tenant_id, envelope_id)).aggregate()
    assert isinstance(envelope, Envelope)
    return envelope


one = partial(
    Endpoint,
    method="POST",
    access=WITH_PORTAL,
    id=Id(NO_ENVELOPE),
    answers=EnvelopeResponse,
    refusals=(409,),
)
recipient = partial(one, part=("recipientId", Id(NO_RECIPIENT)))

ENDPOINTS = (
    one(path="/api/envelopes/{id}/send", run=post_envelope_send, summary="Send an envelope", refusals=(400, 403, 409)),
    one(
        path="/api/envelopes/{id}/void",
        run=post_envelope_void,
        summary="Void an envelope",
        body=VoidReason,
        bodiless=True,
    ),
    one(
        path="/api/envelopes/{id}/extend",
        run=post_envelope_extend,
        summary="Extend an envelope's deadline",
        body=Deadline,
    ),
    one(
        path="/api/envelopes/{id}/purge",
        run=post_envelope_purge,
        summary="Purge an envelope",
        refusals=(403, 409),
    ),
    recipient(
        path="/api/envelopes/{id}/recipients/{recipientId}/remind",
        run=post_recipient_reminder,
        summary="Remind a recipient",
    ),
    recipient(
        path="/api/envelopes/{id}/recipients/{recipientId}/reassign",
        run=post_recipient_reassignment,
        summary="Replace a recipient",
        body=OtherPerson,
    ),
)
