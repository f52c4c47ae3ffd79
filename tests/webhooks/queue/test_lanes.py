"""The queue on a real database: claims share nothing, and caps hold."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from aureum.store.event_store import EventStore
from aureum.webhooks.queue.lanes import LEASE_SECONDS, due_tenants
from aureum.webhooks.sending.results import Failure
from aureum.webhooks.sending.sender import TIMEOUT
from tests.stores import open_brokerage, opened_store
from tests.webhooks.queue.queued import ONE, claim, completion, enqueue, of, queue, write
from tests.webhooks.tenants import change_brokerage, register
from tests.webhooks.waiting import run

OTHER = uuid4()


async def slots_of(store: EventStore, tenant_id: UUID) -> dict[UUID, int]:
    query = "SELECT endpoint_id, slots FROM webhook_lanes WHERE tenant_id = %(tenant)s"
    return dict(await store.database.rows(query, {"tenant": tenant_id}))


def test_a_claim_holds_deliveries_with_their_messages_for_a_while(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [5, 6, 7])
            assert await due_tenants(store.database, 10) == [tenant]
            claims = await claim(store.database, ONE, tenant, limit=2, share=16)
            assert [(c.position, c.attempt, c.message_id, c.event, c.body) for c in claims] == [
                (5, 1, "msg_5", "lead.created", b"{}"),
                (6, 1, "msg_6", "lead.created", b"{}"),
            ]
            assert all(c.stream_version == 1 and c.slots == 8 and not c.filled for c in claims)
            ((lease,),) = await store.database.rows(
                "SELECT DISTINCT lease_until - %(claimed_at)s FROM webhook_deliveries WHERE state = 'leased'",
                {"claimed_at": claims[0].claimed_at},
            )
            assert lease == timedelta(seconds=LEASE_SECONDS)
            (last,) = await claim(store.database, OTHER, tenant, limit=2, share=16)
            assert (last.position, last.filled) == (7, False)
            assert await claim(store.database, OTHER, tenant, limit=2, share=16) == []
            assert await due_tenants(store.database, 10) == []

    run(scenario())


def test_a_lease_leaves_room_for_an_attempt_and_ends_early_enough() -> None:
    # The contract: what a killed worker held goes out again within 45 s. The reaper looks every second, the claim
    # follows at once.
    assert TIMEOUT * 2 < LEASE_SECONDS <= 45 - 3


def test_an_endpoint_holds_eight_and_no_more_than_its_share(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            one, two = await register(store, tenant), await register(store, tenant)
            await enqueue(store, tenant, one, range(1, 21))
            await enqueue(store, tenant, two, range(1, 3))
            claims = await claim(store.database, ONE, tenant, limit=100, share=16)
            assert Counter(c.endpoint_id for c in claims) == {one: 8, two: 2}
            assert {c.endpoint_id for c in claims if c.filled} == {one}
            # The lane is full: its tenant is due no more, though its deliveries are.
            assert await due_tenants(store.database, 10) == []
            assert await claim(store.database, OTHER, tenant, limit=100, share=16) == []
            await write(store.database, ONE, [completion(c) for c in claims if c.endpoint_id == one][:3])
            assert len(await claim(store.database, OTHER, tenant, limit=100, share=4)) == 0
            assert len(await claim(store.database, OTHER, tenant, limit=100, share=6)) == 1
            assert len(await claim(store.database, OTHER, tenant, limit=100, share=16)) == 2

    run(scenario())


def test_a_small_claim_takes_the_same_from_each_lane(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoints = [await register(store, tenant) for _ in range(3)]
            for endpoint in endpoints:
                await enqueue(store, tenant, endpoint, range(1, 11))
            claims = await claim(store.database, ONE, tenant, limit=6, share=16)
            assert Counter(c.endpoint_id for c in claims) == dict.fromkeys(endpoints, 2)
            assert {c.position for c in claims} == {1, 2}

    run(scenario())


def test_a_claim_passes_over_what_another_session_changes_at_the_moment(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, store.database.connection() as connection:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1, 2, 3])
            await connection.execute("BEGIN")
            await connection.execute("DELETE FROM webhook_deliveries WHERE position = 2")
            claims = await asyncio.wait_for(claim(store.database, ONE, tenant, limit=3, share=16), 5)
            assert of(claims) == {(endpoint, 1), (endpoint, 3)}
            await connection.execute("ROLLBACK")
            assert of(await claim(store.database, ONE, tenant, limit=3, share=16)) == {(endpoint, 2)}

    run(scenario())


def test_after_a_time_out_an_endpoint_holds_one_until_it_answers(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, range(1, 31))
            # Fewer than would open the breaker.
            claims = await claim(store.database, ONE, tenant, limit=3, share=16)
            late = [completion(c, error=Failure.TIMEOUT, pause=timedelta(hours=1)) for c in claims]
            await write(store.database, ONE, late)
            assert await slots_of(store, tenant) == {endpoint: 1}
            (probe,) = await claim(store.database, ONE, tenant, limit=100, share=16)
            assert (probe.slots, probe.filled) == (1, True)
            assert await claim(store.database, OTHER, tenant, limit=100, share=16) == []
            # Another failure is no answer to whether it hangs.
            await write(store.database, ONE, [completion(probe, error=Failure.HTTP_5XX, pause=timedelta(hours=1))])
            (probe,) = await claim(store.database, ONE, tenant, limit=100, share=16)
            await write(store.database, ONE, [completion(probe)])
            assert await slots_of(store, tenant) == {endpoint: 8}
            assert len(await claim(store.database, ONE, tenant, limit=100, share=16)) == 8

    run(scenario())


def test_many_claimers_at_once_share_nothing_and_keep_the_cap(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as other:
            tenant = await open_brokerage(store)
            endpoints = [await register(store, tenant) for _ in range(2)]
            for endpoint in endpoints:
                await enqueue(store, tenant, endpoint, range(1, 101))
            done: Counter[tuple[UUID, int]] = Counter()
            in_flight: Counter[UUID] = Counter()

            async def work(worker: EventStore) -> None:
                owner = uuid4()
                while sum(done.values()) < 200:
                    claims = await claim(worker.database, owner, tenant, limit=11, share=16)
                    in_flight.update(c.endpoint_id for c in claims)
                    assert all(number <= 8 for number in in_flight.values())
                    done.update(of(claims))
                    await asyncio.sleep(0.001)
                    in_flight.subtract(c.endpoint_id for c in claims)
                    await write(worker.database, owner, [completion(c) for c in claims])

            await asyncio.gather(*(work(worker) for worker in (store, other) for _ in range(4)))
            assert done == {(endpoint, position): 1 for endpoint in endpoints for position in range(1, 101)}
            assert await queue(store, tenant) == {}

    run(scenario())


@pytest.mark.parametrize("change", [{"disabled": True}, {"plan": "Grow"}])
def test_a_tenant_that_may_have_no_webhooks_now_is_not_claimed(database_url: str, change: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1])
            await change_brokerage(store, tenant, **change)
            assert await due_tenants(store.database, 10) == []
            assert await claim(store.database, ONE, tenant, limit=1, share=16) == []
            await change_brokerage(store, tenant, plan="Elite")
            assert await due_tenants(store.database, 10) == [tenant]
            assert len(await claim(store.database, ONE, tenant, limit=1, share=16)) == 1

    run(scenario())


def test_the_tenant_that_waits_longest_comes_first(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenants = [await open_brokerage(store) for _ in range(3)]
            for tenant in tenants:
                await enqueue(store, tenant, await register(store, tenant), [1, 2])
            assert await due_tenants(store.database, 10) == tenants
            assert await due_tenants(store.database, 2) == tenants[:2]

    run(scenario())
