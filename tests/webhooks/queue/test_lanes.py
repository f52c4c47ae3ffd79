"""The queue on a real database: claims share nothing, caps hold, and a lease that is lost decides nothing any more."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from aureum.domain import ids
from aureum.store.event_store import EventStore
from aureum.webhooks.queue.completions import Completer, Completion
from aureum.webhooks.queue.lane_health import Trouble
from aureum.webhooks.queue.lanes import LEASE_SECONDS, due_tenants
from aureum.webhooks.queue.leases import give_back, reap
from aureum.webhooks.sending.sender import TIMEOUT, Failure
from tests.stores import open_brokerage, opened_store
from tests.webhooks.queue.queued import ONE, claim, completion, enqueue, expire, of, queue, write
from tests.webhooks.tenants import attempts, change_brokerage, register
from tests.webhooks.waiting import run

OTHER = uuid4()
SECOND = timedelta(seconds=1)


async def slots_of(store: EventStore, tenant_id: UUID) -> dict[UUID, int]:
    query = "SELECT endpoint_id, slots FROM webhook_lanes WHERE tenant_id = %(tenant)s"
    return dict(await store.database.rows(query, {"tenant": tenant_id}))


async def tell_nobody(trouble: Trouble) -> None:
    raise AssertionError(f"Nothing here is in trouble: {trouble}")


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


def test_a_success_ends_a_delivery_and_a_failure_makes_it_due_later(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1, 2, 3])
            good, bad, last = await claim(store.database, ONE, tenant, limit=3, share=16)
            outcomes = await write(
                store.database,
                ONE,
                [
                    completion(good),
                    completion(bad, error=Failure.REFUSED, pause=60 * SECOND),
                    completion(last, error=Failure.HTTP_5XX),
                ],
            )
            assert outcomes == {
                (tenant, endpoint, 1, 1): "delivered",
                (tenant, endpoint, 2, 1): "failed",
                (tenant, endpoint, 3, 1): "exhausted",
            }
            assert await queue(store, tenant) == {(endpoint, 2): ("due", 1, None)}
            ((pause,),) = await store.database.rows("SELECT due_at - now() FROM webhook_deliveries")
            assert 59 * SECOND < pause <= 60 * SECOND
            assert sorted(map(tuple, await attempts(store, tenant))) == [
                (1, 1, "delivered", 200, None),
                (2, 1, "failed", None, "refused"),
                (3, 1, "exhausted", None, "http_5xx"),
            ]
            assert await due_tenants(store.database, 10) == []
            # The answer to the first try was lost: written again, nothing changes and nothing is logged twice.
            assert await write(store.database, ONE, [completion(good), completion(last, error=Failure.HTTP_5XX)]) == {}
            assert len(await attempts(store, tenant)) == 3

    run(scenario())


def test_a_worker_that_lost_the_lease_decides_nothing(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1])
            (lost,) = await claim(store.database, ONE, tenant, limit=1, share=16)
            assert await reap(store.database) == []
            await expire(store, tenant, ONE)
            assert await reap(store.database) == [tenant]
            assert await queue(store, tenant) == {(endpoint, 1): ("due", 1, None)}
            # Too late while it is due ...
            assert list((await write(store.database, ONE, [completion(lost)])).values()) == ["superseded"]
            assert await queue(store, tenant) == {(endpoint, 1): ("due", 1, None)}
            # ... and while another worker has it, and while the same worker has it again.
            (held,) = await claim(store.database, OTHER, tenant, limit=1, share=16)
            assert held.attempt == 2
            # The same attempt of another owner: a database that crashed may have forgotten who had it first.
            for stale in (lost, held):
                late = Completion(stale, ids.now(), 3, 500, Failure.HTTP_5XX, b"", 5 * SECOND)
                assert list((await write(store.database, ONE, [late])).values()) == ["superseded"]
                await give_back(store.database, ONE, stale)
                assert await queue(store, tenant) == {(endpoint, 1): ("leased", 2, OTHER)}
            # An earlier attempt of the same owner.
            await expire(store, tenant, OTHER)
            await reap(store.database)
            (again,) = await claim(store.database, ONE, tenant, limit=1, share=16)
            await give_back(store.database, ONE, lost)
            assert await queue(store, tenant) == {(endpoint, 1): ("leased", 3, ONE)}
            assert list((await write(store.database, ONE, [completion(again)])).values()) == ["delivered"]
            outcomes = Counter(outcome for _, _, outcome, _, _ in await attempts(store, tenant))
            assert outcomes == {"superseded": 3, "delivered": 1}

    run(scenario())


def test_a_completion_that_meets_another_claim_of_its_delivery_decides_nothing(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, store.database.connection() as connection:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1, 2])
            claims = await claim(store.database, ONE, tenant, limit=2, share=16)
            await connection.execute("BEGIN")
            await connection.execute(
                "UPDATE webhook_deliveries SET attempt = 2, lease_owner = %(other)s", {"other": OTHER}
            )
            good, bad = claims
            pause = timedelta(hours=1)
            writing = asyncio.create_task(
                write(store.database, ONE, [completion(good), completion(bad, error=Failure.RESET, pause=pause)])
            )
            while True:
                ((waiting,),) = await store.database.rows(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                if waiting:
                    break
            await connection.execute("COMMIT")
            assert set((await writing).values()) == {"superseded"}
            assert await queue(store, tenant) == {(endpoint, p): ("leased", 2, OTHER) for p in (1, 2)}

    run(scenario())


def test_what_was_not_sent_is_given_back_and_no_attempt_was_made(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1, 2])
            now, later = await claim(store.database, ONE, tenant, limit=2, share=16)
            await give_back(store.database, ONE, now)
            await give_back(store.database, ONE, later, timedelta(hours=1))
            assert await queue(store, tenant) == {(endpoint, 1): ("due", 0, None), (endpoint, 2): ("due", 0, None)}
            assert of(await claim(store.database, OTHER, tenant, limit=2, share=16)) == {(endpoint, 1)}
            assert len(await attempts(store, tenant)) == 0

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


def test_a_completer_writes_what_waits_together_and_survives_a_refused_one(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1, 2, 3])
            good, odd, fine = await claim(store.database, ONE, tenant, limit=3, share=16)
            outcomes: list[tuple[int, str]] = []
            completer = Completer(
                store.database, ONE, lambda c, outcome: outcomes.append((c.claim.position, outcome)), tell_nobody
            )
            # No column takes this status: the batch that it is in cannot be written.
            refused = Completion(odd, odd.claimed_at, 3, 2**40, None, b"", None)
            for one in (completion(good), refused, completion(fine)):
                completer.complete(one)
            await completer.round()
            assert outcomes == [(1, "delivered"), (2, "lost"), (3, "delivered")]
            assert completer.waiting == []
            assert await queue(store, tenant) == {(endpoint, 2): ("leased", 1, ONE)}

    run(scenario())
