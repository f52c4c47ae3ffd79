"""What every command of the command line needs: the settings, the database (started if it is the embedded one), and an
event store; and how its results and refusals are said to people and to scripts.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg
import typer
from rich.console import Console
from rich.table import Table

from aureum.app import open_store
from aureum.domain.errors import DomainError, NotFound
from aureum.projections import brokerages
from aureum.serve import ServeError
from aureum.settings import Settings, SettingsError, load_settings, master_key
from aureum.store import embedded
from aureum.store.cipher import MasterKey, WrongMasterKey
from aureum.store.database import Database
from aureum.store.event_store import EventStore
from aureum.store.migrate import migrate, pending
from aureum.store.embedded_programs import EmbeddedDatabaseError

Result = TypeVar("Result")

NOT_MIGRATED = "The database is not up to date ({names}). Run: aureum migrate"


class Refused(Exception):
    """A command cannot be carried out; the message is for the operator."""


@dataclass(frozen=True)
class Installation:
    """Settings, the database's URL, the master key."""

    settings: Settings
    url: str
    key: bytes


@contextlib.contextmanager
def installation(*, migrated: bool = True) -> Iterator[Installation]:
    """The installation that the settings name. The embedded database is started and brought up to date; one of the
    operator's own must be up to date already if *migrated*. Raises SettingsError, EmbeddedDatabaseError, Refused.
    """
    settings = load_settings()
    key = master_key(settings)
    if settings.database_url is not None:
        if migrated and (names := asyncio.run(pending(settings.database_url))):
            raise Refused(NOT_MIGRATED.format(names=", ".join(names)))
        yield Installation(settings, settings.database_url, key)
        return
    with embedded.start(settings.data_dir) as server:
        asyncio.run(migrate(server.url, MasterKey(key)))
        yield Installation(settings, server.url, key)


def with_store(work: Callable[[EventStore], Awaitable[Result]]) -> Result:
    """Run *work* on the installation's event store."""
    with installation() as here:

        async def run() -> Result:
            async with open_store(here.settings, here.url, here.key) as store:
                return await work(store)

        return asyncio.run(run())


async def tenant_of(database: Database, slug: str) -> UUID:
    """The brokerage of that slug. Raises NotFound."""
    rows = await database.rows(brokerages.BY_SLUG, {"slug": slug})
    if not rows:
        raise NotFound(f"There is no brokerage with the slug {slug!r}. 'aureum brokerage list' shows them all.")
    tenant_id: UUID = rows[0][0]
    return tenant_id


def say(as_json: bool, document: Any, people: str | Table) -> None:
    """One JSON document on standard output for scripts, or what people read."""
    if as_json:
        sys.stdout.write(orjson.dumps(document).decode() + "\n")
    else:
        Console(highlight=False).print(people)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A table for people."""
    made = Table(*columns, title=title, title_justify="left")
    for row in rows:
        made.add_row(*(str(cell) if cell is not None else "" for cell in row))
    return made


@contextlib.contextmanager
def plain_refusals() -> Iterator[None]:
    """What is foreseen ends with a sentence on standard error and exit code 1."""
    try:
        yield
    except (DomainError, SettingsError, EmbeddedDatabaseError, WrongMasterKey, Refused, ServeError) as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    except psycopg.Error as error:
        # Only the class: the text may quote a row.
        typer.echo(f"The database refused: {type(error).__name__}. Is its schema this version's?", err=True)
        sys.exit(1)


async def every_tenant(database: Database, slug: str | None) -> AsyncIterator[tuple[UUID, str]]:
    """(tenant, slug) of one brokerage or of all."""
    if slug is not None:
        yield await tenant_of(database, slug), slug
        return
    for tenant_id, name, *_ in await database.rows(brokerages.ALL):
        yield tenant_id, name
