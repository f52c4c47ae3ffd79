"""Records when API keys and sessions were last used, for the people who decide which of them to end.

To the minute: a process writes each key and session once a minute at most, those of the last seconds in one statement.
So it costs a request one look into a dictionary, and no request waits for it.
"""

import asyncio
import time
from collections.abc import Callable

import psycopg
import structlog

from aureum.domain.errors import Unavailable
from aureum.lru import Lru
from aureum.store.postgres.database import Database

REMEMBERED = 10_000
"""Keys and sessions that a process knows the last use of."""

EACH_SECONDS = 60.0
PAUSE_SECONDS = 2.0

WRITE = """
WITH keys AS (
    UPDATE api_keys SET used_at = now() WHERE key_hash = ANY (%(hashes)s)
)
UPDATE user_tokens SET used_at = now() WHERE token_hash = ANY (%(hashes)s)
RETURNING 1
"""

log = structlog.get_logger("aureum.http")


class Uses:
    """One a process. Open it with ``async with``."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self.clock = clock
        self.written: Lru[bytes, float] = Lru(REMEMBERED)
        self.unwritten: set[bytes] = set()
        self.wake = asyncio.Event()

    async def __aenter__(self) -> "Uses":
        self.task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def used(self, key_hash: bytes) -> None:
        """Note a use of the key or token with this hash. Returns at once."""
        now, last = self.clock(), self.written.find(key_hash)
        if last is None or now - last >= EACH_SECONDS:
            self.written.keep(key_hash, now)
            self.unwritten.add(key_hash)
            self.wake.set()

    async def _run(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            hashes, self.unwritten = self.unwritten, set()
            try:
                await self.database.rows(WRITE, {"hashes": sorted(hashes)})
            except (Unavailable, psycopg.Error) as error:
                # The next use writes a later time.
                log.warning("uses_not_written", uses=len(hashes), error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
