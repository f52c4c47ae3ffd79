"""Imports as jobs. The command line does its own at once; those of the API and the panel the worker does, a slice each.

    waiting ──▶ checking ──▶ checked ──▶ running ──rows are done──▶ completed ──▶ undoing ──▶ undone
       └────────────────────────────────▶ ↑   └──it broke off three times──▶ failed
    any but completed and undone ──▶ cancelled; what was made stays, and can be undone

The file is stored in parts, sealed with the brokerage's key, until the import has ended, and for a day at most where it
has not begun. Refused rows are kept sealed for a week. Neither is sealed with a person's own key, since a row that was
refused is no person yet: what erases a person deletes the refused rows of the brokerage (``FORGET``).
"""

import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Literal
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from aureum.commands.importing import headings
from aureum.commands.importing.csv_file import Layout, layout_of, rows_of
from aureum.commands.importing.fields import fields_of
from aureum.commands.importing.placing import POLICIES, Policy
from aureum.domain import ids
from aureum.domain.csv_cells import BOM, lines
from aureum.domain.errors import Invalid, NotFound, WrongState
from aureum.store.event_store import EventStore
from aureum.store.metadata import Actor, Origin
from aureum.store.postgres.database import Database

State = Literal["waiting", "checking", "checked", "running", "completed", "failed", "cancelled", "undoing", "undone"]

NO_IMPORT = "There is no such import."
NOT_NOW = "This import is {state}. {instead}"
FILE_GONE = "The file of this import is no longer kept. Import it again."
MOST_OPEN = 5
TOO_MANY = f"{MOST_OPEN} imports of this brokerage are running. Wait until one of them has ended."
NO_POLICY = f"duplicates must be one of: {', '.join(POLICIES)}."

PART = 256 * 1024
SAMPLE_ROWS = 5
LONGEST_SAMPLE = 200

COLUMNS = (
    "tenant_id", "import_id", "resource", "duplicates", "state", "stored", "shown", "encoding", "separator", "rows",
    "done", "made", "updated", "skipped", "refused", "undone", "kept", "since", "actor_type", "actor_id", "request_id",
    "problem", "requested_at", "began_at", "ended_at",
)  # fmt: skip

ONE = """
SELECT tenant_id, import_id, resource, duplicates, state, stored, shown, encoding, separator, rows, done, made, updated,
       skipped, refused, undone, kept, since, actor_type, actor_id, request_id, problem, requested_at, began_at,
       ended_at
  FROM imports WHERE tenant_id = %(tenant)s AND import_id = %(import)s
"""

LATEST = """
SELECT tenant_id, import_id, resource, duplicates, state, stored, shown, encoding, separator, rows, done, made, updated,
       skipped, refused, undone, kept, since, actor_type, actor_id, request_id, problem, requested_at, began_at,
       ended_at
  FROM imports WHERE tenant_id = %(tenant)s ORDER BY import_id DESC LIMIT %(limit)s
"""

OPEN = "SELECT count(*) FROM imports WHERE tenant_id = %(tenant)s AND state IN ('checking', 'running', 'undoing')"

ADD = """
INSERT INTO imports (tenant_id, import_id, resource, duplicates, state, stored, shown, encoding, separator, same, rows,
                     since, actor_type, actor_id, request_id, requested_at, began_at, held_until)
SELECT %(tenant)s, %(import)s, %(resource)s, %(duplicates)s, %(state)s, %(stored)s, %(shown)s, %(encoding)s,
       %(separator)s, %(same)s, %(rows)s, h.position, %(actor_type)s, %(actor_id)s, %(request)s, %(now)s, %(began)s,
       CASE WHEN %(stored)s THEN NULL ELSE clock_timestamp() + interval '5 seconds' END
  FROM heads h WHERE h.tenant_id = %(tenant)s
RETURNING 1
"""

ADD_PART = """
INSERT INTO import_parts (tenant_id, import_id, place, sealed) VALUES (%(tenant)s, %(import)s, %(place)s, %(sealed)s)
"""

PART_OF = """
SELECT sealed FROM import_parts WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND place = %(place)s
"""

BEGIN_AGAIN = """
UPDATE imports
   SET state = %(state)s, shown = %(shown)s, duplicates = %(duplicates)s, same = %(same)s, done = 0, made = 0,
       updated = 0, skipped = 0, refused = 0, failures = 0, problem = NULL, held_until = NULL, began_at = %(now)s,
       since = (SELECT h.position FROM heads h WHERE h.tenant_id = %(tenant)s), ended_at = NULL
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state IN ('waiting', 'checking', 'checked')
RETURNING 1
"""

CANCEL = """
UPDATE imports SET state = 'cancelled', ended_at = clock_timestamp()
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state IN ('waiting', 'checking', 'checked', 'running')
RETURNING 1
"""

TO_UNDO = """
UPDATE imports
   SET state = 'undoing', failures = 0, problem = NULL, held_until = NULL, undone = 0, kept = 0,
       actor_type = %(actor_type)s, actor_id = %(actor_id)s, request_id = %(request)s
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state IN ('completed', 'failed', 'cancelled')
RETURNING 1
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

PRUNE = (
    """
