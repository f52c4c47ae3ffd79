"""The second wall: as the service's role, whatever a query forgets, another tenant's rows are not there.

Every table of the database is looked at, so that a new one cannot be forgotten; each gets a row of each of two tenants.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection, sql

from aureum.domain.errors import Unavailable
from aureum.projections import contact_list, duplicates, lead_counts, lead_list, tour_list
from aureum.projections.document_list import ABOVE_ALL
from aureum.projections.search import Word, as_json
from aureum.registry import LISTS
from aureum.store.postgres.database import Database
from aureum.store.postgres.functions import named, own_name

SERVICE = "aureum_service"

TABLES = """
SELECT c.oid::regclass::text,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS has_tenant,
       c.relrowsecurity, c.relispartition
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
 ORDER BY 1
"""

REQUIRED = """
SELECT a.attname, format_type(a.atttypid, NULL),
       EXISTS (
           SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indkey::text = a.attnum::text
       )
  FROM pg_attribute a
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND a.attnotnull AND NOT a.atthasdef AND a.attname <> 'tenant_id'
"""

VALUES = {
    "uuid": "gen_random_uuid()",
    "smallint": "1",
    "integer": "1",
    "bigint": "1",
    "text": "gen_random_uuid()::text",
    "bytea": "uuid_send(gen_random_uuid())",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "date": "current_date",
    "text[]": "'{}'",
    "uuid[]": "'{}'",
    "bigint[]": "'{}'",
    "tsvector": "''",
    "jsonb": "'{}'",
}
"""A value of each type, for a column that must have one."""

VIEWS = [(model, view) for model in LISTS for view in model.views]
"""Every list that is read in pages."""

JON = as_json([Word(("%jon%",))])
"""What a search for "jon" asks."""

UNIQUE_NUMBER = "(random() * 1e9)::bigint"

ALLOWED = {
    ("webhook_attempts", "outcome"): "'failed'",
    ("webhook_replays", "state"): "'running'",
    ("routing_rehearsals", "state"): "'running'",
    ("mails", "state"): "'due'",
    ("imports", "state"): "'running'",
    ("imports", "duplicates"): "'skip'",
    ("agenda", "kind"): "'task'",
}
"""Where a column allows certain values only."""


@dataclass(frozen=True)
class Tables:
    """The tables of the database: those with rows of tenants, and those of them that the service may read."""

    url: str
    tenants: tuple[UUID, UUID]
    all: dict[str, dict[str, Any]]

    def connect(self) -> Connection[Any]:
        """A transaction as the service's role, with no tenant named yet."""
        connection = psycopg.connect(self.url)
        connection.execute("SET LOCAL ROLE aureum_service")
        return connection

    @property
    def of_tenants(self) -> list[str]:
        return [name for name, table in self.all.items() if table["has_tenant"]]

    @property
    def readable(self) -> list[str]:
        with psycopg.connect(self.url) as connection:
            may = "SELECT has_table_privilege(%s, %s, 'SELECT')"
            return [name for name in self.all if connection.execute(may, [SERVICE, name]).fetchone() == (True,)]


def fill(connection: Connection[Any], table: str, tenant_id: UUID) -> None:
    """A row of *tenant_id*, with the least that the table demands."""
    columns, values = [sql.Identifier("tenant_id")], [sql.Literal(tenant_id)]
    for name, kind, unique in connection.execute(REQUIRED, [table]).fetchall():
        value = ALLOWED.get((table, name)) or (UNIQUE_NUMBER if unique and kind == "bigint" else VALUES[kind])
        columns.append(sql.Identifier(name))
        values.append(sql.SQL(value))  # type: ignore[arg-type]  # not from outside: it stands above
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})")
    comma = sql.SQL(", ")
    connection.execute(statement.format(sql.Identifier(table), comma.join(columns), comma.join(values)))


@pytest.fixture(scope="module")
def tables(module_database_url: str) -> Iterator[Tables]:
    """Every table, with a row of each of two tenants in those that have tenants."""
    tenants = (uuid4(), uuid4())
    with psycopg.connect(module_database_url, autocommit=True) as connection:
        found = {
            name: {"has_tenant": has_tenant, "row_security": row_security, "partition": partition}
            for name, has_tenant, row_security, partition in connection.execute(TABLES).fetchall()
        }
        tables = Tables(module_database_url, tenants, found)
        for name in tables.of_tenants:
            if not found[name]["partition"]:
                for tenant_id in tenants:
                    fill(connection, name, tenant_id)
    yield tables


