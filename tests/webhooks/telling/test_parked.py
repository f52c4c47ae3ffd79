"""What could not be told is told once its cause is mended."""

import asyncio

import pytest

from aureum.store.event_store import EventStore
from aureum.webhooks.telling.parked import Retried, retry_parked
from aureum.webhooks.telling.projector import project
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.control import finish
from tests.webhooks.telling.projecting import catch_up, message_bodies, parked
from tests.webhooks.tenants import change, deliveries, register
from tests.webhooks.waiting import run

BREAK = "UPDATE events SET type = 'lead.teleported' WHERE stream_id = %(lead)s AND version = 2"
MEND = "UPDATE events SET type = 'lead.status_changed' WHERE stream_id = %(lead)s AND version = 2"


@pytest.mark.parametrize("batch", [1, 100])
def test_what_is_mended_is_emitted_and_the_rest_stays(database_url: str, batch: int) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)  # position 1
            mended, broken = await capture(store, tenant), await capture(store, tenant)  # 2 and 3
            for lead in (mended, broken):
                # Positions 4 and 5, then 6 and 7.
                await change(store, tenant, lead.id, "contacted")
                await change(store, tenant, lead.id, "qualified")
            late = await register(store, tenant)
            for lead in (mended, broken):
                await store.database.rows(BREAK, {"lead": lead.id})
            await catch_up(store)
            assert [position for position, _, _ in await parked(store, tenant)] == [4, 5, 6, 7]
            await finish(store, tenant)
            assert await retry_parked(store, tenant, batch) == Retried(0, 0, 4)
            await store.database.rows(MEND, {"lead": mended.id})
            await store.database.rows("UPDATE webhook_lanes SET next_due = 'infinity'")
            assert await retry_parked(store, tenant, batch) == Retried(2, 2, 2)
            # An endpoint that was registered later gets nothing.
            assert await deliveries(store, tenant) == [(endpoint, 4), (endpoint, 5)]
            assert late != endpoint
            assert [position for position, _, _ in await parked(store, tenant)] == [6, 7]
            told = [body["changes"]["status"]["to"] for body in (await message_bodies(store, tenant))[-2:]]
            assert told == ["contacted", "qualified"]
            assert await store.database.rows("SELECT next_due <= now() FROM webhook_lanes") == [(True,)]
            assert await retry_parked(store, tenant, batch) == Retried(0, 0, 2)

    run(scenario())


def test_the_projector_goes_on_meanwhile(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as other:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            lead = await capture(store, tenant)
            await change(store, tenant, lead.id, "contacted")
            await store.database.rows(BREAK, {"lead": lead.id})
            await catch_up(store)
            await store.database.rows(MEND, {"lead": lead.id})

            async def follow(projector: EventStore) -> None:
                for _ in range(10):
                    await capture(projector, tenant)
                    await project(projector, tenant)

            await asyncio.gather(follow(other), *(retry_parked(store, tenant) for _ in range(3)))
            await catch_up(store)
            assert await deliveries(store, tenant) == [(endpoint, position) for position in range(2, 14)]

    run(scenario())
