"""Templates of envelopes, in the Aureum API: list, add, read, change, remove. Owners and brokers change them; all staff
read them and begin envelopes from them."""

from functools import partial
from uuid import UUID

from starlette.responses import Response

from aureum.commands.envelopes.templates import (
    NO_TEMPLATE,
    AddTemplate,
    ChangeTemplate,
    RemoveTemplate,
    add_template,
    change_template,
    remove_template,
)
from aureum.commands.envelopes.to_template import add_template_of_envelope
from aureum.domain.envelope_template import EnvelopeTemplate
from aureum.http.access.callers import origin
from aureum.http.access.gate import Caller
from aureum.http.access.roles import check_leader
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.api.envelopes.template_fields import (
    TemplateChange,
    TemplateCreate,
    TemplateResponse,
)
from aureum.http.contract.answers import encoded
from aureum.http.contract.catching_up import RemovedResponse
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.history import get_history
from aureum.http.contract.lists import DeltaPaging, listing
from aureum.http.contract.resource import (
    AsOf,
    Command,
    answered,
    expected_versions,
    reference,
    run_once,
    shown,
)
from aureum.http.wire.shapes import EventResponse
from aureum.projections import envelope_template_list

PATH = "/api/envelope-templates"

TEMPLATES = listing(PATH, envelope_template_list.LIST, envelope_template_list.TEMPLATES)


def check_writes(caller: Caller) -> None:
    """Raises NotAllowed for agents."""
    if caller.role != "key":
        check_leader(caller.role)


def template_body(template: EnvelopeTemplate) -> bytes:
    """A template as the Aureum API shows it, in the same words as the list."""
    return encoded(envelope_template_list.document(template))


async def get_templates(context: Context, paging: DeltaPaging) -> Response:
    """Lists the templates, newest first: in pages with ``limit``, otherwise streamed as a whole."""
    return await TEMPLATES.answer(context, paging, {})


async def post_template(context: Context, new: TemplateCreate) -> Response:
    """Returns the new template. Upload its documents, then place its fields. With ``envelopeId`` it has copies of the
    envelope's documents, a role for each of its recipients, and their fields. Check that these documents name no
    client: the template stays when a person is erased. Only owners, brokers and API keys may do this."""
    check_writes(context.caller)
    command = AddTemplate(
        tenant_id=context.tenant_id,
        name=new.name,
        subject=new.subject,
        message=new.message,
        in_order=new.in_order,
        deadline_days=new.deadline_days,
        roles=tuple(one.cast() for one in new.roles),
        created_by=context.caller.user_id,
    )
    store, envelope_id = context.app.store, reference(new.envelope_id)
    run: Command = partial(add_template, store, command)
    if envelope_id is not None:
        run = partial(add_template_of_envelope, store, context.app.blobs, envelope_id, command)
    return await run_once(context, run, template_body, 201)


async def get_template(context: Context, template_id: UUID, as_of: AsOf) -> Response:
    """Returns the template, or its state at ``asOf``."""
    return await shown(context, envelope_template_list.LIST, template_id, NO_TEMPLATE, as_of, template_body)


async def patch_template(context: Context, template_id: UUID, change: TemplateChange) -> Response:
    """Changes what is sent, and returns the template. ``roles`` and ``fields`` replace the present ones; fields of a
    role that is gone are removed. Envelopes that were begun from the template stay as they are. Send ``If-Match`` with
    the ETag to avoid overwriting someone else's change."""
    check_writes(context.caller)
    given = change.model_fields_set
    command = ChangeTemplate(
        tenant_id=context.tenant_id,
        template_id=template_id,
        changes=change.changes(),
        roles=tuple(one.cast() for one in change.roles) if "roles" in given else None,
        fields=tuple(one.place() for one in change.fields) if "fields" in given else None,
        expected_versions=expected_versions(context.request),
    )
    template = await change_template(context.app.store, command, origin(context.request, context.caller))
    return answered(context, template, template_body)


async def delete_template(context: Context, template_id: UUID) -> Response:
    """Removes the template, with its documents. Envelopes that were begun from it stay as they are."""
    check_writes(context.caller)
    command = RemoveTemplate(
        tenant_id=context.tenant_id, template_id=template_id, expected_versions=expected_versions(context.request)
    )
    await remove_template(context.app.store, command, origin(context.request, context.caller))
    return Response(status_code=204)


async def get_template_history(context: Context, template_id: UUID, as_of: AsOf) -> Response:
    """Lists every change of the template, oldest first. With ``asOf`` it ends at that moment."""
    return await get_history(context, envelope_template_list.LIST, template_id, NO_TEMPLATE, as_of)


every = partial(Endpoint, path=PATH, access=WITH_PORTAL)
one = partial(every, path=PATH + "/{id}", id=Id(NO_TEMPLATE))

ENDPOINTS = (
    every(
        method="GET",
        run=get_templates,
        summary="List templates of envelopes",
        query=DeltaPaging,
        answers=list[TemplateResponse | RemovedResponse],
        etag_from_position=True,
    ),
    every(
        method="POST",
        run=post_template,
        summary="Add a template of envelopes",
        body=TemplateCreate,
        answers=TemplateResponse,
        status=201,
        refusals=(403,),
    ),
    one(method="GET", run=get_template, summary="Get a template of envelopes", query=AsOf, answers=TemplateResponse),
    one(
        method="PATCH",
        run=patch_template,
        summary="Change a template of envelopes",
        body=TemplateChange,
        answers=TemplateResponse,
        refusals=(403,),
    ),
    one(
        method="DELETE",
        run=delete_template,
        summary="Remove a template of envelopes",
        status=204,
        refusals=(403, 412),
    ),
    one(
        method="GET",
        path=PATH + "/{id}/history",
        run=get_template_history,
        summary="Get the history of a template of envelopes",
        query=AsOf,
        answers=list[EventResponse],
    ),
)
