"""Tells workers that something was appended: ``NOTIFY`` outside the append, at most 20 times a second.

In the append's transaction it would make all of them queue for one lock at their commit. It only makes consumers
quick: each of them polls too, so a notification that is lost, or never arrives behind a transaction pooler, costs half
a second.
"""

import asyncio
from contextlib import suppress

import psycopg

from aureum.domain.errors import Unavailable
from aureum.store.postgres.database import Database

CHANNEL = "aureum_appended"
NOTIFY = "NOTIFY aureum_appended"
PAUSE_SECONDS = 0.05
LAST_SECONDS = 1.0


class Notifier:
    """One a process. Open it with ``async with``, inside the database that it notifies through."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.wake = asyncio.Event()
        self.untold = False

    async def __aenter__(self) -> "Notifier":
        self.task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        if self.untold:
            # A command of the command line ends before its turn has come.
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_SECONDS):
                    await self._notify()

    def changed(self) -> None:
        """Something was appended. Returns at once."""
        self.untold = True
        self.wake.set()

    async def _run(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            await self._notify()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _notify(self) -> None:
        self.untold = False
        try:
            # Any failure may pass: those that listen poll too, and the next append notifies again.
            with suppress(Unavailable, psycopg.Error):
                await self.database.rows(NOTIFY)
        except asyncio.CancelledError:
            self.untold = True
            raise
