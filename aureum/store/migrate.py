"""Numbered SQL migrations, forward only, and the functions that are made anew whenever their text has changed.

Every migration runs once, in a transaction of its own, and is never edited after a release. ``append_events`` and the
gate are code: their current text is installed after the migrations, together with the read models' statements.
"""

import hashlib
from importlib.resources import files
from typing import Any

from psycopg import AsyncConnection

from aureum.domain import ids
from aureum.projections.all import READ_MODELS
from aureum.store.cipher import MasterKey
from aureum.store.database import connect
from aureum.store.watch import LONG_SECONDS, Watch

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


async def migrate(url: str, master: MasterKey, watch: Watch | None = None) -> list[str]:
    """Bring the database up to date; the names of what was run. Raises Unavailable, NewerDatabase.

    Also makes the platform tenant's key, which is how a wrong master key is noticed at once (WrongMasterKey).
    """
    async with await connect(url, watch=watch or Watch(LONG_SECONDS)) as connection:
        await connection.execute("SET lock_timeout = '60s'")
        await connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        ran = await run_migrations(connection)
        ran += await install_functions(connection)
        await check_master_key(connection, master)
        return ran


async def pending(url: str) -> list[str]:
    """The names of what ``migrate`` would run. Raises Unavailable."""
    async with await connect(url) as connection:
        cursor = await connection.execute(
            "SELECT to_regclass('migrations') IS NOT NULL AND to_regclass('installed_functions') IS NOT NULL"
        )
        if await cursor.fetchone() != (True,):
            return [*(name for _, name, _ in migrations()), "functions"]
        cursor = await connection.execute("SELECT number FROM migrations")
        done = {row[0] for row in await cursor.fetchall()}
        cursor = await connection.execute("SELECT digest FROM installed_functions")
        current = await cursor.fetchall() == [(digest_of(functions()),)]
        left = [name for number, name, _ in migrations() if number not in done] + ([] if current else ["functions"])
        return left + await data_steps(connection)


async def data_steps(connection: AsyncConnection[Any]) -> list[str]:
    """The names of what migrations left to the program (aureum/upgrade.py) and it has not done yet."""
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
    text = functions()
    digest = digest_of(text)
    cursor = await connection.execute("SELECT digest FROM installed_functions")
    if await cursor.fetchall() == [(digest,)]:
        return []
    async with connection.transaction():
        await connection.execute(text.encode())
        await connection.execute("DELETE FROM installed_functions")
        await connection.execute("INSERT INTO installed_functions (digest) VALUES (%s)", [digest])
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
