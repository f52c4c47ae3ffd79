"""Wait for several awaitables, with a timeout for one of them."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def all_of(works: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """What all of *works* return, once the last has ended. Raises the first one's error, if there is one."""
    ended = await asyncio.gather(*works, return_exceptions=True)
    results = []
    for result in ended:
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait until *event* is set, so many seconds at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
