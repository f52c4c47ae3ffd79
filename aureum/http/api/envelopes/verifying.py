"""``GET /api/envelopes/{id}/verify``: whether the sealed documents that are kept are what was signed."""

import hashlib
from typing import Annotated
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field
from starlette.responses import Response

from aureum.commands.envelopes.drafting import NO_ENVELOPE
from aureum.commands.verifying import judge
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Sealed
from aureum.domain.ids import aureum_time, id_of_bytes, to_wire
from aureum.http.api.clients.access import WITH_PORTAL
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.resource import loaded
from aureum.http.wire.shapes import Shape, Wire
from aureum.pdf.refusing import Refused
from aureum.projections import envelope_list
from aureum.store.blobs import DocumentLost
from aureum.store.blobs.chunks import Measured

NOT_SEALED = "This document is not sealed yet. It is sealed when all have signed."
LOST = "The sealed file is missing or damaged. Ask the operator to restore a backup."
OTHER_BYTES = "The sealed file is not the one that was recorded when the envelope was completed."
OTHER_ORIGINAL = "The sealed file does not begin with the document that was sent."
OTHER_CERTIFICATE = "The sealed file has the seal of another certificate than was recorded."

DOCUSIGN = "DocuSign"


class DocumentVerified(Shape):
    """One document."""

    id: Wire
    intact: Annotated[
        bool,
        Field(description="Whether the file is what was sealed, and begins with what was sent."),
    ]
    sealedBy: Annotated[str | None, Field(description="The name in the certificate of the seal.")]
    signedAt: Annotated[str | None, Field(description="When it was sealed.")]
    unchangedSince: Annotated[
        str | None, Field(description="The time since which it is unchanged. `null` if it was changed.")
    ]
    problems: Annotated[list[str], Field(description="What is wrong, in sentences.")]


class VerificationResponse(Shape):
    """Whether all documents are what was signed."""

    ok: Annotated[bool, Field(description="Whether every document is sealed and intact.")]
    documents: list[DocumentVerified]


def shown(
    document: Document, by: str | None = None, at: str | None = None, problems: tuple[str, ...] = ()
) -> dict[str, object]:
    """A document as the answer has it."""
    return {
        "id": to_wire(document.id),
        "intact": not problems,
        "sealedBy": by,
        "signedAt": at,
        "unchangedSince": None if problems else at,
        "problems": list(problems),
    }


async def get_verification(context: Context, envelope_id: UUID) -> Response:
    """Verifies the sealed documents of an envelope: their hashes against the event log, their seals against the
    brokerage's certificates, and their first bytes against the documents that were sent. An envelope that is not
    completed has `ok` false."""
    stream = await loaded(context, envelope_list.LIST, envelope_id, NO_ENVELOPE)
    envelope: Envelope = stream.aggregate()
    documents = [
        shown(one, problems=(NOT_SEALED,))
        if one.id not in envelope.sealed or stream.subject_key is None
        else await verified(context, envelope, stream.subject_key, one, envelope.sealed[one.id])
        for one in envelope.documents.values()
    ]
    body = encoded({"ok": bool(documents) and all(one["intact"] for one in documents), "documents": documents})
    # What is verified are bytes beside the log: the envelope's version alone does not tell of another answer.
    etag = list_etag(context.request.url.path, context.tenant_id, envelope.version, body)
    return not_modified(context.request, etag) or answer(body, headers={"ETag": etag})


async def verified(
    context: Context, envelope: Envelope, key: AESGCM, document: Document, sealed: Sealed
) -> dict[str, object]:
    """One sealed document. Raises BucketUnavailable, Busy, Unavailable."""
    ours = envelope.provider != "docusign"
    measured = Measured(context.app.blobs.get(context.tenant_id, id_of_bytes(document.id, sealed.sha256), key))
    try:
        # What comes from DocuSign may be ten times as large as what is sealed here, and only its hash is needed.
        data = b"".join([part if ours else b"" async for part in measured])
    except DocumentLost:
        return shown(document, problems=(LOST,))
    problems: tuple[str, ...] = () if measured.stored().sha256 == sealed.sha256 else (OTHER_BYTES,)
    if not ours:
        # DocuSign's seal is DocuSign's to verify. That the file is the one that came from there is known here.
        at = None if envelope.completed_at is None else aureum_time(envelope.completed_at)
        return shown(document, DOCUSIGN, at, problems)
    if hashlib.sha256(data[: document.bytes]).hexdigest() != document.sha256:
        problems += (OTHER_ORIGINAL,)
    try:
        verdict = (await judge(context.app.store, context.tenant_id, data)).verdict
    except Refused as error:
        return shown(document, problems=(*problems, error.text))
    if verdict.sealed and verdict.certificate_sha256 != envelope.certificate_sha256:
        problems += (OTHER_CERTIFICATE,)
    at = None if verdict.at is None else aureum_time(verdict.at)
    return shown(document, verdict.by, at, problems + verdict.texts)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/envelopes/{id}/verify",
        get_verification,
        "Verify an envelope's sealed documents",
        access=WITH_PORTAL,
        id=Id(NO_ENVELOPE),
        answers=VerificationResponse,
    ),
)
