"""The login that answers requests and owns nothing: it changes no table, and sees the tenant that it names alone."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import sql

from aureum.service_rights import EVERYWHERE, LESS, OF_THE_TENANT
from aureum.store.blobs import ledger
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.postgres.database import connect
from aureum.store.postgres.service_role import OtherDatabase, give_rights, lacks_rights, owns
from tests.logins import LOGIN, login_that_owns_nothing, login_without_rights
from tests.stores import capture, open_brokerage, opened_store

OF_TENANTS = """
SELECT c.relname::text FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
 ORDER BY 1
"""

NEW_TABLES = """
CREATE TABLE new_sessions (token bytea PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY, tenant_id uuid);
ALTER TABLE new_sessions ENABLE ROW LEVEL SECURITY;
CREATE TABLE new_list (tenant_id uuid PRIMARY KEY, doc text, number bigserial);
ALTER TABLE new_list ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON new_list TO aureum_service
    USING (tenant_id = nullif(current_setting('aureum.tenant_id', true), '')::uuid);
GRANT SELECT ON new_list TO aureum_service;
"""
"""As a migration makes them: the first one is looked into before it is known whose request it is."""

NAME = sql.SQL("SET LOCAL aureum.tenant_id = {}")

NEWER = "INSERT INTO migrations (number, name) VALUES (9999, '9999_of_a_newer_version.sql')"


@pytest.fixture(scope="module")
def tenants(module_database_url: str) -> list[UUID]:
    """Two brokerages, each with a lead."""

    async def opened() -> list[UUID]:
        async with opened_store(module_database_url) as store:
            made = [await open_brokerage(store) for _ in range(2)]
            for tenant in made:
                await capture(store, tenant)
            return made

    return asyncio.run(opened())


@pytest.fixture(scope="module")
def login(module_database_url: str) -> str:
    return login_that_owns_nothing(module_database_url)


@pytest.fixture
def session(login: str) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(login, autocommit=True) as connection:
        yield connection


def lacks(url: str) -> bool:
    """Whether the login of *url* has not all its rights."""

    async def asked() -> bool:
        async with await connect(url) as connection:
            return await lacks_rights(connection)

    return asyncio.run(asked())


@pytest.mark.parametrize(
    "taken",
    [
        "REVOKE INSERT ON user_tokens FROM aureum_requests",
        "REVOKE DELETE ON lead_list FROM aureum_requests",
        "REVOKE USAGE ON ALL SEQUENCES IN SCHEMA public FROM aureum_requests",
        "DROP POLICY requests ON domains",
    ],
)
def test_it_gets_what_it_lacks(module_database_url: str, login: str, taken: str) -> None:
    assert asyncio.run(owns(module_database_url)) and not asyncio.run(owns(login))
    assert lacks(login) is False and asyncio.run(give_rights(module_database_url, login)) == []
    with psycopg.connect(module_database_url, autocommit=True) as owner:
        owner.execute(taken.encode())
    assert lacks(login) is True
    assert asyncio.run(give_rights(module_database_url, login)) == ["rights"]
    assert lacks(login) is False


def test_a_new_table_needs_no_line(database_url: str) -> None:
    login = login_that_owns_nothing(database_url)
    with psycopg.connect(database_url, autocommit=True) as owner:
        tables = {name for (name,) in owner.execute("SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p')")}
        assert {*LESS, *EVERYWHERE, *OF_THE_TENANT} <= tables, "they have not been renamed"
        owner.execute(NEW_TABLES.encode())
        assert lacks(login) is True
        owner.execute(NEWER.encode())
        assert lacks(login) is False, "a newer version knows which rights are needed"
    assert asyncio.run(give_rights(database_url, login)) == ["rights"]
    mine, theirs = uuid4(), uuid4()
    with psycopg.connect(login, autocommit=True) as session:
        for tenant in (mine, theirs):
            session.execute("INSERT INTO new_sessions (token, tenant_id) VALUES (uuid_send(%s), %s)", [tenant, tenant])
            with session.transaction():
                session.execute(NAME.format(sql.Literal(str(tenant))))
                session.execute("INSERT INTO new_list (tenant_id) VALUES (%s)", [tenant])
                assert session.execute("UPDATE new_list SET doc = '' RETURNING tenant_id").fetchall() == [(tenant,)]
        assert session.execute("UPDATE new_sessions SET token = token RETURNING 1").fetchall() == [(1,), (1,)]
        assert session.execute("DELETE FROM new_list RETURNING 1").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege), session.transaction():
            session.execute(NAME.format(sql.Literal(str(mine))))
            session.execute("UPDATE new_list SET tenant_id = %s", [theirs])


def test_two_migrations_at_once_give_the_rights_once(database_url: str) -> None:
    login = login_without_rights(database_url)

    async def both() -> list[list[str]]:
        return await asyncio.gather(*(give_rights(database_url, login) for _ in range(2)))

    assert sorted(asyncio.run(both())) == [[], ["rights"]]
    assert lacks(login) is False


def test_both_logins_must_lead_to_one_database(module_database_url: str, database_url: str) -> None:
    with pytest.raises(OtherDatabase):
        asyncio.run(give_rights(module_database_url, database_url))


def test_the_owner_itself_needs_nothing(module_database_url: str) -> None:
    assert lacks(module_database_url) is False
    assert asyncio.run(give_rights(module_database_url, module_database_url)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE lead_list",
        "ALTER TABLE users ADD COLUMN mine text",
        "ALTER TABLE events DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON lead_list",
        "CREATE TABLE mine ()",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "TRUNCATE user_tokens",
        "UPDATE heads SET position = 0",
        "UPDATE users SET role = 'platform_admin'",
        "UPDATE api_keys SET revoked = false",
        "DELETE FROM events",
        "INSERT INTO domains (domain) VALUES ('mine.example.com')",
        "CREATE ROLE mine",
    ],
)
def test_it_changes_nothing_that_is_not_its_own(session: "psycopg.Connection[Any]", statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(statement.encode())


def test_it_locks_the_key_of_a_tenant_and_cannot_move_it(
    session: "psycopg.Connection[Any]", tenants: list[UUID]
) -> None:
    mine, theirs = tenants
    move = "UPDATE tenant_keys SET tenant_id = %s WHERE tenant_id = %s RETURNING 1"
    with session.transaction():
        session.execute(NAME.format(sql.Literal(str(mine))))
        assert session.execute("SELECT tenant_id FROM tenant_keys FOR NO KEY UPDATE").fetchall() == [(mine,)]
        assert session.execute(move, [mine, theirs]).fetchall() == [], "the row is not there"
        with pytest.raises(psycopg.errors.InsufficientPrivilege), session.transaction():
            session.execute(move, [uuid4(), mine])


def test_it_keeps_documents_of_the_tenant_that_it_names(login: str, tenants: list[UUID]) -> None:
    mine, theirs = tenants

    async def parts() -> AsyncIterator[bytes]:
        yield b"A lease of ten acres."

    async def scenario() -> None:
        async with opened_store(login) as store:
            blobs, document, key = KeptBlobs(store.database, quota=1_000), uuid4(), AESGCM(bytes(32))
            await blobs.put(mine, document, key, parts(), of=uuid4(), at_most=100)
            assert [part async for part in blobs.get(mine, document, key)] == [b"A lease of ten acres."]
            await blobs.delete(theirs, [document])
            assert await ledger.used(store.database, mine) == 21
            await blobs.delete(mine, [document])
            assert await ledger.used(store.database, mine) == 0

    asyncio.run(scenario())


def test_it_becomes_no_other_role(session: "psycopg.Connection[Any]", module_database_url: str) -> None:
    with psycopg.connect(module_database_url) as connection:
        owner = connection.info.user
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(owner)))
    session.execute("SET ROLE aureum_service")
    session.execute("RESET ROLE")
    assert session.execute("SELECT current_user").fetchone() == (LOGIN,)


def test_it_reads_the_tenant_that_it_names_and_no_other(
    session: "psycopg.Connection[Any]", module_database_url: str, tenants: list[UUID]
) -> None:
    mine, theirs = tenants
    with psycopg.connect(module_database_url) as owner:
        tables = [name for (name,) in owner.execute(OF_TENANTS).fetchall() if name not in EVERYWHERE]
        filled = {
            name
            for name in tables
            if owner.execute(f"SELECT FROM {name} WHERE tenant_id = '{theirs}'".encode()).fetchone() is not None
        }
    assert {"events", "lead_list", "subject_keys"} <= filled
    for name in tables:
        seen: list[tuple[UUID]] = []
        for named in ("", str(mine)):
            with session.transaction():
                session.execute(NAME.format(sql.Literal(named)))
                try:
                    with session.transaction():
                        seen += session.execute(f"SELECT DISTINCT tenant_id FROM {name}".encode()).fetchall()
                except psycopg.errors.InsufficientPrivilege:
                    # It may not even ask.
                    assert name not in ("events", "lead_list", "subject_keys")
        assert set(seen) <= {(mine,)}, name
