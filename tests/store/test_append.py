"""What ``append_events`` answers: for each item a row, never an exception that would fail the others."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from aureum.store.append import Append, Outcome, call
from aureum.store.postgres.connection import Connection
from tests.store.appends import an_append, connected, log_of, new_tenants, remember

APPENDED = "appended"


def on_a_connection(url: str, test: Callable[[Connection], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connected(url) as connection:
            await test(connection)

    asyncio.run(run())


async def appended(connection: Connection, *appends: Append) -> list[Outcome]:
    return await call(connection, appends, "5s")


def words(outcomes: list[Outcome]) -> list[str]:
    return [outcome.outcome for outcome in outcomes]


def test_positions_have_no_gaps_in_the_order_of_the_items(module_database_url: str) -> None:
    async def test(connection: Connection) -> None:
        a, b = await new_tenants(connection, 2)
        items = [an_append(b, events=2), an_append(a), an_append(b), an_append(a, events=3), an_append(b)]
        outcomes = await appended(connection, *items)
        assert words(outcomes) == [APPENDED] * 5
        assert [outcome.position for outcome in outcomes] == [2, 1, 3, 4, 4]
        first, third, fifth = (items[place].stream_id for place in (0, 2, 4))
        assert await log_of(connection, b) == [(1, first, 1), (2, first, 2), (3, third, 1), (4, fifth, 1)]
        assert [position for position, _, _ in await log_of(connection, a)] == [1, 2, 3, 4]

    on_a_connection(module_database_url, test)


def test_a_conflict_is_an_answer(module_database_url: str) -> None:
    async def test(connection: Connection) -> None:
        (tenant_id,) = await new_tenants(connection, 1)
        begun = an_append(tenant_id, events=2)
        await appended(connection, begun)
        late = an_append(tenant_id, begun.stream_id, expected=1)
        early = an_append(tenant_id, begun.stream_id, expected=3)
        unbegun = an_append(tenant_id, expected=1)
        right = an_append(tenant_id, begun.stream_id, expected=2)
        outcomes = await appended(connection, late, early, unbegun, right)
        assert words(outcomes) == ["version", "version", "version", APPENDED]
        assert [outcome.version for outcome in outcomes[:3]] == [2, 2, 0]
        assert outcomes[3].position == 3

    on_a_connection(module_database_url, test)


def test_every_answer_in_one_call(module_database_url: str) -> None:
    """A conflict, a used and a reused idempotency key, an unknown tenant: the others are appended."""

    async def test(connection: Connection) -> None:
        a, b = await new_tenants(connection, 2)
        grown, still = an_append(a, events=2), an_append(a)
        one, two = (an_append(a, remember=remember(key, "asked", f"said to {key}")) for key in ("one", "two"))
        await appended(connection, grown, still, one, two)
        items = [
            an_append(a),
            an_append(a, grown.stream_id, expected=1),
            an_append(a, still.stream_id, expected=1),
            an_append(a, remember=remember("one", "asked", "said again")),
            an_append(a, remember=remember("two", "asked otherwise")),
            an_append(a, remember=remember("new", "asked", "said first")),
            an_append(uuid4()),
            an_append(b, remember=remember("one", "asked", "said by another tenant")),
            # A key that has been used counts before a version that has passed.
            an_append(a, one.stream_id, expected=0, remember=remember("one", "asked")),
            an_append(a),
        ]
        # The last but one has the same key as another item, so it goes alone.
        outcomes = await appended(connection, *items[:8], items[9])
        outcomes += await appended(connection, items[8])
        assert words(outcomes) == [
            *(APPENDED, "version", APPENDED, "done", "reused"),
            *(APPENDED, "unknown", APPENDED, APPENDED, "done"),
        ]
        assert outcomes[1].version == 2
        assert [outcomes[place].answer for place in (3, 4, 9)] == [b"said to one", None, b"said to one"]
        assert [outcome.position for outcome in outcomes if outcome.outcome == APPENDED] == [6, 7, 8, 1, 9]
        assert len(await log_of(connection, a)) == 9
        assert len(await log_of(connection, b)) == 1

    on_a_connection(module_database_url, test)


def test_a_key_whose_append_was_refused_is_free(module_database_url: str) -> None:
    async def test(connection: Connection) -> None:
        (tenant_id,) = await new_tenants(connection, 1)
        refused = an_append(tenant_id, expected=7, remember=remember("key", "one"))
        other = an_append(tenant_id, remember=remember("key", "two"))
        assert words(await appended(connection, refused)) == ["version"]
        assert words(await appended(connection, other)) == [APPENDED]

    on_a_connection(module_database_url, test)


def test_a_stream_or_a_key_twice_in_a_call_fails_it_all(module_database_url: str) -> None:
    async def test(connection: Connection) -> None:
        (tenant_id,) = await new_tenants(connection, 1)
        begun = an_append(tenant_id)
        await appended(connection, begun)
        grown = an_append(tenant_id, begun.stream_id, expected=1)
        with pytest.raises(psycopg.errors.UniqueViolation):
            await appended(connection, an_append(tenant_id), grown, grown)
        with pytest.raises(psycopg.errors.CardinalityViolation):
            await appended(connection, *(an_append(tenant_id, remember=remember("key")) for _ in range(2)))
        assert len(await log_of(connection, tenant_id)) == 1

    on_a_connection(module_database_url, test)


def test_a_key_is_forgotten_after_a_day(module_database_url: str) -> None:
    async def test(connection: Connection) -> None:
        (tenant_id,) = await new_tenants(connection, 1)
        await appended(connection, an_append(tenant_id, remember=remember("key", "one", "first")))
        age = "UPDATE idempotency_keys SET recorded_at = recorded_at - %s::interval WHERE tenant_id = %s"
        await connection.execute(age, [timedelta(hours=23, minutes=59), tenant_id])
        (kept,) = await appended(connection, an_append(tenant_id, remember=remember("key", "two")))
        await connection.execute(age, [timedelta(minutes=1), tenant_id])
        (free,) = await appended(connection, an_append(tenant_id, remember=remember("key", "two", "second")))
        (kept_again,) = await appended(connection, an_append(tenant_id, remember=remember("key", "two")))
        assert words([kept, free, kept_again]) == ["reused", APPENDED, "done"]
        assert kept_again.answer == b"second"

    on_a_connection(module_database_url, test)


def test_a_stream_that_begins_twice_is_refused_by_the_database(module_database_url: str) -> None:
    async def test(connection: Connection) -> None:
        (tenant_id,) = await new_tenants(connection, 1)
        begun = an_append(tenant_id)
        await appended(connection, begun)
        with pytest.raises(psycopg.errors.UniqueViolation):
            await appended(connection, an_append(tenant_id), an_append(tenant_id, begun.stream_id))
        assert len(await log_of(connection, tenant_id)) == 1, "all or none"

    on_a_connection(module_database_url, test)


def test_times_are_taken_under_the_lock(module_database_url: str) -> None:
    """recorded_at never goes back as positions go on, though a transaction that began earlier appends later."""

    async def test(connection: Connection) -> None:
        (tenant_id,) = await new_tenants(connection, 1)
        async with connected(module_database_url) as other, other.transaction():
            await other.execute("SELECT now()")
            before = datetime.now(UTC)
            await appended(connection, an_append(tenant_id))
            await appended(other, an_append(tenant_id))
        query = "SELECT recorded_at FROM events WHERE tenant_id = %s ORDER BY position"
        first, second = [at for (at,) in await (await connection.execute(query, [tenant_id])).fetchall()]
        assert before - timedelta(seconds=5) < first < second

    on_a_connection(module_database_url, test)


def test_a_held_tenant_is_waited_for_or_skipped(module_database_url: str) -> None:
    async def test(connection: Connection) -> None:
        free, held = await new_tenants(connection, 2)
        items = [an_append(held), an_append(free), an_append(uuid4())]
        async with connected(module_database_url) as holder:
            async with holder.transaction():
                await holder.execute("SELECT FROM heads WHERE tenant_id = %s FOR UPDATE", [held])
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    await call(connection, items, "50ms")
                outcomes = await call(connection, items, "50ms", skip_locked=True)
                assert words(outcomes) == ["held", APPENDED, "unknown"]
            assert words(await call(connection, items[:1], "50ms")) == [APPENDED]

    on_a_connection(module_database_url, test)
