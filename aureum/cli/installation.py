"""What every command of the command line needs: the settings, the database (started if it is the embedded one), the
master key, an event store, and the tenant that a slug names. Each is imported when it is asked for.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from aureum.cli.output import Refused, note
from aureum.domain.errors import NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.settings import Settings
    from aureum.store.event_store import EventStore
    from aureum.store.metadata import Origin
    from aureum.store.postgres.database import Database
    from aureum.store.postgres.embedded import EmbeddedServer

Result = TypeVar("Result")

REBUILD_OF = "the rebuild of "
"""How ``pending`` names what an older version of a step has made."""

RIGHTS = "rights"
"""How what ``aureum.store.postgres.service_role`` gives is named."""

NOT_MIGRATED = "The database is not up to date: {names} must run first. Run: aureum migrate"

OWNER_ALONE = (
    "AUREUM_OWNER_DATABASE_URL is set, and AUREUM_DATABASE_URL is not. Set both, or AUREUM_DATABASE_URL alone; the "
    "embedded database needs neither."
)


@dataclass(frozen=True)
class Installation:
    """Settings, the database's URL (the owner's, if there is one), the master key, and the embedded server if it is
    that."""

    settings: Settings
    url: str
    key: bytes
    server: EmbeddedServer | None = None


@contextlib.contextmanager
def installation(
    *, migrated: bool = True, told: bool = False, rebuilding: bool = False, sweeps: bool = True
) -> Iterator[Installation]:
    """The installation that the settings name. If *migrated*, the embedded database is brought up to date when it is
    started, and one of the operator's own must be up to date already. Variables that are no settings are named on
    standard error, unless they are *told* of otherwise. If *rebuilding*, and the settings say so, what an older version
    of a step has made is rebuilt first. Unless it *sweeps*, a login that owns nothing is enough. Raises SettingsError,
    EmbeddedDatabaseError, Unavailable, WrongMasterKey, Refused.
    """
    from aureum.cli.upgrade import upgrade
    from aureum.log import configure_command
    from aureum.settings import SettingsError, load_settings
    from aureum.settings.master_key import master_key
    from aureum.store.postgres import embedded

    configure_command()
    settings = load_settings()
    if not told:
        name_unknown_settings()
    if settings.owner_database_url is not None and settings.database_url is None:
        raise SettingsError(OWNER_ALONE)
    key = master_key(settings)
    if settings.database_url is not None:
        url = settings.owner_database_url or settings.database_url
        if migrated:
            run(check(settings, url, key, rebuilding=rebuilding and settings.rebuild_at_start, sweeps=sweeps))
        yield Installation(settings, url, key)
        return
    if not (settings.data_dir / "postgres").exists():
        note(f"Creating a database in {settings.data_dir} ...")
    with embedded.start(settings.data_dir) as server:
        if migrated:
            run(upgrade(settings, server.url, key))
        yield Installation(settings, server.url, key, server)


def name_unknown_settings() -> None:
    """A line on standard error for each."""
    from aureum.settings.names import misnamed

    for sentence in misnamed():
        sys.stderr.write(f"Warning: {sentence}\n")


async def check(settings: Settings, url: str, key: bytes, *, rebuilding: bool, sweeps: bool) -> None:
    """That the logins can do what they must, the database is up to date, and *key* its master key. What an older
    version of a step has made is rebuilt, if *rebuilding*, the login may, and nothing else is missing. Raises Busy,
    Unavailable, WrongMasterKey, OtherDatabase, Refused."""
    from aureum.cli.logins import lacks_rights, too_little
    from aureum.store.cipher import MasterKey
    from aureum.store.postgres import service_role
    from aureum.store.postgres.database import connect
    from aureum.store.postgres.migrate import check_master_key, pending

    async with await connect(url) as connection:
        owner = not connection.owns_nothing
        if not owner and (sweeps or settings.owner_database_url is not None):
            raise Refused(too_little(settings))
        if await service_role.lacks_rights(connection):
            raise Refused(NOT_MIGRATED.format(names=RIGHTS))
    names = await pending(url)
    if owner and rebuilding and names and all(name.startswith(REBUILD_OF) for name in names):
        from aureum.cli.upgrade import rebuild_old
        from aureum.store.postgres.watch import Watch

        note(f"Running {', '.join(names)} ...")
        await rebuild_old(settings, url, key, Watch(settings.database_long_timeout), quiet=False)
        names = await pending(url)
    async with await connect(url) as connection:
        if not names and await lacks_rights(settings, connection):
            names = [RIGHTS]
        if names:
            raise Refused(NOT_MIGRATED.format(names=", ".join(names)))
        await check_master_key(connection, MasterKey(key))


def with_store(work: Callable[[EventStore], Awaitable[Result]]) -> Result:
    """Run *work* on the installation's event store."""
    from aureum.app import open_store

    with installation() as here:

        async def in_store() -> Result:
            async with open_store(here.settings, here.url, here.key) as store:
                await store.database.hear_the_time()
                return await work(store)

        return run(in_store())


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run *work* to its end, on an event loop of its own."""
    import asyncio

    from aureum.processes.resident import collect_seldom

    # What goes through a whole log makes millions of objects, none of which the collector has to find.
    collect_seldom()
    return asyncio.run(work)


def origin() -> Origin:
    """Whom events made here name."""
    from aureum.store.metadata import COMMAND_LINE, Origin

    return Origin(COMMAND_LINE)


async def tenant_of(database: Database, slug: str) -> UUID:
    """The brokerage of that slug. Raises NotFound."""
    from aureum.projections import brokerages

    rows = await database.rows(brokerages.BY_SLUG, {"slug": slug})
    if not rows:
        raise NotFound(f"There is no brokerage with the slug {slug!r}. 'aureum brokerage list' shows them all.")
    tenant_id: UUID = rows[0][0]
    return tenant_id


async def tenants_of(database: Database, slug: str | None) -> list[tuple[UUID, str]]:
    """(tenant, slug) of one brokerage, or of all. Raises NotFound."""
    from aureum.projections import brokerages

    if slug is not None:
        return [(await tenant_of(database, slug), slug)]
    return [(tenant_id, name) for tenant_id, name, *_ in await database.rows(brokerages.ALL)]
