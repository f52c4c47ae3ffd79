"""Uploads of PDFs. The bytes are hashed and encrypted as they arrive, and then inspected by a process with limits. Only
then is the document appended to its envelope. A refused upload leaves nothing."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.commands.envelopes.copying import take_back
from aureum.domain.envelope_parts import LONGEST_NAME, MOST_BYTES, Document
from aureum.domain.errors import Busy, DomainError
from aureum.domain.texts import one_line
from aureum.http.contract.endpoint import Context
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.resource import once
from aureum.http.wire.documents import PdfUpload
from aureum.http.wire.errors import HttpError
from aureum.pdf.process import inspected
from aureum.pdf.refusing import TEXTS, Refused
from aureum.store.event_store import Idempotency

NAMELESS = "Document.pdf"


async def upload(
    context: Context,
    of: UUID,
    document_id: UUID,
    key: AESGCM,
    name: str | None,
    body: Callable[[Any], bytes],
    besides: str = "",
) -> tuple[Document, Idempotency | None]:
    """Keep the PDF of the request as a document of the envelope or template *of*; what to remember of the request, of
    which *body* makes the answer. It is not the same request if its file, its name or what it says *besides* differs.
    Raises HttpError for what is refused, Replayed, KeyReused, QuotaFull, AlreadyStored, BucketUnavailable, Busy,
    Unavailable, and what ``PdfUpload`` raises."""
    too_large = HttpError("pdf_too_large", TEXTS["pdf_too_large"])
    sent = PdfUpload(context.request.receive, context.request.scope["headers"], MOST_BYTES, too_large)
    blobs = context.app.blobs
    with tempfile.TemporaryFile() as file:
        stored = await blobs.put(
            context.tenant_id, document_id, key, copied(sent.parts(), file), of=of, at_most=sent.at_most
        )
        name = (name or "").strip() or safe_name(sent.file_name)
        try:
            # Known by its hash: the same request with the same key needs no second look at the file.
            remember = await once(replace(context, body=f"{stored.sha256}{besides} {name}".encode()), body)
            file.seek(0)
            found = await inspected(file)
        except BaseException as error:
            await take_back(blobs, context.tenant_id, [document_id])
            if isinstance(error, Refused):
                raise HttpError(error.code, error.text) from error
            raise
    anchors = tuple(dict.fromkeys(anchor.text for anchor in found.anchors))
    return Document(document_id, name, stored.sha256, stored.bytes, found.pages, anchors, found.sizes), remember


@asynccontextmanager
async def unless_refused(context: Context, document_id: UUID) -> AsyncIterator[None]:
    """While this lasts, it is recorded that the document is there. If that is refused, its bytes are deleted; if it is
    in doubt, the sweep finds out."""
    try:
        yield
    except (DomainError, Replayed) as error:
        if not isinstance(error, Busy):
            await take_back(context.app.blobs, context.tenant_id, [document_id])
        raise


async def copied(parts: AsyncIterator[bytes], file: BinaryIO) -> AsyncIterator[bytes]:
    """Pass *parts* on, with a copy in *file*, which has no name, so that nothing of it stays behind."""
    async for part in parts:
        file.write(part)
        yield part


def safe_name(given: str) -> str:
    """The name of a file as it was called on the other machine, without its folders."""
    name = one_line(PureWindowsPath(PurePosixPath(given).name).name.replace("\0", "")).strip()
    name = name.encode("utf-8", "replace").decode()
    return name[:LONGEST_NAME].strip() or NAMELESS
