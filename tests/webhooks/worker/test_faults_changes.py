"""Endpoints, and brokerages, that change while something is on its way to them."""

import asyncio
import hmac
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from aureum.domain import ids
from aureum.store.event_store import EventStore
from aureum.webhooks.queue.message import message_id
from aureum.webhooks.sending.signing import NEXT, new_secret
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.receiver import Answer, Request, receiving, text
from tests.webhooks.tenants import SECRET, change_brokerage, change_endpoint, enable, register
from tests.webhooks.waiting import run, until
from tests.webhooks.worker.test_faults_processes import once_then
from tests.webhooks.worker.workers import nothing_left, received_ids, working

OK = text("200 OK")
OOPS = text("500 Oops")


def test_410_disables_once_and_enabling_again_loses_nothing(database_url: str) -> None:
    async def scenario() -> None:
        gone = True

        async def answer(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.1)
            await (text("410 Gone") if gone else OK)(writer)

        async with opened_store(database_url) as store, receiving(answer) as receiver:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant, receiver.url)
            for _ in range(20):
                await capture(store, tenant)
            async with working(database_url):
                await asyncio.wait_for(until_disabled(store, tenant), 10)
                await asyncio.sleep(0.5)
                asked = len(receiver.requests)
                await capture(store, tenant)
                await asyncio.sleep(0.5)
                assert len(receiver.requests) == asked <= 16
                ((times,),) = await store.database.rows(
                    "SELECT count(*) FROM events WHERE tenant_id = %(t)s AND type = 'webhook_endpoint.disabled'",
                    {"t": tenant},
                )
                assert times == 1
                gone = False
                await enable(store, tenant, endpoint)
                everything = {f"{message_id(tenant, 2)[:-1]}{place}" for place in (*range(2, 22), 23)}
                await until(lambda: set(received_ids(receiver)) == everything, 15)

    run(scenario())


async def until_disabled(store: EventStore, tenant: UUID) -> None:
    disabled = None
    while disabled is None:
        await asyncio.sleep(0.02)
        ((disabled,),) = await store.database.rows(
            "SELECT disabled FROM webhook_endpoints WHERE tenant_id = %(tenant)s", {"tenant": tenant}
        )
    assert disabled == "gone"


async def in_flight(url: str, change: Any, then: Answer = OK) -> tuple[list[Request], UUID]:
    """One delivery, whose first attempt fails after *change* has changed its endpoint; what its receiver got. Later
    requests are answered with *then*."""
    go_on = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await OOPS(writer)

    async with opened_store(url) as store, receiving(once_then(late, then)) as receiver:
        tenant = await open_brokerage(store)
        endpoint = await register(store, tenant, receiver.url)
        await capture(store, tenant)
        async with working(url):
            await until(lambda: len(receiver.requests) == 1)
            await change(store, tenant, endpoint)
            go_on.set()
            if then is OK:
                await nothing_left(store, tenant)
            else:
                # Twenty times as long as until the next attempt.
                await asyncio.sleep(1)
        return receiver.requests, tenant


def test_another_url_counts_from_the_next_attempt_on(database_url: str) -> None:
    async def scenario() -> None:
        async with receiving(OK) as other:

            async def move(store: EventStore, tenant: UUID, endpoint: UUID) -> None:
                await change_endpoint(
                    store, tenant, endpoint, lambda one: one.change_details({"url": other.url}, ids.now())
                )

            requests, tenant = await in_flight(database_url, move)
            assert len(requests) == 1
            assert received_ids(other) == {message_id(tenant, 2): 1}
            assert other.requests[0].body == requests[0].body

    run(scenario())


@pytest.mark.parametrize("hours", [24, 0])
def test_a_secret_that_is_rotated_signs_from_the_next_attempt_on(database_url: str, hours: int) -> None:
    secret = new_secret()

    async def rotate(store: EventStore, tenant: UUID, endpoint: UUID) -> None:
        await change_endpoint(store, tenant, endpoint, lambda one: one.rotate_secret(secret, hours, ids.now()))

    async def scenario() -> None:
        (before, now), _ = await in_flight(database_url, rotate)
        Webhook(SECRET).verify(before.body, before.headers)
        Webhook(secret).verify(now.body, now.headers)
        assert now.body == before.body
        first = SECRET if hours else secret
        assert now.headers["x-aureum-signature"] == hmac.new(first.encode(), now.body, "sha256").hexdigest()
        assert (NEXT.lower() in now.headers) == (hours > 0)
        if hours:
            Webhook(SECRET).verify(now.body, now.headers)
        else:
            with pytest.raises(WebhookVerificationError):
                Webhook(SECRET).verify(now.body, now.headers)

    run(scenario())


@pytest.mark.parametrize("how", ["disabled", "removed", "downgraded", "brokerage disabled"])
def test_who_is_to_hear_nothing_more_hears_nothing_more(database_url: str, how: str) -> None:
    async def silence(store: EventStore, tenant: UUID, endpoint: UUID) -> None:
        match how:
            case "disabled":
                await change_endpoint(store, tenant, endpoint, lambda one: one.disable("staff", ids.now()))
            case "removed":
                await change_endpoint(store, tenant, endpoint, lambda one: one.remove(ids.now()))
            case "downgraded":
                await change_brokerage(store, tenant, plan="Grow")
            case _:
                await change_brokerage(store, tenant, disabled=True)
        await capture(store, tenant)

    async def scenario() -> None:
        requests, tenant = await in_flight(database_url, silence, then=OOPS)
        assert len(requests) == 1
        if how in ("downgraded", "brokerage disabled"):
            # Paused, not given up.
            port = int(requests[0].headers["host"].rpartition(":")[2])
            async with opened_store(database_url) as store, receiving(OK, port=port) as back:
                await change_brokerage(store, tenant, plan="Elite")
                async with working(database_url):
                    await nothing_left(store, tenant)
                assert set(received_ids(back)) == {message_id(tenant, 2), message_id(tenant, 3)}

    run(scenario())
