"""Which documents there are: whose each is, where its bytes are, and how much room they take.

A row is there before the first byte, so that nothing is stored which the sweep does not know of. While a document is
put, its row takes the room that it may need. The quota is judged while the row of the brokerage's key is held, which no
append waits for.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from aureum.domain.errors import NotFound
from aureum.store.blobs import AlreadyStored, QuotaFull
from aureum.store.postgres.database import Database

ONE_AT_A_TIME = "SELECT FROM tenant_keys WHERE tenant_id = %(tenant)s FOR NO KEY UPDATE"

BEGIN = """
INSERT INTO documents (tenant_id, document_id, subject_id, in_bucket, bytes, begun_at)
SELECT %(tenant)s, %(document)s, %(subject)s, %(in_bucket)s, coalesce(%(at_most)s::bigint, 0), statement_timestamp()
 WHERE %(at_most)s::bigint IS NULL OR %(quota)s::bigint IS NULL
    OR %(at_most)s::bigint
       + (SELECT coalesce(sum(d.bytes), 0) FROM documents d WHERE d.tenant_id = %(tenant)s AND NOT d.gone)
       <= %(quota)s::bigint
ON CONFLICT DO NOTHING
RETURNING 1
"""

IS_THERE = """
UPDATE documents SET begun_at = CASE WHEN whole AND NOT gone THEN clock.now ELSE begun_at END
  FROM (
           SELECT statement_timestamp() AS now, statement_timestamp() - interval '10 minutes' AS lately OFFSET 0
       ) AS clock
 WHERE tenant_id = %(tenant)s AND document_id = %(document)s
RETURNING (gone OR NOT whole) AND (gone OR begun_at < clock.lately)
"""
"""Whether it is only what is left of one. What is whole is there for another day, so that an event can name it."""

END = """
UPDATE documents SET bytes = %(bytes)s, whole = true
 WHERE tenant_id = %(tenant)s AND document_id = %(document)s AND NOT gone
RETURNING 1
"""

PLACE = """
SELECT d.in_bucket FROM documents d
 WHERE d.tenant_id = %(tenant)s AND d.document_id = %(document)s AND d.whole AND NOT d.gone
"""

PLACES = """
UPDATE documents SET gone = true
 WHERE tenant_id = %(tenant)s AND document_id = ANY (%(documents)s::uuid[])
RETURNING document_id, in_bucket
"""

REMOVE = "DELETE FROM documents WHERE tenant_id = %(tenant)s AND document_id = ANY (%(documents)s::uuid[])"

USED = """
SELECT coalesce(sum(d.bytes), 0)::bigint FROM documents d WHERE d.tenant_id = %(tenant)s AND NOT d.gone
"""

FORGET = "UPDATE documents SET gone = true WHERE tenant_id = %(tenant)s AND subject_id = ANY (%(subjects)s)"
"""Of subjects whose keys are destroyed: the worker deletes the bytes, which none can read any more."""

GONE = """
SELECT d.tenant_id, array_agg(d.document_id)
  FROM (
           SELECT g.tenant_id, g.document_id FROM documents g WHERE g.gone
            ORDER BY g.in_bucket, g.tenant_id, g.document_id
            LIMIT %(limit)s
       ) AS d
 GROUP BY d.tenant_id
"""
"""Those in the database first: a bucket that cannot be reached holds none of them up."""

UNSURE = """
SELECT d.tenant_id, d.subject_id, array_agg(d.document_id) FROM documents d
 WHERE NOT d.referred AND NOT d.gone AND d.begun_at < statement_timestamp() - interval '24 hours'
 GROUP BY d.tenant_id, d.subject_id
 LIMIT %(limit)s
"""

GIVE_UP_UNNAMED = """
UPDATE documents SET gone = true
 WHERE tenant_id = %(tenant)s AND document_id = ANY (%(documents)s::uuid[])
   AND NOT referred AND begun_at < statement_timestamp() - interval '24 hours'
RETURNING 1
"""
"""Those that were not put again meanwhile."""

REFERRED = """
UPDATE documents SET referred = true
 WHERE tenant_id = %(tenant)s AND document_id = ANY (%(documents)s::uuid[])
"""

LET_GO = """
UPDATE documents SET referred = false, begun_at = statement_timestamp()
 WHERE tenant_id = %(tenant)s AND document_id = ANY (%(documents)s::uuid[])
"""


class Entry(NamedTuple):
    """A document of the ledger."""

    document_id: UUID
    in_bucket: bool


async def begin(
    database: Database,
    tenant_id: UUID,
    document_id: UUID,
    subject_id: UUID,
    *,
    in_bucket: bool,
    at_most: int | None,
    quota: int | None,
) -> bool:
    """Note that a document is being put, of up to *at_most* bytes. Returns whether that could be done: if not, what is
    left of another one under the same id must be deleted first. Raises QuotaFull, AlreadyStored, NotFound (no such
    brokerage), Unavailable."""
    about = {
        "tenant": tenant_id,
        "document": document_id,
        "subject": subject_id,
        "in_bucket": in_bucket,
        "at_most": at_most,
        "quota": quota,
    }
    async with database.transaction(tenant_id) as connection:
        if (await (await connection.execute(ONE_AT_A_TIME, about)).fetchone()) is None:
            raise NotFound
        if (await (await connection.execute(BEGIN, about)).fetchone()) is not None:
            return True
        found = await (await connection.execute(IS_THERE, about)).fetchone()
    if found is None:
        assert quota is not None
        raise QuotaFull(quota)
    if found == (True,):
        return False
    raise AlreadyStored


async def end(database: Database, tenant_id: UUID, document_id: UUID, size: int) -> bool:
    """Note that a document is whole. Returns whether it is still wanted: its subject may have been forgotten. Raises
    Unavailable."""
    return bool(await database.rows(END, {"tenant": tenant_id, "document": document_id, "bytes": size}))


async def place(database: Database, tenant_id: UUID, document_id: UUID) -> bool | None:
    """Whether a document is in the bucket; None if there is none. Raises Unavailable."""
    rows = await database.tenant_rows(tenant_id, PLACE, {"tenant": tenant_id, "document": document_id})
    return rows[0][0] if rows else None


async def give_up(database: Database, tenant_id: UUID, document_ids: Sequence[UUID]) -> list[Entry]:
    """Note that the bytes of these documents are to be deleted. Returns those that there are. Raises Unavailable."""
    about = {"tenant": tenant_id, "documents": list(document_ids)}
    return [Entry(*row) for row in await database.rows(PLACES, about)]


async def remove(database: Database, tenant_id: UUID, document_ids: Sequence[UUID]) -> None:
    """Forget documents whose bytes are deleted. Raises Unavailable."""
    await database.rows(REMOVE, {"tenant": tenant_id, "documents": list(document_ids)})


async def used(database: Database, tenant_id: UUID) -> int:
    """The bytes that a brokerage's documents take. Raises Unavailable."""
    ((size,),) = await database.tenant_rows(tenant_id, USED, {"tenant": tenant_id})
    return int(size)


async def let_go(database: Database, tenant_id: UUID, document_ids: Sequence[UUID]) -> None:
    """These documents are about to be taken out of what they belong to: the sweep looks at them again in a day. Raises
    Unavailable."""
    await database.rows(LET_GO, {"tenant": tenant_id, "documents": list(document_ids)})
