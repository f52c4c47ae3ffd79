"""The documents of templates: uploaded, replaced, downloaded, removed."""

from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.envelopes.copying import take_back
from aureum.commands.envelopes.templates import (
    NO_TEMPLATE,
    AttachTemplateDocument,
    RemoveTemplateDocument,
    attach_template_document,
    remove_template_document,
)
from aureum.domain.envelope_rules import NO_DOCUMENT
from aureum.domain.envelope_template import EnvelopeTemplate
from aureum.domain.errors import NotFound, StaleVersion
from aureum.domain.ids import new_id
from aureum.http.access.callers import origin
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.api.envelopes import templates
from aureum.http.api.envelopes.documents import UploadQuery, pdf
from aureum.http.api.envelopes.template_fields import TemplateDocument
from aureum.http.api.envelopes.templates import check_writes
from aureum.http.api.envelopes.uploading import unless_refused, upload
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import answered, expected_versions, loaded, reference
from aureum.http.wire.documents import PDF
from aureum.http.wire.fields import WireId
from aureum.projections import envelope_template_list
from aureum.store.blobs import ledger

PATH = f"{templates.PATH}/{{id}}/documents"


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

    def body(changed: EnvelopeTemplate) -> bytes:
        return encoded(envelope_template_list.document_shown(changed.documents[document_id]))

    place = f" {asked.replaces or ''}"
    uploaded, remember = await upload(context, template_id, document_id, stream.subject_key, asked.name, body, place)
    command = AttachTemplateDocument(
        tenant_id=context.tenant_id, template_id=template_id, document=uploaded, replaces=replaces
    )
    replaced = [] if replaces is None else [replaces]
    async with unless_refused(context, document_id):
        # If the process dies before the bytes of the other one are deleted, the sweep looks at them again.
        await ledger.let_go(context.app.database, context.tenant_id, replaced)
        changed, appended = await attach_template_document(
            context.app.store, command, origin(context.request, context.caller), idempotency=remember
        )
        if appended.remembered is None:
            # Otherwise a twin of the request that came first has taken back what it replaced.
            await take_back(context.app.blobs, context.tenant_id, replaced)
        return answered(context, changed, body, appended, 201)


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
    await take_back(context.app.blobs, context.tenant_id, [document_id])
    return Response(status_code=204)


documents = partial(Endpoint, path=PATH, access=WITH_PORTAL, id=Id(NO_TEMPLATE))
document = partial(documents, path=PATH + "/{documentId}", part=("documentId", Id(NO_DOCUMENT)))

ENDPOINTS = (
    documents(
        method="POST",
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
