"""Encrypted chunks as rows. They are written a few at a time, each few in a transaction of its own: an upload that
stands still holds neither a connection nor a lock."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from aureum.store.postgres.arrays import packed
from aureum.store.postgres.database import Database

AT_ONCE = 4
"""Chunks of one statement: 1 MiB."""

WRITE = """
INSERT INTO document_chunks (tenant_id, document_id, n, data)
SELECT %b::uuid, %b::uuid, c.n, c.data FROM unnest(%b::integer[], %b::bytea[]) AS c (n, data)
"""

READ = """
SELECT c.n, c.data FROM document_chunks c
 WHERE c.tenant_id = %(tenant)s AND c.document_id = %(document)s AND c.n > %(after)s
 ORDER BY c.n LIMIT %(limit)s
"""

DELETE = "DELETE FROM document_chunks WHERE tenant_id = %(tenant)s AND document_id = %(document)s"


class DatabaseChunks:
    """Chunks in the database of the log."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def write(self, tenant_id: UUID, document_id: UUID, chunks: AsyncIterator[bytes]) -> None:
        """Write the chunks of a document that has none; the next ones come while some are written. Raises Unavailable,
        and what *chunks* raise."""
        first = 0
        waiting: list[bytes] = []
        writing: asyncio.Task[None] | None = None
        try:
            async for chunk in chunks:
                waiting.append(chunk)
                if len(waiting) == AT_ONCE:
                    if writing is not None:
                        await writing
                    writing = asyncio.create_task(self._insert(tenant_id, document_id, first, waiting))
                    first += len(waiting)
                    waiting = []
            if writing is not None:
                await writing
            if waiting:
                await self._insert(tenant_id, document_id, first, waiting)
        except BaseException:
            if writing is not None:
                # What is deleted next must not be written after that.
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
            raise

    async def _insert(self, tenant_id: UUID, document_id: UUID, first: int, chunks: Sequence[bytes]) -> None:
        numbers = range(first, first + len(chunks))
        values = [tenant_id, document_id, packed(int, numbers), packed(bytes, chunks)]
        async with self.database.transaction(tenant_id) as connection:
            await connection.execute(WRITE, values)

    async def read(self, tenant_id: UUID, document_id: UUID) -> AsyncIterator[bytes]:
        """The chunks of a document, in their order. Raises Unavailable."""
        after = -1
        while True:
            about = {"tenant": tenant_id, "document": document_id, "after": after, "limit": AT_ONCE}
            rows = await self.database.tenant_rows(tenant_id, READ, about)
            for number, data in rows:
                yield data
                after = number
            if len(rows) < AT_ONCE:
                return

    async def delete(self, tenant_id: UUID, document_ids: Sequence[UUID]) -> None:
        """Delete all chunks of these documents, one document at a time. Raises Unavailable."""
        for document_id in document_ids:
            await self.database.rows(DELETE, {"tenant": tenant_id, "document": document_id})
