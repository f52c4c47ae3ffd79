"""The worker's counters of mail, for the metrics and the bench."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from aureum.mail.queue.observing import Observed


@dataclass
class MailCounters:
    """The counters of one worker."""

    outcomes: Counter[str] = field(default_factory=Counter)
    last: Observed | None = None

    def ended(self, outcome: str) -> None:
        """An attempt ended, and its outcome is written."""
        self.outcomes[outcome] += 1

    def accepted_first(self, lag: timedelta) -> None:
        """The first attempt of a mail was accepted, *lag* after its event was committed."""

    def observed(self, found: Observed) -> None:
        """The tables were asked."""
        self.last = found