def seen(connection: Connection[Any], table: str) -> list[UUID]:
    """The tenants of all rows that a query without a tenant finds."""
    rows = connection.execute(sql.SQL("SELECT tenant_id FROM {}").format(sql.Identifier(table))).fetchall()
    return [tenant_id for (tenant_id,) in rows]


def set_tenant(connection: Connection[Any], tenant_id: UUID) -> None:
    connection.execute(sql.SQL("SET LOCAL aureum.tenant_id = {}").format(sql.Literal(str(tenant_id))))


def test_no_table_is_forgotten(tables: Tables) -> None:
    without = [name for name in tables.of_tenants if not tables.all[name]["row_security"]]
    assert not without, "a table with a tenant_id needs ENABLE ROW LEVEL SECURITY in its migration"
    assert set(tables.readable) <= set(tables.of_tenants), "the service reads nothing that belongs to no tenant"
    with psycopg.connect(tables.url) as connection:
        policies = connection.execute(
            "SELECT tablename, policyname, permissive, roles, cmd, qual FROM pg_policies WHERE schemaname = 'public'"
        ).fetchall()
    condition = "(tenant_id = (NULLIF(current_setting('aureum.tenant_id'::text, true), ''::text))::uuid)"
    expected = {(name, "own_tenant", "PERMISSIVE", (SERVICE,), "ALL", condition) for name in tables.readable}
    assert {(*policy[:3], tuple(policy[3]), *policy[4:]) for policy in policies} == expected


def test_the_service_may_read_and_nothing_else(tables: Tables) -> None:
    with psycopg.connect(tables.url) as connection:
        for name in tables.all:
            for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
                has = connection.execute("SELECT has_table_privilege(%s, %s, %s)", [SERVICE, name, right]).fetchone()
                assert has == (False,), f"{right} on {name}"
        granted = connection.execute(
            "SELECT relname FROM pg_class "
            "WHERE CASE relkind WHEN 'S' THEN has_sequence_privilege(%s, oid, 'USAGE, SELECT, UPDATE') END",
            [SERVICE],
        ).fetchall()
        assert granted == []
        role = "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin FROM pg_roles WHERE rolname = %s"
        assert connection.execute(role, [SERVICE]).fetchone() == (False,) * 5
    for statement in ("DELETE FROM {}", "UPDATE {} SET tenant_id = tenant_id", "INSERT INTO {} DEFAULT VALUES"):
        for name in tables.of_tenants:
            with tables.connect() as connection:
                set_tenant(connection, tables.tenants[0])
                table = sql.Identifier(name)
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(sql.SQL(statement).format(table))


def test_without_its_tenant_a_query_finds_nothing(tables: Tables) -> None:
    assert len(tables.readable) > 10
    with psycopg.connect(tables.url) as connection:
        for name in tables.readable:
            assert set(tables.tenants) <= set(seen(connection, name)), "the rows are there"
    with tables.connect() as connection:
        for name in tables.readable:
            assert seen(connection, name) == [], name
        connection.execute("SET LOCAL aureum.tenant_id = ''")
        for name in tables.readable:
            assert seen(connection, name) == [], name


def test_what_is_not_granted_is_refused(tables: Tables) -> None:
    for name in set(tables.all) - set(tables.readable):
        with tables.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(name)))


def test_a_query_that_forgets_its_tenant_finds_no_others(tables: Tables) -> None:
    for tenant_id in tables.tenants:
        with tables.connect() as connection:
            set_tenant(connection, tenant_id)
            for name in tables.readable:
                assert seen(connection, name) == [tenant_id], name


