"""Waiting for what a worker does to the database."""

import asyncio
from typing import Any

from aureum.store.event_store import EventStore


async def eventually(store: EventStore, query: str, **parameters: Any) -> list[Any]:
    """What *query* finds, as soon as it finds anything; nothing after ten seconds."""
    for _ in range(200):
        found = await store.database.rows(query, parameters)
        if found:
            return found
        await asyncio.sleep(0.05)
    return []
