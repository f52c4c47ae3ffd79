"""``python -m tests.commands.importing.killed URL``: works on the imports that wait, as a worker does, in one process
after the other. Each is killed (SIGKILL) before a statement: the first before its first one, the next before its
third, and so on. Prints how many were killed before the last one found nothing left to do."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import Database
from aureum.store.writer import AppendWriter
from aureum.worker.importing import import_round
from tests.conftest import MASTER_KEY

LEAVE = """
UPDATE imports SET held_until = now() WHERE state IN ('checking', 'running', 'undoing') RETURNING failures
"""
"""The minute is over for which the killed worker held it."""


class MortalDatabase(Database):
    """Kills its process before a statement."""

    left: int | None = None

    @asynccontextmanager
    async def connection(self, seconds: float | None = None) -> AsyncIterator[Connection]:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.left is not None:
            self.left -= 1
        async with super().connection(seconds) as connection:
            yield connection


async def work(url: str, step: int) -> None:
    """Work until nothing is left, or until it is killed at *step*."""
    stop = asyncio.Event()
    stop.set()
    database = MortalDatabase(url)
    async with database, AppendWriter(url) as writer:
        store = EventStore(database, writer, TenantKeys(MasterKey(MASTER_KEY)))
        while failures := await database.rows(LEAVE):
            if failures != [(0,)]:
                raise RuntimeError("a round failed, although nothing but the process did")
            database.left = step
            await import_round(store, stop)
            database.left = None


def main(url: str) -> int:
    """The number of processes that were killed."""
    step = killed = 0
    while True:
        child = os.fork()
        if not child:
            asyncio.run(work(url, step))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return killed
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            raise RuntimeError(f"step {step} ended with {status}")
        step += 2
        killed += 1


if __name__ == "__main__":
    print(main(sys.argv[1]))
