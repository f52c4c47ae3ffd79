"""What happens to an endpoint in the log, and what its lane makes of it."""

from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.store.event_store import EventStore
from aureum.webhooks.queue.lanes import due_tenants
from aureum.webhooks.telling.projector import project
from aureum.webhooks.worker.endpoints import Endpoints
from tests.stores import open_brokerage, opened_store
from tests.webhooks.queue.queued import enqueue
from tests.webhooks.tenants import change_endpoint, register
from tests.webhooks.waiting import run

TROUBLED = """
UPDATE webhook_lanes
   SET slots = 1, failures = 9, window_tried = 9, window_failed = 9, window_from = now(), openings = 4,
       failing_since = now() - interval '5 days', open_until = now() + interval '1 hour',
       next_due = now() + interval '1 hour'
 WHERE tenant_id = %(tenant)s
"""

LANE = """
SELECT slots, failures, openings, open_until, failing_since, window_from, next_due = 'infinity' FROM webhook_lanes
 WHERE tenant_id = %(tenant)s
"""

AS_NEW = (8, 0, 0, None, None, None, False)


async def lane(store: EventStore, tenant: UUID) -> tuple[Any, ...]:
    (row,) = await store.database.rows(LANE, {"tenant": tenant})
    return tuple(row)


def enable(endpoint: WebhookEndpoint) -> None:
    endpoint.enable(ids.now())


def move(endpoint: WebhookEndpoint) -> None:
    endpoint.change_details({"url": "https://new.example.com/hooks"}, ids.now())


def test_an_endpoint_that_failed_for_days_starts_again_when_it_is_enabled(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1])
            await project(store, tenant)
            await store.database.rows(TROUBLED, {"tenant": tenant})
            await Endpoints(store).disable(tenant, endpoint, "failing")
            await Endpoints(store).disable(tenant, endpoint, "gone")
            stream = await store.load(tenant, endpoint)
            assert [type(recorded.event).__name__ for recorded in stream.events] == ["Registered", "Disabled"]
            assert stream.events[-1].event.reason == "failing", "the first reason stays"
            await project(store, tenant)
            assert (await lane(store, tenant))[-1] is True, "no claim looks at it"
            await change_endpoint(store, tenant, endpoint, enable)
            await project(store, tenant)
            assert await lane(store, tenant) == AS_NEW
            assert await due_tenants(store.database, 10) == [tenant]

    run(scenario())


def test_a_new_url_is_tried_at_once(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1])
            await project(store, tenant)
            await store.database.rows(TROUBLED, {"tenant": tenant})
            await change_endpoint(store, tenant, endpoint, move)
            await project(store, tenant)
            assert await lane(store, tenant) == AS_NEW

    run(scenario())


def test_what_was_disabled_and_enabled_before_the_projector_came_by_is_enabled(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await enqueue(store, tenant, endpoint, [1])
            await Endpoints(store).disable(tenant, endpoint, "staff")
            await change_endpoint(store, tenant, endpoint, enable)
            await project(store, tenant)
            assert await lane(store, tenant) == AS_NEW

    run(scenario())
