"""The writer of a process: which appends share a call, which do not wait, and what it survives."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.errors import Busy, Unavailable
from aureum.store.append import Append, Outcome
from aureum.store.groups import Waiting, take
from aureum.store.postgres.connection import Connection
from aureum.store.writer import ALONE, LANE_LIMIT, AppendWriter
from tests.store.appends import (
    an_append,
    connected,
    held,
    log_of,
    new_tenants,
    remember,
    until_somebody_waits_for_a_lock,
)


def run(test: Callable[[AppendWriter, Connection], Awaitable[None]], url: str) -> None:
    """*test* with an opened writer and a connection beside it, 30 seconds at most."""

    async def bounded() -> None:
        async with asyncio.timeout(30), AppendWriter(url) as writer, connected(url) as connection:
            await test(writer, connection)

    asyncio.run(bounded())


async def outcome(appending: Awaitable[Outcome]) -> str:
    """The outcome's word, or the error's name."""
    try:
        return (await appending).outcome
    except (Busy, psycopg.Error) as error:
        return type(error).__name__


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.none() | st.integers(0, 2))), st.integers(1, 5))
def test_a_group_has_nothing_twice_and_none_is_overtaken(asked: list[tuple[int, int, int | None]], limit: int) -> None:
    async def waiting() -> list[Waiting]:
        loop = asyncio.get_running_loop()
        keys = [None if key is None else remember(str(key)) for _, _, key in asked]
        appends = [
            an_append(UUID(int=tenant), UUID(int=stream), remember=key)
            for (tenant, stream, _), key in zip(asked, keys, strict=True)
        ]
        return [Waiting(append, loop.create_future()) for append in appends]

    def names(place: int) -> set[tuple[str, int, int | None]]:
        tenant, stream, key = asked[place]
        return {("stream", tenant, stream)} | (set() if key is None else {("key", tenant, key)})

    before = asyncio.run(waiting())
    group, rest = ([before.index(one) for one in some] for some in take(before, limit))
    assert sorted(group + rest) == list(range(len(asked)))
    assert (group, rest) == (sorted(group), sorted(rest)), "both in order"
    assert min(1, len(asked)) <= len(group) <= limit
    for place in group:
        assert all(names(place).isdisjoint(names(other)) for other in range(place)), "who came before goes before"


def test_those_that_wait_at_the_same_moment_share_a_call(module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        a, b = await new_tenants(connection, 2)
        await asyncio.gather(*(writer.append(an_append(tenant)) for _ in range(50) for tenant in (a, b)))
        query = "SELECT count(DISTINCT recorded_at) FROM events WHERE tenant_id = ANY (%s)"
        (moments,) = await (await connection.execute(query, [[a, b]])).fetchone() or (0,)
        assert moments == 2, "a hundred appends, 64 at most in one call"
        assert len(await log_of(connection, a)) == len(await log_of(connection, b)) == 50

    run(test, module_database_url)


def test_one_of_many_wins_a_stream(module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        (tenant_id,) = await new_tenants(connection, 1)
        begun = an_append(tenant_id)
        await writer.append(begun)
        rivals = [an_append(tenant_id, begun.stream_id, expected=1) for _ in range(200)]
        outcomes = Counter(await asyncio.gather(*(outcome(writer.append(rival)) for rival in rivals)))
        assert outcomes == {"appended": 1, "version": 199}
        assert len(await log_of(connection, tenant_id)) == 2

    run(test, module_database_url)


def test_one_of_many_uses_a_key(module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        (tenant_id,) = await new_tenants(connection, 1)
        asked = [("asked", f"answer {number}") for number in range(20)] + [("asked otherwise", "another answer")] * 5
        appends = [an_append(tenant_id, remember=remember("key", *request)) for request in asked]
        outcomes = await asyncio.gather(*map(writer.append, appends))
        assert [outcome.outcome for outcome in outcomes] == ["appended", *["done"] * 19, *["reused"] * 5]
        assert {outcome.answer for outcome in outcomes[1:20]} == {b"answer 0"}
        assert len(await log_of(connection, tenant_id)) == 1

    run(test, module_database_url)


def test_a_held_tenant_holds_up_no_other(module_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aureum.store.writer.LANE_LOCK_TIMEOUT", "60s")

    async def test(writer: AppendWriter, connection: Connection) -> None:
        stuck, *free = await new_tenants(connection, 9)
        async with held(module_database_url, stuck):
            late = [asyncio.create_task(outcome(writer.append(an_append(stuck)))) for _ in range(3)]
            # The first call waits 200 ms for the stuck tenant; from then on it has its lane. If each of them waited,
            # all would take ten seconds.
            async with asyncio.timeout(8):
                for _ in range(50):
                    await asyncio.gather(*(writer.append(an_append(tenant)) for tenant in free))
            assert not any(task.done() for task in late)
        assert await asyncio.gather(*late) == ["appended"] * 3, "once its head is free, the held tenant goes on too"
        assert await outcome(writer.append(an_append(stuck))) == "appended"
        assert not writer.lanes, "a lane ends after its first success"
        for tenant in free:
            assert len(await log_of(connection, tenant)) == 50
        assert len(await log_of(connection, stuck)) == 4

    run(test, module_database_url)


def test_who_waits_too_long_for_a_held_tenant_hears_so(module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        stuck, free = await new_tenants(connection, 2)
        async with held(module_database_url, stuck), asyncio.timeout(4):
            assert await outcome(writer.append(an_append(stuck))) == "Busy"
            assert await outcome(writer.append(an_append(free))) == "appended"
        assert await outcome(writer.append(an_append(stuck))) == "appended"

    run(test, module_database_url)


def test_more_held_tenants_than_lanes(module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        tenants = await new_tenants(connection, LANE_LIMIT + 4)
        stuck, free = tenants[:-1], tenants[-1]
        async with held(module_database_url, *stuck), asyncio.timeout(8):
            late = [asyncio.create_task(outcome(writer.append(an_append(tenant)))) for tenant in stuck]
            assert await outcome(writer.append(an_append(free))) == "appended"
            assert await asyncio.gather(*late) == ["Busy"] * len(stuck)
        again = [outcome(writer.append(an_append(tenant))) for tenant in tenants]
        assert await asyncio.gather(*again) == ["appended"] * len(tenants)

    run(test, module_database_url)


def test_two_writers_and_a_held_tenant(module_database_url: str) -> None:
    """What is held by the other writer's call is held for milliseconds: no caller is refused because of it."""

    async def test(writer: AppendWriter, connection: Connection) -> None:
        tenants = await new_tenants(connection, 12)
        stuck, free = tenants[6], tenants[:6] + tenants[7:]
        outcomes: Counter[str] = Counter()

        async def client(one: AppendWriter, tenant: UUID) -> None:
            while not over.is_set():
                outcomes[await outcome(one.append(an_append(tenant)))] += 1

        over = asyncio.Event()
        async with AppendWriter(module_database_url) as other, asyncio.TaskGroup() as clients:
            async with held(module_database_url, stuck):
                late = [asyncio.create_task(outcome(one.append(an_append(stuck)))) for one in (writer, other)]
                for one in (writer, other):
                    for tenant in free:
                        clients.create_task(client(one, tenant))
                # One is done once its lane has given up.
                await asyncio.wait(late, return_when=asyncio.FIRST_COMPLETED)
            over.set()
            assert "Busy" in await asyncio.gather(*late)
        assert set(outcomes) == {"appended"}
        assert sum([len(await log_of(connection, tenant)) for tenant in free]) == outcomes["appended"]

    run(test, module_database_url)


