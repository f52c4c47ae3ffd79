"""The bytes of documents in a backup. Those in the database are in its dump. Those in a bucket are copied one by one,
as they are encrypted there; restored, they go to the bucket that is set by then, or else into the database.
"""

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple
from uuid import UUID

from aureum.domain.ids import from_wire
from aureum.store.blobs import DocumentLost
from aureum.store.blobs.chunks import SEALED, in_chunks
from aureum.store.blobs.in_bucket import BucketChunks, name_of
from aureum.store.blobs.in_database import DatabaseChunks
from aureum.store.blobs.keeping import NO_BUCKET
from aureum.store.postgres.database import Database

IN_BUCKET = """
SELECT d.tenant_id, d.document_id FROM documents d
 WHERE d.in_bucket AND d.whole AND NOT d.gone AND (d.tenant_id, d.document_id) > (%(tenant)s, %(document)s)
 ORDER BY d.tenant_id, d.document_id LIMIT 500
"""

IS_MISSING = """
SELECT 1 FROM documents
 WHERE tenant_id = %(tenant)s AND document_id = %(document)s AND in_bucket AND whole AND NOT gone
"""

IN_DATABASE = """
UPDATE documents SET in_bucket = false
 WHERE tenant_id = %(tenant)s AND document_id = %(document)s AND in_bucket AND whole AND NOT gone
"""


class Kept(NamedTuple):
    """A document of a bucket."""

    tenant_id: UUID
    document_id: UUID

    @property
    def name(self) -> str:
        """Its name in the bucket and in a backup."""
        return name_of(self.tenant_id, self.document_id)

    @classmethod
    def named(cls, name: str) -> "Kept | None":
        """The inverse of ``name``; None for what is none."""
        tenant, _, document = name.partition("/")
        tenant_id, document_id = from_wire(tenant), from_wire(document)
        return None if tenant_id is None or document_id is None else cls(tenant_id, document_id)


async def in_bucket(
    database: Database, bucket: BucketChunks | None
) -> AsyncIterator[tuple[Kept, AsyncIterator[bytes]]]:
    """All documents in the bucket, with their encrypted bytes, which are to be read before the next comes. One that is
    deleted meanwhile may be left out. Raises DocumentLost, BucketUnavailable, Unavailable."""
    last = Kept(UUID(int=0), UUID(int=0))
    while rows := await database.rows(IN_BUCKET, {"tenant": last.tenant_id, "document": last.document_id}):
        if bucket is None:
            raise DocumentLost(NO_BUCKET)
        for row in rows:
            last = Kept(*row)
            yield last, bucket.read(*last)


async def is_missing(database: Database, one: Kept) -> bool:
    """Whether the document is still to be there. Raises Unavailable."""
    return bool(await database.rows(IS_MISSING, {"tenant": one.tenant_id, "document": one.document_id}))


async def bring_back(database: Database, bucket: BucketChunks | None, one: Kept, blocks: Iterator[bytes]) -> bool:
    """Store the encrypted bytes of a document that a restored database says is in a bucket. Returns whether it says so.
    Raises BucketUnavailable, Unavailable."""
    if not await is_missing(database, one):
        return False

    async def parts() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block

    if bucket is not None:
        await bucket.write(*one, parts())
        return True
    await DatabaseChunks(database).write(*one, in_chunks(parts(), SEALED))
    await database.rows(IN_DATABASE, {"tenant": one.tenant_id, "document": one.document_id})
    return True
