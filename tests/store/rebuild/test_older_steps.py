"""Rows of an older version of a step: reported before they are served, rebuilt, and never mixed with new ones."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from aureum.domain.errors import Unavailable
from aureum.projections import lead_list
from aureum.registry import READ_MODELS, VERSIONED
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.postgres.functions import named
from aureum.store.postgres.migrate import NewerDatabase, migrate, pending
from aureum.store.rebuild.older_steps import rebuild_older_steps
from tests.conftest import MASTER_KEY
from tests.store.read_models import folded, live, shown
from tests.stores import capture, open_brokerage, opened_store

OLD_ROWS = """
UPDATE lead_list SET doc = (doc::jsonb - 'message')::text, details = '{}', read_version = 1 WHERE tenant_id = %(tenant)s
"""
"""What an older step would have made: without a field of today."""


def run(url: str, statement: str, **named: Any) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode(), named)


def of_step(url: str, name: str, step: int, tenant_id: UUID | None = None) -> None:
    """As if the rows of one tenant, or of all, had been made by another step."""
    where = "true" if tenant_id is None else "tenant_id = %(tenant)s"
    run(url, f"UPDATE heads SET {name}_step = %(step)s WHERE {where}", step=step, tenant=tenant_id)


async def steps(store: EventStore, name: str) -> set[int]:
    return {step for (step,) in await store.database.rows(f"SELECT {name}_step FROM heads")}


def rebuilt(url: str, told: list[tuple[UUID, str]] | None = None) -> list[str]:
    def tell(tenant_id: UUID, name: str) -> Any:
        if told is not None:
            told.append((tenant_id, name))
        return lambda folded, length: None

    return asyncio.run(rebuild_older_steps(url, TenantKeys(MasterKey(MASTER_KEY)), tell))


def test_older_rows_are_reported_and_rebuilt(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenants = [await open_brokerage(store) for _ in range(2)]
            empty = await open_brokerage(store)
            for tenant_id in tenants:
                await capture(store, tenant_id)
            before = await live(store, tenants[0])
            assert await pending(database_url) == []
            run(database_url, OLD_ROWS, tenant=tenants[0])
            of_step(database_url, "lead_list", 0)
            assert await pending(database_url) == ["the rebuild of lead_list"]
            assert await migrate(database_url, MasterKey(MASTER_KEY)) == [], "it has nothing to do with tables"

            told: list[tuple[UUID, str]] = []
            assert await asyncio.to_thread(rebuilt, database_url, told) == ["lead_list"]
            assert sorted(told) == sorted((tenant_id, "lead_list") for tenant_id in tenants)
            assert await steps(store, "lead_list") == {lead_list.LIST.step_version}
            for tenant_id in tenants:
                assert await shown(store, tenant_id) == await folded(store, tenant_id)
                assert (await live(store, tenant_id))["lead_list"] > before["lead_list"], "so every ETag is another"
            assert (await live(store, empty))["lead_list"] == 1, "where there is nothing, nothing is made"
            assert await pending(database_url) == []
            assert await asyncio.to_thread(rebuilt, database_url) == []

    asyncio.run(scenario())


@pytest.mark.parametrize("model", VERSIONED, ids=lambda model: str(model.NAME))
def test_every_read_model_knows_its_step(database_url: str, model: Any) -> None:
    of_step(database_url, model.NAME, model.STEP_VERSION - 1)
    assert asyncio.run(pending(database_url)) == [f"the rebuild of {model.NAME}"]
    assert rebuilt(database_url) == [], "there is nothing to fold"
    assert asyncio.run(pending(database_url)) == []
    assert model in READ_MODELS


def test_an_older_program_cannot_write_among_newer_rows(database_url: str) -> None:
    """Nor a newer one among older rows: neither would know what it serves."""

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id, other = await open_brokerage(store), await open_brokerage(store)
            await capture(store, tenant_id)
            of_step(database_url, "lead_list", lead_list.LIST.step_version + 1, tenant_id)
            before = await store.database.rows("SELECT position FROM heads ORDER BY tenant_id")
            with pytest.raises(Unavailable):
                await capture(store, tenant_id)
            assert await store.database.rows("SELECT position FROM heads ORDER BY tenant_id") == before
            await capture(store, other)

    asyncio.run(scenario())


def test_rows_that_a_newer_version_made_are_refused(database_url: str) -> None:
    asyncio.run(opened_brokerage(database_url))
    of_step(database_url, "task_list", 99)
    for work in (pending(database_url), migrate(database_url, MasterKey(MASTER_KEY))):
        with pytest.raises(NewerDatabase, match="task_list"):
            asyncio.run(work)


async def opened_brokerage(url: str) -> None:
    async with opened_store(url) as store:
        await open_brokerage(store)


@pytest.mark.parametrize("model", VERSIONED, ids=lambda model: str(model.NAME))
def test_the_gate_knows_of_every_rebuild(database_url: str, model: Any) -> None:
    """And with it every ETag: a rebuilt list is not taken for an unchanged one."""
    asyncio.run(opened_brokerage(database_url))
    with psycopg.connect(database_url) as connection:
        ((domain,),) = connection.execute("SELECT domain FROM domains").fetchall()
        gate = named("SELECT read_version FROM gate('{\"\"}', ARRAY[%s], '{\"\"}', '{\"\"}', '{1}', 0)").encode()
        assert connection.execute(gate, [domain]).fetchall() == [(0,)]
        connection.execute(f"UPDATE heads SET {model.NAME}_version = 5".encode())
        assert connection.execute(gate, [domain]).fetchall() == [(4,)]
