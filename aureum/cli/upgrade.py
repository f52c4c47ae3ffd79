"""Brings a database up to date: migrations, functions, then what only the program itself can do to the data."""

from collections.abc import Awaitable, Callable, Mapping

from aureum.app import open_store
from aureum.commands.addresses import one_form_everywhere
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import connect
from aureum.store.postgres.migrate import data_steps, migrate
from aureum.store.postgres.watch import Watch

STEPS: Mapping[str, Callable[[EventStore, str], Awaitable[None]]] = {"addresses": one_form_everywhere}
"""By the names that migrations leave in ``data_steps``."""

DONE = "UPDATE data_steps SET done_at = now() WHERE name = %s"


async def upgrade(settings: Settings, url: str, key: bytes) -> list[str]:
    """The names of what was run. Raises Unavailable, NewerDatabase, WrongMasterKey, and what the steps raise."""
    watch = Watch(settings.database_long_timeout)
    ran = await migrate(url, MasterKey(key), watch)
    async with await connect(url) as connection:
        left = [name for name in await data_steps(connection) if name in STEPS]
    if not left:
        return ran
    async with open_store(settings, url, key, watch) as store:
        for name in left:
            await STEPS[name](store, url)
            await store.database.rows(DONE, [name])
    return ran + left
