"""Envelopes, in the Aureum API: list, draft, read, change, discard, and their history."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.envelopes.drafting import NO_ENVELOPE, ChangeDraft, DraftEnvelope, change_draft, draft_envelope
from aureum.commands.envelopes.ending import PurgeEnvelope, purge_envelope
from aureum.commands.envelopes.from_template import DraftFromTemplate, draft_from_template
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_rules import DEADLINE_DAYS
from aureum.domain.errors import NotFound, StaleVersion, WrongState
from aureum.http.access.callers import origin
from aureum.http.access.gate import Caller
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.api.envelopes.access import check_provider
from aureum.http.api.envelopes.envelope_fields import (
    DocumentResponse,
    EnvelopeChange,
    EnvelopeCreate,
    EnvelopeResponse,
    State,
)
from aureum.http.contract.answers import encoded
from aureum.http.contract.catching_up import RemovedResponse
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.history import entries, get_history, unseen
from aureum.http.contract.lists import DeltaPaging, listing
from aureum.http.contract.resource import AsOf, Command, answered, expected_versions, reference, row, run_once, shown
from aureum.http.wire.shapes import EventResponse
from aureum.projections import envelope_history, envelope_list, envelope_shown
from aureum.store.event_store import Stream

ENVELOPES = listing("/api/envelopes", envelope_list.LIST, envelope_list.ENVELOPES)

SENT = "This envelope was sent, so it cannot be discarded. Void it first, then purge it."


class EnvelopeFilters(DeltaPaging):
    """What envelopes are filtered by."""

    state: Annotated[State | None, Field(description="Filter by state.")] = None
    contact_id: Annotated[str | None, Field(alias="contactId", description="Filter by contact.")] = None
    lead_id: Annotated[str | None, Field(alias="leadId", description="Filter by lead.")] = None


def envelope_body(envelope: Envelope) -> bytes:
    """An envelope as the Aureum API shows it, in the same words as the list."""
    return encoded(envelope_shown.document(envelope))


async def get_envelopes(context: Context, filters: EnvelopeFilters) -> Response:
    """Lists the envelopes, newest first: in pages with ``limit``, otherwise streamed as a whole. Agents see the
    envelopes of their leads, those of contacts that belong to no lead, and those that they drafted."""
    chosen = {
        "state": filters.state,
        "contact_id": reference(filters.contact_id),
        "lead_id": reference(filters.lead_id),
        "visible_to": context.caller.visible_to,
    }
    return await ENVELOPES.answer(context, filters, chosen)


async def post_envelope(context: Context, new: EnvelopeCreate) -> Response:
    """Returns the new envelope, which is a draft. Upload its documents, place its fields, then send it. With
    ``templateId`` it has copies of the template's documents and its fields. Each role of the template then needs one
    recipient, who names it as ``templateRole``."""
    check_provider(context.caller, new.provider)
    store, template_id = context.app.store, reference(new.template_id)
    if template_id is None:
        run: Command = partial(draft_envelope, store, plain_draft(context.caller, new))
    else:
        of_template = draft_of_template(context.caller, new, template_id)
        run = partial(draft_from_template, store, context.app.blobs, of_template)
    return await run_once(context, run, envelope_body, 201)


def plain_draft(caller: Caller, new: EnvelopeCreate) -> DraftEnvelope:
    """The command for a draft without a template."""
    assert new.subject is not None, "EnvelopeCreate has it, or a template"
    return DraftEnvelope(
        tenant_id=caller.tenant_id,
        subject=new.subject,
        message=new.message,
        contact_id=reference(new.contact_id),
        lead_id=reference(new.lead_id),
        provider=new.provider,
        in_order=True if new.in_order is None else new.in_order,
        deadline_days=DEADLINE_DAYS if new.deadline_days is None else new.deadline_days,
        recipients=tuple(one.cast() for one in new.recipients),
        created_by=caller.user_id,
        visible_to=caller.visible_to,
    )


def draft_of_template(caller: Caller, new: EnvelopeCreate, template_id: UUID) -> DraftFromTemplate:
    """The command for a draft with a template, which has what was not sent."""
    return DraftFromTemplate(
        tenant_id=caller.tenant_id,
        template_id=template_id,
        subject=new.subject,
        message=new.message,
        contact_id=reference(new.contact_id),
        lead_id=reference(new.lead_id),
        provider=new.provider,
        in_order=new.in_order,
        deadline_days=new.deadline_days,
        recipients=tuple(one.cast() for one in new.recipients),
        created_by=caller.user_id,
        visible_to=caller.visible_to,
    )


async def get_envelope(context: Context, envelope_id: UUID, as_of: AsOf) -> Response:
    """Returns the envelope, or its state at ``asOf``."""
    return await shown(context, envelope_list.LIST, envelope_id, NO_ENVELOPE, as_of, envelope_body)


async def patch_envelope(context: Context, envelope_id: UUID, change: EnvelopeChange) -> Response:
    """Changes the fields that are sent, and returns the envelope, which must be a draft. ``recipients`` and ``fields``
    replace the whole lists. Send ``If-Match`` with the ETag to avoid overwriting someone else's change."""
    check_provider(context.caller, change.provider)
    given = change.model_fields_set
    command = ChangeDraft(
        tenant_id=context.tenant_id,
        envelope_id=envelope_id,
        changes=change.changes(),
        recipients=tuple(one.as_sent() for one in change.recipients) if "recipients" in given else None,
        fields=tuple(one.place() for one in change.fields) if "fields" in given else None,
        visible_to=context.caller.visible_to,
        expected_versions=expected_versions(context.request),
    )
    envelope = await change_draft(context.app.store, command, origin(context.request, context.caller))
    return answered(context, envelope, envelope_body)


