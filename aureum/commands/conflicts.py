"""What to do when another writer appended to the stream first: decide again, on what it has become."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from aureum.domain.errors import Conflict

TRIES = 6

Decided = TypeVar("Decided")


async def deciding_again(decide: Callable[[], Awaitable[Decided]]) -> Decided:
    """Run *decide*, which loads, decides and appends; again on a Conflict, six times at most. Raises Conflict."""
    for _ in range(TRIES - 1):
        try:
            return await decide()
        except Conflict:
            continue
    return await decide()
