"""What ``aureum doctor`` shows whether or not something is wrong: versions, extensions, the login, what stands between,
clock, room, and what is behind. A table for people, and fields for a program.
"""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aureum import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aureum.cli.checks.check import Doctor
    from aureum.settings import Settings


@dataclass(frozen=True)
class Fact:
    """One line of the table: what it is about, how it stands, and the same as fields."""

    name: str
    text: str
    about: Any


SERVER = """
SELECT current_setting('server_version'), session_user::text, current_setting('is_superuser')::boolean,
       current_database()::text, clock_timestamp(), pg_database_size(current_database())
"""

ARCHIVED = """
SELECT count(DISTINCT tenant_id), coalesce(sum(last_position - first_position + 1), 0)::int8, max(archived_at)
  FROM archives
"""

EXTENSIONS = "SELECT extname::text, extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname"


def program() -> Fact:
    """The versions of the program and of Python."""
    python = platform.python_version()
    return Fact("program", f"Aureum {__version__}, Python {python}", {"aureum": __version__, "python": python})


def disk(settings: Settings) -> Fact:
    """The room where the program writes: the embedded database, mails."""
    place = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    free = shutil.disk_usage(place).free
    return Fact("disk", f"{size(free)} free at {place}", {"path": str(place), "free": free})


async def state(doctor: Doctor) -> AsyncIterator[Fact]:
    """What the database says of itself and of the logs."""
    from aureum.background.lag import LAGS
    from aureum.domain.ids import aureum_time

    database = doctor.store.database
    async with database.connection() as connection:
        begun = datetime.now(UTC)
        row = await (await connection.execute(SERVER)).fetchone()
        ended = datetime.now(UTC)
        pooled, host = connection.pooled, connection.info.host
    assert row is not None
    version, login, superuser, name, at, used = row
    yield Fact(
        "database",
        f"PostgreSQL {version}, database {name} at {host}, {size(used)}",
        {"version": version, "name": name, "host": host, "bytes": used},
    )
    extensions = dict(await database.rows(EXTENSIONS))
    named = ", ".join(f"{name} {version}" for name, version in extensions.items())
    yield Fact("extensions", named, extensions)
    yield Fact("pooler", "transactions share sessions" if pooled else "none", {"found": pooled})
    yield await logged_in(doctor.settings, login, superuser)
    # In the middle of question and answer, so that how long they took does not count.
    apart = round((begun + (ended - begun) / 2 - at).total_seconds(), 3)
    yield Fact("clock", f"{apart:+.3f} s from the database's clock", {"seconds": apart})
    logs, events, archived_at = (await database.rows(ARCHIVED))[0]
    yield Fact(
        "archive",
        f"{events:,} events of {logs:,} logs, last on {aureum_time(archived_at)}" if archived_at else "nothing",
        {"events": events, "logs": logs, "lastAt": archived_at and aureum_time(archived_at)},
    )
    behind = {name: events for name, events, _ in await database.rows(LAGS)}
    yield Fact("behind", ", ".join(f"{name} {events:,}" for name, events in behind.items()) or "nothing", behind)


async def logged_in(settings: Settings, login: str, superuser: bool) -> Fact:
    """The login that owns the tables, and which one answers requests. Raises Unavailable."""
    from aureum.store.postgres.database import connect
    from aureum.store.postgres.service_role import login_of

    requests, owns = login, True
    if settings.owner_database_url is not None and settings.database_url is not None:
        async with await connect(settings.database_url) as connection:
            requests, owns = await login_of(connection), not connection.owns_nothing
    text = "a superuser" if superuser else "no superuser"
    by = f"{requests} answers requests and {'owns the tables, too' if owns else 'owns nothing'}"
    if requests == login:
        by = "owns the tables and answers requests"
    about = {"name": login, "superuser": superuser, "requests": {"name": requests, "owns": owns}}
    return Fact("login", f"{login}, {text}; {by}", about)


def size(number: int) -> str:
    """Bytes for people."""
    return f"{number / 1024**3:,.1f} GB" if number >= 1024**3 else f"{number / 1024**2:,.0f} MB"
