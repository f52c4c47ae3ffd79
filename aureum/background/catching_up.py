"""Brings what a consumer makes of one brokerage's log up to date when it is read, as the worker does all the time. So a
reader sees what was just done, and waits for no worker. Only what is near is caught up here: after an upgrade, or an
import, the worker has to come first.
"""

import asyncio
from typing import Any
from uuid import UUID

from aureum.background.follower import BATCH, Consumer, follow
from aureum.store.event_store import EventStore

BEHIND = """
SELECT h.position - coalesce(c.position, 0)
  FROM heads h
  LEFT JOIN checkpoints c ON c.tenant_id = h.tenant_id AND c.consumer = %(consumer)s
 WHERE h.tenant_id = %(tenant)s
"""

TRIES = 25
PAUSE_SECONDS = 0.02
"""While the worker holds the checkpoint."""


async def caught_up(store: EventStore, consumer: Consumer[Any], tenant_id: UUID) -> int:
    """How many events are missing; 0, unless there are very many. Raises Unavailable."""
    behind, about = 0, {"tenant": tenant_id, "consumer": consumer.name}
    for _ in range(TRIES):
        rows = await store.database.tenant_rows(tenant_id, BEHIND, about)
        behind = rows[0][0] if rows else 0
        if behind == 0 or behind > 2 * BATCH:
            break
        if await follow(store, consumer, tenant_id) is None:
            await asyncio.sleep(PAUSE_SECONDS)
    return behind
