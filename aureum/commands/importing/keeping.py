"""What is kept of an import, for as long as it is needed: its file, and the rows that were refused.

The file is stored in parts, sealed with the brokerage's key, until the import has ended, and for a day at most where it
has not begun. Refused rows are kept sealed for a week. Neither is sealed with a person's own key, since a row that was
refused is no person yet: what erases a person deletes the refused rows of the brokerage (``FORGET``).
"""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, BinaryIO

import orjson
from psycopg import AsyncConnection

from aureum.commands.importing import headings
from aureum.commands.importing.imports import Import
from aureum.domain.csv_cells import BOM, lines
from aureum.domain.errors import NotFound
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database

FILE_GONE = "The file of this import is no longer kept. Import it again."

PART_OF = """
SELECT sealed FROM import_parts WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND place = %(place)s
"""

FORGET_FILE = "DELETE FROM import_parts WHERE tenant_id = %(tenant)s AND import_id = %(import)s"
FORGET_KEYS = "DELETE FROM import_keys WHERE tenant_id = %(tenant)s AND import_id = %(import)s"
FORGET_REFUSED = "DELETE FROM import_refused WHERE tenant_id = %(tenant)s AND import_id = %(import)s"

FORGET = "DELETE FROM import_refused WHERE tenant_id = %(tenant)s"
"""All that is kept of the refused rows of a brokerage."""

REFUSED = """
SELECT number, sealed FROM import_refused
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND number > %(after)s
 ORDER BY number LIMIT %(limit)s
"""

ADD_REFUSED = """
INSERT INTO import_refused (tenant_id, import_id, number, sealed)
SELECT %(tenant)s, %(import)s, n.number, n.sealed
  FROM unnest(%(numbers)s::integer[], %(sealed)s::bytea[]) AS n (number, sealed)
ON CONFLICT DO NOTHING
"""

PRUNE = (
    """
UPDATE imports SET state = 'cancelled', ended_at = statement_timestamp()
 WHERE state IN ('waiting', 'checked') AND requested_at < statement_timestamp() - interval '1 day'
""",
    """
DELETE FROM import_parts p USING imports i
 WHERE p.tenant_id = i.tenant_id AND p.import_id = i.import_id AND i.ended_at IS NOT NULL
""",
    """
DELETE FROM import_keys k USING imports i
 WHERE k.tenant_id = i.tenant_id AND k.import_id = i.import_id AND i.ended_at IS NOT NULL
""",
    """
DELETE FROM import_refused r USING imports i
 WHERE r.tenant_id = i.tenant_id AND r.import_id = i.import_id
   AND i.ended_at < statement_timestamp() - interval '7 days'
""",
)


async def forget_file(store: EventStore, about: Mapping[str, Any]) -> None:
    """Delete what an import needs only until it has ended."""
    async with store.database.transaction(about["tenant"]) as connection:
        await connection.execute(FORGET_FILE, about)
        await connection.execute(FORGET_KEYS, about)


async def file_of(store: EventStore, job: Import) -> BinaryIO:
    """The stored file, in a file that has no name, so that nothing of it stays behind. Raises NotFound, Unavailable."""
    key = await store.tenant_key(job.tenant_id)
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    place = 0
    while True:
        about = {"tenant": job.tenant_id, "import": job.import_id, "place": place}
        rows = await store.database.tenant_rows(job.tenant_id, PART_OF, about)
        if not rows:
            break
        file.write(key.open_import(rows[0][0], job.import_id, b"part%d" % place))
        place += 1
    if not place:
        file.close()
        raise NotFound(FILE_GONE)
    return file


async def refused_rows(store: EventStore, job: Import, chunk: int = 500) -> AsyncIterator[bytes]:
    """The refused rows as a CSV file that can be corrected and imported again: each as it was, with the reasons behind
    it. Raises Unavailable."""
    key = await store.tenant_key(job.tenant_id)
    yield BOM.encode() + lines([[*job.header, headings.WHY]])
    after = 0
    while True:
        about = {"tenant": job.tenant_id, "import": job.import_id, "after": after, "limit": chunk}
        rows = await store.database.tenant_rows(job.tenant_id, REFUSED, about)
        found = [orjson.loads(key.open_import(sealed, job.import_id, b"row%d" % number)) for number, sealed in rows]
        if found:
            width = len(job.header)
            yield lines([(*one["cells"][:width], *[""] * (width - len(one["cells"])), one["why"]) for one in found])
            after = rows[-1][0]
        if len(rows) < chunk:
            return


async def add_refused(
    store: EventStore, connection: AsyncConnection[Any], job: Import, refused: Sequence[tuple[int, Sequence[str], str]]
) -> None:
    """Keep these rows: number, cells, reasons."""
    key = await store.tenant_key(job.tenant_id)
    numbers = [number for number, _, _ in refused]
    sealed = [
        key.seal_import(orjson.dumps({"cells": clean(cells), "why": why}), job.import_id, b"row%d" % number)
        for number, cells, why in refused
    ]
    await connection.execute(
        ADD_REFUSED, {"tenant": job.tenant_id, "import": job.import_id, "numbers": numbers, "sealed": sealed}
    )


def clean(cells: Sequence[str]) -> list[str]:
    """Cells as JSON can have them."""
    return [cell.encode("utf-8", "replace").decode() for cell in cells]


async def prune_imports(database: Database) -> None:
    """Delete what is no longer needed of imports. Raises Unavailable."""
    for statement in PRUNE:
        await database.rows(statement)
