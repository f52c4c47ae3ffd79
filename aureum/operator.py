"""What every command of the command line needs: the settings, the database (started if it is the embedded one), the
master key, an event store, and the tenant that a slug names.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from aureum.app import open_store
from aureum.cli_output import Refused, note
from aureum.domain.errors import NotFound
from aureum.projections import brokerages
from aureum.settings import Settings, load_settings, master_key
from aureum.store import embedded
from aureum.store.cipher import MasterKey
from aureum.store.database import Database, connect
from aureum.store.embedded import EmbeddedServer
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.migrate import check_master_key, pending
from aureum.upgrade import upgrade

Result = TypeVar("Result")

NOT_MIGRATED = "The database is not up to date: {names} must run first. Run: aureum migrate"


@dataclass(frozen=True)
class Installation:
    """Settings, the database's URL, the master key, and the embedded server if it is that."""

    settings: Settings
    url: str
    key: bytes
    server: EmbeddedServer | None = None


@contextlib.contextmanager
def installation(*, migrated: bool = True) -> Iterator[Installation]:
    """The installation that the settings name. The embedded database is started and brought up to date; one of the
    operator's own must be up to date already if *migrated*. Raises SettingsError, EmbeddedDatabaseError, Unavailable,
    WrongMasterKey, Refused.
    """
    settings = load_settings()
    key = master_key(settings)
    if settings.database_url is not None:
        if migrated:
            asyncio.run(check(settings.database_url, MasterKey(key)))
        yield Installation(settings, settings.database_url, key)
        return
    if not (settings.data_dir / "postgres").exists():
        note(f"Making a database in {settings.data_dir}, once ...")
    with embedded.start(settings.data_dir) as server:
        asyncio.run(upgrade(settings, server.url, key))
        yield Installation(settings, server.url, key, server)


async def check(url: str, master: MasterKey) -> None:
    """That the database is up to date, and *master* its key. Raises Unavailable, WrongMasterKey, Refused."""
    if names := await pending(url):
        raise Refused(NOT_MIGRATED.format(names=", ".join(names)))
    async with await connect(url) as connection:
        await check_master_key(connection, master)


def with_store(work: Callable[[EventStore], Awaitable[Result]]) -> Result:
    """Run *work* on the installation's event store."""
    with installation() as here:

        async def run() -> Result:
            async with open_store(here.settings, here.url, here.key) as store:
                return await work(store)

        return asyncio.run(run())


def origin() -> Origin:
    """Whom events made here name."""
    return Origin(COMMAND_LINE)


async def tenant_of(database: Database, slug: str) -> UUID:
    """The brokerage of that slug. Raises NotFound."""
    rows = await database.rows(brokerages.BY_SLUG, {"slug": slug})
    if not rows:
        raise NotFound(f"There is no brokerage with the slug {slug!r}. 'aureum brokerage list' shows them all.")
    tenant_id: UUID = rows[0][0]
    return tenant_id


async def tenants_of(database: Database, slug: str | None) -> list[tuple[UUID, str]]:
    """(tenant, slug) of one brokerage, or of all. Raises NotFound."""
    if slug is not None:
        return [(await tenant_of(database, slug), slug)]
    return [(tenant_id, name) for tenant_id, name, *_ in await database.rows(brokerages.ALL)]
