"""The hosts that this worker calls: how many attempts each has under way, and a breaker of its own.

A host that cannot be reached at all (no name, no connection, no TLS) is probed once a period, however many endpoints
of however many tenants it has. An answer of any status closes the breaker: the errors of one tenant's endpoint must not
stop the others of a shared host. In memory, so that no two workers wait for each other.
"""

from dataclasses import dataclass

from aureum.webhooks.health import FAILURES_IN_A_ROW, open_for

PROBE_AGAIN_SECONDS = 5.0
"""How soon those look again who found a probe under way: about when it has found out."""


@dataclass
class Host:
    """``in_flight`` attempts, or room taken for them; ``open_until`` is of the monotonic clock."""

    in_flight: int = 0
    failures: int = 0
    openings: int = 0
    open_until: float = 0.0
    probing: bool = False

    @property
    def idle(self) -> bool:
        """Whether there is nothing to remember of it."""
        return not (self.in_flight or self.failures or self.openings)


class Hosts:
    """Of one worker. *share* is how many attempts one host may have under way. Times are of the monotonic clock."""

    def __init__(self, share: int) -> None:
        self.share = share
        self.known: dict[str, Host] = {}
        self.full: set[str] = set()

    def take(self, name: str, wanted: int, now: float) -> int:
        """Take room for up to *wanted* attempts: the rest of the host's share; one, the probe, when its breaker has
        been open long enough; none before, or while the probe is under way.

        Each ends with ``ended`` or ``give_back``.
        """
        host = self.known.get(name) or Host()
        if host.openings:
            granted = 0 if host.probing or now < host.open_until else min(wanted, 1)
            host.probing = host.probing or granted == 1
        else:
            granted = min(wanted, max(0, self.share - host.in_flight))
        if granted:
            host.in_flight += granted
            self.known[name] = host
            if host.in_flight >= self.share:
                self.full.add(name)
        return granted

    def wait(self, name: str, now: float) -> float:
        """How many seconds to leave a host alone; 0 unless its breaker is open."""
        host = self.known.get(name)
        if host is None or not host.openings:
            return 0.0
        if host.probing:
            return PROBE_AGAIN_SECONDS
        return max(0.0, host.open_until - now)

    def give_back(self, name: str, room: int) -> None:
        """Room that was taken, and for which there was no attempt: nobody has learnt anything."""
        host = self.known[name]
        host.in_flight -= room
        if host.openings and room:
            # Those that began before it opened took more than one; a probe alone is given back alone.
            host.probing = host.probing and host.in_flight > 0
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
                host.open_until = now + open_for(host.openings, jitter).total_seconds()
                host.probing = False
        self._forget(name, host)

    def _forget(self, name: str, host: Host) -> None:
        if host.in_flight < self.share:
            self.full.discard(name)
        if host.idle:
            self.known.pop(name, None)

    @property
    def open(self) -> int:
        """How many breakers are open."""
        return sum(1 for host in self.known.values() if host.openings)
