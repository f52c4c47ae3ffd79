"""Notifications: few, never missing at the end, and never in an append's way."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database
from aureum.store.postgres.notify import CHANNEL, PAUSE_SECONDS, Notifier
from tests.stores import capture, open_brokerage, opened_store


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 30))


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A connection that hears what is notified."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        yield connection


async def heard(connection: psycopg.AsyncConnection[Any], seconds: float, stop_after: int | None = None) -> int:
    """How many notifications come, until there were so many or so long none did."""
    return len([n async for n in connection.notifies(timeout=seconds, stop_after=stop_after)])


def test_an_append_is_told_soon(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as plain, Notifier(plain.database) as notifier:
            store = EventStore(plain.database, plain.writer, plain.keys, notifier)
            tenant = await open_brokerage(store)
            await asyncio.sleep(PAUSE_SECONDS)
            async with listening(database_url) as connection:
                for _ in range(3):
                    await capture(store, tenant)
                    assert await heard(connection, 5, stop_after=1) == 1

    run(scenario())


def test_many_changes_are_few_notifications_and_the_last_change_is_told(database_url: str) -> None:
    async def scenario() -> None:
        async with (
            Database(database_url) as database,
            Notifier(database) as notifier,
            listening(database_url) as connection,
        ):
            loop = asyncio.get_running_loop()
            started = loop.time()
            for _ in range(200):
                notifier.changed()
                await asyncio.sleep(0.002)
            notifier.changed()
            told = await heard(connection, 0.5)
            assert 2 <= told <= (loop.time() - started) / PAUSE_SECONDS + 1
            # What changes after the last notification is told by another one, however soon after it.
            notifier.changed()
            assert await heard(connection, 5, stop_after=1) == 1
            notifier.changed()
            assert await heard(connection, 5, stop_after=1) == 1

    run(scenario())


def test_what_changed_just_before_the_end_is_told(database_url: str) -> None:
    async def scenario() -> None:
        async with Database(database_url) as database, listening(database_url) as connection:
            async with Notifier(database) as notifier:
                notifier.changed()
                assert await heard(connection, 5, stop_after=1) == 1
                notifier.changed()
            assert await heard(connection, 5, stop_after=1) == 1
            async with Notifier(database) as notifier:
                notifier.changed()
            assert await heard(connection, 5, stop_after=1) == 1
            async with Notifier(database):
                pass
            assert await heard(connection, 0.2) == 0

    run(scenario())


def test_a_database_that_goes_away_for_a_while_is_survived(database_url: str) -> None:
    async def scenario() -> None:
        async with Database(database_url, pool_size=1) as database, Notifier(database) as notifier:
            notifier.changed()
            await asyncio.sleep(PAUSE_SECONDS)
            async with listening(database_url) as connection:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                told = 0
                for _ in range(100):
                    notifier.changed()
                    told = await heard(connection, 0.1, stop_after=1)
                    if told:
                        break
                assert told == 1
                assert not notifier.task.done()

    run(scenario())
