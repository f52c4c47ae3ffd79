"""Finishes the erasures that another process has left, looks again at those that have ended, and erases leads that were
lost long ago, where a brokerage wants that."""

import asyncio
from pathlib import Path

from aureum.background.waiting import wait_for
from aureum.commands.erasures import finish_erasures
from aureum.commands.retention import erase_lost
from aureum.store.event_store import EventStore

PAUSE_SECONDS = 20.0


async def erasing_round(store: EventStore, mails: Path | None, stop: asyncio.Event) -> None:
    """All that is due; then a pause, unless there may be more. *mails* is the folder with mails as files, where there
    may be any. Raises Conflict, Busy, Unavailable, OSError."""
    if not await finish_erasures(store, mails) + await erase_lost(store, mails):
        await wait_for(stop, PAUSE_SECONDS)
