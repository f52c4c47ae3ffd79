"""Behind the log lists are copied for searching: whatever has been copied yet, the same is found, and what is rare is
found without reading the list."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from aureum.commands.leads import ChangeLead, change_lead
from aureum.domain import ids
from aureum.projections import lead_list
from aureum.projections.document_list import ABOVE_ALL
from aureum.projections.search import asked
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.functions import named
from aureum.store.rebuild.rebuild import rebuild
from aureum.store.search import Searched
from tests.conftest import MASTER_KEY
from tests.examples import examples
from tests.stores import capture, open_brokerage, opened_store

LIST, VIEW = lead_list.LIST, lead_list.LEADS
ORIGIN = Origin(COMMAND_LINE)
NAMES = ("Ann", "Bob", "Cyd", "Dan")

COPIED = "SELECT search FROM searched_texts WHERE tenant_id = %(tenant)s AND list = 'lead_list' ORDER BY id"


async def found(store: EventStore, tenant_id: UUID, search: str) -> int:
    """How many leads a search finds."""
    words = asked(search)
    assert words is not None
    parameters: dict[str, Any] = {one.name: None for one in VIEW.filters}
    parameters |= {"tenant": tenant_id, "before": ABOVE_ALL, "limit": 100, "words": words.exact}
    ((_, _, many),) = await store.database.rows(VIEW.search, parameters)
    return int(many)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("capture"), st.sampled_from(NAMES)),
        st.tuples(st.just("rename"), st.sampled_from(NAMES)),
        st.tuples(st.just("touch"), st.just("")),
        st.tuples(st.just("copy"), st.just("")),
        st.tuples(st.just("rebuild"), st.just("")),
    ),
    max_size=12,
)


@given(steps=steps, data=st.data())
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_copied_the_same_is_found(
    module_database_url: str, steps: list[tuple[str, str]], data: st.DataObject
) -> None:
    async def test() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            searched, leads = Searched(), {}
            for step, name in steps:
                match step:
                    case "capture":
                        lead = await capture(store, tenant_id, first_name=name, last_name="X", email=None)
                        leads[lead.id] = name
                    case "rename" | "touch" if leads:
                        lead_id = data.draw(st.sampled_from(sorted(leads)))
                        details: dict[str, str | None] = (
                            {"first_name": name} if step == "rename" else {"message": ids.new_id().hex}
                        )
                        change = ChangeLead(tenant_id=tenant_id, country="US", lead_id=lead_id, details=details)
                        await change_lead(store, change, ORIGIN)
                        leads[lead_id] = name or leads[lead_id]
                    case "copy":
                        await searched.round(store.database, 1)
                        copied = [text for (text,) in await store.database.rows(COPIED, {"tenant": tenant_id})]
                        assert len(copied) == len(leads)
                    case "rebuild":
                        keys = TenantKeys(MasterKey(MASTER_KEY))
                        await rebuild(module_database_url, keys, LIST.NAME, tenant_id)
            for name in NAMES:
                assert await found(store, tenant_id, name) == [*leads.values()].count(name), name

    asyncio.run(test())


def test_a_lead_with_an_old_id_is_found_though_others_are_copied(module_database_url: str) -> None:
    """As imports make them: its id sorts before what has been copied."""

    async def test() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            await capture(store, tenant_id, first_name="Ann")
            await Searched().round(store.database, 1)
            at = ids.now().replace(year=2020)
            await capture(store, tenant_id, first_name="Old", lead_id=ids.new_id(at))
            assert await found(store, tenant_id, "old") == await found(store, tenant_id, "ann") == 1
            await Searched().round(store.database, 1)
            assert await found(store, tenant_id, "old") == await found(store, tenant_id, "ann") == 1

    asyncio.run(test())


MANY = 3_000
ROWS = """
INSERT INTO lead_list (
    tenant_id, read_version, lead_id, number, stream_version, status, source, search, updated_at, doc
)
SELECT %(tenant)s, 1, lpad(to_hex(i), 32, '0')::uuid, i, 1, 'new', 'api',
       CASE WHEN i <= 5 THEN chr(2) || 'quimby ' ELSE chr(2) || 'tanaka ' END, now(), '{}'
  FROM generate_series(1, %(many)s) i
"""
READ = """
SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0) FROM pg_stat_xact_user_tables
 WHERE relname IN ('lead_list', 'searched_texts')
"""


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> UUID:
    """A brokerage with many leads, the oldest of which are called otherwise; copied, and the index sorted in."""
    tenant_id = ids.new_id()
    with psycopg.connect(module_database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO heads (tenant_id, position) VALUES (%s, 0)", [tenant_id])
        connection.execute(ROWS, {"tenant": tenant_id, "many": MANY})

        async def copied() -> int:
            async with opened_store(module_database_url) as store:
                return await Searched().round(store.database)

        assert asyncio.run(copied()) >= MANY
        connection.execute("VACUUM ANALYZE lead_list")
        connection.execute("VACUUM ANALYZE searched_texts")
    return tenant_id


def rows_read(connection: Connection[Any], statement: str, parameters: dict[str, Any]) -> tuple[list[Any], int]:
    """What a statement finds, and how many rows of the tables it reads for it."""
    with connection.transaction():
        before = connection.execute(READ).fetchone() or (0,)
        rows = connection.execute(named(statement).encode(), parameters).fetchall()
        after = connection.execute(READ).fetchone() or (0,)
    return rows, after[0] - before[0]


@pytest.mark.parametrize(("search", "forgiving"), [("quimby", False), ("uimb", False), ("qiumby", True), ("zzz", True)])
def test_what_is_rare_is_found_by_the_index(
    module_database_url: str, filled: UUID, search: str, forgiving: bool
) -> None:
    words = asked(search)
    assert words is not None
    parameters: dict[str, Any] = {one.name: None for one in VIEW.filters}
    parameters |= {"tenant": filled, "before": ABOVE_ALL, "limit": 20}
    parameters["words"] = words.forgiving if forgiving else words.exact
    with psycopg.connect(module_database_url) as connection:
        ((_, _, many),), read = rows_read(connection, VIEW.search, parameters)
    assert many == (0 if search == "zzz" else 5)
    # The newest are looked at first, twelve pages of them. A typo in so short a list is worth reading all of it.
    assert forgiving or read <= 12 * 20 + 50
