"""What a worker has done so far: counted where it happens, to be shown or measured."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from aureum.webhooks.queue.observing import Observations


@dataclass
class Counters(Observations):
    """What a worker has done so far; ``lag_seconds`` is summed over ``first_attempts``."""

    outcomes: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    first_attempts: int = 0
    lag_seconds: float = 0.0
    open_hosts: int = 0

    @property
    def delivered(self) -> int:
        return self.outcomes["delivered"]

    @property
    def failed(self) -> int:
        """Attempts that were no success, the last ones of a delivery among them."""
        return self.outcomes["failed"] + self.outcomes["exhausted"]

    def ended(self, outcome: str) -> None:
        """An attempt ended, and its outcome is written."""
        self.outcomes[outcome] += 1

    def flying(self, attempts: int) -> None:
        """So many attempts are under way now."""
        self.in_flight = attempts

    def attempted(self, error: str | None, seconds: float) -> None:
        """An attempt was made; *error* is the class of its failure."""

    def hosts_open(self, hosts: int) -> None:
        """So many hosts are left alone by this worker."""
        self.open_hosts = hosts

    def attempted_first(self, lag: timedelta) -> None:
        """A message goes out for the first time, *lag* after it was committed."""
        self.first_attempts += 1
        self.lag_seconds += lag.total_seconds()
