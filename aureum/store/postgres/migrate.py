"""Numbered SQL migrations, forward only, and the functions, which are replaced whenever their text has changed.

Every migration runs once, in a transaction of its own, and is never edited after a release. ``append_events`` and the
gate are code: their current text is installed after the migrations, together with the read models' statements.
"""

import asyncio
import re
from importlib.resources import files
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection, sql

from aureum import __version__
from aureum.domain import ids
from aureum.domain.errors import Busy, DomainError
from aureum.registry import VERSIONED
from aureum.store.cipher import MasterKey
from aureum.store.postgres.citus import tables
from aureum.store.postgres.citus.carried import are_carried, carry
from aureum.store.postgres.citus.statements import one_by_one
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import SET_TENANT, connect
from aureum.store.postgres.declared import lacking
from aureum.store.postgres.functions import carried, digest, ending, functions, plain_names
from aureum.store.postgres.watch import LONG_SECONDS, Watch

INSTALLED_BY = """
SELECT coalesce(to_jsonb(f) ->> 'version', '')
  FROM installed_functions f
"""
"""As JSON: the column came later than the table."""

STEP_COLUMNS = """
SELECT a.attname::text FROM pg_attribute a
 WHERE a.attrelid = to_regclass('heads') AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY (%s)
"""
"""Those that are there: they came later than the table."""

OLDER_STEPS = "SELECT tenant_id, %s::text FROM heads WHERE {name}_step < %s ORDER BY tenant_id"

FORGET_OLDER = """
DELETE FROM installed_functions
 WHERE digest <> (SELECT digest FROM installed_functions ORDER BY installed_at DESC NULLS LAST LIMIT 1)
RETURNING digest, installed_at IS NOT NULL
"""
"""All but those that were installed last. Up to 0.9.0 functions had plain names, and no time is known of them."""

INSTALLED = """
INSERT INTO installed_functions (digest, version, installed_at) VALUES (%s, %s, clock_timestamp())
ON CONFLICT (digest) DO UPDATE SET version = excluded.version, installed_at = excluded.installed_at
"""
"""Again where the database has become a coordinator of Citus since."""

SIGNATURES_OF = """
SELECT p.oid::regprocedure::text FROM pg_proc p
 WHERE p.pronamespace = current_schema()::regnamespace
   AND CASE WHEN %(end)s = '' THEN p.proname = ANY (%(plain)s) ELSE right(p.proname, length(%(end)s)) = %(end)s END
"""

ADVISORY_LOCK = 4_851_023_117
"""Of migrating; nothing else depends on it."""
LOCK_TRIES = 300
LOCK_PAUSE_SECONDS = 0.2


class BehindPooler(DomainError):
    """AUREUM_DATABASE_URL leads to a connection pooler. Migrating holds a lock for a whole session, which a pooler may
    take away: run 'aureum migrate' once with the URL of PostgreSQL itself."""

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class OnlyStandby(DomainError):
    """The database is a standby, where nothing can be stored. Set AUREUM_DATABASE_URL to the primary, or name both
    servers and target_session_attrs=read-write in it, as docs/operating.md shows."""

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class NewerDatabase(DomainError):
    """The database is newer than this program."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The database is newer than this program (Aureum {__version__}), which does not know: {what}. Use the "
            "version that migrated it, or a newer one. To go back to an older one, restore a backup from before."
        )


def migrations() -> list[tuple[int, str, str]]:
    """(number, name, SQL) in order."""
    found = [f for f in (files("aureum.store") / "migrations").iterdir() if f.name.endswith(".sql")]
    return sorted((int(f.name[:4]), f.name, f.read_text(encoding="utf-8")) for f in found)


async def migrate(url: str, master: MasterKey, watch: Watch | None = None) -> list[str]:
    """Bring the database up to date; the names of what was run. Raises Unavailable, BehindPooler, OnlyStandby,
    NewerDatabase.

    Also makes the platform tenant's key, which is how a wrong master key is noticed at once (WrongMasterKey).
    """
    async with await connect(url, watch=watch or Watch(LONG_SECONDS)) as connection:
        if connection.pooled:
            raise BehindPooler
        await refuse_standby(connection)
        await connection.execute("SET lock_timeout = '60s'")
        await be_the_only_one(connection)
        await refuse_newer(connection)
        ran = await run_migrations(connection)
        ran += await make_declared(connection)
        ran += await distribute(connection)
        ran += await install_functions(connection)
        await check_master_key(connection, master)
        return ran


async def refuse_standby(connection: AsyncConnection[Any]) -> None:
    """Raises OnlyStandby where the server follows another one."""
    if await (await connection.execute("SELECT pg_is_in_recovery()")).fetchone() == (True,):
        raise OnlyStandby


async def be_the_only_one(connection: AsyncConnection[Any]) -> None:
    """Two processes that start at once migrate one after the other. The lock is tried again and again: a session that
    waits in the database holds a snapshot, for which the other's new index would have to wait. Raises Busy after a
    minute."""
    for _ in range(LOCK_TRIES):
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
        if await cursor.fetchone() == (True,):
            return
        await asyncio.sleep(LOCK_PAUSE_SECONDS)
    raise Busy(message="Another process is migrating the database. Wait until it has finished, then try again.")


async def make_declared(connection: Connection) -> list[str]:
    """Make what the read models declare and is not there. Raises the driver's errors."""
    statements = await lacking(connection)
    for statement in statements:
        for one in one_by_one(statement) if connection.citus else [statement]:
            await connection.execute(one.encode())
    return ["tables"] if statements else []