async def delete_envelope(context: Context, envelope_id: UUID) -> Response:
    """Discards a draft, with its documents."""
    found = await row(context, envelope_list.LIST, envelope_id)
    if found is None:
        raise NotFound(NO_ENVELOPE)
    expected = expected_versions(context.request)
    if expected is not None and found["stream_version"] not in expected:
        raise StaleVersion
    envelope = (await context.app.store.load(context.tenant_id, envelope_id)).aggregate()
    if isinstance(envelope, Envelope) and envelope.state not in ("draft", "purged"):
        raise WrongState(SENT)
    command = PurgeEnvelope(
        tenant_id=context.tenant_id,
        envelope_id=envelope_id,
        visible_to=context.caller.visible_to,
        expected_versions=expected,
    )
    await purge_envelope(context.app.store, command, origin(context.request, context.caller))
    return Response(status_code=204)


def history_of(stream: Stream) -> list[dict[str, Any]]:
    """The entries of an envelope: what each event changed of it, and what the act was."""
    made = entries(envelope_list.LIST, stream, lambda shown: shown["doc"], lambda event: unseen(event, "phoneE164"))
    for one, recorded in zip(made, stream.events, strict=True):
        one["changes"] = {**one["changes"], **envelope_history.act(recorded.event)}
    return made


async def get_envelope_history(context: Context, envelope_id: UUID, as_of: AsOf) -> Response:
    """Lists every act of the envelope, oldest first: who drafted, sent, read, agreed, signed or declined, when, and
    which documents were shown. With ``asOf`` it ends at that moment."""
    return await get_history(context, envelope_list.LIST, envelope_id, NO_ENVELOPE, as_of, history_of)


SHOWN = DocumentResponse
"""What webhooks receive."""

every = partial(Endpoint, path="/api/envelopes", access=WITH_PORTAL)
one = partial(every, path="/api/envelopes/{id}", id=Id(NO_ENVELOPE), answers=EnvelopeResponse)

ENDPOINTS = (
    every(
        method="GET",
        run=get_envelopes,
        summary="List envelopes",
        query=EnvelopeFilters,
        answers=list[EnvelopeResponse | RemovedResponse],
        etag_from_position=True,
    ),
    every(
        method="POST",
        run=post_envelope,
        summary="Draft an envelope",
        body=EnvelopeCreate,
        answers=EnvelopeResponse,
        status=201,
        refusals=(403,),
    ),
    one(method="GET", run=get_envelope, summary="Get an envelope", query=AsOf),
    one(method="PATCH", run=patch_envelope, summary="Change a draft", body=EnvelopeChange, refusals=(403, 409)),
    one(
        method="DELETE",
        run=delete_envelope,
        summary="Discard a draft",
        answers=None,
        status=204,
        refusals=(409, 412),
    ),
    one(
        method="GET",
        path="/api/envelopes/{id}/history",
        run=get_envelope_history,
        summary="Get an envelope's history",
        query=AsOf,
        answers=list[EventResponse],
    ),
)
