"""Measurements for Prometheus, of all processes of one ``serve`` together.

prometheus-client shares them through files in PROMETHEUS_MULTIPROC_DIR, which the supervisor sets before it starts
its processes; the library reads the variable when it is imported, so nothing may import it earlier.
"""

import contextlib
import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
METHODS = frozenset(("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"))
OUTCOMES = ("delivered", "failed", "exhausted")
"""Of a webhook's attempt; shown from the start, as zeros, so that a rate can be computed from the first one on. Rarer
ones (what somebody else has finished meanwhile) appear when they happen."""


class Metrics:
    """The measurements of one process. Children are kept by label values: looking them up costs more than adding."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "aureum_http_requests_total", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "aureum_http_request_seconds", "Time to answer", ("route",), buckets=BUCKETS, registry=self.registry
        )
        self.attempts = Counter(
            "aureum_webhook_attempts_total", "Webhook attempts", ("outcome",), registry=self.registry
        )
        for outcome in OUTCOMES:
            self.attempts.labels(outcome)
        self.in_flight = Gauge(
            "aureum_webhook_in_flight", "Attempts under way", multiprocess_mode="livesum", registry=self.registry
        )
        self.delivery_lag = Histogram(
            "aureum_webhook_lag_seconds",
            "From the commit of an event to its first attempt",
            buckets=(*BUCKETS, 10.0, 30.0, 60.0, 300.0),
            registry=self.registry,
        )
        self._request_children: dict[tuple[str, str, int], Counter] = {}
        self._second_children: dict[str, Histogram] = {}

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        if method not in METHODS:
            method = "other"
        key = (method, route, status)
        counter = self._request_children.get(key)
        if counter is None:
            counter = self._request_children[key] = self._requests.labels(method, route, str(status))
        counter.inc()
        histogram = self._second_children.get(route)
        if histogram is None:
            histogram = self._second_children[route] = self._seconds.labels(route)
        histogram.observe(seconds)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes: of all processes where they share, else of this one."""
        if os.environ.get(SHARED):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(self.registry)


def forget_process() -> None:
    """Remove the files of this process and of dead ones, and the directory with the last of them, when no supervisor is
    left to do it.
    """
    if not os.environ.get(SHARED):
        return
    shared = Path(os.environ[SHARED])
    for file in shared.glob("*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if pid == os.getpid() or not lives(pid):
            file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # others still use it, or were quicker
        shared.rmdir()


def lives(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
