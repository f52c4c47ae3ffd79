"""What holds lanes back: a breaker, a rate limit, hosts that are full or cannot be reached, an endpoint that rests."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from aureum.background.hosts import Hosts
from aureum.domain import ids
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.store.event_store import EventStore
from aureum.webhooks.queue import completions
from aureum.webhooks.queue.completions import Completion
from aureum.webhooks.queue.lane_health import Trouble
from aureum.webhooks.queue.lanes import due_tenants
from aureum.webhooks.sending.results import Failure
from tests.stores import open_brokerage, opened_store
from tests.webhooks.queue.queued import claim, completion, enqueue, of, write
from tests.webhooks.tenants import change_endpoint, register
from tests.webhooks.waiting import run

ONE = uuid4()
HOUR = timedelta(hours=1)


async def set_lanes(store: EventStore, tenant: UUID, change: str) -> None:
    await store.database.rows(f"UPDATE webhook_lanes SET {change} WHERE tenant_id = %(tenant)s", {"tenant": tenant})


async def lane(store: EventStore, tenant: UUID, columns: str) -> Any:
    (row,) = await store.database.rows(
        f"SELECT {columns} FROM webhook_lanes WHERE tenant_id = %(tenant)s", {"tenant": tenant}
    )
    return row


def test_an_endpoint_that_fails_is_left_alone_then_probed_once(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, range(1, 21))
            claims = await claim(store.database, ONE, tenant, limit=6, share=8)
            await write(store.database, ONE, [completion(c, error=Failure.HTTP_5XX, pause=HOUR) for c in claims])
            assert await lane(store, tenant, "openings, next_due = open_until, open_until > now()") == (1, True, True)
            assert await due_tenants(store.database, 10) == []
            assert await claim(store.database, ONE, tenant, limit=6, share=8) == []
            # Nothing was counted against those that wait.
            ((waiting,),) = await store.database.rows("SELECT count(*) FROM webhook_deliveries WHERE attempt = 0")
            assert waiting == 14
            await set_lanes(store, tenant, "open_until = now(), next_due = now()")
            (probe,) = await claim(store.database, ONE, tenant, limit=6, share=8)
            assert await claim(store.database, ONE, tenant, limit=6, share=8) == []
            assert await due_tenants(store.database, 10) == []
            await write(store.database, ONE, [completion(probe)])
            assert await lane(store, tenant, "openings, failures, open_until, window_from") == (0, 0, None, None)
            assert len(await claim(store.database, ONE, tenant, limit=20, share=8)) == 8

    run(scenario())


def test_a_retry_comes_when_the_breaker_lets_it(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1])
            (one,) = await claim(store.database, ONE, tenant, limit=6, share=8)
            await write(store.database, ONE, [completion(one, error=Failure.HTTP_5XX, pause=timedelta(seconds=0.2))])
            assert await due_tenants(store.database, 10) == []
            await asyncio.sleep(0.25)
            assert await due_tenants(store.database, 10) == [tenant]
            assert of(await claim(store.database, ONE, tenant, limit=6, share=8)) == {(endpoint, 1)}

    run(scenario())


def test_an_endpoint_that_is_gone_or_fails_for_five_days_is_in_trouble(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1, 2, 3])
            one, two, three = await claim(store.database, ONE, tenant, limit=6, share=8)
            failing = completion(one, error=Failure.HTTP_5XX, pause=HOUR)
            assert (await completions.write(store.database, ONE, [failing])).troubles == []
            await set_lanes(store, tenant, "failing_since = failing_since - interval '5 days'")
            failing = completion(two, error=Failure.HTTP_5XX, pause=HOUR)
            written = await completions.write(store.database, ONE, [failing])
            assert written.troubles == [Trouble(tenant, endpoint, "failing")]
            gone = Completion(three, three.claimed_at, 3, 410, Failure.HTTP_4XX, b"", HOUR)
            assert (await completions.write(store.database, ONE, [gone])).troubles == [
                Trouble(tenant, endpoint, "gone")
            ]

    run(scenario())


def test_an_endpoint_that_rests_keeps_its_deliveries(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1])
            for end in (lambda e: e.disable("staff", ids.now()), lambda e: e.enable(ids.now()), remove):
                await change_endpoint(store, tenant, endpoint, end)
                enabled = (await store.load(tenant, endpoint)).aggregate()
                claimable = enabled.disabled is None and not enabled.removed
                assert (await due_tenants(store.database, 10) == [tenant]) == claimable
            assert await claim(store.database, ONE, tenant, limit=6, share=8) == []

    def remove(endpoint: WebhookEndpoint) -> None:
        endpoint.remove(ids.now())

    run(scenario())


def test_a_rate_limit_lets_so_many_through_a_second(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await change_endpoint(store, tenant, endpoint, partial(limit_to, 4))
            await enqueue(store, tenant, endpoint, range(1, 21))
            claims = await claim(store.database, ONE, tenant, limit=20, share=8)
            assert len(claims) == 4
            await write(store.database, ONE, [completion(c) for c in claims])
            # It is due again exactly when there is a token, and not before: no claim is in vain.
            (seconds,) = await lane(store, tenant, "extract(epoch FROM next_due - tokens_at)::float8")
            assert 0.2 <= seconds <= 0.25
            assert await claim(store.database, ONE, tenant, limit=20, share=8) == []
            assert await due_tenants(store.database, 10) == []
            await set_lanes(store, tenant, "tokens_at = now() - interval '0.5 seconds', tokens = 0, next_due = now()")
            assert len(await claim(store.database, ONE, tenant, limit=20, share=8)) == 2
            await set_lanes(store, tenant, "tokens_at = now() - interval '1 hour', next_due = now()")
            assert len(await claim(store.database, ONE, tenant, limit=20, share=8)) == 4, "a bucket holds one second"

    def limit_to(rate: int, endpoint: WebhookEndpoint) -> None:
        endpoint.change_details({"rate_limit": rate}, ids.now())

    run(scenario())


def test_a_host_that_is_full_is_passed_over(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            busy = [await register(store, tenant, f"https://busy.example.com/{place}") for place in range(3)]
            calm = await register(store, tenant, "https://calm.example.com/")
            for endpoint in (*busy, calm):
                await enqueue(store, tenant, endpoint, [1, 2, 3])
            hosts = Hosts(8)
            claims = await claim(store.database, ONE, tenant, limit=20, share=8, hosts=hosts)
            assert sum(c.endpoint_id == calm for c in claims) == 3
            assert {c.position for c in claims if c.endpoint_id != calm} == {1, 2}, (
                "the same from each, as far as it goes"
            )
            assert len(claims) == 7, "half of the host's share at once"
            assert {c.endpoint_id == calm for c in claims if c.filled} == {False}, "the next ones follow when these end"
            assert len(await claim(store.database, ONE, tenant, limit=20, share=8, hosts=hosts)) == 4
            assert hosts.full() == ["busy.example.com:443"]
            assert await due_tenants(store.database, 10, hosts.full()) == []
            assert await claim(store.database, ONE, tenant, limit=20, share=8, hosts=hosts) == []

    run(scenario())


def test_all_lanes_of_a_dead_host_wait_for_one_probe(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoints = [await register(store, tenant, f"https://dead.example.com/{place}") for place in range(30)]
            alive = await register(store, tenant, "https://alive.example.com/")
            for endpoint in (*endpoints, alive):
                await enqueue(store, tenant, endpoint, [1])
            hosts = Hosts(64)
            for _ in range(5):
                hosts.began("dead.example.com:443")
                hosts.ended("dead.example.com:443", False, 10**9, 1.0)
            assert of(await claim(store.database, ONE, tenant, limit=64, share=8, hosts=hosts)) == {(alive, 1)}
            assert await due_tenants(store.database, 10) == [], "the others wait, and no claim looks at them meanwhile"
            ((spread,),) = await store.database.rows(
                "SELECT count(DISTINCT next_due) FROM webhook_lanes WHERE next_due < 'infinity'"
            )
            assert spread > 15, "they do not come back at the same moment"
            await set_lanes(store, tenant, "next_due = now()")
            hosts.known["dead.example.com:443"].open_until = 0.0
            (probe,) = await claim(store.database, ONE, tenant, limit=64, share=8, hosts=hosts)
            assert probe.endpoint_id in endpoints
            assert await claim(store.database, ONE, tenant, limit=64, share=8, hosts=hosts) == []
            hosts.ended("dead.example.com:443", True, 0.0, 1.0)
            await set_lanes(store, tenant, "next_due = now()")
            assert len(await claim(store.database, ONE, tenant, limit=64, share=8, hosts=hosts)) == 29

    run(scenario())
