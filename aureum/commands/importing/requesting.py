"""Requests an import: the file is looked at and stored, and a row says how it is to be imported."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from aureum.commands.importing import headings
from aureum.commands.importing.csv_file import Layout, layout_of, rows_of
from aureum.commands.importing.imports import Import, State, Wanted, get_import
from aureum.domain import ids
from aureum.domain.errors import NotFound, WrongState
from aureum.store.event_store import EventStore
from aureum.store.metadata import Origin

MOST_OPEN = 5
TOO_MANY = f"{MOST_OPEN} imports of this brokerage are running. Wait until one of them has ended."

PART = 256 * 1024
SAMPLE_ROWS = 5
LONGEST_SAMPLE = 200

OPEN = """
SELECT count(*) FROM imports
 WHERE tenant_id = %(tenant)s AND state IN ('checking', 'running', 'undoing')
   AND (stored OR state = 'undoing' OR held_until > statement_timestamp())
"""
"""Not those of the command line that were broken off, and that no process goes on with."""

ADD = """
INSERT INTO imports (tenant_id, import_id, resource, duplicates, state, stored, shown, encoding, separator, same, rows,
                     since, actor_type, actor_id, request_id, requested_at, began_at, routed, held_until)
SELECT %(tenant)s, %(import)s, %(resource)s, %(duplicates)s, %(state)s, %(stored)s, %(shown)s, %(encoding)s,
       %(separator)s, %(same)s, %(rows)s, h.position, %(actor_type)s, %(actor_id)s, %(request)s, %(now)s, %(began)s,
       %(routed)s,
       CASE WHEN %(stored)s THEN NULL ELSE statement_timestamp() + interval '5 seconds' END
  FROM heads h WHERE h.tenant_id = %(tenant)s
RETURNING 1
"""

ADD_PART = """
INSERT INTO import_parts (tenant_id, import_id, place, sealed) VALUES (%(tenant)s, %(import)s, %(place)s, %(sealed)s)
"""


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
        "routed": wanted.route,
        "actor_type": origin.actor.kind,
        "actor_id": origin.actor.id,
        "request": origin.request_id,
        "now": now,
        "began": None if state == "waiting" else now,
    }
    async with store.database.transaction(wanted.tenant_id) as connection:
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
    how = [wanted.resource, wanted.duplicates, sorted(mapping.items())]
    said = orjson.dumps([*how, "routed"] if wanted.route else how)
    return (await store.tenant_key(wanted.tenant_id)).digest(b"import", content.digest() + said)
