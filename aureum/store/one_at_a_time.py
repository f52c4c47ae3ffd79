"""One at a time, with a bound on the wait for a turn: those ahead may each be waiting for the database."""

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
