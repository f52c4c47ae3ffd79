"""Documents that go from a template into an envelope, or from an envelope into a template: the bytes are copied, and
encrypted with the key of what they come to.

The copies are put before the one append that names them all, under a key that the new stream begins with. If the
process dies between the two, there is no new stream, and the sweep deletes the bytes.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.envelope_parts import Document
from aureum.domain.errors import Busy, DomainError
from aureum.store.blobs import BlobStore, DocumentLost
from aureum.store.event_store import Appended, EventStore, Idempotency, Stream
from aureum.store.metadata import Origin

Made = TypeVar("Made")

TRIES = 3
"""How often the work is begun, if documents are removed meanwhile."""

Copies = Mapping[UUID, UUID]
"""The ids of copies by those of the documents."""


async def with_stream(
    store: EventStore, tenant_id: UUID, stream_id: UUID, work: Callable[[Stream], Awaitable[Made]]
) -> Made:
    """What *work* makes of the stream; made again if documents were removed from the stream while they were copied.
    Raises DocumentLost, Unavailable, and what *work* raises."""
    for left in reversed(range(TRIES)):
        of = await store.load(tenant_id, stream_id)
        try:
            return await work(of)
        except DocumentLost:
            if not left or len((await store.load(tenant_id, stream_id)).events) == len(of.events):
                raise
    raise AssertionError("the last try returns or raises")


async def append_with_copies(
    store: EventStore,
    blobs: BlobStore,
    tenant_id: UUID,
    documents: Collection[Document],
    of: Stream,
    new: Aggregate,
    fill: Callable[[Copies], None],
    *,
    command: str,
    origin: Origin,
    idempotency: Idempotency | None,
) -> Appended:
    """Append the *new* stream once *fill* has given it the copies of *documents*, which belong to the stream *of*. The
    copies are deleted if that is refused, or if a twin of the request came first. Raises what *fill* raises,
    QuotaFull, DocumentLost, BucketUnavailable, and what ``EventStore.append`` raises."""
    begun = await store.beginning(tenant_id, new.id)
    assert of.subject_key is not None and begun.subject_key is not None
    copies = await copied(blobs, tenant_id, documents, of.subject_key, new.id, begun.subject_key)
    try:
        fill(copies)
        appended = await store.append(tenant_id, new, begun, command=command, origin=origin, idempotency=idempotency)
    except Busy:
        # It may have been recorded: the sweep finds that out.
        raise
    except DomainError:
        await take_back(blobs, tenant_id, copies.values())
        raise
    if appended.remembered is not None:
        await take_back(blobs, tenant_id, copies.values())
    return appended


async def copied(
    blobs: BlobStore, tenant_id: UUID, documents: Collection[Document], key: AESGCM, to: UUID, new_key: AESGCM
) -> Copies:
    """Copy the bytes of *documents*, for the stream *to*. If that fails, nothing stays. Raises QuotaFull, DocumentLost,
    BucketUnavailable, Unavailable."""
    copies: dict[UUID, UUID] = {}
    try:
        for document in documents:
            copies[document.id] = ids.new_id()
            parts = blobs.get(tenant_id, document.id, key)
            stored = await blobs.put(tenant_id, copies[document.id], new_key, parts, of=to, at_most=document.bytes)
            if stored.sha256 != document.sha256:
                raise DocumentLost
    except BaseException:
        await take_back(blobs, tenant_id, copies.values())
        raise
    return copies


async def take_back(blobs: BlobStore, tenant_id: UUID, document_ids: Collection[UUID]) -> None:
    """Delete copies that no event names. If that cannot be done now, the sweep does it."""
    try:
        await blobs.delete(tenant_id, list(document_ids))
    except Busy:
        return
