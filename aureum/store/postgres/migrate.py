"""Numbered SQL migrations, forward only, and the functions that are made anew whenever their text has changed.

Every migration runs once, in a transaction of its own, and is never edited after a release. ``append_events`` and the
gate are code: their current text is installed after the migrations, together with the read models' statements.
"""

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

from psycopg import AsyncConnection

from aureum import __version__
from aureum.domain import ids
from aureum.domain.errors import DomainError
from aureum.projections.all import READ_MODELS
from aureum.store.cipher import MasterKey
from aureum.store.postgres.database import connect
from aureum.store.postgres.watch import LONG_SECONDS, Watch

INSTALLED_BY = """
SELECT coalesce(to_jsonb(f) ->> 'version', '')
  FROM installed_functions f
"""
"""As JSON: the column came later than the table."""

PLACE_OF_READ_MODELS = "    -- {read models}\n"
PLACE_OF_COUNTING = "    -- {count requests}\n"

INSTALLED = ", ".join(
    (
        "append_events",
        "gate",
        "gate_uncounted",
        "lead_page",
        "lead_counts_of",
        "property_page",
        "task_page",
        "showing_page",
        "tour_page",
        "contact_page",
        "properties_listed",
        "contact_search",
        "lead_pages",
        "property_pages",
        "contact_pages",
        "task_pages",
        "showing_pages",
        "tour_pages",
    )
)

OWNERS = "claim_deliveries"
"""What only the owner role, as which the worker runs, may call."""

# Not CREATE OR REPLACE alone: another version may take or return something else.
DROP = f"DROP FUNCTION IF EXISTS {INSTALLED}, {OWNERS};"

RIGHTS = f"""
REVOKE EXECUTE ON FUNCTION {INSTALLED}, {OWNERS} FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {INSTALLED} TO aureum_service;
"""
"""They run with their owner's rights: only the service may call them."""

ADVISORY_LOCK = 4_851_023_117
"""Two processes that start at once migrate one after the other; nothing else depends on it."""


class BehindPooler(DomainError):
    """AUREUM_DATABASE_URL leads to a connection pooler. Migrating holds a lock for a whole session, which a pooler may
    take away: run 'aureum migrate' once with the URL of PostgreSQL itself."""

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class NewerDatabase(DomainError):
    """The database is newer than this program."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The database is newer than this program (Aureum {__version__}), which does not know: {what}. Use the "
            "version that migrated it, or a newer one. To go back to an older one, restore a backup of before."
        )


def migrations() -> list[tuple[int, str, str]]:
    """(number, name, SQL) in order."""
    found = [f for f in (files("aureum.store") / "migrations").iterdir() if f.name.endswith(".sql")]
    return sorted((int(f.name[:4]), f.name, f.read_text(encoding="utf-8")) for f in found)


def functions() -> str:
    """The SQL of the functions, with the read models' statements and the counting of requests filled in."""
    store = files("aureum.store")
    append = (store / "append.sql").read_text(encoding="utf-8")
    assert append.count(PLACE_OF_READ_MODELS) == 1, "append.sql must have one place for the read models"
    statements = "".join(
        f"    IF '{model.NAME}' = ANY (p_models) THEN\n{model.APPEND.strip()};\n    END IF;\n" for model in READ_MODELS
    )
    texts = [append.replace(PLACE_OF_READ_MODELS, statements)]
    gate = (store / "gate.sql").read_text(encoding="utf-8")
    letting_pass = (store / "count_nothing.sql").read_text(encoding="utf-8")
    assert gate.count(PLACE_OF_COUNTING) == 1, "gate.sql must have one place for the counting"
    texts += [gate, gate.replace(PLACE_OF_COUNTING, letting_pass).replace("FUNCTION gate(", "FUNCTION gate_uncounted(")]
    texts += [(store / name).read_text(encoding="utf-8") for name in ("hot_reads.sql", "pages.sql", "claim.sql")]
    counting = (store / "count_requests.sql").read_text(encoding="utf-8")
    return "\n".join([DROP, *texts, RIGHTS]).replace(PLACE_OF_COUNTING, counting)


@cache
def signatures() -> list[str]:
    """The functions that this version calls, as PostgreSQL names them: ``gate(bytea[],text[],…)``."""
    return [
        f"{name}({','.join(parameter.split()[1] for parameter in parameters.split(','))})"
        for name, parameters in re.findall(r"^CREATE OR REPLACE FUNCTION (\w+)\(([^)]*)\)", functions(), re.MULTILINE)
    ]