def test_the_tenant_is_forgotten_with_its_transaction(tables: Tables) -> None:
    mine, theirs = tables.tenants
    state = "SELECT current_user::text, coalesce(current_setting('aureum.tenant_id', true), ''), count(*) FROM events"

    async def test() -> None:
        async with Database(tables.url, pool_size=1) as database:
            ((owner, _, everyone),) = await database.rows(state)
            assert everyone >= 2
            for tenant_id in (mine, theirs):
                assert await database.tenant_rows(tenant_id, state, {}) == [(SERVICE, str(tenant_id), 1)]
                assert await database.rows(state) == [(owner, "", everyone)]
            # A transaction that breaks off leaves nothing behind either.
            with pytest.raises(psycopg.errors.DivisionByZero):
                await database.tenant_rows(mine, "SELECT 1 / 0", {})
            assert await database.rows(state) == [(owner, "", everyone)]
            # A transaction that may only read looks like a database that may: it counts as away.
            with pytest.raises(Unavailable) as refused:
                await database.tenant_rows(mine, "CREATE TEMPORARY TABLE t ()", {})
            assert isinstance(refused.value.__cause__, psycopg.errors.ReadOnlySqlTransaction)
            results = await database.tenant_results(theirs, [(state, {}), ("SELECT tenant_id FROM heads", {})])
            assert results == [[(SERVICE, str(theirs), 1)], [(theirs,)]]

    asyncio.run(test())


