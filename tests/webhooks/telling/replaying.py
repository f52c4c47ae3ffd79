"""Feeding all that is replayed, and what is kept of messages meanwhile."""

from uuid import UUID

from aureum.store.event_store import EventStore
from aureum.webhooks.telling.replays import Fed, feed


async def feed_all(store: EventStore, tenant_id: UUID) -> Fed:
    """Steps until nothing moves any more; what they did in all."""
    total = Fed()
    for _ in range(1_000):
        fed = await feed(store, tenant_id)
        if fed == Fed():
            return total
        total = Fed(
            *(
                a + b
                for a, b in zip(
                    (total.passed, total.deliveries, total.completed),
                    (fed.passed, fed.deliveries, fed.completed),
                    strict=True,
                )
            )
        )
    raise AssertionError("The replay never ends.")


async def bodies(store: EventStore, tenant_id: UUID) -> dict[int, bytes]:
    rows = await store.database.rows(
        "SELECT position, body FROM webhook_messages WHERE tenant_id = %(tenant)s", {"tenant": tenant_id}
    )
    return dict(rows)


async def prune(store: EventStore, tenant_id: UUID) -> None:
    await store.database.rows("DELETE FROM webhook_messages WHERE tenant_id = %(tenant)s", {"tenant": tenant_id})