UPDATE imports SET state = 'cancelled', ended_at = clock_timestamp()
 WHERE state IN ('waiting', 'checked') AND requested_at < clock_timestamp() - interval '1 day'
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
   AND i.ended_at < clock_timestamp() - interval '7 days'
""",
)


@dataclass(frozen=True)
class Import:
    """An import as its row has it. ``mapping``, ``samples``, ``file_name`` and ``preset`` were sealed there."""

    tenant_id: UUID
    import_id: UUID
    resource: str
    duplicates: Policy
    state: State
    stored: bool
    header: tuple[str, ...]
    mapping: Mapping[str, str | None]
    samples: Sequence[Sequence[str]]
    file_name: str
    preset: str | None
    layout: Layout
    done: int
    made: int
    updated: int
    skipped: int
    refused: int
    undone: int
    kept: int
    since: int
    actor: Actor
    request_id: str
    problem: str | None
    requested_at: datetime
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def origin(self) -> Origin:
        """Whom the events name, and by what they are found."""
        return Origin(self.actor, self.request_id, correlation_id=ids.to_wire(self.import_id))


@dataclass(frozen=True)
class Wanted:
    """What is to be imported, and how. ``mapping`` stands in the place of the guess."""

    tenant_id: UUID
    resource: str
    duplicates: str = "skip"
    mapping: Mapping[str, Any] | None = None
    file_name: str = ""

    def check(self) -> None:
        """Raises Invalid."""
        fields_of(self.resource)
        if self.duplicates not in POLICIES:
            raise Invalid("duplicates", NO_POLICY)


async def request_import(
    store: EventStore, wanted: Wanted, file: BinaryIO, origin: Origin, *, state: State, stored: bool = True
) -> Import:
    """A new import of *file*, which is kept if *stored*. Raises Invalid, WrongState, Unavailable."""
    wanted.check()
    layout = layout_of(file)
    mapping = headings.mapped(wanted.resource, layout.header, wanted.mapping or {})
    if state != "waiting":
        headings.check(wanted.resource, mapping)
    ((running,),) = await store.database.tenant_rows(wanted.tenant_id, OPEN, {"tenant": wanted.tenant_id})
    if running >= MOST_OPEN:
        raise WrongState(TOO_MANY)
    key, import_id = await store.tenant_key(wanted.tenant_id), ids.new_id()
    preset = headings.preset_of(wanted.resource, layout.header)
    shown = {
        "header": layout.header,
        "mapping": mapping,
        "samples": samples(file, layout),
        "file_name": wanted.file_name[:200],
        "preset": None if preset is None else preset.name,
    }
    now = ids.now()
    about = {
        "tenant": wanted.tenant_id,
        "import": import_id,
        "resource": wanted.resource,
        "duplicates": wanted.duplicates,
        "state": state,
        "stored": stored,
        "shown": key.seal_import(orjson.dumps(shown), import_id, b"shown"),
        "encoding": layout.encoding,
        "separator": layout.separator,
        "same": await sameness(store, wanted, mapping, file),
        "rows": layout.rows,
        "actor_type": origin.actor.kind,
        "actor_id": origin.actor.id,
        "request": origin.request_id,
        "now": now,
        "began": None if state == "waiting" else now,
    }
    async with store.database.connection() as connection, connection.transaction():
        if not await (await connection.execute(ADD, about)).fetchall():
            raise NotFound
        if stored:
            for place, part in enumerate(parts(file)):
                sealed = key.seal_import(part, import_id, b"part%d" % place)
                await connection.execute(ADD_PART, about | {"place": place, "sealed": sealed})
    return await get_import(store, wanted.tenant_id, import_id)


def parts(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file, a part at a time."""
    file.seek(0)
    while part := file.read(PART):
        yield part


def samples(file: BinaryIO, layout: Layout) -> list[list[str]]:
    """The first rows, each as wide as the header, with the beginnings of their cells."""
    width, found = len(layout.header), []
    for row in rows_of(file, layout):
        cells = [cell[:LONGEST_SAMPLE].encode("utf-8", "replace").decode() for cell in row.cells[:width]]
        found.append(cells + [""] * (width - len(cells)))
        if len(found) == SAMPLE_ROWS:
            break
    return found


async def sameness(store: EventStore, wanted: Wanted, mapping: Mapping[str, Any], file: BinaryIO) -> bytes:
    """What is the same for the same file, imported in the same way."""
    content = hashlib.sha256()
    for part in parts(file):
        content.update(part)
    said = orjson.dumps([wanted.resource, wanted.duplicates, sorted(mapping.items())])
    return (await store.tenant_key(wanted.tenant_id)).digest(b"import", content.digest() + said)


async def get_import(store: EventStore, tenant_id: UUID, import_id: UUID) -> Import:
    """Raises NotFound, Unavailable."""
    rows = await store.database.tenant_rows(tenant_id, ONE, {"tenant": tenant_id, "import": import_id})
    if not rows:
        raise NotFound(NO_IMPORT)
    return await opened(store, rows[0])


