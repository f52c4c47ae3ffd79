"""Deliveries that somebody asks for: one that was made is made again, or a sample is sent as a test."""

from uuid import UUID

from aureum.commands.webhook_endpoints import check_delivering
from aureum.domain import ids
from aureum.domain.errors import TooMany
from aureum.domain.webhook_ping import WebhookPing
from aureum.domain.webhook_redelivery import WebhookRedelivery
from aureum.registry import check_event
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin
from aureum.store.postgres.database import Database

TESTS_A_MINUTE = 10
"""Of one endpoint: its answers are shown, so nobody shall look around with them."""

COUNT_TEST = """
INSERT INTO rate_limits AS r (tenant_id, bucket, window_start, allowed, used, granted)
VALUES (%(tenant)s, %(bucket)b, now(), %(most)s, 1, 1)
ON CONFLICT (tenant_id, bucket) DO UPDATE SET
       used = CASE WHEN r.window_start > now() - interval '60 seconds' THEN least(r.used, %(most)s) + 1 ELSE 1 END,
       window_start = CASE WHEN r.window_start > now() - interval '60 seconds' THEN r.window_start ELSE now() END,
       granted = 1
RETURNING used, window_start + interval '60 seconds'
"""


async def request_webhook_redelivery(
    store: EventStore,
    tenant_id: UUID,
    endpoint_id: UUID,
    position: int,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> Appended:
    """The message at *position* goes to the endpoint again, at once; whoever asks has looked whether there is one.

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
    await count_test(store.database, tenant_id, endpoint_id)
    check_event(event)
    ping = WebhookPing.request(ids.new_id(), ids.now(), endpoint_id=endpoint_id, event=event)
    return await store.append(
        tenant_id, ping, NO_STREAM, command="RequestWebhookTest", origin=origin, idempotency=idempotency
    )


async def count_test(database: Database, tenant_id: UUID, endpoint_id: UUID) -> None:
    """Count one more test of the endpoint in this minute. Raises TooMany, Unavailable."""
    bucket = b"webhook test " + endpoint_id.bytes
    about = {"tenant": tenant_id, "bucket": bucket, "most": TESTS_A_MINUTE}
    ((used, again_at),) = await database.rows(COUNT_TEST, about)
    if used > TESTS_A_MINUTE:
        raise TooMany(again_at)
