"""How a lease ends: by a success, a failure, or given back; and one that is lost decides nothing any more."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest

from aureum.domain import ids
from aureum.webhooks.queue.completions import Completer, Completion
from aureum.webhooks.queue.lane_health import Trouble
from aureum.webhooks.queue.lanes import due_tenants
from aureum.webhooks.queue.leases import give_back, reap
from aureum.webhooks.sending.results import Failure
from tests.stores import open_brokerage, opened_store
from tests.webhooks.queue.queued import (
    ONE,
    Write,
    claim,
    completion,
    enqueue,
    expire,
    of,
    queue,
    write,
    write_as_on_citus,
)
from tests.webhooks.tenants import attempts, register
from tests.webhooks.waiting import run

OTHER = uuid4()
SECOND = timedelta(seconds=1)


async def tell_nobody(trouble: Trouble) -> None:
    raise AssertionError(f"Nothing here is in trouble: {trouble}")


@pytest.mark.parametrize("write", [write, write_as_on_citus])
def test_a_success_ends_a_delivery_and_a_failure_makes_it_due_later(database_url: str, write: Write) -> None:
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


@pytest.mark.parametrize("write", [write, write_as_on_citus])
def test_a_worker_that_lost_the_lease_decides_nothing(database_url: str, write: Write) -> None:
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
