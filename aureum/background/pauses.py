"""The pauses between the attempts of something that fails, by a schedule. Pure: the dice are the caller's."""

from collections.abc import Sequence
from datetime import timedelta

SPREAD = 0.2
"""Each pause is up to a fifth shorter or longer, so that what failed together does not come back together."""


def pause_of(schedule: Sequence[timedelta], attempt: int, jitter: float) -> timedelta | None:
    """How long to wait after *attempt* attempts have failed; None when that was the last one. *schedule* has the pause
    before each of them.

    *jitter* is a random number from 0 to 1, as ``random.random()`` gives it. Raises ValueError when *attempt* or
    *jitter* is out of range.
    """
    if attempt < 0:
        raise ValueError(f"attempt counts the attempts made, from 0; it cannot be {attempt}.")
    if not 0 <= jitter <= 1:
        raise ValueError(f"jitter is from 0 to 1, not {jitter}.")
    if attempt >= len(schedule):
        return None
    return schedule[attempt] * (1 - SPREAD + 2 * SPREAD * jitter)
