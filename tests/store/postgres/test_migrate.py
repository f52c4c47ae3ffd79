"""From an empty database to the present one, even if another process starts at the same moment."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from aureum import __version__
from aureum.commands.properties import SLUG
from aureum.domain.errors import Unavailable
from aureum.store.cipher import MasterKey, WrongMasterKey
from aureum.store.postgres import migrate as module
from aureum.store.postgres.database import connect
from aureum.store.postgres.functions import ending, own_name
from aureum.store.postgres.migrate import NewerDatabase, migrate, migrations, order_of, pending
from tests.conftest import MASTER_KEY, drop, execute, with_database
from tests.stores import capture, open_brokerage, opened_store

ALL = [*(name for _, name, _ in migrations()), "tables", "functions"]

MIGRATING = """
import asyncio, json, sys
from aureum.store.cipher import MasterKey
from aureum.store.postgres.migrate import migrate
print(json.dumps(asyncio.run(migrate(sys.argv[1], MasterKey(bytes.fromhex(sys.argv[2]))))))
"""


@contextmanager
def an_empty_database(server_url: str) -> Iterator[str]:
    name = f"aureum_test_{uuid4().hex}"
    execute(server_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield with_database(server_url, name)
    drop(server_url, name)


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    with an_empty_database(server_url) as url:
        yield url


def migrated(url: str, key: bytes = MASTER_KEY) -> list[str]:
    return asyncio.run(migrate(url, MasterKey(key)))


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


async def works(url: str) -> None:
    async with opened_store(url) as store:
        tenant_id = await open_brokerage(store)
        lead = await capture(store, tenant_id)
        assert (await store.load(tenant_id, lead.id)).aggregate().first_name == "Jane"


def test_no_two_migrations_have_one_number() -> None:
    """The ledger knows them by their numbers. A number may be left out, and is never used for another one."""
    numbers = [number for number, _, _ in migrations()]
    assert numbers[0] == 1 and len(set(numbers)) == len(numbers)


def test_from_nothing_to_the_present(empty_url: str) -> None:
    assert asyncio.run(pending(empty_url)) == ALL
    assert migrated(empty_url) == ALL
    assert asyncio.run(pending(empty_url)) == []
    asyncio.run(works(empty_url))
    assert migrated(empty_url) == [], "nothing is run twice"
    assert [name for (name,) in rows(empty_url, "SELECT name FROM migrations ORDER BY number")] == ALL[:-2]
    asyncio.run(works(empty_url))


def test_a_migration_that_fails_leaves_nothing_and_goes_on_later(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = migrations()
    broken = [*whole, (len(whole) + 1, "9999_broken.sql", "CREATE TABLE half (); SELECT 1 / 0")]
    monkeypatch.setattr(module, "migrations", lambda: broken)
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrated(empty_url)
    assert rows(empty_url, "SELECT to_regclass('half')") == [(None,)]
    monkeypatch.undo()
    assert migrated(empty_url) == ["tables", "functions"], "the ones before are done"
    asyncio.run(works(empty_url))


async def in_processes(*urls: str) -> list[list[str]]:
    """What processes that start at the same moment have run."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", MIGRATING, url, MASTER_KEY.hex()),
            stdout=asyncio.subprocess.PIPE,
        )
        for url in urls
    ]
    try:
        async with asyncio.timeout(60):
            outputs = await asyncio.gather(*(process.communicate() for process in processes))
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
    assert [process.returncode for process in processes] == [0] * len(processes)
    return [json.loads(output) for output, _ in outputs]


def test_processes_that_start_at_once(empty_url: str) -> None:
    ran = asyncio.run(in_processes(empty_url, empty_url, empty_url))
    assert sorted(ran) == [[], [], ALL], "one migrates, the others wait and find it done"
    asyncio.run(works(empty_url))


def test_databases_of_one_server_at_once(server_url: str) -> None:
    """They share the server's roles."""
    with ExitStack() as databases:
        urls = [databases.enter_context(an_empty_database(server_url)) for _ in range(3)]
        assert asyncio.run(in_processes(*urls)) == [ALL] * 3


FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"


