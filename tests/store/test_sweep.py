"""What is old is removed, what is young stays, and no request waits."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aureum.store.event_store import EventStore
from aureum.store.sweep import sweep
from tests.stores import open_brokerage, opened_store

ANSWER = """
INSERT INTO idempotency_keys (tenant_id, key, request_hash, answer, recorded_at)
SELECT %(tenant)s, convert_to(n::text, 'UTF8'), '', '', now() - %(age)s::interval FROM unnest(%(keys)s::integer[]) AS n
"""
REQUEST = """
INSERT INTO rate_limits (tenant_id, bucket, window_start, allowed, used, granted)
SELECT %(tenant)s, convert_to(n::text, 'UTF8'), now() - %(age)s::interval, 1, 1, 1 FROM unnest(%(keys)s::integer[]) AS n
"""


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 30))


async def left(store: EventStore) -> tuple[int, int]:
    """Remembered answers and counted requests."""
    ((answers, requests),) = await store.database.rows(
        "SELECT (SELECT count(*) FROM idempotency_keys), (SELECT count(*) FROM rate_limits)"
    )
    return answers, requests


def test_only_what_is_old_is_removed_of_all_tenants_and_in_batches(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            low, high = list(range(10)), list(range(10, 20))
            for aged, fresh in ((low, high), (high, low)):
                tenant = await open_brokerage(store)
                for statement, old, young in ((ANSWER, "24:00:01", "23:59:00"), (REQUEST, "01:00:01", "00:59:00")):
                    await store.database.rows(statement, {"tenant": tenant, "age": old, "keys": aged})
                    await store.database.rows(statement, {"tenant": tenant, "age": young, "keys": fresh})
            assert await sweep(store.database, batch=4) == 40
            assert await left(store) == (20, 20)
            assert await sweep(store.database) == 0

    run(scenario())


def test_what_a_request_holds_is_left_for_the_next_time(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            for statement in (ANSWER, REQUEST):
                await store.database.rows(statement, {"tenant": tenant, "age": "25:00:00", "keys": [1, 2, 3]})
            async with store.database.connection() as connection:
                await connection.execute("BEGIN")
                await connection.execute("SELECT FROM idempotency_keys WHERE key = '2' FOR UPDATE")
                await connection.execute("SELECT FROM rate_limits WHERE bucket = '2' FOR UPDATE")
                assert await asyncio.wait_for(sweep(store.database), 5) == 4
                await connection.execute("COMMIT")
            assert await sweep(store.database) == 2
            assert await left(store) == (0, 0)

    run(scenario())


TOKEN = """
INSERT INTO user_tokens (token_hash, tenant_id, user_id, expires_at)
SELECT convert_to(n::text, 'UTF8'), gen_random_uuid(), gen_random_uuid(), now() + %(lasts)s::interval
  FROM unnest(%(keys)s::integer[]) AS n
"""
FAILURE = """
INSERT INTO login_failures (account_and_address, failures, since)
SELECT convert_to(n::text, 'UTF8'), 1, now() - %(age)s::interval FROM unnest(%(keys)s::integer[]) AS n
"""
ADDRESS = """
INSERT INTO login_addresses (account_and_address, last_at)
SELECT convert_to(n::text, 'UTF8'), now() - %(age)s::interval FROM unnest(%(keys)s::integer[]) AS n
"""


def test_expired_tokens_and_old_failures_are_removed(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            rows = store.database.rows
            await rows(TOKEN, {"lasts": "-00:00:01", "keys": list(range(10))})
            await rows(TOKEN, {"lasts": "00:00:30", "keys": [10, 11, 12]})
            await rows(FAILURE, {"age": "00:15:01", "keys": list(range(10))})
            await rows(FAILURE, {"age": "00:14:30", "keys": [10, 11]})
            await rows(ADDRESS, {"age": "90 days 1 minute", "keys": list(range(10))})
            await rows(ADDRESS, {"age": "89 days", "keys": [10]})
            assert await sweep(store.database, batch=4) == 30
            tables = ("user_tokens", "login_failures", "login_addresses")
            counted = [await rows(f"SELECT count(*) FROM {table}") for table in tables]
            assert counted == [[(3,)], [(2,)], [(1,)]]

    run(scenario())


def test_writers_that_were_given_up_are_remembered_for_a_week(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            await store.database.rows(
                "INSERT INTO given_up_writers (writer, given_up_at) SELECT gen_random_uuid(), now() - age "
                "FROM unnest(%(ages)s::interval[]) AS a (age)",
                {"ages": ["6 days 23:59", "7 days 00:01", "30 days"]},
            )
            assert await sweep(store.database, batch=1) == 2
            assert await store.database.rows("SELECT count(*) FROM given_up_writers") == [(1,)]

    run(scenario())
