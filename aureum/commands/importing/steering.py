"""Starts, cancels and undoes an import that is there. The worker does the work."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from aureum.commands.importing import headings
from aureum.commands.importing.imports import Import, Wanted, get_import
from aureum.commands.importing.keeping import FILE_GONE, FORGET_KEYS, FORGET_REFUSED, forget_file
from aureum.domain import ids
from aureum.domain.errors import WrongState
from aureum.store.event_store import EventStore
from aureum.store.metadata import Origin

NOT_NOW = "This import is {state}. {instead}"

BEGIN_AGAIN = """
UPDATE imports
   SET state = %(state)s, shown = %(shown)s, duplicates = %(duplicates)s, routed = %(routed)s, same = %(same)s,
       done = 0, made = 0, updated = 0, skipped = 0, refused = 0, failures = 0, problem = NULL,
       held_until = NULL, began_at = %(now)s, ended_at = NULL,
       since = (SELECT h.position FROM heads h WHERE h.tenant_id = %(tenant)s)
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state IN ('waiting', 'checking', 'checked')
RETURNING 1
"""

CANCEL = """
UPDATE imports SET state = 'cancelled', ended_at = statement_timestamp()
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


async def start_import(
    store: EventStore,
    tenant_id: UUID,
    import_id: UUID,
    *,
    dry_run: bool,
    mapping: Mapping[str, Any] | None = None,
    duplicates: str | None = None,
    route: bool | None = None,
) -> Import:
    """Begin an import whose file is there, or its dry run, from its first row. Raises NotFound, Invalid, WrongState,
    Unavailable."""
    found = await get_import(store, tenant_id, import_id)
    if found.state not in ("waiting", "checking", "checked"):
        instead = FILE_GONE if found.ended_at else "Wait until it has ended."
        raise WrongState(NOT_NOW.format(state=found.state, instead=instead))
    wanted = Wanted(
        tenant_id,
        found.resource,
        duplicates or found.duplicates,
        route=found.routed if route is None else route,
    )
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
        "routed": wanted.route,
        "same": b"",
        "now": ids.now(),
    }
    async with store.database.transaction(tenant_id) as connection:
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
