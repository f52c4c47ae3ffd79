"""Imports of the command line: it has the file, and does the rows at once. One that was interrupted goes on when the
same file is imported again in the same way."""

import asyncio
from typing import BinaryIO

from aureum.commands.importing import headings
from aureum.commands.importing.csv_file import layout_of
from aureum.commands.importing.imports import Import, State, Wanted, get_import
from aureum.commands.importing.keeping import FORGET_KEYS, FORGET_REFUSED
from aureum.commands.importing.requesting import request_import, sameness
from aureum.domain.errors import WrongState
from aureum.store.event_store import EventStore
from aureum.store.metadata import Origin

SAME = """
UPDATE imports SET held_until = statement_timestamp() + interval '5 seconds'
 WHERE tenant_id = %(tenant)s AND same = %(same)s AND state = 'running' AND NOT stored
   AND held_until < statement_timestamp()
RETURNING import_id
"""

HELD = """
SELECT 1 FROM imports
 WHERE tenant_id = %(tenant)s AND same = %(same)s AND state = 'running' AND NOT stored
"""

DISCARD = "DELETE FROM imports WHERE tenant_id = %(tenant)s AND import_id = %(import)s"

PATIENCE_SECONDS = 7.0
"""How long another process is waited for that may have been killed: it holds the import for five seconds at a time."""
LOOK_SECONDS = 0.5

GOING_ON = "The same import of this file is running. Wait until it has ended."


async def begun_before(store: EventStore, wanted: Wanted, file: BinaryIO, origin: Origin, *, dry_run: bool) -> Import:
    """The import that was interrupted, or a new one. Raises Invalid, WrongState, Unavailable."""
    if not dry_run:
        wanted.check()
        mapping = headings.mapped(wanted.resource, layout_of(file).header, wanted.mapping or {})
        about = {"tenant": wanted.tenant_id, "same": await sameness(store, wanted, mapping, file)}
        for _ in range(int(PATIENCE_SECONDS / LOOK_SECONDS)):
            rows = await store.database.rows(SAME, about)
            if rows:
                return await get_import(store, wanted.tenant_id, rows[0][0])
            if not await store.database.rows(HELD, about):
                break
            await asyncio.sleep(LOOK_SECONDS)
        else:
            raise WrongState(GOING_ON)
    state: State = "checking" if dry_run else "running"
    return await request_import(store, wanted, file, origin, state=state, stored=False)


async def discard(store: EventStore, job: Import) -> None:
    """Forget an import that has made nothing."""
    about = {"tenant": job.tenant_id, "import": job.import_id}
    async with store.database.transaction(job.tenant_id) as connection:
        for statement in (FORGET_KEYS, FORGET_REFUSED, DISCARD):
            await connection.execute(statement, about)
