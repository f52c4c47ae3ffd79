"""The time that events and ids carry: the database's, as far as this process has heard it.

Several processes, on several machines, write one log, and what they write is ordered and filtered by time. So none of
them asks its own clock, which may be wrong and may be set while it runs. Every question to the database that brings its
time along says between what bounds its clock is ahead of ours that only counts on; ``now`` takes the lower bound, since
an event must not be later than the moment at which it is recorded.
"""

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ROUNDING = 1e-5
"""Seconds by which two right bounds may contradict each other, for want of digits."""


class Clock:
    """One a process. Before the database was heard it is this machine's clock."""

    def __init__(self) -> None:
        self.heard_at_all = False
        self.low = self.high = 0.0
        """Seconds that the database's clock is ahead of ``time.monotonic``."""

    def heard(self, told: datetime, asked: float, answered: float) -> None:
        """The database said that it was *told*, some time after *asked* and before *answered* (``time.monotonic``).

        The bounds get narrower until they contradict what is heard now: then one of the clocks was set, and what was
        known before counts no more.
        """
        seconds = (told - EPOCH) / timedelta(seconds=1)
        low, high = seconds - answered, seconds - asked
        if not self.heard_at_all or low > self.high + ROUNDING or high < self.low - ROUNDING:
            self.heard_at_all, self.low, self.high = True, low, high
            return
        self.low, self.high = max(self.low, low), min(self.high, high)

    def seconds(self) -> float:
        """Since 1970."""
        return self.low + time.monotonic() if self.heard_at_all else time.time()


CLOCK = Clock()
"""This process's."""
