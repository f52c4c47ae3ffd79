"""The hosts that a part of the worker calls: how many attempts each has under way, and a breaker of its own.

A host that cannot be reached at all (no name, no connection, no TLS) is probed once a period, however many endpoints
of however many tenants it has. An answer of any status closes the breaker: the errors of one tenant's endpoint must not
stop the others of a shared host. In memory, so that no two workers wait for each other.
"""

from dataclasses import dataclass
from datetime import timedelta

from aureum.background.breaker import FAILURES_IN_A_ROW, LONGEST_OPEN, open_for

PROBE_AGAIN_SECONDS = 5.0
"""How soon those look again who found a probe under way: about when it has found out."""


@dataclass
class Host:
    """``in_flight`` attempts; ``open_until`` is of the monotonic clock; ``probing``: one is tried out."""

    in_flight: int = 0
    failures: int = 0
    openings: int = 0
    open_until: float = 0.0
    probing: bool = False


class Hosts:
    """Of one worker, which claims once at a time. *share* is how many attempts one host may have under way. Times are
    of the monotonic clock."""

    def __init__(self, share: int, longest_open: timedelta = LONGEST_OPEN) -> None:
        self.share = share
        self.longest_open = longest_open
        self.known: dict[str, Host] = {}

    @property
    def unknown_share(self) -> int:
        """What a claim may take of a host that ``rooms`` does not name: together with what it has, its share."""
        return (self.share + 1) // 2

    def rooms(self, now: float) -> list[tuple[str, int, float]]:
        """How many attempts may begin, and how many seconds to leave alone, of the hosts that may not have all.

        The rest of its share; one, the probe, when its breaker has been open long enough; none before.
        """
        return [
            (name, self.room(host, now), self.pause(host, now))
            for name, host in self.known.items()
            if host.openings or host.in_flight > self.share - self.unknown_share
        ]

    def room(self, host: Host, now: float) -> int:
        """How many attempts may begin."""
        if host.openings:
            return 0 if host.probing or now < host.open_until else 1
        return max(0, self.share - host.in_flight)

    def pause(self, host: Host, now: float) -> float:
        """How many seconds to leave a host alone; 0 unless its breaker is open."""
        if not host.openings:
            return 0.0
        return PROBE_AGAIN_SECONDS if host.probing else max(0.0, host.open_until - now)

    def full(self) -> list[str]:
        """Hosts that have all that they may."""
        return [name for name, host in self.known.items() if not host.openings and host.in_flight >= self.share]

    def began(self, name: str) -> None:
        """An attempt is under way; with an open breaker it is the probe."""
        host = self.known.get(name)
        if host is None:
            host = self.known[name] = Host()
        host.in_flight += 1
        host.probing = host.openings > 0

    def given_up(self, name: str) -> None:
        """The attempt was cancelled before it was sent, so it says nothing about the host's health."""
        host = self.known[name]
        host.in_flight -= 1
        # If it was the probe, the next one is.
        host.probing = False
        self._forget(name, host)

    def ended(self, name: str, reached: bool, now: float, jitter: float) -> None:
        """An attempt is over. *reached*: whether the host took the connection. *jitter*: a random number, 0 to 1."""
        host = self.known[name]
        host.in_flight -= 1
        if reached:
            host.failures = host.openings = 0
            host.probing = False
        else:
            host.failures += 1
            # Those that began before it opened tell nothing new.
            if now >= host.open_until and (host.probing or host.failures >= FAILURES_IN_A_ROW):
                host.openings += 1
                host.open_until = now + open_for(host.openings, jitter, self.longest_open).total_seconds()
                host.probing = False
        # What was claimed before it opened, and began after, counted as a probe: no attempt is left that would end
        # that.
        host.probing = host.probing and host.in_flight > 0
        self._forget(name, host)

    def _forget(self, name: str, host: Host) -> None:
        if not (host.in_flight or host.failures or host.openings):
            del self.known[name]

    @property
    def open(self) -> int:
        """How many breakers are open."""
        return sum(1 for host in self.known.values() if host.openings)