def test_callers_that_give_up_do_not_stop_it(module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        tenant_id, other = await new_tenants(connection, 2)
        before = [asyncio.create_task(writer.append(an_append(tenant_id))) for _ in range(5)]
        await asyncio.sleep(0)
        before[2].cancel()
        async with held(module_database_url, tenant_id):
            meanwhile = asyncio.create_task(writer.append(an_append(tenant_id)))
            await until_somebody_waits_for_a_lock(connection)
            meanwhile.cancel()
            in_the_lane = [asyncio.create_task(writer.append(an_append(tenant_id))) for _ in range(2)]
            await writer.append(an_append(other))
            in_the_lane[0].cancel()
        outcomes = await asyncio.gather(*before, meanwhile, *in_the_lane, return_exceptions=True)
        cancelled = [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes]
        assert cancelled == [False, False, True, False, False, True, True, False]
        assert await outcome(writer.append(an_append(tenant_id))) == "appended"
        # Whether a cancelled append was stored is open, but nothing is stored by halves.
        assert 6 <= len(await log_of(connection, tenant_id)) <= 9

    run(test, module_database_url)


def test_it_survives_the_loss_of_its_connection(module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        tenant_id, other = await new_tenants(connection, 2)
        await writer.append(an_append(tenant_id))
        assert writer.line is not None
        terminate = "SELECT pg_terminate_backend(%s, 5000)"
        # While it has nothing to do, ...
        await connection.execute(terminate, [writer.line.connection.info.backend_pid])
        assert await outcome(writer.append(an_append(tenant_id))) == "appended"
        # ... and in the middle of a call, which others share: what did not happen is done again, once.
        async with held(module_database_url, tenant_id):
            group = [asyncio.create_task(outcome(writer.append(an_append(one)))) for one in (tenant_id, other)]
            await connection.execute(terminate, [await until_somebody_waits_for_a_lock(connection)])
            assert await group[1] == "appended"
        assert await group[0] == "appended"
        assert len(await log_of(connection, tenant_id)) == 3
        assert len(await log_of(connection, other)) == 1

    run(test, module_database_url)


def test_a_lane_survives_the_loss_of_its_connection(module_database_url: str) -> None:
    async def test(writer: AppendWriter, connection: Connection) -> None:
        stuck, free = await new_tenants(connection, 2)
        async with held(module_database_url, stuck):
            late = asyncio.create_task(outcome(writer.append(an_append(stuck))))
            while stuck not in writer.lanes:
                await writer.append(an_append(free))
            lane = await until_somebody_waits_for_a_lock(connection)
            assert writer.line is not None
            assert lane != writer.line.connection.info.backend_pid
            await connection.execute("SELECT pg_terminate_backend(%s, 5000)", [lane])
        assert await late == "appended"
        assert await outcome(writer.append(an_append(stuck))) == "appended"

    run(test, module_database_url)


def test_without_a_database(unused_port: int) -> None:
    async def test() -> None:
        async with AppendWriter(f"postgresql://127.0.0.1:{unused_port}/nothing") as writer:
            appends = [writer.append(an_append(UUID(int=1))) for _ in range(3)]
            for answer in await asyncio.gather(*appends, return_exceptions=True):
                assert isinstance(answer, Unavailable)

    asyncio.run(test())


@pytest.fixture
def unused_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def test_closing_leaves_no_caller_waiting(module_database_url: str) -> None:
    async def test() -> None:
        async with connected(module_database_url) as connection:
            stuck, free = await new_tenants(connection, 2)
            async with AppendWriter(module_database_url) as writer, asyncio.timeout(10):
                async with held(module_database_url, stuck):
                    late = [asyncio.create_task(outcome(writer.append(an_append(stuck)))) for _ in range(70)]
                    quick = asyncio.create_task(outcome(writer.append(an_append(free))))
                    await until_somebody_waits_for_a_lock(connection)
                    closing = asyncio.create_task(writer.__aexit__())
                    assert await quick == "appended"
                    await until_somebody_waits_for_a_lock(connection)
                await closing
                assert await asyncio.gather(*late) == ["appended"] * 70
                assert await outcome(writer.append(an_append(free))) == "Busy"
            assert len(await log_of(connection, stuck)) == 70

    asyncio.run(test())


class Telling(AppendWriter):
    """A writer that tells whose task made each call."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.callers: list[asyncio.Task[Any] | None] = []

    async def _call(self, appends: list[Append]) -> list[Outcome]:
        self.callers.append(asyncio.current_task())
        return await super()._call(appends)


def run_telling(test: Callable[[Telling, Connection], Awaitable[None]], url: str) -> None:
    """As ``run``."""

    async def bounded() -> None:
        async with asyncio.timeout(30), Telling(url) as writer, connected(url) as connection:
            await test(writer, connection)

    asyncio.run(bounded())


def test_an_append_that_is_alone_goes_from_its_callers_task(module_database_url: str) -> None:
    async def test(writer: Telling, connection: Connection) -> None:
        (tenant_id,) = await new_tenants(connection, 1)
        for _ in range(ALONE + 2):
            await writer.append(an_append(tenant_id))
        await asyncio.gather(*(writer.append(an_append(tenant_id)) for _ in range(9)))
        await asyncio.gather(*(writer.append(an_append(tenant_id)) for _ in range(9)))
        mine = [caller is asyncio.current_task() for caller in writer.callers[: ALONE + 2]]
        assert mine == [False] * ALONE + [True] * 2
        assert len(writer.callers) == ALONE + 2 + 3 + 2, "the first of nine went at once, the others in two groups"
        assert len(await log_of(connection, tenant_id)) == ALONE + 2 + 18

    run_telling(test, module_database_url)


def test_a_caller_that_goes_away_holds_up_no_other(module_database_url: str) -> None:
    async def test(writer: Telling, connection: Connection) -> None:
        stuck, free = await new_tenants(connection, 2)
        for _ in range(ALONE):
            await writer.append(an_append(free))
        async with held(module_database_url, stuck):
            gone = asyncio.create_task(writer.append(an_append(stuck)))
            await until_somebody_waits_for_a_lock(connection)
            assert writer.callers[-1] is gone
            waiting = [asyncio.create_task(writer.append(an_append(free))) for _ in range(3)]
            await asyncio.sleep(0)
            gone.cancel()
            assert [done.outcome for done in await asyncio.gather(*waiting)] == ["appended"] * 3
        assert gone.cancelled()
        assert await outcome(writer.append(an_append(stuck))) == "appended"

    run_telling(test, module_database_url)


def test_closing_waits_for_an_append_that_is_alone(module_database_url: str) -> None:
    async def test() -> None:
        async with asyncio.timeout(30), connected(module_database_url) as connection:
            (tenant_id,) = await new_tenants(connection, 1)
            async with Telling(module_database_url) as writer:
                for _ in range(ALONE):
                    await writer.append(an_append(tenant_id))
                async with held(module_database_url, tenant_id):
                    last = asyncio.create_task(writer.append(an_append(tenant_id)))
                    await until_somebody_waits_for_a_lock(connection)
                    assert writer.callers[-1] is last
                    closing = asyncio.create_task(writer.__aexit__())
                    await asyncio.sleep(0.05)
                    assert not closing.done()
                assert (await last).outcome == "appended"
                await closing

    asyncio.run(test())
