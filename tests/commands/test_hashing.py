"""Slow hashes: who floods them waits, who does not is served, and no thread is ever lost."""

import asyncio
import random
from collections.abc import Coroutine
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.commands.hashing import Hashing, network_of
from aureum.domain.errors import Busy, Conflict
from tests.examples import examples

FLOOD = "203.0.113.9"
OTHER = "198.51.100.7"


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 30))


async def flooded(hashing: Hashing, release: Event, times: int, client: str = FLOOD) -> list[asyncio.Task[bool]]:
    """*times* hashes of one client under way, each of which waits to be released."""
    tasks = [asyncio.create_task(hashing.run(release.wait, 20, client=client)) for _ in range(times)]
    await asyncio.sleep(0.01)
    return tasks


def test_networks() -> None:
    networks = {
        "203.0.113.9": "203.0.113.0/24",
        "2001:db8:1:2::/64": "2001:db8:1::/48",
        "2001:db8:1:ffff::/64": "2001:db8:1::/48",
        "unix": "unix",
        "user c123": "user c123",
    }
    assert {client: network_of(client) for client in networks} == networks


def test_who_does_not_flood_comes_next() -> None:
    async def scenario() -> None:
        hashing, release = Hashing(threads=1), Event()
        order: list[str] = []
        flood = await flooded(hashing, release, 20)
        for task in flood:
            task.add_done_callback(lambda _: order.append(FLOOD))
        others = [
            asyncio.create_task(hashing.run(order.append, client, client=client))
            for client in (OTHER, "198.51.100.8", "2001:db8::/64", "user c1")
        ]
        await asyncio.sleep(0.01)
        release.set()
        await asyncio.gather(*flood, *others)
        # One hash had begun. Then each network has its turn; two addresses of one network share theirs.
        assert set(order[:6]) == {FLOOD, OTHER, "2001:db8::/64", "user c1"} and order[:6].count(FLOOD) <= 3, order
        assert "198.51.100.8" in order[:9], order
        assert hashing.free == 1 and hashing.lines.networks == {}

    run(scenario())


def test_only_a_flood_is_told_to_come_back() -> None:
    async def scenario() -> None:
        hashing, release = Hashing(threads=1, waiting_each=3), Event()
        flood = await flooded(hashing, release, 4)
        with pytest.raises(Busy) as busy:
            await hashing.run(release.wait, client=FLOOD)
        assert busy.value.retry_after == 2
        other = asyncio.create_task(hashing.run(release.wait, 20, client=OTHER))
        await asyncio.sleep(0.01)
        release.set()
        assert await asyncio.gather(*flood, other) == [True] * 5

    run(scenario())


def test_when_all_lines_are_full_the_longest_gets_shorter() -> None:
    async def scenario() -> None:
        hashing, release = Hashing(threads=1, waiting=4), Event()
        flood = await flooded(hashing, release, 5)
        other = asyncio.create_task(hashing.run(release.wait, 20, client=OTHER))
        await asyncio.sleep(0.01)
        assert isinstance(flood[-1].exception(), Busy)
        singles = [asyncio.create_task(hashing.run(release.wait, 20, client=f"10.0.{number}.1")) for number in range(5)]
        await asyncio.sleep(0.01)
        # No address has two waiting any more: the last to come is refused.
        assert [task.done() for task in singles] == [False] * 2 + [True] * 3
        release.set()
        ended = await asyncio.gather(*flood, other, *singles, return_exceptions=True)
        assert ended.count(True) == 5 and sum(isinstance(one, Busy) for one in ended) == 6
        assert other.result() and hashing.free == 1

    run(scenario())


def test_the_time_in_a_line_has_a_bound() -> None:
    async def scenario() -> None:
        hashing, release = Hashing(threads=1, patience=0.05), Event()
        first = await flooded(hashing, release, 1)
        with pytest.raises(Busy):
            await hashing.run(release.wait, client=OTHER)
        release.set()
        await asyncio.gather(*first)
        assert hashing.free == 1 and await hashing.run(release.wait, client=OTHER)

    run(scenario())


def test_a_caller_that_is_told_to_wait_holds_up_no_other() -> None:
    async def scenario() -> None:
        hashing, order = Hashing(threads=1), list[str]()

        async def seconds() -> float:
            return 0.2

        slow = asyncio.create_task(hashing.run(order.append, "slow", client=FLOOD, first=seconds))
        await asyncio.sleep(0.01)
        await hashing.run(order.append, "quick", client=OTHER)
        await slow
        assert order == ["quick", "slow"] and hashing.free == 1

    run(scenario())


@settings(max_examples=examples(50), deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 6), st.integers(1, 12))
def test_no_thread_is_lost_whatever_happens(seed: int, threads: int, each: int, waiting: int) -> None:
    """Refusals before the hash, errors in it, callers who go away, time that runs out."""
    dice = random.Random(seed)

    async def first() -> float:
        await asyncio.sleep(0)
        if dice.random() < 0.3:
            raise Conflict
        return dice.choice((0, 0, 0.001))

    def work() -> bool:
        if dice.random() < 0.2:
            raise ValueError
        return True

    async def scenario() -> None:
        unheard: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        hashing = Hashing(threads, each, waiting, patience=dice.choice((0.0005, 5)))
        tasks = []
        for _ in range(30):
            client = f"10.0.{dice.randrange(3)}.{dice.randrange(2)}"
            tasks.append(asyncio.create_task(hashing.run(work, client=client, first=first)))
            if dice.random() < 0.5:
                await asyncio.sleep(0)
            if dice.random() < 0.3:
                dice.choice(tasks).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(200):
            if hashing.free == threads:
                break
            await asyncio.sleep(0.005)
        assert (hashing.free, hashing.lines.length, dict(hashing.lines.networks)) == (threads, 0, {})
        hashing.executor.shutdown()
        assert unheard == []

    run(scenario())
