"""Deletes the bytes of documents that nothing names, or whose envelope was erased or purged."""

import asyncio

from aureum.background.waiting import wait_for
from aureum.commands.kept_bytes import delete_gone, sweep_unsure
from aureum.store.blobs import BlobStore
from aureum.store.event_store import EventStore

PAUSE_SECONDS = 20.0


async def documents_round(store: EventStore, blobs: BlobStore, stop: asyncio.Event) -> None:
    """All that is due; then a pause. Raises BucketUnavailable, DocumentLost (no bucket is set), Unavailable."""
    await delete_gone(store.database, blobs)
    await sweep_unsure(store, blobs)
    await wait_for(stop, PAUSE_SECONDS)
