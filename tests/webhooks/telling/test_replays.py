"""What happened earlier is delivered again, all of it and once, below live traffic, whatever happens meanwhile."""

import asyncio
from datetime import UTC, datetime

import pytest

from aureum.store.event_store import EventStore
from aureum.webhooks.telling import replays
from aureum.webhooks.telling.replays import Fed, feed, tenants_replaying
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.control import (
    change_endpoint,
    disable,
    enable,
    finish,
    ping,
    replay,
    state_of,
)
from tests.webhooks.killing import killed, make_mortal
from tests.webhooks.telling.projecting import catch_up
from tests.webhooks.telling.replaying import bodies, feed_all, prune
from tests.webhooks.tenants import change, change_brokerage, deliveries, head_of, register
from tests.webhooks.waiting import run


def test_all_is_replayed_in_the_same_bytes_and_then_the_job_is_completed(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)  # position 1
            lead = await capture(store, tenant)  # 2
            await change(store, tenant, lead.id, "contacted", "qualified")  # 3 and 4
            await catch_up(store)
            first = await bodies(store, tenant)
            assert await finish(store, tenant) == [(endpoint, 2), (endpoint, 4)]
            await prune(store, tenant)
            job = await replay(store, tenant, endpoint)  # 5
            await capture(store, tenant)  # 6
            assert await feed(store, tenant) == Fed(passed=4, deliveries=2), "the projector has come to 4"
            assert await bodies(store, tenant) == first
            assert await state_of(store, tenant, job) == ("running", 4, 4, 2)
            await catch_up(store)
            assert await feed(store, tenant) == Fed(), "it is completed when all has been delivered"
            rows = await store.database.rows(
                "SELECT position, replay_id, attempt, base FROM webhook_deliveries ORDER BY position"
            )
            assert rows == [(2, job, 1, 1), (4, job, 1, 1), (6, None, 0, 0)]
            await finish(store, tenant, keep=(4,))
            assert await feed(store, tenant) == Fed()
            await finish(store, tenant)
            assert await feed(store, tenant) == Fed(completed=1)
            assert await state_of(store, tenant, job) == ("completed", 4, 4, 2)
            assert await tenants_replaying(store) == []

    run(scenario())


@pytest.mark.parametrize(("which", "again"), [("all", [2, 3, 4, 5]), ("failed", [3]), ("missing", [3, 4, 5])])
def test_which_deliveries_are_made_again(database_url: str, which: str, again: list[int]) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            other = await register(store, tenant)  # position 1
            for _ in range(4):
                await capture(store, tenant)
            endpoint = await register(store, tenant)  # 6
            await capture(store, tenant)  # 7
            await catch_up(store)
            await store.database.rows(
                "UPDATE webhook_deliveries SET endpoint_id = %(e)s WHERE position < 6", {"e": endpoint}
            )
            await finish(store, tenant, keep=(3, 4, 5, 7))
            await finish(store, tenant, "exhausted", keep=(4, 5, 7))
            await finish(store, tenant, "superseded", keep=(5, 7))
            await store.database.rows("DELETE FROM webhook_deliveries WHERE position = 5")
            job = await replay(store, tenant, endpoint, which=which)
            await feed_all(store, tenant)
            found = await store.database.rows(
                "SELECT position FROM webhook_deliveries WHERE replay_id = %(job)s ORDER BY 1", {"job": job}
            )
            assert [position for (position,) in found] == again, "7 is queued already, and stays a live one"
            assert (other, 7) in await deliveries(store, tenant)

    run(scenario())


