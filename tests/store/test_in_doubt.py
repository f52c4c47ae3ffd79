"""Appends whose call is not answered: done once, whatever became of the call, and told so as soon as it is known."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from aureum.domain.errors import Unavailable
from aureum.store.append import TOO_LATE, call
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.watch import Watch
from aureum.store.writer import AppendWriter
from tests.freezer import Freezer, freezer
from tests.store.appends import (
    an_append,
    connected,
    held,
    log_of,
    new_tenants,
    remember,
    until_somebody_waits_for_a_lock,
)

TIMEOUT = 1.5


@pytest.fixture
def proxy(module_database_url: str) -> Iterator[Freezer]:
    with freezer(module_database_url) as made:
        yield made


def run(proxy: Freezer, url: str, test: Callable[[AppendWriter, Connection], Awaitable[None]], **more: Any) -> Watch:
    """Run *test* with a writer behind the proxy, and a connection past it; the writer's watch."""
    watch = Watch(TIMEOUT)

    async def bounded() -> None:
        async with (
            asyncio.timeout(30),
            AppendWriter(proxy.url, watch=watch, **more) as writer,
            connected(url) as connection,
        ):
            await test(writer, connection)

    asyncio.run(bounded())
    return watch


@pytest.mark.parametrize("answers_only", [True, False])
def test_what_is_not_answered_is_appended_once(proxy: Freezer, module_database_url: str, answers_only: bool) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        one, other = await new_tenants(connection, 2)
        assert (await writer.append(an_append(one))).position == 1
        proxy.freeze(answers_only=answers_only)
        appends = [an_append(one, events=3), an_append(other), an_append(one, remember=remember(uuid4().hex))]
        outcomes = await asyncio.gather(*map(writer.append, appends))
        assert [outcome.outcome for outcome in outcomes] == ["appended"] * 3
        # Where each stands in the log is told as if nothing had been.
        assert sorted(outcome.position or 0 for outcome in outcomes) == [1, 4, 5]
        proxy.thaw()
        # The call that was held up arrives now.
        await asyncio.sleep(TIMEOUT + 0.5)
        assert len(await log_of(connection, one)) == 5
        assert len(await log_of(connection, other)) == 1
        assert (await writer.append(an_append(one))).position == 6

    watch = run(proxy, module_database_url, test)
    assert watch.silent_at > 0


def test_of_what_decided_nothing_the_record_is_asked_for(proxy: Freezer, module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        (tenant,) = await new_tenants(connection, 1)
        await writer.append(an_append(tenant, events=2))
        key = uuid4().hex
        proxy.freeze(answers_only=True)
        outcome = await writer.append(an_append(tenant, events=0, remember=remember(key)))
        assert (outcome.outcome, outcome.position) == ("appended", 2)
        again = await writer.append(an_append(tenant, events=0, remember=remember(key)))
        assert (again.outcome, again.answer) == ("done", b"answer")

    run(proxy, module_database_url, test)


def test_nothing_is_appended_that_was_refused(proxy: Freezer, module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        (tenant,) = await new_tenants(connection, 1)
        await writer.append(an_append(tenant))
        proxy.freeze()
        # No other connection can be asked either: it is refused, and what has been sent is void by now.
        proxy.refuses = True
        with pytest.raises(Unavailable):
            await writer.append(an_append(tenant))
        proxy.thaw()
        await asyncio.sleep(TIMEOUT + 0.5)
        assert len(await log_of(connection, tenant)) == 1
        proxy.refuses = False
        assert (await writer.append(an_append(tenant))).position == 2

    run(proxy, module_database_url, test)


def test_the_holder_of_the_head_is_waited_for_and_no_other(proxy: Freezer, module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        stuck, free = await new_tenants(connection, 2)
        await writer.append(an_append(free))
        async with held(module_database_url, stuck):
            proxy.freeze(answers_only=True)
            appends = [asyncio.create_task(writer.append(an_append(one))) for one in (stuck, free)]
            assert (await appends[1]).outcome == "appended"
        assert (await appends[0]).outcome == "appended"
        assert [len(await log_of(connection, one)) for one in (stuck, free)] == [1, 2]

    run(proxy, module_database_url, test)


def test_a_lane_in_doubt(proxy: Freezer, module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        stuck, free = await new_tenants(connection, 2)
        async with held(module_database_url, stuck):
            late = asyncio.create_task(writer.append(an_append(stuck)))
            while stuck not in writer.lanes:
                await writer.append(an_append(free))
            await until_somebody_waits_for_a_lock(connection)
            proxy.freeze(answers_only=True)
        assert (await late).outcome == "appended"
        assert len(await log_of(connection, stuck)) == 1

    run(proxy, module_database_url, test)


def test_a_call_is_void_after_its_time_and_once_its_writer_was_given_up(module_database_url: str) -> None:
    async def test() -> None:
        async with connected(module_database_url) as connection:
            (tenant,) = await new_tenants(connection, 1)
            given_up = uuid4()
            await connection.execute("INSERT INTO given_up_writers (writer) VALUES (%s)", [given_up])
            cursor = await connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            ((now,),) = await cursor.fetchall()

            async def refused(writer: UUID, until: float) -> bool:
                try:
                    await call(connection, [an_append(tenant)], "1s", writer=writer, until=until)
                except psycopg.Error as error:
                    assert error.sqlstate == TOO_LATE
                    return True
                return False

            assert await refused(given_up, now + 60)
            assert await refused(uuid4(), now - 0.001)
            assert await log_of(connection, tenant) == []
            assert not await refused(uuid4(), now + 60)
            assert len(await log_of(connection, tenant)) == 1

    asyncio.run(test())


def test_the_clock_of_the_database_is_looked_at_again(proxy: Freezer, module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        (tenant,) = await new_tenants(connection, 1)
        await writer.append(an_append(tenant))
        assert writer.line is not None
        # It was set forward by an hour.
        writer.line.connection.clock -= 3600
        assert (await writer.append(an_append(tenant))).position == 2

    run(proxy, module_database_url, test)