async def distribute(connection: Connection) -> list[str]:
    """On Citus, distribute the tables that are not distributed yet. Raises the driver's errors."""
    if not connection.citus:
        return []
    ran = []
    for one in await tables.lacking(connection):
        for statement in one.statements:
            await connection.execute(statement)
        ran.append(one.told)
    return ran


async def of_older_steps(connection: AsyncConnection[Any]) -> list[tuple[UUID, str]]:
    """(tenant, read model) of what an older version of its step has made."""
    found = []
    for model in VERSIONED:
        query = OLDER_STEPS.replace("{name}", model.NAME).encode()
        found += await (await connection.execute(query, [model.NAME, model.STEP_VERSION])).fetchall()
    return found


async def pending(url: str) -> list[str]:
    """The names of what ``migrate`` would run. Nothing, if a newer version has run it, and left all that this one
    needs: it may serve beside the newer one. Raises Unavailable, OnlyStandby, NewerDatabase."""
    async with await connect(url) as connection:
        await refuse_standby(connection)
        cursor = await connection.execute(
            "SELECT to_regclass('migrations') IS NOT NULL AND to_regclass('installed_functions') IS NOT NULL"
        )
        if await cursor.fetchone() != (True,):
            first = [*(name for _, name, _ in migrations()), "tables"]
            return [*first, *(["the distribution of all tables"] if connection.citus else []), "functions"]
        cursor = await connection.execute("SELECT number FROM migrations")
        done = {row[0] for row in await cursor.fetchall()}
        left = [name for number, name, _ in migrations() if number not in done]
        if left:
            left += ["tables", "functions"]
        else:
            left += ["tables"] if await lacking(connection) else []
            left += [one.told for one in await tables.lacking(connection)] if connection.citus else []
            left += [] if await are_installed(connection) else ["functions"]
            if not left:
                left += sorted({f"the rebuild of {name}" for _, name in await of_older_steps(connection)})
            left += await data_steps(connection)
        newer = await what_is_newer(connection)
        if newer is not None and (left or newer.refuses):
            raise NewerDatabase(newer.what)
        return left


class Newer(NamedTuple):
    """What another version has run that this one does not know, and whether it keeps this one from serving."""

    what: str
    refuses: bool = False


async def refuse_newer(connection: AsyncConnection[Any]) -> None:
    """Raises NewerDatabase if another version has run what this one does not know: undoing it is nothing that a program
    can do."""
    if newer := await what_is_newer(connection):
        raise NewerDatabase(newer.what)


async def what_is_newer(connection: AsyncConnection[Any]) -> Newer | None:
    """What has been run by a newer version; None if nothing has."""
    cursor = await connection.execute("SELECT to_regclass('migrations') IS NOT NULL")
    if await cursor.fetchone() != (True,):
        return None
    newest = await newest_steps(connection)
    for model in VERSIONED:
        if newest.get(model.NAME, 0) > model.STEP_VERSION:
            return Newer(f"rows of {model.NAME} that a newer version has made", refuses=True)
    known = [number for number, _, _ in migrations()]
    query = "SELECT name FROM migrations WHERE number <> ALL (%s::integer[]) ORDER BY number"
    unknown = [name for (name,) in await (await connection.execute(query, [known])).fetchall()]
    if unknown:
        return Newer(", ".join(unknown))
    cursor = await connection.execute("SELECT to_regclass('installed_functions') IS NOT NULL")
    installed = await cursor.fetchone() == (True,)
    cursor = await connection.execute(INSTALLED_BY if installed else "SELECT '' WHERE false")
    for (version,) in await cursor.fetchall():
        if order_of(version) > order_of(__version__):
            return Newer(f"the functions of {version}")
    return None


