"""Answers of this process that are still exact: their key holds the tenant's position, so that any append, from any
process, makes a new key. The gate tells the position on every request; a cached answer saves the read behind it.

One flight fills a key; the others wait for it. Bounded in bytes, the least recently used goes first.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

ENTRY_OVERHEAD_BYTES = 400


class AnswerCache:
    """Bodies by key. ``limit`` counts bytes; 0 keeps nothing and every read is made."""

    def __init__(self, limit: int = 32_000_000, entry_limit: int = 1_000_000) -> None:
        self.limit = limit
        self.entry_limit = entry_limit
        self.bytes = 0
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._flights: dict[Hashable, asyncio.Future[bytes]] = {}

    async def get(self, key: Hashable, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """The answer for *key*, from *read* if nobody has it yet. Raises what *read* raises."""
        kept = self._kept.get(key)
        if kept is not None:
            self.hits += 1
            self._kept.move_to_end(key)
            return kept
        flight = self._flights.get(key)
        if flight is not None:
            self.hits += 1
            return await asyncio.shield(flight)
        self.misses += 1
        return await asyncio.shield(self._fly(key, read))

    def _fly(self, key: Hashable, read: Callable[[], Awaitable[bytes]]) -> asyncio.Future[bytes]:
        """Read in a task of its own: the first who asked may be cancelled while others wait."""
        flight: asyncio.Future[bytes] = asyncio.ensure_future(read())
        self._flights[key] = flight

        def landed(done: asyncio.Future[bytes]) -> None:
            del self._flights[key]
            if not done.cancelled() and done.exception() is None:
                self._keep(key, done.result())

        flight.add_done_callback(landed)
        return flight

    def _keep(self, key: Hashable, body: bytes) -> None:
        size = len(body) + ENTRY_OVERHEAD_BYTES
        if size > min(self.entry_limit, self.limit):
            return
        self._kept[key] = body
        self.bytes += size
        while self.bytes > self.limit:
            _, dropped = self._kept.popitem(last=False)
            self.bytes -= len(dropped) + ENTRY_OVERHEAD_BYTES
