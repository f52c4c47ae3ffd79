"""When a mail that failed is tried again. Pure: the dice are the caller's."""

from datetime import timedelta

from aureum.background.pauses import pause_of

SCHEDULE = (
    timedelta(0),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""The pause before each of the nine attempts: about two days in all. Servers with greylisting accept a mail after some
minutes."""

LONGEST = timedelta(days=5)
"""How long a mail may wait in the queue for any reason. An older one is no news any more."""


def next_attempt_after(attempt: int, age: timedelta, *, jitter: float) -> timedelta | None:
    """How long to wait after *attempt* attempts have failed of a mail that was queued *age* ago; None when that was the
    last one. *jitter* is a random number from 0 to 1."""
    return None if age >= LONGEST else pause_of(SCHEDULE, attempt, jitter)
