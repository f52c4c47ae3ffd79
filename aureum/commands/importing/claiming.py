"""Who works on an import: one worker at a time, which holds it for a minute and says so with each batch of rows."""

from aureum.commands.importing.imports import Import, get_import
from aureum.store.event_store import EventStore
from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.database import Database

WAITS = """state IN ('checking', 'running', 'undoing') AND (stored OR state = 'undoing')
              AND (held_until IS NULL OR held_until < statement_timestamp())"""

CLAIM = Everywhere(
    """
UPDATE imports i
   SET held_until = statement_timestamp() + interval '60 seconds'
  FROM (
           SELECT w.tenant_id, w.import_id FROM imports w
            WHERE {waits}
            ORDER BY w.held_until NULLS FIRST, w.import_id
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       ) AS n
 WHERE i.tenant_id = n.tenant_id AND i.import_id = n.import_id
RETURNING i.tenant_id, i.import_id
""".replace("{waits}", WAITS),
    "imports w",
    WAITS,
)
"""The one that was left alone longest."""

WAITING = f"SELECT 1 FROM imports WHERE {WAITS} LIMIT 1"  # noqa: S608  # of constants

GIVE_BACK = """
UPDATE imports SET held_until = statement_timestamp()
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state IN ('checking', 'running', 'undoing')
"""

BROKEN = """
UPDATE imports
   SET failures = failures + 1, held_until = statement_timestamp() + interval '10 seconds', problem = %(problem)s,
       state = CASE WHEN failures >= 2 OR %(final)s THEN 'failed' ELSE state END,
       ended_at = CASE WHEN failures >= 2 OR %(final)s THEN clock.now END
  FROM (SELECT statement_timestamp() AS now OFFSET 0) AS clock
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state IN ('checking', 'running', 'undoing')
"""


async def claim(store: EventStore) -> Import | None:
    """The next import, on which no other worker works meanwhile; None if there is none. Raises Unavailable."""
    rows = await store.database.everywhere(CLAIM, {"limit": 1})
    return await get_import(store, *rows[0]) if rows else None


async def others_wait(database: Database) -> bool:
    """Whether there is an import on which no worker works. Raises Unavailable."""
    return bool(await database.rows(WAITING))


async def give_back(database: Database, job: Import) -> None:
    """Another worker may go on with *job* now. Raises Unavailable."""
    await database.rows(GIVE_BACK, {"tenant": job.tenant_id, "import": job.import_id})


async def broke_off(database: Database, job: Import, problem: str, *, final: bool = False) -> None:
    """Something is wrong with *job*. It is tried twice more, unless that is *final*."""
    about = {"tenant": job.tenant_id, "import": job.import_id, "problem": problem, "final": final}
    await database.rows(BROKEN, about)
