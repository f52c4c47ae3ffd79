"""What is verified agrees while others write; whatever is changed in the live rows behind the store's back is named."""

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from psycopg import sql

from aureum.store.event_log import rows_on
from aureum.store.event_store import EventStore
from aureum.store.lists_as_of import rows_as_of
from aureum.store.rebuild.claim import RebuildClaim
from aureum.store.rebuild.list import ListRebuild
from aureum.store.rebuild.rebuild import REBUILDABLE
from aureum.store.rebuild.verifying import NAMED_ROWS, Compared, Difference, verify_read_model
from tests.store.rebuild.test_rebuild_lists import LISTS, makers_of, obey
from tests.stores import capture, open_brokerage, opened_store


@pytest.mark.parametrize("name", [model.NAME for model in LISTS])
def test_a_list_agrees_while_it_is_written_and_every_difference_is_named(
    module_database_url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = {model.NAME: model for model in LISTS}[name]
    copy, dice = model.copy, random.Random(name)
    table, key = sql.Identifier(name), sql.Identifier(model.model.id)

    def commands(count: int) -> list[tuple[int, int]]:
        return [(dice.randint(-3, 5), dice.randrange(2**16)) for _ in range(count)]

    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            streams: list[UUID] = []
            await obey(store, tenant_id, makers_of(name), streams, commands(20))

            async def verified() -> Compared:
                return await verify_read_model(store.database.url, store.keys, name, tenant_id)

            async def copy_while_others_append(
                log: Any, claim: RebuildClaim, until: int, told: Callable[[int], None]
            ) -> int:
                done: int = await copy(log, claim, min(7, until), told)
                await obey(store, tenant_id, makers_of(name), streams, commands(10))
                return done

            monkeypatch.setattr(model, "copy", copy_while_others_append)
            assert await verified() == Compared(len(streams))
            monkeypatch.setattr(model, "copy", copy)
            assert await as_of_now(store, tenant_id, model) == await live(store, tenant_id, model)

            gone, other = min(streams), max(streams)
            async with store.database.connection() as connection:
                for statement in (
                    "DELETE FROM {table} WHERE {key} = %(gone)s",
                    "UPDATE {table} SET updated_at = updated_at + interval '1 minute' WHERE {key} = %(other)s",
                ):
                    composed = sql.SQL(statement).format(table=table, key=key)
                    assert (await connection.execute(composed, {"gone": gone, "other": other})).rowcount == 1
            found = await verified()
            assert (found.differences, found.named) == (
                2,
                [Difference(gone, "missing"), Difference(other, "different", ("updated_at",))],
            )

    asyncio.run(scenario())


async def as_of_now(store: EventStore, tenant_id: UUID, model: ListRebuild) -> list[Any]:
    """The documents of the list as it is at the end of time."""
    key, end = await store.tenant_key(tenant_id), datetime.max.replace(tzinfo=UTC)
    async with (
        store.database.connection() as connection,
        aclosing(rows_as_of(rows_on(connection), key, model.model, end)) as rows,
    ):
        return [row["doc"] async for row, _ in rows]


async def live(store: EventStore, tenant_id: UUID, model: ListRebuild) -> list[Any]:
    """The documents of the live rows that people can list."""
    stands = f"AND {model.model.moved} IS NULL" if model.model.moved else ""
    query = f"SELECT doc FROM {model.NAME} WHERE tenant_id = %(tenant)s AND read_version = %(live)s {stands}"
    rows = await store.database.rows(f"{query} ORDER BY {model.model.id}", {"tenant": tenant_id, "live": 1})
    return [orjson.loads(doc) for (doc,) in rows]


def test_counts_and_extra_rows(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id, neighbour = await open_brokerage(store), await open_brokerage(store)
            lead = await capture(store, tenant_id)
            await capture(store, neighbour)
            url, keys = store.database.url, store.keys
            for model in REBUILDABLE:
                assert (await verify_read_model(url, keys, model.NAME, tenant_id)).differences == 0
            async with store.database.connection() as connection:
                await connection.execute("UPDATE lead_counts SET leads = 7 WHERE tenant_id = %s", [tenant_id])
                await connection.execute("UPDATE lead_list SET tenant_id = %s WHERE lead_id = %s", [neighbour, lead.id])
            counts = await verify_read_model(url, keys, "lead_counts", tenant_id)
            assert counts.named == [Difference("new", "different", ("leads",))]
            assert (await verify_read_model(url, keys, "lead_list", tenant_id)).named == [
                Difference(lead.id, "missing")
            ]
            assert (await verify_read_model(url, keys, "lead_list", neighbour)).named == [Difference(lead.id, "extra")]
            rows = await store.database.rows("SELECT DISTINCT read_version FROM lead_list")
            assert rows == [(1,)], "nothing of what was built stays"

    asyncio.run(scenario())


def test_many_differences_are_counted_and_some_are_named(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            for number in range(NAMED_ROWS + 5):
                await capture(store, tenant_id, email=f"{number}@example.com")
            async with store.database.connection() as connection:
                await connection.execute("DELETE FROM lead_list WHERE tenant_id = %s", [tenant_id])
            found = await verify_read_model(store.database.url, store.keys, "lead_list", tenant_id)
            assert (found.rows, found.differences, len(found.named)) == (NAMED_ROWS + 5, NAMED_ROWS + 5, NAMED_ROWS)

    asyncio.run(scenario())
