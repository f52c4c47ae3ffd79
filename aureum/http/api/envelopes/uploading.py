"""Uploads of PDFs. The bytes are hashed and encrypted as they arrive, and then inspected by a process with limits. Only
then is the document appended to its envelope. A refused upload leaves nothing."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import BinaryIO
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain.envelope_parts import LONGEST_NAME, MOST_BYTES
from aureum.domain.errors import Busy
from aureum.domain.texts import one_line
from aureum.http.contract.endpoint import Context
from aureum.http.wire.documents import PdfUpload
from aureum.http.wire.errors import HttpError
from aureum.pdf.inspecting import Inspected
from aureum.pdf.process import inspected
from aureum.pdf.refusing import TEXTS, Refused
from aureum.store.blobs import BlobStore

NAMELESS = "Document.pdf"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A PDF whose bytes are kept, and which no event names yet."""

    id: UUID
    name: str
    sha256: str
    bytes: int
    inspected: Inspected


async def upload(
    context: Context,
    document_id: UUID,
    of: UUID,
    key: AESGCM,
    name: str | None,
    arrived: Callable[[str, str], Awaitable[None]],
) -> Uploaded:
    """Keep the PDF of the request as one of the envelope or template *of*. *arrived* is told its name and hash before
    it is looked at. Raises HttpError for what is refused, QuotaFull, AlreadyStored, BucketUnavailable, Busy,
    Unavailable, and what ``PdfUpload`` and *arrived* raise."""
    too_large = HttpError("pdf_too_large", TEXTS["pdf_too_large"])
    sent = PdfUpload(context.request.receive, context.request.scope["headers"], MOST_BYTES, too_large)
    blobs = context.app.blobs
    with tempfile.TemporaryFile() as file:
        stored = await blobs.put(
            context.tenant_id, document_id, key, copied(sent.parts(), file), of=of, at_most=sent.at_most
        )
        name = name or safe_name(sent.file_name)
        try:
            await arrived(name, stored.sha256)
            file.seek(0)
            found = await inspected(file)
        except BaseException as error:
            await take_back(blobs, context.tenant_id, document_id)
            if isinstance(error, Refused):
                raise HttpError(error.code, error.text) from error
            raise
    return Uploaded(document_id, name, stored.sha256, stored.bytes, found)


async def copied(parts: AsyncIterator[bytes], file: BinaryIO) -> AsyncIterator[bytes]:
    """Pass *parts* on, with a copy in *file*, which has no name, so that nothing of it stays behind."""
    async for part in parts:
        file.write(part)
        yield part


async def take_back(blobs: BlobStore, tenant_id: UUID, document_id: UUID) -> None:
    """Delete what no event names. If that cannot be done now, the sweep does it."""
    try:
        await blobs.delete(tenant_id, [document_id])
    except Busy:
        return


def safe_name(given: str) -> str:
    """The name of a file as it was called on the other machine, without its folders."""
    name = one_line(PureWindowsPath(PurePosixPath(given).name).name.replace("\0", "")).strip()
    name = name.encode("utf-8", "replace").decode()
    return name[:LONGEST_NAME].strip() or NAMELESS
