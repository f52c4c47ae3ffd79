"""The documents of envelopes: uploaded, downloaded as they were sent or as they were sealed, taken out of drafts."""

import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from aureum.commands.envelopes.copying import take_back
from aureum.commands.envelopes.drafting import (
    NO_ENVELOPE,
    AttachDocument,
    RemoveDocument,
    attach_document,
    remove_document,
)
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import LONGEST_NAME, MOST_BYTES, Document
from aureum.domain.envelope_rules import NO_DOCUMENT
from aureum.domain.errors import NotFound, StaleVersion
from aureum.domain.ids import id_of_bytes, new_id, to_wire
from aureum.http.access.callers import origin
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.api.envelopes.uploading import unless_refused, upload
from aureum.http.contract.answers import encoded, not_modified
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import answered, expected_versions, loaded
from aureum.http.wire.characters import Characters
from aureum.http.wire.documents import PDF
from aureum.http.wire.shapes import Shape, Wire
from aureum.projections import envelope_list
from aureum.store.blobs import ledger

PATH = "/api/envelopes/{id}/documents"

NOT_SEALED = "This document is not sealed yet. It is sealed when all have signed."

KEPT = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
"""Nothing of it stays with the client, and nothing in it is run."""

UNSAFE = re.compile(r'[^ !#-\[\]-~]|[%"\\]')


class UploadQuery(BaseModel):
    """What the document is called."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[
        Annotated[str, Characters(limit=LONGEST_NAME, lines=False)] | None,
        Field(
            description="The name of the document, such as `Offer.pdf`. It defaults to the name of the uploaded file."
        ),
    ] = None


class DownloadQuery(BaseModel):
    """Which file of the document."""

    model_config = ConfigDict(frozen=True)

    sealed: Annotated[
        Literal["true", "false"] | None,
        Field(description="`true`: the signed and sealed file. Otherwise the file as it was uploaded."),
    ] = None


class UploadedResponse(Shape):
    """A document that was uploaded."""

    id: Wire
    name: str
    bytes: Annotated[int, Field(ge=1, le=MOST_BYTES, description="The size of the file.")]
    pages: Annotated[int, Field(ge=1, description="How many pages it has.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="The SHA-256 of the file.")]


def uploaded_body(document: Document) -> bytes:
    """A document as the answer to an upload shows it."""
    return encoded(
        {
            "id": to_wire(document.id),
            "name": document.name,
            "bytes": document.bytes,
            "pages": document.pages,
            "sha256": document.sha256,
        }
    )


async def post_document(context: Context, envelope_id: UUID, asked: UploadQuery) -> Response:
    """Uploads a PDF of up to 25 MB and 200 pages to a draft. Send the file as the body with
    `Content-Type: application/pdf`, or send `multipart/form-data` with the file in the field `file`. PDFs that are
    protected, damaged or signed already are refused, and so are those with scripts, attachments or XFA forms."""
    stream = await loaded(context, envelope_list.LIST, envelope_id, NO_ENVELOPE)
    envelope: Envelope = stream.aggregate()
    expected = expected_versions(context.request)
    if expected is not None and envelope.version not in expected:
        raise StaleVersion
    envelope.check_draft()
    envelope.check_room()
    if stream.subject_key is None:
        raise NotFound(NO_ENVELOPE)
    document_id = new_id()

    def body(changed: Envelope) -> bytes:
        return uploaded_body(changed.documents[document_id])

    uploaded, remember = await upload(context, envelope_id, document_id, stream.subject_key, asked.name, body)
    command = AttachDocument(
        tenant_id=context.tenant_id,
        envelope_id=envelope_id,
        visible_to=context.caller.visible_to,
        document=uploaded,
    )
    async with unless_refused(context, document_id):
        envelope, appended = await attach_document(
            context.app.store, command, origin(context.request, context.caller), idempotency=remember
        )
        return answered(context, envelope, body, appended, 201)


async def get_document(context: Context, envelope_id: UUID, document_id: UUID, asked: DownloadQuery) -> Response:
    """Returns the PDF as it was uploaded. With `sealed=true` it is the file that all have signed, with the certificate
    page and the seal. There is none until the envelope is completed, and the response is 404."""
    stream = await loaded(context, envelope_list.LIST, envelope_id, NO_ENVELOPE)
    envelope: Envelope = stream.aggregate()
    document = envelope.documents.get(document_id)
    if document is None or stream.subject_key is None:
        raise NotFound(NO_DOCUMENT)
    if asked.sealed != "true":
        return await pdf(context, document.id, stream.subject_key, document.name, document.sha256, document.bytes)
    sealed = envelope.sealed.get(document_id)
    if sealed is None:
        raise NotFound(NOT_SEALED)
    bytes_id = id_of_bytes(document.id, sealed.sha256)
    return await pdf(context, bytes_id, stream.subject_key, document.name, sealed.sha256, sealed.bytes)


async def pdf(context: Context, bytes_id: UUID, key: AESGCM, name: str, sha256: str, size: int) -> Response:
    """The bytes of a PDF, as they are read. Raises DocumentLost before the first of them is sent."""
    etag = f'"{sha256}"'
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        unchanged.headers["Cache-Control"] = "no-store"
        return unchanged
    parts = context.app.blobs.get(context.tenant_id, bytes_id, key)
    first = await anext(parts)
    headers = {**KEPT, "ETag": etag, "Content-Length": str(size), "Content-Disposition": disposition(name)}
    return StreamingResponse(following(first, parts), 200, headers, PDF)


async def following(first: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """All parts again."""
    yield first
    async for part in parts:
        yield part


def disposition(name: str) -> str:
    """How a browser names the file (RFC 6266): in ASCII, and as it is called."""
    if not name.lower().endswith(".pdf"):
        name += ".pdf"
    name = name.replace("/", "_").replace("\\", "_")
    plain = UNSAFE.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def delete_document(context: Context, envelope_id: UUID, document_id: UUID) -> Response:
    """Removes a document from a draft, with the fields on it."""
    await loaded(context, envelope_list.LIST, envelope_id, NO_ENVELOPE)
    command = RemoveDocument(
        tenant_id=context.tenant_id,
        envelope_id=envelope_id,
        visible_to=context.caller.visible_to,
        expected_versions=expected_versions(context.request),
        document_id=document_id,
    )
    # If the process dies before the bytes are deleted, the sweep looks at them again.
    await ledger.let_go(context.app.database, context.tenant_id, [document_id])
    await remove_document(context.app.store, command, origin(context.request, context.caller))
    await take_back(context.app.blobs, context.tenant_id, [document_id])
    return Response(status_code=204)


document = partial(
    Endpoint,
    path=PATH + "/{documentId}",
    access=WITH_PORTAL,
    id=Id(NO_ENVELOPE),
    part=("documentId", Id(NO_DOCUMENT)),
)

ENDPOINTS = (
    Endpoint(
        "POST",
        PATH,
        post_document,
        "Upload a document",
        access=WITH_PORTAL,
        id=Id(NO_ENVELOPE),
        query=UploadQuery,
        uploads=PDF,
        answers=UploadedResponse,
        status=201,
        refusals=(403, 409, 412, 413, 415),
    ),
    document(
        method="GET",
        run=get_document,
        summary="Download a document",
        query=DownloadQuery,
        answers=str,
        media=PDF,
        headers={"Content-Disposition": "The name of the file.", "Cache-Control": "`no-store`"},
    ),
    document(
        method="DELETE",
        run=delete_document,
        summary="Remove a document",
        status=204,
        refusals=(409, 412),
    ),
)
