"""Brings a database up to date: migrations, what read models declare, functions; then what only the program can do
to the data: rebuild what an older version of a step has made, and the steps that migrations left to it.
"""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from aureum.app import open_store
from aureum.cli.output import progress
from aureum.commands.addresses import one_form_everywhere
from aureum.settings import Settings
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import connect
from aureum.store.postgres.migrate import data_steps, migrate, pending
from aureum.store.postgres.service_role import give_rights, lacks_rights
from aureum.store.postgres.watch import Watch
from aureum.store.rebuild.older_steps import rebuild_older_steps
from aureum.store.rebuild.rebuild import Progress

STEPS: Mapping[str, Callable[[EventStore, str], Awaitable[None]]] = {"addresses": one_form_everywhere}
"""By the names that migrations leave in ``data_steps``."""

DONE = "UPDATE data_steps SET done_at = now() WHERE name = %s"


async def upgrade(settings: Settings, url: str, key: bytes, *, quiet: bool = False) -> list[str]:
    """The names of what was run. Unless *quiet*, a terminal sees how far rebuilds are. Raises Busy, Unavailable,
    NewerDatabase, WrongMasterKey, and what the steps raise."""
    watch = Watch(settings.database_long_timeout)
    ran = await migrate(url, MasterKey(key), watch)
    if settings.owner_database_url is not None and settings.database_url is not None:
        ran += await give_rights(settings.owner_database_url, settings.database_url, watch)
    ran += await rebuild_old(settings, url, key, watch, quiet)
    async with await connect(url) as connection:
        left = [name for name in await data_steps(connection) if name in STEPS]
    if not left:
        return ran
    async with open_store(settings, url, key, watch) as store:
        for name in left:
            await STEPS[name](store, url)
            await store.database.rows(DONE, [name])
    return ran + left


async def would_run(settings: Settings, url: str) -> list[str]:
    """The names of what ``upgrade`` would run. Raises Unavailable, NewerDatabase."""
    left = await pending(url)
    if settings.owner_database_url is not None and settings.database_url is not None:
        async with await connect(settings.database_url) as connection:
            left += ["rights"] if await lacks_rights(connection) else []
    return left


async def rebuild_old(settings: Settings, url: str, key: bytes, watch: Watch, quiet: bool) -> list[str]:
    """The read models that were rebuilt, because an older version of their step had made their rows."""
    with progress(quiet=quiet) as bars:

        def told(tenant_id: UUID, name: str) -> Progress:
            for done in bars.task_ids:
                bars.remove_task(done)
            bar = bars.add_task(f"Rebuilding {name}", total=None)
            return lambda folded, length: bars.update(bar, completed=folded, total=length)

        keys = TenantKeys(MasterKey(key))
        made = await rebuild_older_steps(url, keys, told, prepared=settings.prepared_statements, watch=watch)
    return [f"the rebuild of {name}" for name in made]
