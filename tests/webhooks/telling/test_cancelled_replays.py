"""A replay is cancelled, by hand or with its endpoint: what it queued is taken back, and it queues nothing more."""

import asyncio

from aureum.webhooks.telling.replays import Fed, feed, tenants_replaying
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.control import (
    cancel,
    finish,
    remove,
    replay,
    state_of,
)
from tests.webhooks.telling.projecting import catch_up
from tests.webhooks.telling.replaying import feed_all
from tests.webhooks.tenants import deliveries, register
from tests.webhooks.waiting import run


def test_the_replays_of_a_removed_endpoint_are_cancelled(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await capture(store, tenant)
            job = await replay(store, tenant, endpoint)
            await remove(store, tenant, endpoint)
            assert await tenants_replaying(store) == [tenant]
            assert await feed(store, tenant) == Fed()
            assert (await state_of(store, tenant, job))[0] == "cancelled"
            assert await tenants_replaying(store) == []

    run(scenario())


def test_cancelling_takes_back_what_is_not_being_sent(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            for _ in range(3):
                await capture(store, tenant)  # positions 2 to 4
            await catch_up(store)
            await finish(store, tenant, keep=(2,))
            job = await replay(store, tenant, endpoint)
            await feed_all(store, tenant)
            await store.database.rows(
                "UPDATE webhook_deliveries SET state = 'leased', lease_owner = gen_random_uuid(), lease_until = now()"
                " WHERE position = 3"
            )
            await cancel(store, tenant, job)
            await feed_all(store, tenant)
            await catch_up(store)
            assert await deliveries(store, tenant) == [(endpoint, 2), (endpoint, 3)], "live, and being sent"
            assert (await state_of(store, tenant, job))[0] == "cancelled"

    run(scenario())


def test_a_replay_that_is_cancelled_during_a_step_queues_nothing(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as other:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await capture(store, tenant)
            await catch_up(store)
            await finish(store, tenant)
            job = await replay(store, tenant, endpoint)
            async with other.database.connection() as holder:
                # Holds the lane, which comes after the cursor: no; the row of the replay itself.
                await holder.execute("BEGIN")
                await holder.execute("UPDATE webhook_replays SET state = 'cancelled', ended_at = now()")
                step = asyncio.create_task(feed(store, tenant))
                await asyncio.sleep(0.3)
                assert not step.done()
                await holder.execute("COMMIT")
            assert await step == Fed()
            assert await deliveries(store, tenant) == []
            assert (await state_of(store, tenant, job))[1] == 0

    run(scenario())
