"""Projecting all that is behind, and what came of it."""

from typing import Any
from uuid import UUID

import orjson

from aureum.store.event_store import EventStore
from aureum.webhooks.telling.projector import project, tenants_behind


async def catch_up(store: EventStore, limit: int = 500) -> None:
    """Project all that is behind."""
    for _ in range(1_000):
        behind = await tenants_behind(store)
        if not behind:
            return
        for tenant_id in behind:
            await project(store, tenant_id, limit)
    raise AssertionError("The projector never comes to the end.")


async def message_bodies(store: EventStore, tenant_id: UUID) -> list[Any]:
    rows = await store.database.rows(
        "SELECT body FROM webhook_messages WHERE tenant_id = %(tenant)s ORDER BY position", {"tenant": tenant_id}
    )
    return [orjson.loads(body) for (body,) in rows]


async def parked(store: EventStore, tenant_id: UUID) -> list[tuple[int, int, str]]:
    query = "SELECT position, cause, reason FROM webhook_parked WHERE tenant_id = %(tenant)s ORDER BY position"
    return [tuple(row) for row in await store.database.rows(query, {"tenant": tenant_id})]
