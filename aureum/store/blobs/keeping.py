"""The store of bytes as all others use it: the ledger, and chunks in the database or in the bucket. What is new goes to
the bucket if there is one; what is read is where the ledger says it is, since a bucket may have come later."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain.errors import Busy
from aureum.store.blobs import AlreadyStored, DocumentLost, Stored, ledger
from aureum.store.blobs.chunks import Measured, opened, sealed
from aureum.store.blobs.in_database import DatabaseChunks
from aureum.store.postgres.database import Database

NO_BUCKET = (
    "This document is in a bucket, and no bucket is set. The operator sets AUREUM_DOCUMENTS_URL to the bucket that the "
    "documents are in."
)


class Chunks(Protocol):
    """Where encrypted chunks are."""

    async def write(self, tenant_id: UUID, document_id: UUID, chunks: AsyncIterator[bytes]) -> None: ...

    def read(self, tenant_id: UUID, document_id: UUID) -> AsyncIterator[bytes]: ...

    async def delete(self, tenant_id: UUID, document_ids: Sequence[UUID]) -> None: ...


class KeptBlobs:
    """The ``BlobStore`` of a process. *quota*: bytes that the documents of one brokerage may take; None: no limit."""

    def __init__(self, database: Database, bucket: Chunks | None = None, quota: int | None = None) -> None:
        self.database = database
        self.rows = DatabaseChunks(database)
        self.bucket = bucket
        self.quota = quota

    async def put(
        self,
        tenant_id: UUID,
        document_id: UUID,
        key: AESGCM,
        parts: AsyncIterator[bytes],
        *,
        of: UUID,
        at_most: int | None = None,
    ) -> Stored:
        """As ``BlobStore`` says."""
        chunks = self.bucket or self.rows

        async def begin() -> bool:
            return await ledger.begin(
                self.database,
                tenant_id,
                document_id,
                of,
                in_bucket=self.bucket is not None,
                at_most=at_most,
                quota=self.quota,
            )

        if not await begin():
            await self.delete(tenant_id, [document_id])
            if not await begin():
                raise AlreadyStored
        try:
            measured = Measured(parts)
            await chunks.write(tenant_id, document_id, sealed(key, tenant_id, document_id, aiter(measured)))
            stored = measured.stored()
            if not await ledger.end(self.database, tenant_id, document_id, stored.bytes):
                # Its subject was forgotten meanwhile.
                raise AlreadyStored
        except BaseException:
            await self._take_back(tenant_id, document_id)
            raise
        return stored

    async def _take_back(self, tenant_id: UUID, document_id: UUID) -> None:
        """Delete what an upload that failed has left. If that fails too, the sweep does it."""
        try:
            await self.delete(tenant_id, [document_id])
        except Busy:
            return

    async def get(self, tenant_id: UUID, document_id: UUID, key: AESGCM) -> AsyncIterator[bytes]:
        """As ``BlobStore`` says."""
        in_bucket = await ledger.place(self.database, tenant_id, document_id)
        if in_bucket is None:
            raise DocumentLost
        chunks: Chunks | None = self.bucket if in_bucket else self.rows
        if chunks is None:
            raise DocumentLost(NO_BUCKET)
        async for part in opened(key, tenant_id, document_id, chunks.read(tenant_id, document_id)):
            yield part

    async def delete(self, tenant_id: UUID, document_ids: Sequence[UUID]) -> None:
        """As ``BlobStore`` says."""
        entries = await ledger.give_up(self.database, tenant_id, document_ids)
        in_bucket = [one.document_id for one in entries if one.in_bucket]
        in_rows = [one.document_id for one in entries if not one.in_bucket]
        if in_rows:
            await self.rows.delete(tenant_id, in_rows)
            await ledger.remove(self.database, tenant_id, in_rows)
        if in_bucket:
            if self.bucket is None:
                raise DocumentLost(NO_BUCKET)
            await self.bucket.delete(tenant_id, in_bucket)
            await ledger.remove(self.database, tenant_id, in_bucket)
