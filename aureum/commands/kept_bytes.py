"""Which bytes of documents stay. Bytes are written before the events that name them, so some are left that no event
names: of uploads that were broken off, of a worker that died. After a day they are deleted. What names them is asked of
the envelope, the template or whatever else they belong to, as it is made of its events."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable
from uuid import UUID

from aureum.store.blobs import BlobStore, ledger
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database

AT_ONCE = 100


@runtime_checkable
class HasDocuments(Protocol):
    """An aggregate that bytes belong to."""

    @property
    def kept_documents(self) -> Collection[UUID]:
        """The ids of all bytes that its events name, and that are not to be deleted."""
        ...


async def delete_gone(database: Database, blobs: BlobStore, at_once: int = AT_ONCE) -> int:
    """Delete the bytes of what was erased, purged or removed. Returns how many documents that were. Raises
    BucketUnavailable, DocumentLost, Unavailable."""
    deleted = 0
    while rows := await database.rows(ledger.GONE, {"limit": at_once}):
        for tenant_id, documents in rows:
            await blobs.delete(tenant_id, documents)
            deleted += len(documents)
    return deleted


async def sweep_unsure(store: EventStore, blobs: BlobStore, at_once: int = AT_ONCE) -> int:
    """Look at what was put more than a day ago for the first time: what an event names stays for good, all else is
    deleted. Returns how many documents were deleted. Raises BucketUnavailable, DocumentLost, Unavailable."""
    deleted = 0
    while rows := await store.database.rows(ledger.UNSURE, {"limit": at_once}):
        for tenant_id, subject_id, documents in rows:
            named = await named_by(store, tenant_id, subject_id, documents)
            left = [one for one in documents if one not in named]
            kept = [one for one in documents if one in named]
            await store.database.rows(ledger.REFERRED, {"tenant": tenant_id, "documents": kept})
            about = {"tenant": tenant_id, "documents": left}
            deleted += len(await store.database.rows(ledger.GIVE_UP_UNNAMED, about))
        await delete_gone(store.database, blobs)
    return deleted


async def named_by(
    store: EventStore, tenant_id: UUID, subject_id: UUID, documents: Collection[UUID]
) -> Collection[UUID]:
    """Those of *documents* that events of this stream name; all of them, if it is not known how it names any. Raises
    Unavailable."""
    stream = await store.load(tenant_id, subject_id)
    one = stream.aggregate()
    if one is None or stream.subject_key is None:
        return ()
    return set(one.kept_documents).intersection(documents) if isinstance(one, HasDocuments) else documents
