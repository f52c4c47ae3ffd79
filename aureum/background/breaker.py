"""When a breaker opens and for how long: the figures of all breakers. Pure.

An open breaker lets nothing through until its time is over, then one attempt as a probe. If the probe succeeds, the
breaker closes. If it fails, the breaker stays open twice as long.
"""

from datetime import timedelta

FAILURES_IN_A_ROW = 5

FIRST_OPEN = timedelta(seconds=5)
LONGEST_OPEN = timedelta(minutes=15)


def open_for(openings: int, jitter: float, longest: timedelta = LONGEST_OPEN) -> timedelta:
    """How long it stays open after so many *openings*, shortened by up to half at random, so that what failed together
    does not come back together."""
    doubled: timedelta = FIRST_OPEN * 2 ** min(openings - 1, 10)
    return min(doubled, longest) * (0.5 + jitter / 2)
