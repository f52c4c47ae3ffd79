"""Deliveries on request: one that was made is made again, or a sample is sent as a test."""

from uuid import UUID

from aureum.commands.webhook_endpoints import check_delivering
from aureum.domain import ids
from aureum.domain.webhook_ping import WebhookPing
from aureum.domain.webhook_redelivery import WebhookRedelivery
from aureum.registry import check_event
from aureum.store import rate_limits
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

TESTS_A_MINUTE = 10
"""Of one endpoint. Its answers are shown, so tests must not serve to look around in a network."""


async def request_webhook_redelivery(
    store: EventStore,
    tenant_id: UUID,
    endpoint_id: UUID,
    position: int,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> Appended:
    """The message at *position* goes to the endpoint again, at once. The caller has checked that there is one.

    Raises NotFound, WrongState (the endpoint is disabled), and what ``EventStore.append`` raises.
    """
    await check_delivering(store, tenant_id, endpoint_id)
    redelivery = WebhookRedelivery.request(ids.new_id(), ids.now(), endpoint_id=endpoint_id, position=position)
    return await store.append(
        tenant_id, redelivery, NO_STREAM, command="RequestWebhookRedelivery", origin=origin, idempotency=idempotency
    )


async def request_webhook_test(
    store: EventStore,
    tenant_id: UUID,
    endpoint_id: UUID,
    event: str,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> Appended:
    """A sample of *event* goes to the endpoint; the position of the append is that of its delivery.

    Raises NotFound, WrongState (the endpoint is disabled), TooMany, Invalid, and what ``EventStore.append`` raises.
    """
    await check_delivering(store, tenant_id, endpoint_id)
    await rate_limits.count(store.database, tenant_id, b"webhook test " + endpoint_id.bytes, TESTS_A_MINUTE)
    check_event(event)
    ping = WebhookPing.request(ids.new_id(), ids.now(), endpoint_id=endpoint_id, event=event)
    return await store.append(
        tenant_id, ping, NO_STREAM, command="RequestWebhookTest", origin=origin, idempotency=idempotency
    )