async def newest_steps(connection: AsyncConnection[Any]) -> dict[str, int]:
    """By read model the newest version of its step that has made rows. The heads are read once: every start asks."""
    names = {f"{model.NAME}_step": model.NAME for model in VERSIONED}
    columns = [name for (name,) in await (await connection.execute(STEP_COLUMNS, [list(names)])).fetchall()]
    if not columns:
        return {}
    query = f"SELECT {', '.join(f'max({column})' for column in columns)} FROM heads"  # noqa: S608  # of constants
    row = await (await connection.execute(query.encode())).fetchone()
    assert row is not None
    return {names[column]: step or 0 for column, step in zip(columns, row, strict=True)}


def order_of(version: str) -> tuple[int, ...]:
    """Versions in their order; one that is none of ours comes before all others."""
    return tuple(map(int, version.split("."))) if re.fullmatch(r"[0-9]+(\.[0-9]+)*", version) else ()


async def data_steps(connection: AsyncConnection[Any]) -> list[str]:
    """The names of what migrations left to the program (aureum/cli/upgrade.py) and it has not done yet."""
    cursor = await connection.execute("SELECT to_regclass('data_steps') IS NOT NULL")
    if await cursor.fetchone() != (True,):
        return []
    cursor = await connection.execute("SELECT name FROM data_steps WHERE done_at IS NULL ORDER BY name")
    return [name for (name,) in await cursor.fetchall()]


async def run_migrations(connection: Connection) -> list[str]:
    """Run what the ledger does not have."""
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations ("
        "number integer PRIMARY KEY, name text NOT NULL, ran_at timestamptz NOT NULL DEFAULT now())"
    )
    done = {row[0] for row in await (await connection.execute("SELECT number FROM migrations")).fetchall()}
    ran = []
    for number, name, statements in migrations():
        if number in done:
            continue
        async with connection.transaction():
            for statement in one_by_one(statements) if connection.citus else [statements]:
                await connection.execute(statement.encode())
            await connection.execute("INSERT INTO migrations (number, name) VALUES (%s, %s)", [number, name])
        ran.append(name)
    return ran


async def install_functions(connection: Connection) -> list[str]:
    """Install the functions if they are not there. Those of the version before stay, for its processes that still
    serve; older ones are dropped."""
    await connection.execute("CREATE TABLE IF NOT EXISTS installed_functions (digest text PRIMARY KEY)")
    await connection.execute("ALTER TABLE installed_functions ADD COLUMN IF NOT EXISTS version text")
    await connection.execute("ALTER TABLE installed_functions ADD COLUMN IF NOT EXISTS installed_at timestamptz")
    if await are_installed(connection):
        return []
    async with connection.transaction():
        if connection.citus:
            # Those that it had before it was a coordinator take other arguments.
            await drop_functions(connection, ending(digest()))
        await connection.execute(functions(citus=connection.citus).encode())
        cursor = await connection.execute(FORGET_OLDER)
        for forgotten, content_named in await cursor.fetchall():
            await drop_functions(connection, ending(forgotten) if content_named else "")
        await connection.execute(INSTALLED, [digest(), __version__])
    if connection.citus:
        await carry(connection, carried())
    return ["functions"]


async def are_installed(connection: Connection) -> bool:
    """Whether the functions of this version are there."""
    cursor = await connection.execute("SELECT EXISTS (SELECT FROM installed_functions WHERE digest = %s)", [digest()])
    there = await cursor.fetchone() == (True,)
    return there and (not connection.citus or await are_carried(connection, carried()))


async def drop_functions(connection: AsyncConnection[Any], end: str) -> None:
    """Drop those whose names have that *end*; without one, those with plain names."""
    cursor = await connection.execute(SIGNATURES_OF, {"end": end, "plain": list(plain_names())})
    for (function,) in await cursor.fetchall():
        await connection.execute(f"DROP FUNCTION {function}".encode())


async def check_master_key(connection: AsyncConnection[Any], master: MasterKey) -> None:
    """Make or open the platform's key. Raises WrongMasterKey."""
    async with connection.transaction():
        # A login that owns nothing sees no other key.
        await connection.execute(SET_TENANT.format(sql.Literal(str(ids.PLATFORM))))
        await connection.execute(
            "INSERT INTO tenant_keys (tenant_id, wrapped) VALUES (%s, %b) ON CONFLICT (tenant_id) DO NOTHING",
            [ids.PLATFORM, master.new_tenant_key(ids.PLATFORM)],
        )
        cursor = await connection.execute("SELECT wrapped FROM tenant_keys WHERE tenant_id = %s", [ids.PLATFORM])
        row = await cursor.fetchone()
    assert row is not None
    master.open_tenant_key(ids.PLATFORM, bytes(row[0]))
