"""A connection ends its waits by itself, closes without a word, and survives a statement whose caller has gone."""

import asyncio
import threading
import time

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from aureum.domain.errors import Unavailable
from aureum.store.postgres.connection import LEAVE_SECONDS, Connection, NoAnswer, parameters
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.watch import Watch
from tests.freezer import freezer

TIMEOUT = 1.0


def test_a_wait_ends_and_so_does_the_connection(module_database_url: str) -> None:
    async def scenario() -> None:
        watch = Watch(TIMEOUT)
        with freezer(module_database_url) as proxy:
            connection = await connect(proxy.url, watch=watch)
            proxy.freeze()
            started = time.monotonic()
            with pytest.raises(NoAnswer):
                await connection.execute("SELECT 1")
            assert TIMEOUT <= time.monotonic() - started < TIMEOUT + 10
            assert connection.closed
            started = time.monotonic()
            await connection.close()
            assert time.monotonic() - started < 5
            assert not watch.trusts(connection.made)

    asyncio.run(scenario())


def test_the_server_ends_what_takes_too_long_before_we_give_up(module_database_url: str) -> None:
    async def scenario() -> None:
        watch = Watch(TIMEOUT)
        async with await connect(module_database_url, watch=watch) as connection:
            with pytest.raises(psycopg.errors.QueryCanceled):
                await connection.execute("SELECT pg_sleep(5)")
            assert await (await connection.execute("SELECT 1")).fetchall() == [(1,)]
            assert watch.trusts(connection.made)

    asyncio.run(scenario())


@pytest.mark.parametrize(("seconds", "survives"), [(0.2, True), (30, False)])
def test_a_statement_whose_caller_has_gone(module_database_url: str, seconds: float, survives: bool) -> None:
    async def scenario() -> None:
        async with await connect(module_database_url) as connection:
            waiting = asyncio.create_task(connection.execute(f"SELECT pg_sleep({seconds})"))
            await asyncio.sleep(0.1)
            started = time.monotonic()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert time.monotonic() - started < LEAVE_SECONDS + 10
            assert connection.closed != survives
            if survives:
                assert await (await connection.execute("SELECT 1")).fetchall() == [(1,)]

    asyncio.run(scenario())


def test_large_answers_are_the_same(module_database_url: str) -> None:
    async def scenario() -> None:
        query = "SELECT n, repeat(n::text, 100) FROM generate_series(1, 20000) AS n"
        async with await connect(module_database_url) as connection:
            plain = await (await connection.execute(query)).fetchall()
            with connection.large_answers():
                assert await (await connection.execute(query)).fetchall() == plain
                with pytest.raises(psycopg.errors.DivisionByZero):
                    await connection.execute("SELECT 1 / (n - 9000) FROM generate_series(1, 20000) AS n")
                assert await (await connection.execute("SELECT 1")).fetchall() == [(1,)]
            assert len(plain) == 20_000

    asyncio.run(scenario())


def test_a_large_answer_that_does_not_come(module_database_url: str) -> None:
    async def scenario() -> None:
        with freezer(module_database_url) as proxy:
            connection = await connect(proxy.url, watch=Watch(TIMEOUT))
            proxy.freeze()
            with connection.large_answers(), pytest.raises(NoAnswer):
                await connection.execute("SELECT 1")
            assert connection.closed

    asyncio.run(scenario())


def test_a_large_answer_whose_reader_has_gone(module_database_url: str) -> None:
    """Its thread ends soon after, long before the statement would, and the connection with it."""

    async def scenario() -> None:
        async with await connect(module_database_url) as connection:
            with connection.large_answers():
                waiting = asyncio.create_task(connection.execute("SELECT pg_sleep(30)"))
                while connection.pgconn.transaction_status != TransactionStatus.ACTIVE:  # noqa: ASYNC110  another thread
                    await asyncio.sleep(0.01)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            assert connection.closed
            assert not [thread for thread in threading.enumerate() if thread.name.startswith("answers")]

    asyncio.run(asyncio.wait_for(scenario(), 25))


def test_sessions_that_were_given_up_are_ended(module_database_url: str) -> None:
    async def scenario() -> None:
        watch = Watch(TIMEOUT)
        with freezer(module_database_url) as proxy:
            async with Database(proxy.url, watch=watch) as database, await connect(module_database_url) as other:
                held = await connect(proxy.url, watch=watch)
                # In the middle of a pipeline: a server before version 17 would wait for the rest of it for ever.
                with pytest.raises(NoAnswer):
                    async with held.pipeline() as pipeline:
                        await held.execute("BEGIN")
                        await held.execute("SELECT pg_advisory_xact_lock(1)")
                        await pipeline.sync()
                        await held.execute("SELECT 1")
                        proxy.freeze()
                        await pipeline.sync()
                async with asyncio.timeout(15):
                    await other.execute("SELECT pg_advisory_xact_lock(1)")
                assert await database.rows("SELECT 1") == [(1,)]

    asyncio.run(scenario())


def test_what_the_url_says_wins() -> None:
    given = parameters("postgresql://db.example.com/aureum?keepalives_idle=99&connect_timeout=9", 5.0)
    assert "keepalives_idle" not in given and "connect_timeout" not in given
    assert given["tcp_user_timeout"] == 5_000
    assert parameters("postgresql://db.example.com/aureum", 60.0)["connect_timeout"] == 5


def test_a_connection_has_the_patience_of_a_tool_until_it_is_told_otherwise() -> None:
    assert Connection.watch.seconds == 60


def test_what_is_not_settled_in_is_closed_again(module_database_url: str) -> None:
    async def scenario() -> None:
        with freezer(module_database_url) as proxy:
            making = asyncio.create_task(connect(proxy.url, watch=Watch(TIMEOUT)))
            # It is connected by then or never will be: both end, and nothing is left open.
            while not proxy.freeze(answers_only=True):  # noqa: ASYNC110  the proxy runs in another thread
                await asyncio.sleep(0)
            with pytest.raises(Unavailable):
                await making

    for _ in range(3):
        asyncio.run(scenario())
