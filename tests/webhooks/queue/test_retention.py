"""What is kept no longer goes; what is still needed stays. And what should have been looked at is looked at."""

import asyncio
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from aureum.store.event_store import EventStore
from aureum.webhooks.queue.observing import observe
from aureum.webhooks.queue.reconciliation import mend_lanes
from aureum.webhooks.queue.retention import clear_removed, prune_messages
from aureum.webhooks.telling.replays import feed
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.control import cancel, change_endpoint, disable, finish, remove, replay
from tests.webhooks.telling.projecting import catch_up
from tests.webhooks.tenants import change_brokerage, deliveries, register
from tests.webhooks.waiting import run

LEASE = """
UPDATE webhook_deliveries SET state = 'leased', lease_owner = gen_random_uuid(), lease_until = now() + interval '1 hour'
 WHERE position = %(position)s
"""
AGE = "UPDATE webhook_messages SET recorded_at = recorded_at - %(age)s::interval WHERE position <= %(until)s"


async def kept(store: EventStore) -> list[int]:
    rows = await store.database.rows("SELECT position FROM webhook_messages ORDER BY position")
    return [position for (position,) in rows]


async def backlog(store: EventStore, leads: int) -> tuple[UUID, UUID]:
    """A tenant and its endpoint, at position 1, with a delivery of each lead, from position 2 on."""
    tenant = await open_brokerage(store)
    endpoint = await register(store, tenant)
    for _ in range(leads):
        await capture(store, tenant)
    await catch_up(store)
    return tenant, endpoint


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_messages_go_after_thirty_days_unless_they_wait_to_be_sent(database_url: str, batch: int) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, endpoint = await backlog(store, 8)
            await finish(store, tenant, keep=(3, 5, 9))
            await store.database.rows(AGE, {"age": "30 days 1 minute", "until": 7})
            assert await prune_messages(store.database, batch) == 4
            assert await kept(store) == [3, 5, 8, 9]
            await finish(store, tenant)
            assert await prune_messages(store.database, batch) == 2
            assert await kept(store) == [8, 9]
            # What is made again is as old as it was, and stays as long as it is needed.
            await replay(store, tenant, endpoint, until=2)
            await catch_up(store)
            await feed(store, tenant)
            await store.database.rows(AGE, {"age": "30 days 1 minute", "until": 2})
            assert await prune_messages(store.database, batch) == 0
            assert await kept(store) == [2, 8, 9]

    run(scenario())


