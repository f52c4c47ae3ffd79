"""What the read models declare is made where the database lacks it: columns, indexes, rights, row security."""

import asyncio
from typing import Any

import psycopg
import pytest

from aureum.projections import lead_list, task_list
from aureum.projections.list_sql import indexes
from aureum.registry import LISTS
from aureum.store.cipher import MasterKey
from aureum.store.postgres.declared import lacking
from aureum.store.postgres.functions import own_name
from aureum.store.postgres.migrate import migrate, pending
from tests.conftest import MASTER_KEY

TWO_ROWS = """
INSERT INTO subscriber_list (tenant_id, read_version, subscriber_id, stream_version, updated_at, doc, subscribed)
SELECT gen_random_uuid(), 1, gen_random_uuid(), 1, now(), '{}', true FROM generate_series(1, 2)
"""


def state(url: str) -> list[Any]:
    """Columns, indexes and policies of all lists."""
    tables = [model.table for model in LISTS]
    with psycopg.connect(url) as connection:
        return [
            connection.execute(query, [tables]).fetchall()
            for query in (
                "SELECT table_name, column_name, data_type FROM information_schema.columns "
                "WHERE table_name = ANY (%s) ORDER BY 1, 2",
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY (%s) ORDER BY 1",
                "SELECT tablename, policyname, qual FROM pg_policies WHERE tablename = ANY (%s) ORDER BY 1",
                "SELECT relname, relrowsecurity, has_table_privilege('aureum_service', oid, 'SELECT') FROM pg_class "
                "WHERE relname = ANY (%s) ORDER BY 1",
            )
        ]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP INDEX lead_list_source",
        "ALTER TABLE task_list DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON contact_list",
        "REVOKE SELECT ON tour_list FROM aureum_service",
        "DROP TABLE subscriber_list",
    ],
)
def test_what_is_lacking_is_made(database_url: str, statement: str) -> None:
    before = state(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(statement.encode())
    assert asyncio.run(pending(database_url)) == ["tables"]
    assert asyncio.run(migrate(database_url, MasterKey(MASTER_KEY))) == ["tables"]
    after = state(database_url)
    assert [sorted(part) for part in after] == [sorted(part) for part in before]
    assert asyncio.run(pending(database_url)) == []


def test_an_index_that_was_broken_off_is_made_again(database_url: str) -> None:
    """One that is made while everybody goes on stays behind, of no use to anybody, where it fails."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TWO_ROWS)
        connection.execute("DROP INDEX lead_list_source")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY lead_list_source ON subscriber_list (subscribed)")
        assert asyncio.run(pending(database_url)) == ["tables"]
        assert asyncio.run(migrate(database_url, MasterKey(MASTER_KEY))) == ["tables"]
        query = "SELECT indexdef FROM pg_indexes WHERE indexname = 'lead_list_source'"
        ((made,),) = connection.execute(query).fetchall()
    assert made.endswith("ON public.lead_list USING btree (tenant_id, read_version, source, lead_id)")


def test_a_column_that_is_lacking_is_added(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE task_list DROP COLUMN created_by")
        connection.execute("ALTER TABLE heads DROP COLUMN task_list_step")
        connection.execute("ALTER TABLE heads ALTER COLUMN lead_list_step SET DEFAULT 7")
    assert asyncio.run(migrate(database_url, MasterKey(MASTER_KEY))) == ["tables"]
    query = "SELECT column_name, column_default FROM information_schema.columns WHERE table_name = 'heads'"
    with psycopg.connect(database_url, autocommit=True) as connection:
        defaults: dict[str, str] = dict(connection.execute(query).fetchall())
        connection.execute("SELECT created_by FROM task_list")
    assert (defaults["task_list_step"], defaults["lead_list_step"]) == (
        str(task_list.LIST.step_version),
        str(lead_list.LIST.step_version),
    ), "who begins now has rows of today"


def test_every_filter_has_its_indexes(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        there = {name for (name,) in connection.execute("SELECT indexname FROM pg_indexes").fetchall()}
    for model in LISTS:
        assert set(indexes(model)) <= there
        for view in model.views:
            for one in view.filters:
                by_id = f"x.{model.id} " in one.holds
                assert one.indexes or by_id, "a filter without an index reads the whole brokerage"


def test_a_database_that_has_all_of_it_is_left_alone(database_url: str) -> None:
    async def missing() -> list[str]:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            return await lacking(connection)

    assert asyncio.run(missing()) == []


PLANNED_OUR_WAY = """
SELECT proname, 'jit=off' = ANY (proconfig) FROM pg_proc
 WHERE pronamespace = 'public'::regnamespace AND EXISTS (
           SELECT FROM unnest(proconfig) AS setting WHERE setting LIKE 'plan_cache_mode=%')
"""


def test_no_function_is_compiled(module_database_url: str) -> None:
    """To compile an append's statements took PostgreSQL 15 half a second, for each new session."""
    with psycopg.connect(module_database_url) as connection:
        found: dict[str, bool] = dict(connection.execute(PLANNED_OUR_WAY).fetchall())
    assert {own_name(name) for name in ("append_events", "gate", "claim_deliveries")} <= set(found), found
    assert all(found.values()), found
