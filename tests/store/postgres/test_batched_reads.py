"""Reads that go together get what each would have got alone."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg

from aureum.store.postgres.batched_reads import GROUP_LIMIT
from aureum.store.postgres.database import Database

MULTIPLES = """
SELECT a.ord, a.number * x FROM unnest(%b::integer[]) WITH ORDINALITY AS a (number, ord), generate_series(1, a.number) x
"""
"""As many rows as the number says."""

CALLS = "SELECT a.ord, cardinality(%b::integer[]) FROM unnest(%b::integer[]) WITH ORDINALITY AS a (number, ord)"

QUOTIENTS = "SELECT a.ord, 6 / a.number FROM unnest(%b::integer[]) WITH ORDINALITY AS a (number, ord)"

TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def with_database(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    """Run *work* with a pool of one reader."""

    async def run() -> None:
        async with asyncio.timeout(30), Database(url, pool_size=1) as database:
            await work(database)

    asyncio.run(run())


def test_each_gets_its_own_rows(module_database_url: str) -> None:
    async def work(database: Database) -> None:
        numbers = [place % 5 for place in range(3 * GROUP_LIMIT)]
        found = await asyncio.gather(*(database.batched.ask(MULTIPLES, (number,)) for number in numbers))
        assert found == [[[number * x] for x in range(1, number + 1)] for number in numbers]

    with_database(module_database_url, work)


def test_what_waits_goes_in_one_call_and_no_call_is_too_large(module_database_url: str) -> None:
    async def work(database: Database) -> None:
        alone = asyncio.create_task(database.batched.ask(CALLS, (1, 1)))
        await asyncio.sleep(0)
        count = GROUP_LIMIT + 8
        found = await asyncio.gather(*(database.batched.ask(CALLS, (1, 1)) for _ in range(count)))
        assert await alone == [[1]]
        assert [rows[0][0] for rows in found] == [GROUP_LIMIT] * GROUP_LIMIT + [8] * 8
        assert await database.batched.ask(CALLS, (1, 1)) == [[1]]

    with_database(module_database_url, work)


def test_what_is_wrong_with_one_is_not_the_fault_of_the_others(module_database_url: str) -> None:
    async def work(database: Database) -> None:
        asked = [database.batched.ask(QUOTIENTS, (number,)) for number in (1, 0, 3)]
        one, two, three = await asyncio.gather(*asked, return_exceptions=True)
        assert (one, three) == ([[6]], [[2]])
        assert isinstance(two, psycopg.errors.DivisionByZero)

    with_database(module_database_url, work)


def test_a_caller_that_gives_up_takes_no_other_along(module_database_url: str) -> None:
    async def work(database: Database) -> None:
        first, second = (asyncio.ensure_future(database.batched.ask(MULTIPLES, (number,))) for number in (1, 2))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == [[2], [4]]
        assert first.cancelled()

    with_database(module_database_url, work)


def test_a_read_whose_connection_has_broken_is_asked_again(module_database_url: str) -> None:
    async def work(database: Database) -> None:
        await database.batched.ask(MULTIPLES, (1,))
        with psycopg.connect(module_database_url) as connection:
            assert connection.execute(TERMINATE).fetchone() != (0,)
        asked = [database.batched.ask(MULTIPLES, (number,)) for number in (1, 2)]
        assert await asyncio.gather(*asked) == [[[1]], [[2], [4]]]

    with_database(module_database_url, work)
