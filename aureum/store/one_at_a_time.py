"""One at a time, and nobody waits for a turn without a bound: those before may each be waiting for the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aureum.domain.errors import Busy

TURN_SECONDS = 10.0


@asynccontextmanager
async def alone(lock: asyncio.Lock, seconds: float = TURN_SECONDS) -> AsyncIterator[None]:
    """Hold *lock*. Raises Busy if it is not to be had within so many seconds."""
    if lock.locked():
        try:
            async with asyncio.timeout(seconds):
                await lock.acquire()
        except TimeoutError:
            raise Busy from None
    else:
        await lock.acquire()
    try:
        yield
    finally:
        lock.release()