async def migrate(url: str, master: MasterKey, watch: Watch | None = None) -> list[str]:
    """Bring the database up to date; the names of what was run. Raises Unavailable, BehindPooler,
    NewerDatabase.

    Also makes the platform tenant's key, which is how a wrong master key is noticed at once (WrongMasterKey).
    """
    async with await connect(url, watch=watch or Watch(LONG_SECONDS)) as connection:
        if connection.pooled:
            raise BehindPooler
        await connection.execute("SET lock_timeout = '60s'")
        await connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        await refuse_newer(connection)
        ran = await run_migrations(connection)
        ran += await install_functions(connection)
        await check_master_key(connection, master)
        return ran


async def pending(url: str) -> list[str]:
    """The names of what ``migrate`` would run. Raises Unavailable, NewerDatabase."""
    async with await connect(url) as connection:
        cursor = await connection.execute(
            "SELECT to_regclass('migrations') IS NOT NULL AND to_regclass('installed_functions') IS NOT NULL"
        )
        if await cursor.fetchone() != (True,):
            return [*(name for _, name, _ in migrations()), "functions"]
        await refuse_newer(connection)
        cursor = await connection.execute("SELECT number FROM migrations")
        done = {row[0] for row in await cursor.fetchall()}
        cursor = await connection.execute("SELECT digest FROM installed_functions")
        current = await cursor.fetchall() == [(digest_of(functions()),)]
        left = [name for number, name, _ in migrations() if number not in done] + ([] if current else ["functions"])
        return left + await data_steps(connection)


async def refuse_newer(connection: AsyncConnection[Any]) -> None:
    """Raises NewerDatabase if another version has run what this one does not know: undoing it is nothing that a program
    can do."""
    cursor = await connection.execute("SELECT to_regclass('migrations') IS NOT NULL")
    if await cursor.fetchone() != (True,):
        return
    known = [number for number, _, _ in migrations()]
    query = "SELECT name FROM migrations WHERE number <> ALL (%s::integer[]) ORDER BY number"
    unknown = [name for (name,) in await (await connection.execute(query, [known])).fetchall()]
    if unknown:
        raise NewerDatabase(", ".join(unknown))
    cursor = await connection.execute("SELECT to_regclass('installed_functions') IS NOT NULL")
    installed = await cursor.fetchone() == (True,)
    cursor = await connection.execute(INSTALLED_BY if installed else "SELECT '' WHERE false")
    for (version,) in await cursor.fetchall():
        if order_of(version) > order_of(__version__):
            raise NewerDatabase(f"the functions of {version}")


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


async def run_migrations(connection: AsyncConnection[Any]) -> list[str]:
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
            await connection.execute(statements.encode())
            await connection.execute("INSERT INTO migrations (number, name) VALUES (%s, %s)", [number, name])
        ran.append(name)
    return ran


async def install_functions(connection: AsyncConnection[Any]) -> list[str]:
    """Install the functions if their text is not the one installed last."""
    await connection.execute("CREATE TABLE IF NOT EXISTS installed_functions (digest text PRIMARY KEY)")
    await connection.execute("ALTER TABLE installed_functions ADD COLUMN IF NOT EXISTS version text")
    text = functions()
    digest = digest_of(text)
    cursor = await connection.execute("SELECT digest FROM installed_functions")
    if await cursor.fetchall() == [(digest,)]:
        return []
    async with connection.transaction():
        await connection.execute(text.encode())
        await connection.execute("DELETE FROM installed_functions")
        named = [digest, __version__]
        await connection.execute("INSERT INTO installed_functions (digest, version) VALUES (%s, %s)", named)
    return ["functions"]


def digest_of(text: str) -> str:
    """How an installed text is known again."""
    return hashlib.sha256(text.encode()).hexdigest()


async def check_master_key(connection: AsyncConnection[Any], master: MasterKey) -> None:
    """Make or open the platform's key. Raises WrongMasterKey."""
    await connection.execute(
        "INSERT INTO tenant_keys (tenant_id, wrapped) VALUES (%s, %b) ON CONFLICT (tenant_id) DO NOTHING",
        [ids.PLATFORM, master.new_tenant_key(ids.PLATFORM)],
    )
    cursor = await connection.execute("SELECT wrapped FROM tenant_keys WHERE tenant_id = %s", [ids.PLATFORM])
    row = await cursor.fetchone()
    assert row is not None
    master.open_tenant_key(ids.PLATFORM, bytes(row[0]))
