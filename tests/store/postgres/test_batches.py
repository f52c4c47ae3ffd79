"""What waits at the same moment goes together, what comes alone goes at once, and no caller suffers for another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.errors import Unavailable
from aureum.store.postgres.batches import Batches
from tests.examples import examples

LIMIT = 4


class Calls:
    """Calls that end when they are told to; each answers an item with ten times as much, 0 with ZeroDivisionError."""

    def __init__(self) -> None:
        self.made: list[list[int]] = []
        self.tasks: list[asyncio.Task[object] | None] = []
        self.under_way = 0
        self.may_end = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.made.append(list(items))
        self.tasks.append(asyncio.current_task())
        self.under_way += 1
        assert self.under_way == 1, "one call at a time"
        try:
            await self.may_end.wait()
        finally:
            self.under_way -= 1
        if self.error is not None:
            raise self.error
        return [item * 10 // (item and 1) for item in items]


def run(work: Callable[[Batches[int, int], Calls], Awaitable[None]], turns: int = 0) -> None:
    async def in_time() -> None:
        calls = Calls()
        async with asyncio.timeout(10):
            await work(Batches(calls, LIMIT, turns), calls)

    asyncio.run(in_time())


async def asking(batches: Batches[int, int], items: Sequence[int]) -> list["asyncio.Task[int]"]:
    """Tasks that ask, each as far as it gets by itself."""
    tasks = [asyncio.create_task(batches.ask(item)) for item in items]
    await asyncio.sleep(0)
    return tasks


def test_what_comes_alone_is_called_for_by_the_task_that_asks() -> None:
    async def work(batches: Batches[int, int], calls: Calls) -> None:
        calls.may_end.set()
        before = asyncio.all_tasks()
        assert await batches.ask(1) == 10
        assert await batches.ask(2) == 20
        assert calls.tasks == [asyncio.current_task()] * 2
        assert asyncio.all_tasks() == before

    run(work)


@pytest.mark.parametrize("turns", [0, 2])
def test_what_comes_meanwhile_goes_together(turns: int) -> None:
    async def work(batches: Batches[int, int], calls: Calls) -> None:
        tasks = await asking(batches, range(1, 8))
        tasks += [asyncio.ensure_future(batches.put(8))]
        calls.may_end.set()
        assert await asyncio.gather(*tasks) == [item * 10 for item in range(1, 9)]
        assert calls.made == [[1], [2, 3, 4, 5], [6, 7, 8]]
        await asyncio.sleep(0.01)
        # Others could come in the same turn of the loop; as none does, the one after it goes at once again.
        assert await asyncio.gather(*map(batches.ask, (11, 12, 13))) == [110, 120, 130]
        await asyncio.sleep(0.01)
        assert await batches.ask(14) == 140
        await asyncio.sleep(0.01)
        assert await batches.ask(15) == 150
        assert calls.made[3:] == [[11, 12, 13], [14], [15]]
        assert calls.tasks[-1] is asyncio.current_task()

    run(work, turns)


def test_what_is_no_task_can_ask_too() -> None:
    async def work(batches: Batches[int, int], calls: Calls) -> None:
        calls.may_end.set()
        assert await asyncio.gather(*(batches.put(item) for item in (1, 2, 3))) == [10, 20, 30]
        assert calls.made == [[1, 2, 3]]

    run(work)


def test_a_lone_caller_a_caller_that_goes_away_takes_no_other_along() -> None:
    async def work(batches: Batches[int, int], calls: Calls) -> None:
        alone, *others = await asking(batches, (1, 2, 3))
        alone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await alone
        calls.may_end.set()
        assert await asyncio.gather(*others) == [20, 30]
        assert calls.made == [[1], [2, 3]]

    run(work)


def test_who_goes_away_while_waiting_or_called_for_takes_no_other_along() -> None:
    async def work(batches: Batches[int, int], calls: Calls) -> None:
        waits, called_for, stays = [batches.put(item) for item in (1, 2, 3)]
        waits.cancel()
        await asyncio.sleep(0)
        assert calls.under_way
        called_for.cancel()
        calls.may_end.set()
        assert await stays == 30

    run(work)


def test_what_is_wrong_with_one_is_not_the_fault_of_the_others() -> None:
    async def work(batches: Batches[int, int], calls: Calls) -> None:
        tasks = await asking(batches, (0, 1, 0, 2))
        calls.may_end.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [ZeroDivisionError, int, ZeroDivisionError, int]
        assert calls.made == [[0], [1, 0, 2], [1], [0], [2]]

    run(work)


def test_a_database_that_is_gone_is_told_to_all_of_the_call() -> None:
    async def work(batches: Batches[int, int], calls: Calls) -> None:
        tasks = await asking(batches, (1, 2, 3))
        calls.error = Unavailable()
        calls.may_end.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 3
        assert calls.made == [[1], [2, 3]], "nothing is tried again one by one"
        calls.error = None
        assert await batches.ask(4) == 40

    run(work)


@pytest.mark.parametrize("asked", [(), (1,), (1, 2, 3)])
def test_it_ends_when_all_is_answered(asked: Sequence[int]) -> None:
    async def work(batches: Batches[int, int], calls: Calls) -> None:
        tasks = await asking(batches, asked)
        ending = asyncio.create_task(batches.end())
        await asyncio.sleep(0.01)
        assert ending.done() == (not asked)
        calls.may_end.set()
        await ending
        assert all(task.done() for task in tasks) or await asyncio.gather(*tasks)
        assert calls.under_way == 0 and not batches.waiting

    run(work, turns=2)


steps = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 9)),
    st.tuples(st.just("put"), st.integers(0, 9)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.sampled_from(("end calls", "hold calls", "turn")), st.just(0)),
)


@given(steps=st.lists(steps, max_size=40), turns=st.integers(0, 2))
@settings(max_examples=examples(200), deadline=None)
def test_whatever_happens_each_gets_its_own_answer(steps: Sequence[tuple[str, int]], turns: int) -> None:
    async def work(batches: Batches[int, int], calls: Calls) -> None:
        asked: list[tuple[int, asyncio.Future[int]]] = []
        for step, number in steps:
            match step:
                case "ask":
                    asked.append((number, asyncio.create_task(batches.ask(number))))
                case "put":
                    asked.append((number, batches.put(number)))
                case "cancel" if asked:
                    asked[number % len(asked)][1].cancel()
                case "end calls":
                    calls.may_end.set()
                case "hold calls":
                    calls.may_end.clear()
            await asyncio.sleep(0)
        calls.may_end.set()
        answers = await asyncio.gather(*(future for _, future in asked), return_exceptions=True)
        for (number, future), answer in zip(asked, answers, strict=True):
            if not future.cancelled():
                assert answer == number * 10 if number else isinstance(answer, ZeroDivisionError)
        await batches.end()
        assert all(len(items) <= LIMIT for items in calls.made)

    run(work, turns)