async def list_imports(store: EventStore, tenant_id: UUID, limit: int) -> list[Import]:
    """The newest imports, newest first. Raises Unavailable."""
    rows = await store.database.tenant_rows(tenant_id, LATEST, {"tenant": tenant_id, "limit": limit})
    return [await opened(store, row) for row in rows]


async def opened(store: EventStore, row: Sequence[Any]) -> Import:
    """An import of its row."""
    said = dict(zip(COLUMNS, row, strict=True))
    key = await store.tenant_key(said["tenant_id"])
    shown = orjson.loads(key.open_import(said.pop("shown"), said["import_id"], b"shown"))
    actor = Actor(said.pop("actor_type"), said.pop("actor_id"))
    header = tuple(shown.pop("header"))
    layout = Layout(said.pop("encoding"), said.pop("separator"), header, said.pop("rows"))
    return Import(**said, **shown, header=header, actor=actor, layout=layout)


async def start_import(
    store: EventStore,
    tenant_id: UUID,
    import_id: UUID,
    *,
    dry_run: bool,
    mapping: Mapping[str, Any] | None = None,
    duplicates: str | None = None,
) -> Import:
    """Begin an import whose file is there, or its dry run, from its first row. Raises NotFound, Invalid, WrongState,
    Unavailable."""
    found = await get_import(store, tenant_id, import_id)
    if found.state not in ("waiting", "checking", "checked"):
        instead = FILE_GONE if found.ended_at else "Wait until it has ended."
        raise WrongState(NOT_NOW.format(state=found.state, instead=instead))
    wanted = Wanted(tenant_id, found.resource, duplicates or found.duplicates)
    wanted.check()
    now_mapped = dict(found.mapping) if mapping is None else headings.mapped(found.resource, found.header, mapping)
    headings.check(found.resource, now_mapped)
    key = await store.tenant_key(tenant_id)
    shown = {
        "header": found.header,
        "mapping": now_mapped,
        "samples": found.samples,
        "file_name": found.file_name,
        "preset": found.preset,
    }
    about = {
        "tenant": tenant_id,
        "import": import_id,
        "state": "checking" if dry_run else "running",
        "shown": key.seal_import(orjson.dumps(shown), import_id, b"shown"),
        "duplicates": wanted.duplicates,
        "same": b"",
        "now": ids.now(),
    }
    async with store.database.connection() as connection, connection.transaction():
        if not await (await connection.execute(BEGIN_AGAIN, about)).fetchall():
            raise WrongState(NOT_NOW.format(state="running", instead="Wait until it has ended."))
        await connection.execute(FORGET_KEYS, about)
        await connection.execute(FORGET_REFUSED, about)
    return await get_import(store, tenant_id, import_id)


async def cancel_import(store: EventStore, tenant_id: UUID, import_id: UUID) -> Import:
    """The import, which goes no further; what it has made stays. Cancelling it again changes nothing. Raises NotFound,
    WrongState, Unavailable."""
    about = {"tenant": tenant_id, "import": import_id}
    if await store.database.rows(CANCEL, about):
        await forget_file(store, about)
        return await get_import(store, tenant_id, import_id)
    found = await get_import(store, tenant_id, import_id)
    if found.state != "cancelled":
        raise WrongState(
            NOT_NOW.format(state=found.state, instead="Only an import that has not ended can be cancelled.")
        )
    return found


async def undo_import(store: EventStore, tenant_id: UUID, import_id: UUID, origin: Origin) -> Import:
    """The import, which the worker undoes in the name of *origin*. Asking again changes nothing. Raises NotFound,
    WrongState, Unavailable."""
    about = {
        "tenant": tenant_id,
        "import": import_id,
        "actor_type": origin.actor.kind,
        "actor_id": origin.actor.id,
        "request": origin.request_id,
    }
    if not await store.database.rows(TO_UNDO, about):
        found = await get_import(store, tenant_id, import_id)
        if found.state not in ("undoing", "undone"):
            raise WrongState(NOT_NOW.format(state=found.state, instead="Cancel it first, or wait until it has ended."))
    return await get_import(store, tenant_id, import_id)


async def forget_file(store: EventStore, about: Mapping[str, Any]) -> None:
    """Delete what an import needs only until it has ended."""
    async with store.database.connection() as connection, connection.transaction():
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


ADD_REFUSED = """
INSERT INTO import_refused (tenant_id, import_id, number, sealed)
SELECT %(tenant)s, %(import)s, n.number, n.sealed
  FROM unnest(%(numbers)s::integer[], %(sealed)s::bytea[]) AS n (number, sealed)
ON CONFLICT DO NOTHING
"""


def clean(cells: Sequence[str]) -> list[str]:
    """Cells as JSON can have them."""
    return [cell.encode("utf-8", "replace").decode() for cell in cells]


async def prune_imports(database: Database) -> None:
    """Delete what is no longer needed of imports. Raises Unavailable."""
    for statement in PRUNE:
        await database.rows(statement)
