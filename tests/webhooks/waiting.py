"""Waiting with a bound: for a condition that is not announced, and for a whole test."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until *condition* holds."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test that takes two minutes at most."""
    asyncio.run(asyncio.wait_for(coroutine, 120))