def test_a_tenant_that_is_being_projected_is_left_for_the_next_time(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, _ = await backlog(store, 2)
            await finish(store, tenant)
            await store.database.rows(AGE, {"age": "31 days", "until": 3})
            async with store.database.connection() as projector:
                await projector.execute("BEGIN")
                await projector.execute("SELECT FROM checkpoints FOR NO KEY UPDATE")
                assert await asyncio.wait_for(prune_messages(store.database), 5) == 0
                await projector.execute("COMMIT")
            assert await prune_messages(store.database) == 2

    run(scenario())


def test_a_removed_endpoint_leaves_nothing_in_the_queue(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, endpoint = await backlog(store, 5)
            other = await register(store, tenant)
            await capture(store, tenant)  # position 8
            await catch_up(store)
            await store.database.rows(LEASE, {"position": 4})
            await remove(store, tenant, endpoint)
            assert await clear_removed(store.database, 2) == 5
            # What is being sent ends first, and then its lane goes.
            assert await deliveries(store, tenant) == [(endpoint, 4), (other, 8)]
            lanes = "SELECT endpoint_id FROM webhook_lanes ORDER BY endpoint_id"
            assert len(await store.database.rows(lanes)) == 2
            await store.database.rows("DELETE FROM webhook_deliveries WHERE position = 4")
            assert await clear_removed(store.database) == 0
            assert await store.database.rows(lanes) == [(other,)]

    run(scenario())


def test_what_a_cancelled_replay_left_goes_when_it_has_failed(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, endpoint = await backlog(store, 3)
            await finish(store, tenant, keep=(2,))
            job = await replay(store, tenant, endpoint)
            await catch_up(store)
            await feed(store, tenant)
            await store.database.rows(LEASE, {"position": 3})
            await cancel(store, tenant, job)
            await catch_up(store)
            await clear_removed(store.database)
            assert await deliveries(store, tenant) == [(endpoint, 2), (endpoint, 3)]
            await store.database.rows(
                "UPDATE webhook_deliveries SET state = 'due', lease_owner = NULL, lease_until = NULL"
            )
            await clear_removed(store.database)
            assert await deliveries(store, tenant) == [(endpoint, 2)]

    run(scenario())


LATE = "UPDATE webhook_lanes SET next_due = 'infinity', open_until = NULL"
PAST = "UPDATE webhook_deliveries SET due_at = now() - interval '11 seconds'"


async def mended(store: EventStore) -> int:
    """How many lanes were; those are due."""
    with capture_logs() as logs:
        found = sum((await mend_lanes(store.database)).values())
    assert [log["event"] for log in logs] == ["webhook_lanes_mended"] * bool(found)
    ((due,),) = await store.database.rows("SELECT count(*) FROM webhook_lanes WHERE next_due <= now()")
    assert due == found
    return found


@pytest.mark.parametrize("mode", ["parallel", "keyed", "fifo"])
def test_a_lane_that_no_worker_would_look_at_is_mended(database_url: str, mode: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await change_endpoint(store, tenant, endpoint, mode=mode, description="CRM")
            await capture(store, tenant)  # position 3
            await capture(store, tenant)
            await catch_up(store)
            assert await store.database.rows("SELECT next_due <= now() FROM webhook_lanes") == [(True,)]
            assert await mend_lanes(store.database) == {}
            await store.database.rows(LATE)
            assert await mended(store) == 0, "the projector may have been at it a moment ago"
            await store.database.rows(PAST)
            assert await mended(store) == 1
            for held_back in (
                "UPDATE webhook_lanes SET next_due = 'infinity', open_until = now() + interval '1 minute'",
                "UPDATE webhook_lanes SET next_due = now() + interval '20 minutes', open_until = NULL",
            ):
                await store.database.rows(held_back)
                assert await mended(store) == 0
            await store.database.rows(LATE)
            await store.database.rows(LEASE, {"position": 4})
            assert await mended(store) == 0, "what is being sent is followed by the next"
            await store.database.rows("DELETE FROM webhook_deliveries WHERE position = 4")
            await store.database.rows("UPDATE webhook_deliveries SET due_at = now() + interval '1 hour'")
            assert await mended(store) == 0
            await store.database.rows(PAST)
            await disable(store, tenant, endpoint)
            assert await mended(store) == 0

    run(scenario())


def test_in_ordered_modes_the_first_holds_back_the_others(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, endpoint = await backlog(store, 2)
            await store.database.rows(PAST)
            await store.database.rows(
                "UPDATE webhook_deliveries SET key = 1, due_at = now() + CASE position WHEN 2 THEN interval '1 hour'"
                " ELSE interval '-1 hour' END"
            )
            for mode, late in (("fifo", 0), ("keyed", 0), ("parallel", 1)):
                await change_endpoint(store, tenant, endpoint, mode=mode)
                await store.database.rows(LATE)
                assert await mended(store) == late
            await change_endpoint(store, tenant, endpoint, mode="keyed")
            await store.database.rows(LATE)
            await store.database.rows("UPDATE webhook_deliveries SET key = position")
            assert await mended(store) == 1

    run(scenario())


def test_what_is_observed(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            seen = await observe(store.database)
            assert (seen.due, seen.leased, seen.running_replays, seen.oldest_due) == (0, 0, 0, {})
            tenant, endpoint = await backlog(store, 4)
            worse, _ = await backlog(store, 1)
            waits, _ = await backlog(store, 1)
            small, _ = await backlog(store, 1)
            age = "UPDATE webhook_deliveries SET due_at = now() - %(age)s::interval WHERE tenant_id = %(tenant)s"
            for one, late in ((tenant, "60 s"), (worse, "90 s"), (waits, "1 hour"), (small, "1 hour")):
                await store.database.rows(age, {"tenant": one, "age": late})
            await store.database.rows(
                "UPDATE webhook_lanes SET open_until = now() + interval '1 hour', next_due = now() + interval '1 hour'"
                " WHERE tenant_id = %(tenant)s",
                {"tenant": waits},
            )
            await change_brokerage(store, small, plan="Grow")
            await store.database.rows(LEASE, {"position": 5})
            # What was asked for again is first in its lane, however old it is.
            again = "UPDATE webhook_deliveries SET base = 1, due_at = now() - interval '1 day' WHERE position = 4"
            await store.database.rows(again)
            await replay(store, tenant, endpoint)
            rests = await register(store, tenant)
            await disable(store, tenant, rests)
            seen = await observe(store.database)
            assert (seen.due, seen.leased) == (6, 1)
            assert (seen.open_breakers, seen.disabled_endpoints, seen.running_replays, seen.parked) == (1, 1, 1, 0)
            assert list(seen.oldest_due) == [worse, tenant]
            assert 90 <= seen.oldest_due[worse] < 100
            assert 60 <= seen.oldest_due[tenant] < 70

    run(scenario())


def test_a_snapshot_that_is_held_is_seen(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, store.database.connection() as holder:
            await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            await holder.execute("SELECT count(*) FROM events")
            before = (await observe(store.database)).xmin_age
            await backlog(store, 5)
            assert (await observe(store.database)).xmin_age > before
            await holder.execute("COMMIT")

    run(scenario())