def test_functions_of_the_version_before_stay_and_older_ones_go(database_url: str) -> None:
    """Processes of the version before still call them. Up to 0.9.0 they had plain names."""
    older, before = "a" * 64, "b" * 64
    ours = {name for (name,) in rows(database_url, FUNCTIONS)}
    with psycopg.connect(database_url, autocommit=True) as connection:
        for end in ("", ending(older), ending(before)):
            connection.execute(
                f"CREATE FUNCTION append_events{end}(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'".encode()
            )
        connection.execute(f"DROP FUNCTION {own_name('gate')}".encode())
        connection.execute("DELETE FROM installed_functions")
        connection.execute(
            "INSERT INTO installed_functions (digest, version, installed_at) "
            "VALUES (%s, '0.9.0', NULL), (%s, '0.9.1', now() - interval '1 day'), (%s, '0.9.2', now())",
            ["c" * 64, older, before],
        )
    assert asyncio.run(pending(database_url)) == ["functions"]
    assert migrated(database_url) == ["functions"]
    assert {name for (name,) in rows(database_url, FUNCTIONS)} == ours | {f"append_events{ending(before)}"}
    assert rows(database_url, "SELECT version FROM installed_functions ORDER BY 1") == [(__version__,), ("0.9.2",)]
    asyncio.run(works(database_url))


LATER = "INSERT INTO migrations (number, name) VALUES (9998, '9998_later.sql'), (9999, '9999_last.sql');"
FUNCTIONS_LATER = (
    "INSERT INTO installed_functions (digest, version, installed_at) VALUES ('another', '99.0.10', now());"
)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (LATER, "9998_later.sql, 9999_last.sql"),
        (FUNCTIONS_LATER, "the functions of 99.0.10"),
    ],
)
def test_a_database_of_a_newer_version_is_left_alone(database_url: str, change: str, what: str) -> None:
    """Programs of the version before serve beside it, as long as all that they need is there."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(change.encode())
    before = rows(database_url, "SELECT digest FROM installed_functions")
    said = f"newer than this program .*: {what}. Use the version that"
    with pytest.raises(NewerDatabase, match=said):
        migrated(database_url)
    assert asyncio.run(pending(database_url)) == []
    assert rows(database_url, "SELECT digest FROM installed_functions") == before
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM installed_functions WHERE version = %s", [__version__])
    with pytest.raises(NewerDatabase, match=said):
        asyncio.run(pending(database_url))


def test_versions_have_an_order() -> None:
    ordered = ["", "0.4.1", "0.5.0", "0.5.0.1", "0.10.0", "1.0"]
    assert sorted(reversed(ordered), key=order_of) == ordered
    assert order_of("not a version") == order_of("")


def test_the_wrong_master_key_is_reported_plainly(database_url: str) -> None:
    with pytest.raises(WrongMasterKey, match="AUREUM_MASTER_KEY does not open this database"):
        migrated(database_url, b"another key, just as long as it!")
    assert migrated(database_url) == []


def test_a_database_that_is_not_there() -> None:
    with pytest.raises(Unavailable):
        migrated("postgresql://127.0.0.1:1/nothing")


def test_slugs_of_properties_are_taken_names(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the live version of the list, and of no other."""
    tenant, live, old = uuid4(), uuid4(), uuid4()

    async def before() -> None:
        async with await connect(empty_url) as connection:
            await module.run_migrations(connection)
            await connection.execute("INSERT INTO heads (tenant_id, property_list_version) VALUES (%s, 2)", [tenant])
            for version, property_id, slug in ((2, live, "maple"), (1, old, "oak")):
                await connection.execute(
                    "INSERT INTO property_list (tenant_id, read_version, property_id, stream_version, slug, status, "
                    "is_featured, mls, updated_at, doc) VALUES (%s, %s, %s, 1, %s, 'ACTIVE', false, '', now(), '{}')",
                    [tenant, version, property_id, slug],
                )

    whole = migrations()
    monkeypatch.setattr(module, "migrations", lambda: whole[:17])
    asyncio.run(before())
    monkeypatch.undo()
    migrated(empty_url)
    names = "SELECT tenant_id, purpose, name, stream_id FROM taken_names"
    assert rows(empty_url, names) == [(tenant, SLUG, "maple", live)]
