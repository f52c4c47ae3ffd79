"""What a worker says of an endpoint that is gone or fails for days, and what comes of it."""

import asyncio

import pytest

from aureum.commands.webhook_endpoints import (
    ChangeWebhookEndpoint,
    change_webhook_endpoint,
    disable_webhook_endpoint,
    remove_webhook_endpoint,
)
from aureum.domain import ids
from aureum.domain.errors import NotFound
from tests.stores import open_brokerage, opened_store
from tests.webhooks.tenants import ORIGIN, head_of, register

REPLAYS = "SELECT since, until FROM webhook_replays WHERE tenant_id = %(tenant)s"


def test_the_first_reason_stays(database_url: str) -> None:
    async def test() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            endpoint_id = await register(store, tenant_id)
            first = await disable_webhook_endpoint(store, tenant_id, endpoint_id, "gone", ORIGIN)
            head = await head_of(store, tenant_id)
            again = await disable_webhook_endpoint(store, tenant_id, endpoint_id, "failing", ORIGIN)
            assert (first.disabled, again.disabled, await head_of(store, tenant_id)) == ("gone", "gone", head)

    asyncio.run(test())


def test_what_is_not_there_cannot_be_disabled(database_url: str) -> None:
    async def test() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            endpoint_id = await register(store, tenant_id)
            other = await open_brokerage(store)
            await remove_webhook_endpoint(store, tenant_id, endpoint_id, ORIGIN)
            for tenant, endpoint in ((tenant_id, endpoint_id), (tenant_id, ids.new_id()), (other, endpoint_id)):
                with pytest.raises(NotFound):
                    await disable_webhook_endpoint(store, tenant, endpoint, "gone", ORIGIN)

    asyncio.run(test())


def test_many_who_disable_and_enable_at_once_leave_one_replay_for_each_time(database_url: str) -> None:
    async def test() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            endpoint_id = await register(store, tenant_id)
            enable = ChangeWebhookEndpoint(tenant_id=tenant_id, endpoint_id=endpoint_id, disabled=False)
            for _ in range(10):
                await asyncio.gather(
                    disable_webhook_endpoint(store, tenant_id, endpoint_id, "failing", ORIGIN),
                    *(change_webhook_endpoint(store, enable, ORIGIN) for _ in range(4)),
                )
            await change_webhook_endpoint(store, enable, ORIGIN)
            stream = await store.load(tenant_id, endpoint_id)
            disabled = [one.position for one in stream.events if one.event.TOPIC == "webhook_endpoint.disabled"]
            enabled = [one.position for one in stream.events if one.event.TOPIC == "webhook_endpoint.enabled"]
            rows = sorted(await store.database.rows(REPLAYS, {"tenant": tenant_id}))
            assert [since for since, _ in rows] == disabled and len(enabled) == len(disabled) > 1
            # None ends before the log had come to what enabled it.
            assert all(until > since for (_, until), since in zip(rows, enabled, strict=True))

    asyncio.run(test())
