"""Templates of envelopes, in the Aureum API: list, add, read, change, remove, and their documents. Owners and brokers
change them; all staff read them and begin envelopes from them."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.envelopes.templates import (
    NO_TEMPLATE,
    AddTemplate,
    AttachTemplateDocument,
    ChangeTemplate,
    RemoveTemplate,
    RemoveTemplateDocument,
    add_template,
    attach_template_document,
    change_template,
    remove_template,
    remove_template_document,
)
from aureum.commands.envelopes.to_template import AddTemplateOfEnvelope, add_template_of_envelope
from aureum.domain.envelope_parts import Document
from aureum.domain.envelope_rules import NO_DOCUMENT
from aureum.domain.envelope_template import EnvelopeTemplate
from aureum.domain.errors import Busy, DomainError, NotFound, StaleVersion
from aureum.domain.ids import new_id
from aureum.http.access.callers import origin
from aureum.http.access.gate import Caller
from aureum.http.access.roles import check_leader
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.api.envelopes.documents import UploadQuery, pdf
from aureum.http.api.envelopes.template_fields import (
    TemplateChange,
    TemplateCreate,
    TemplateDocument,
    TemplateResponse,
)
from aureum.http.api.envelopes.uploading import take_back, upload
from aureum.http.contract.answers import encoded
from aureum.http.contract.catching_up import RemovedResponse
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.history import get_history
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.lists import DeltaPaging, listing
from aureum.http.contract.resource import (
    AsOf,
    Command,
    answered,
    expected_versions,
    loaded,
    once,
    reference,
    run_once,
    shown,
)
from aureum.http.wire.documents import PDF
from aureum.http.wire.fields import WireId
from aureum.http.wire.shapes import EventResponse
from aureum.projections import envelope_template_list
from aureum.store.blobs import ledger
from aureum.store.event_store import Idempotency

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
    about: dict[str, Any] = {
        "tenant_id": context.tenant_id,
        "name": new.name,
        "subject": new.subject,
        "message": new.message,
        "in_order": new.in_order,
        "deadline_days": new.deadline_days,
        "roles": tuple(one.cast() for one in new.roles),
        "created_by": context.caller.user_id,
    }
    store, envelope_id = context.app.store, reference(new.envelope_id)
    if envelope_id is not None:
        of_envelope = AddTemplateOfEnvelope(envelope_id=envelope_id, **about)
        run: Command = partial(add_template_of_envelope, store, context.app.blobs, of_envelope)
    else:
        run = partial(add_template, store, AddTemplate(**about))
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


class TemplateUploadQuery(UploadQuery):
    """What the document is called, and which one it replaces."""

    replaces: Annotated[
        WireId | None,
        Field(
            description="The id of the document in whose place it comes. Fields stay where the new document has their "
            "mark, or their place on a page; the others are removed."
        ),
    ] = None


async def post_template_document(context: Context, template_id: UUID, asked: TemplateUploadQuery) -> Response:
    """Uploads a PDF of up to 25 MB and 200 pages, as to an envelope. Send the file as the body with
    `Content-Type: application/pdf`, or send `multipart/form-data` with the file in the field `file`. The answer has the
    marks in its text at which fields may stand, such as `/sig:buyer/`."""
    check_writes(context.caller)
    stream = await loaded(context, envelope_template_list.LIST, template_id, NO_TEMPLATE)
    template: EnvelopeTemplate = stream.aggregate()
    expected = expected_versions(context.request)
    if expected is not None and template.version not in expected:
        raise StaleVersion
    replaces = reference(asked.replaces)
    if replaces is None:
        template.check_room()
    if stream.subject_key is None:
        raise NotFound(NO_TEMPLATE)
    document_id = new_id()
    remember: list[Idempotency | None] = []

    def body(changed: EnvelopeTemplate) -> bytes:
        return encoded(envelope_template_list.document_shown(changed.documents[document_id]))

    async def arrived(name: str, sha256: str) -> None:
        said = f"{sha256} {asked.replaces or ''} {name}"
        remember.append(await once(replace(context, body=said.encode()), body))

    name = (asked.name or "").strip() or None
    one = await upload(context, document_id, template_id, stream.subject_key, name, arrived)
    command = AttachTemplateDocument(
        tenant_id=context.tenant_id,
        template_id=template_id,
        document=Document(
            one.id,
            one.name,
            one.sha256,
            one.bytes,
            one.inspected.pages,
            tuple(dict.fromkeys(anchor.text for anchor in one.inspected.anchors)),
            tuple(one.inspected.sizes),
        ),
        replaces=replaces,
    )
    replaced = [] if replaces is None else [replaces]
    try:
        # If the process dies before the bytes of the other one are deleted, the sweep looks at them again.
        await ledger.let_go(context.app.database, context.tenant_id, replaced)
        changed, appended = await attach_template_document(
            context.app.store, command, origin(context.request, context.caller), idempotency=remember[0]
        )
        # A twin of the request that came first has taken back what it replaced.
        for other_id in replaced if appended.remembered is None else ():
            await take_back(context.app.blobs, context.tenant_id, other_id)
        return answered(context, changed, body, appended, 201)
    except (DomainError, Replayed) as error:
        # If it is in doubt whether it was recorded, the sweep finds that out.
        if not isinstance(error, Busy):
            await take_back(context.app.blobs, context.tenant_id, one.id)
        raise


async def get_template_document(context: Context, template_id: UUID, document_id: UUID) -> Response:
    """Returns the PDF as it was uploaded."""
    stream = await loaded(context, envelope_template_list.LIST, template_id, NO_TEMPLATE)
    template: EnvelopeTemplate = stream.aggregate()
    one = template.documents.get(document_id)
    if one is None or stream.subject_key is None:
        raise NotFound(NO_DOCUMENT)
    return await pdf(context, one.id, stream.subject_key, one.name, one.sha256, one.bytes)


async def delete_template_document(context: Context, template_id: UUID, document_id: UUID) -> Response:
    """Removes a document from the template, with the fields on it."""
    check_writes(context.caller)
    await loaded(context, envelope_template_list.LIST, template_id, NO_TEMPLATE)
    command = RemoveTemplateDocument(
        tenant_id=context.tenant_id,
        template_id=template_id,
        expected_versions=expected_versions(context.request),
        document_id=document_id,
    )
    # If the process dies before the bytes are deleted, the sweep looks at them again.
    await ledger.let_go(context.app.database, context.tenant_id, [document_id])
    await remove_template_document(context.app.store, command, origin(context.request, context.caller))
    await take_back(context.app.blobs, context.tenant_id, document_id)
    return Response(status_code=204)


every = partial(Endpoint, path=PATH, access=WITH_PORTAL)
one = partial(every, path=PATH + "/{id}", id=Id(NO_TEMPLATE))
document = partial(one, path=PATH + "/{id}/documents/{documentId}", part=("documentId", Id(NO_DOCUMENT)))

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
    one(
        method="POST",
        path=PATH + "/{id}/documents",
        run=post_template_document,
        summary="Upload a document of a template",
        query=TemplateUploadQuery,
        uploads=PDF,
        answers=TemplateDocument,
        status=201,
        refusals=(403, 412, 413, 415),
    ),
    document(
        method="GET",
        run=get_template_document,
        summary="Download a document of a template",
        answers=str,
        media=PDF,
        headers={"Content-Disposition": "The name of the file.", "Cache-Control": "`no-store`"},
    ),
    document(
        method="DELETE",
        run=delete_template_document,
        summary="Remove a document of a template",
        status=204,
        refusals=(403, 412),
    ),
)