def test_functions_with_the_owners_rights(tables: Tables) -> None:
    with psycopg.connect(tables.url) as connection:
        functions = connection.execute(
            "SELECT proname, proconfig, has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc "
            "WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        ).fetchall()
    assert {name.removesuffix(own_name("")) for name, _, _ in functions} == {
        "append_events",
        "gate",
        "gate_one",
        "gate_uncounted",
        "lead_page",
        "lead_counts_of",
        "property_page",
        "task_page",
        "showing_page",
        "tour_page",
        "contact_page",
        "contacts_of_address",
        "leads_of_address",
        "tours_of_address",
        *(f"contact_pairs_{key}" for key in duplicates.KEYS),
        "properties_listed",
        "contact_search",
        "lead_search",
        "property_search",
        "showing_search",
        "tour_search",
        "staff_leads",
        "staff_leads_of_all",
        "brokerage_of_lead",
        "logs_changed",
        "follower_lags",
        "hold_heads",
        "lead_pages",
        "lead_sorted",
        "property_pages",
        "contact_pages",
        "task_pages",
        "showing_pages",
        "tour_pages",
        "envelope_page",
        "envelope_pages",
        "envelope_template_page",
        "envelope_template_pages",
    }
    for name, settings, anybody in functions:
        assert "search_path=public, pg_temp" in settings, name
        assert not anybody, f"{name} needs REVOKE EXECUTE FROM PUBLIC"


def test_hot_reads_keep_to_their_tenant(tables: Tables) -> None:
    with psycopg.connect(tables.url) as connection:
        for tenant_id in tables.tenants:
            one = "SELECT doc, lead_id, source FROM lead_list WHERE tenant_id = %s"
            ((doc, lead_id, source),) = connection.execute(one, [tenant_id]).fetchall()
            for only in (None, source):
                page = {
                    **dict.fromkeys(one.name for one in lead_list.LEADS.filters),
                    **{"tenant": tenant_id, "source": only, "before": ABOVE_ALL, "limit": 100},
                }
                assert connection.execute(named(lead_list.LEADS.page).encode(), page).fetchall() == [(doc, lead_id, 1)]
            connection.execute("UPDATE contact_list SET search = 'jon ' WHERE tenant_id = %s", [tenant_id])
            ((doc, contact_id),) = connection.execute(
                "SELECT doc, contact_id FROM contact_list WHERE tenant_id = %s", [tenant_id]
            ).fetchall()
            for limit in (1, 100):
                page = dict.fromkeys(("type", "tag", "updated_since"))
                page |= {"tenant": tenant_id, "before": ABOVE_ALL, "limit": limit, "words": JON}
                found = connection.execute(named(contact_list.CONTACTS.search).encode(), page).fetchall()
                assert found == [(doc, contact_id, 1)]
            for model, view in VIEWS:
                statement, column = view.page, "leads_doc" if view is tour_list.TOURS else "doc"
                one = f"SELECT {column}, {model.id} FROM {model.table} WHERE tenant_id = %s"
                ((doc, resource_id),) = connection.execute(one.encode(), [tenant_id]).fetchall()
                page = dict.fromkeys(re.findall(r"%\((\w+)\)s", statement))
                page |= {"tenant": tenant_id, "before": ABOVE_ALL, "limit": 100}
                ((docs, last, found),) = connection.execute(named(statement).encode(), page).fetchall()
                assert (last, found) == (resource_id, 1)
                assert docs.startswith(doc[:-1]), "of tours the number of an agent follows"
            connection.execute(
                "UPDATE property_list SET mls_id = '0042' WHERE tenant_id = ANY (%s)", [[*tables.tenants]]
            )
        page = dict.fromkeys(("type", "tag", "updated_since"))
        page |= {"tenant": uuid4(), "before": ABOVE_ALL, "limit": 9, "words": JON}
        assert connection.execute(named(contact_list.CONTACTS.search).encode(), page).fetchall() == [(None, None, 0)]


def test_what_is_read_together_keeps_to_its_tenant(tables: Tables) -> None:
    mine, theirs = tables.tenants
    asked = [theirs, uuid4(), mine, theirs]
    with psycopg.connect(tables.url) as connection:
        connection.execute("UPDATE property_list SET mls_id = '0042' WHERE tenant_id = ANY (%s)", [[mine, theirs]])

        def of(statement: str, tenant_id: UUID) -> list[tuple[Any, ...]]:
            return connection.execute(statement.encode(), [tenant_id]).fetchall()

        def together(statement: str, *more: list[Any]) -> list[tuple[Any, ...]]:
            return sorted(connection.execute(named(statement).encode(), [asked, *more]).fetchall())

        for model, view in VIEWS:
            one = f"SELECT {model.id}, 1 FROM {model.table} WHERE tenant_id = %s"
            rows = together(view.pages, [ABOVE_ALL] * 4, [1, 9, 9, 9])
            assert [(place, *row) for place, _, *row in rows] == [
                (1, *of(one, theirs)[0]),
                (2, None, 0),
                (3, *of(one, mine)[0]),
                (4, *of(one, theirs)[0]),
            ]
            column = "leads_doc" if view is tour_list.TOURS else "doc"
            ((doc,),) = of(f"SELECT {column} FROM {model.table} WHERE tenant_id = %s", mine)
            assert rows[2][1].startswith(doc[:-1]), "of tours the number of an agent follows"
        for statement, more, one in (
            (tour_list.PROPERTIES_LISTED, [["0042"] * 4], "SELECT property_id FROM property_list WHERE tenant_id = %s"),
            (lead_counts.OF_TENANTS, [], "SELECT status, leads FROM lead_counts WHERE tenant_id = %s"),
        ):
            assert together(statement, *more) == [
                (place, *row) for place, tenant_id in enumerate(asked, start=1) for row in of(one, tenant_id)
            ]


def test_the_gate_names_the_brokerage_of_the_key_or_else_of_the_host(tables: Tables) -> None:
    gate = (
        "SELECT ord, caller_tenant, host_tenant, tenant_id, head FROM "
        "gate(%b::bytea[], %b::text[], %b::text[], %b::text[], %b::integer[], %s) ORDER BY ord"
    )
    with psycopg.connect(tables.url) as connection:
        mine, theirs = tables.tenants
        query = "SELECT k.key_hash, d.domain, b.slug FROM api_keys k, domains d, brokerages b WHERE {}".format(
            " AND ".join(f"{alias}.tenant_id = %(tenant)s" for alias in "kdb")
        )
        my_key, my_domain, my_slug = connection.execute(query.encode(), {"tenant": mine}).fetchone() or ()
        their_key, their_domain, their_slug = connection.execute(query.encode(), {"tenant": theirs}).fetchone() or ()
        lines = [
            ((my_key, "", ""), (mine, None, mine)),
            ((b"", my_domain, ""), (None, mine, mine)),
            ((b"", "", my_slug), (None, mine, mine)),
            ((their_key, their_domain, ""), (theirs, theirs, theirs)),
            # Told apart here, refused by the caller: the rows are the key's.
            ((my_key, their_domain, ""), (mine, theirs, mine)),
            ((my_key, "", their_slug), (mine, theirs, mine)),
            ((b"unknown", "unknown.example.com", "unknown"), None),
        ]
        keys, hosts, slugs = zip(*(line for line, _ in lines), strict=True)
        arrays = [list(keys), list(hosts), list(slugs), [""] * len(lines), [1] * len(lines), 0]
        expected = [(place, *found, 0) for place, (_, found) in enumerate(lines, start=1) if found is not None]
        assert connection.execute(named(gate).encode(), arrays).fetchall() == expected
