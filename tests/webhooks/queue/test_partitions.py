"""Attempts stand in a partition of their day; old days go, and no writer of attempts waits for long."""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.store.postgres.database import Database
from aureum.webhooks.queue import partitions
from aureum.webhooks.queue.partitions import KEEP_DAYS, day_of, keep_partitions, to_drop, to_make
from tests.webhooks.waiting import run

TODAY = date(2026, 3, 1)

ATTEMPT = """
INSERT INTO webhook_attempts (tenant_id, endpoint_id, position, attempt, started_at, duration_ms, answer, outcome,
                              lease_owner)
VALUES (%(tenant)s, %(tenant)s, 1, 1, %(at)s, 1, '', 'delivered', gen_random_uuid())
"""

STANDS = "SELECT tableoid::regclass::text, started_at FROM webhook_attempts ORDER BY started_at"


async def attempt(database: Database, at: datetime) -> None:
    await database.rows(ATTEMPT, {"tenant": uuid4(), "at": at})


def moment(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def name(day: date) -> str:
    return f"webhook_attempts_{day:%Y%m%d}"


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.sets(st.integers(-40, 5)))
def test_what_is_to_be_made_and_dropped(today: date, offsets: set[int]) -> None:
    there = {today + timedelta(offset) for offset in offsets}
    made, dropped = to_make(today, there), to_drop(today, there)
    assert {today, today + timedelta(1), today + timedelta(2)} <= there | set(made)
    assert there.isdisjoint(made)
    assert set(dropped) <= there
    assert all(offset >= -KEEP_DAYS for offset in offsets if today + timedelta(offset) not in dropped)
    assert all(day_of(name(day)) == day for day in there)


def test_an_attempt_stands_in_the_partition_of_its_day_and_is_kept_for_thirty(database_url: str) -> None:
    async def scenario() -> None:
        async with Database(database_url) as database:
            before = moment(TODAY) - timedelta(seconds=1)
            for at in (before, moment(TODAY), moment(TODAY, 23), moment(TODAY + timedelta(1))):
                await attempt(database, at)
            made = [name(TODAY + timedelta(ahead)) for ahead in range(3)]
            assert await keep_partitions(database, TODAY) == made
            assert await keep_partitions(database, TODAY) == []
            # What stood in the default partition was moved with the day's.
            stands = [tuple(row) for row in await database.rows(STANDS)]
            places = ["webhook_attempts_default", made[0], made[0], made[1]]
            assert [place for place, _ in stands] == places
            await attempt(database, moment(TODAY + timedelta(2), 12))
            assert (await database.rows(STANDS))[-1][0] == made[2]
            for days, dropped in ((KEEP_DAYS, []), (KEEP_DAYS + 1, made[:1]), (KEEP_DAYS + 9, made[1:])):
                done = await keep_partitions(database, TODAY + timedelta(days))
                assert [one for one in done if one in made] == dropped
            assert await database.rows(STANDS) == []

    run(scenario())


def test_what_is_old_goes_from_the_default_partition_too(database_url: str) -> None:
    async def scenario() -> None:
        async with Database(database_url) as database:
            now = datetime.now(UTC)
            for days in (40, 35, 32, 29, 1):
                await attempt(database, now - timedelta(days))
            await keep_partitions(database, batch=2)
            left = [(now - at).days for _, at in await database.rows(STANDS)]
            assert left == [29, 1]

    run(scenario())


def test_a_partition_is_read_through_its_parent_only(database_url: str) -> None:
    async def scenario() -> None:
        async with Database(database_url) as database:
            ((made, *_),) = [await keep_partitions(database)]
            rights = await database.rows(
                "SELECT relrowsecurity, has_table_privilege('aureum_service', oid, 'SELECT') FROM pg_class"
                " WHERE relname = %(name)s",
                {"name": made},
            )
            assert rights == [(True, False)]
            tenant = uuid4()
            await database.rows(ATTEMPT, {"tenant": tenant, "at": datetime.now(UTC)})
            await attempt(database, datetime.now(UTC))
            query = "SELECT tenant_id FROM webhook_attempts WHERE position = %(position)s"
            assert await database.tenant_rows(tenant, query, {"position": 1}) == [(tenant,)]

    run(scenario())


def test_no_writer_waits_long_for_a_partition_and_it_is_made_later(database_url: str) -> None:
    async def scenario() -> None:
        async with Database(database_url) as database:
            async with database.connection() as reader:
                await reader.execute("BEGIN")
                await reader.execute("SELECT count(*) FROM webhook_attempts")
                making = asyncio.create_task(keep_partitions(database))
                await asyncio.sleep(0.1)
                started = time.monotonic()
                await attempt(database, datetime.now(UTC))
                assert time.monotonic() - started < 15
                assert await making == []
                await reader.execute("COMMIT")
            assert len(await keep_partitions(database)) == 3
            assert [place for place, _ in await database.rows(STANDS)] != ["webhook_attempts_default"]

    run(scenario())


def test_two_workers_at_once_make_each_partition_once(database_url: str) -> None:
    async def scenario() -> None:
        async with Database(database_url) as one, Database(database_url) as two:
            made = await asyncio.gather(*(keep_partitions(database, TODAY) for database in (one, two) * 3))
            assert sorted(one for some in made for one in some) == [
                name(TODAY + timedelta(ahead)) for ahead in range(3)
            ]

    run(scenario())


def test_attempts_go_on_while_partitions_are_made_and_none_is_lost(database_url: str) -> None:
    async def scenario() -> None:
        async with Database(database_url) as database:
            written = 0
            done = asyncio.Event()

            async def write() -> None:
                nonlocal written
                while not done.is_set():
                    await attempt(database, datetime.now(UTC))
                    written += 1

            writing = asyncio.create_task(write())
            await asyncio.sleep(0.2)
            assert len(await keep_partitions(database)) == 3
            await asyncio.sleep(0.2)
            done.set()
            await writing
            places = [place for place, _ in await database.rows(STANDS)]
            assert len(places) == written > 20
            assert "webhook_attempts_default" not in places

    run(scenario())


def test_a_day_with_too_much_to_move_keeps_the_default_partition(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with Database(database_url) as database:
            for _ in range(3):
                await attempt(database, moment(TODAY))
            assert await keep_partitions(database, TODAY) == [name(TODAY + timedelta(1)), name(TODAY + timedelta(2))]
            assert {place for place, _ in await database.rows(STANDS)} == {"webhook_attempts_default"}

    monkeypatch.setattr(partitions, "MOVE_AT_MOST", 2)
    run(scenario())


def test_a_connection_that_is_lost_half_way_leaves_nothing(database_url: str) -> None:
    async def scenario() -> None:
        async with Database(database_url) as database, Database(database_url) as other:
            await attempt(database, moment(TODAY))
            monkey = list(partitions.MAKE)
            monkey.insert(4, "SELECT pg_terminate_backend(pg_backend_pid())")
            async with database.connection() as connection:
                with pytest.raises(Exception, match="terminating connection"):
                    await partitions.run(connection, TODAY, monkey)
            assert [place for place, _ in await other.rows(STANDS)] == ["webhook_attempts_default"]
            assert len(await keep_partitions(other, TODAY)) == 3

    run(scenario())