def test_events_narrow_what_the_endpoint_hears(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant, events=("lead.*", "task.*"))
            lead = await capture(store, tenant)
            await change(store, tenant, lead.id, "contacted")
            await catch_up(store)
            await finish(store, tenant)
            for events, again in (
                (("lead.updated",), [3]),
                (("lead.*",), [2, 3]),
                ((), [2, 3]),
                (("task.*", "contact.*"), []),
            ):
                await replay(store, tenant, endpoint, until=3, events=events)
                await feed_all(store, tenant)
                assert [position for _, position in await finish(store, tenant)] == again
                await feed_all(store, tenant)
            states = await store.database.rows("SELECT state, queued FROM webhook_replays ORDER BY replay_id")
            assert states == [("completed", 1), ("completed", 2), ("completed", 2), ("completed", 0)]

    run(scenario())


def test_a_replay_waits_for_room_in_the_queue(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            for _ in range(9):
                await capture(store, tenant)
            await catch_up(store)
            await finish(store, tenant)
            job = await replay(store, tenant, endpoint)
            assert await feed_all(store, tenant) == Fed(passed=5, deliveries=4)
            assert await feed(store, tenant) == Fed()
            await finish(store, tenant, keep=(5,))
            assert await feed_all(store, tenant) == Fed(passed=4, deliveries=4)
            assert await state_of(store, tenant, job) == ("running", 9, 10, 8)
            await finish(store, tenant)
            assert await feed_all(store, tenant) == Fed(passed=1, deliveries=1)
            await finish(store, tenant)
            assert await feed_all(store, tenant) == Fed(completed=1)

    monkeypatch.setattr(replays, "BATCH", 4)
    run(scenario())


def test_a_stretch_may_end_within_an_append(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            lead = await capture(store, tenant)
            for statuses in (("contacted", "qualified", "showing"), ("offer", "converted"), ("lost",)):
                await change(store, tenant, lead.id, *statuses)
            await catch_up(store)
            first = await bodies(store, tenant)
            await finish(store, tenant)
            await prune(store, tenant)
            for batch in (1, 2, 3, 5):
                monkeypatch.setattr(replays, "BATCH", batch)
                await replay(store, tenant, endpoint, until=8)
                sent = []
                for _ in range(20):
                    await feed(store, tenant)
                    sent += await finish(store, tenant)
                assert sent == [(endpoint, position) for position in (2, 5, 7, 8)]
            assert await bodies(store, tenant) == first

    run(scenario())


def test_what_an_endpoint_missed_while_it_was_disabled_follows_when_it_is_enabled(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)  # position 1
            await capture(store, tenant)  # 2
            await disable(store, tenant, endpoint)  # 3
            await capture(store, tenant)  # 4
            await catch_up(store)
            assert await deliveries(store, tenant) == [(endpoint, 2)]
            await capture(store, tenant)  # 5

            async def at_the_same_moment() -> None:
                await capture(store, tenant)  # 6

            job = await enable(store, tenant, endpoint, before_append=at_the_same_moment)  # 7 and 8
            await capture(store, tenant)  # 9
            await catch_up(store)
            assert await deliveries(store, tenant) == [(endpoint, 2), (endpoint, 9)]
            await feed_all(store, tenant)
            assert await deliveries(store, tenant) == [(endpoint, position) for position in (2, 4, 5, 6, 9)]
            assert (await state_of(store, tenant, job))[3] == 3

    run(scenario())


def test_a_replay_waits_while_its_endpoint_is_disabled_or_its_plan_too_small(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await capture(store, tenant)
            await catch_up(store)
            await finish(store, tenant)
            job = await replay(store, tenant, endpoint)
            await disable(store, tenant, endpoint)
            assert await tenants_replaying(store) == []
            assert await feed(store, tenant) == Fed()
            await enable(store, tenant, endpoint)
            await change_brokerage(store, tenant, plan="Grow")
            assert await tenants_replaying(store) == []
            assert await feed(store, tenant) == Fed()
            await change_brokerage(store, tenant, plan="Elite")
            await catch_up(store)
            await feed_all(store, tenant)
            assert await deliveries(store, tenant) == [(endpoint, 2)]
            assert (await state_of(store, tenant, job))[0] == "running"

    run(scenario())


def test_two_feeders_and_a_projector_do_not_get_in_each_others_way(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as other:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            for _ in range(60):
                await capture(store, tenant)
            await catch_up(store)
            await finish(store, tenant)
            job = await replay(store, tenant, endpoint)
            made: list[int] = []

            async def follow(feeder: EventStore) -> None:
                while (await state_of(feeder, tenant, job))[1] < 61:
                    made.append((await feed(feeder, tenant)).deliveries)
                    await asyncio.sleep(0)

            async def write() -> None:
                for _ in range(20):
                    await capture(store, tenant)
                    await catch_up(store)

            await asyncio.gather(follow(store), follow(other), write())
            assert sum(made) == 60
            assert await deliveries(store, tenant) == [
                (endpoint, position) for position in [*range(2, 62), *range(63, 83)]
            ]
            assert await head_of(store, tenant) == 82

    monkeypatch.setattr(replays, "BATCH", 100)
    run(scenario())


def test_a_replay_of_a_keyed_endpoint_keeps_its_rows(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await change_endpoint(store, tenant, endpoint, mode="keyed")
            lead = await capture(store, tenant)
            await change(store, tenant, lead.id, "contacted")
            await catch_up(store)
            keys = "SELECT DISTINCT key FROM webhook_deliveries"
            ((live,),) = await store.database.rows(keys)
            assert 0 <= live < 16
            await finish(store, tenant)
            await replay(store, tenant, endpoint)
            await feed_all(store, tenant)
            assert await store.database.rows(keys) == [(live,)]
            assert len(await deliveries(store, tenant)) == 2

    run(scenario())


def test_tests_are_not_replayed(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await ping(store, tenant, endpoint)
            await catch_up(store)
            assert len(await finish(store, tenant)) == 1
            await replay(store, tenant, endpoint)
            await feed_all(store, tenant)
            assert await deliveries(store, tenant) == []

    run(scenario())


def test_lanes_are_due_with_what_is_queued_but_not_before_their_breaker_lets_them(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await capture(store, tenant)
            await catch_up(store)
            await finish(store, tenant)
            due = "SELECT next_due <= now(), next_due FROM webhook_lanes"
            assert (await store.database.rows(due))[0][0]
            until = datetime(2999, 1, 1, tzinfo=UTC)
            await store.database.rows("UPDATE webhook_lanes SET next_due = 'infinity'")
            await replay(store, tenant, endpoint)
            await feed_all(store, tenant)
            assert (await store.database.rows(due))[0][0]
            await store.database.rows(
                "UPDATE webhook_lanes SET next_due = 'infinity', open_until = %(until)s", {"until": until}
            )
            await capture(store, tenant)
            await catch_up(store)
            assert (await store.database.rows(due))[0] == (False, until)

    run(scenario())


STATEMENTS = 16
"""Of one call of feed for one replay, from looking for it to COMMIT."""


def test_a_feeder_that_is_killed_before_any_statement_leaves_nothing_or_all(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as victim:
            await make_mortal(victim)
            for statement in range(1, STATEMENTS + 2):
                tenant = await open_brokerage(store)
                endpoint = await register(store, tenant)
                lead = await capture(store, tenant)
                await change(store, tenant, lead.id, "contacted", "qualified")
                await catch_up(store)
                await finish(store, tenant)
                await prune(store, tenant)
                job = await replay(store, tenant, endpoint)
                await catch_up(store)
                assert await killed(victim, tenant, statement, feed(victim, tenant)) == (statement <= STATEMENTS)
                state, cursor, _, queued = await state_of(store, tenant, job)
                assert (state, cursor, queued) in (("running", 0, 0), ("running", 4, 2))
                assert len(await deliveries(store, tenant)) == queued
                await feed_all(store, tenant)
                assert await deliveries(store, tenant) == [(endpoint, 2), (endpoint, 4)]
                assert await state_of(store, tenant, job) == ("running", 4, 4, 2)

    run(scenario())
