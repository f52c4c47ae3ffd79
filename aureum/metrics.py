"""Measurements for Prometheus, of all processes of one ``serve`` together.

prometheus-client shares them through files in PROMETHEUS_MULTIPROC_DIR, which the supervisor sets before it starts
its processes; the library reads the variable when it is imported, so nothing may import it earlier.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
METHODS = frozenset(("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"))
GAUGES = {
    "due": "Deliveries that wait in the queue; beyond 10,000 an estimate",
    "leased": "Deliveries that workers hold",
    "open_breakers": "Endpoints whose breaker is open",
    "disabled_endpoints": "Endpoints that are disabled",
    "running_replays": "Replays that are not over",
    "parked": "Saves of which no message could be made",
    "xmin_age": "Transactions since the oldest snapshot that is still held: what died since is not vacuumed",
    "dead_rows": "Rows of the queue that wait for a vacuum",
}
"""Of what all workers share, as one of them found it last."""

OLDEST_DUE = "aureum_webhook_oldest_due_seconds"
OUTCOMES = ("delivered", "failed", "exhausted")
"""Of a webhook's attempt; shown from the start, as zeros, so that a rate can be computed from the first one on. Rarer
ones (what another worker has finished meanwhile) appear when they happen."""

MAIL_OUTCOMES = ("sent", "retried", "failed", "bounced", "held")
"""The outcomes of attempts to send a mail. ``held``: the server accepts no mail, so the attempt does not count."""

if os.environ.get(SHARED):
    # The library would ask the system at each measurement whether this is another process now. None of ours forks.
    PID = os.getpid()
    values.ValueClass = values.MultiProcessValue(lambda: PID)  # type: ignore[no-untyped-call]  # the library has none


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
        self.connections = Gauge(
            "aureum_http_connections", "Open connections", multiprocess_mode="livesum", registry=self.registry
        )
        self.connection_limit = Gauge(
            "aureum_http_connection_limit",
            "Connections that there may be; 0: no limit",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.unfinished_bytes = Gauge(
            "aureum_http_unfinished_body_bytes",
            "Bytes held of bodies that are not finished",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.connections_ended = Counter(
            "aureum_http_connections_ended_total",
            "Connections that the server ended, by reason",
            ("why",),
            registry=self.registry,
        )
        self.database_timeouts = Counter(
            "aureum_database_timeouts_total",
            "Connections to the database that were given up since it did not answer in time",
            registry=self.registry,
        )
        self.uncounted = Counter(
            "aureum_http_uncounted_requests_total",
            "Requests that passed a limit without being counted, since the database could store nothing",
            registry=self.registry,
        )
        self._without_model = Counter(
            "aureum_routing_without_model_total",
            "Enquiries that the routing model would have been asked about and was not, or did not answer, by reason",
            ("why",),
            registry=self.registry,
        )
        self._list_reads = Counter(
            "aureum_list_reads_total",
            "Reads of lists and single resources where there are replicas, by the server that they were read at",
            ("server",),
            registry=self.registry,
        )
        self._replica_misses = Counter(
            "aureum_replica_misses_total",
            "Reads that were tried at a replica and done at the primary: it was behind the client, or the read failed",
            ("replica", "why"),
            registry=self.registry,
        )
        self._replica_lag = Gauge(
            "aureum_replica_lag_seconds",
            "For how long something has been written that the replica does not show",
            ("replica",),
            multiprocess_mode="livemax",
            registry=self.registry,
        )
        self._replica_used = Gauge(
            "aureum_replica_used",
            "Whether the replica is read at: 0 if it is away, late, or no replica",
            ("replica",),
            multiprocess_mode="livemin",
            registry=self.registry,
        )
        self._request_children: dict[tuple[str, str, int], Counter] = {}
        self._second_children: dict[str, Histogram] = {}

    def routed_without_model(self, why: str) -> None:
        """Count an enquiry that was routed without the model: it was ``late``, ``busy`` or ``away``."""
        self._without_model.labels(why).inc()

    def read_at(self, server: str) -> None:
        """Count a read of a list at a replica, or at the ``primary`` where there are replicas."""
        self._list_reads.labels(server).inc()

    def not_read_at(self, replica: str, why: str) -> None:
        """Count one that the replica could not answer: it was ``behind``, or the read ``failed``."""
        self._replica_misses.labels(replica, why).inc()

    def replica_found(self, replica: str, lag: float, used: bool) -> None:
        """How a replica does."""
        self._replica_lag.labels(replica).set(lag)
        self._replica_used.labels(replica).set(used)

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
        source: Collected = self.registry
        if os.environ.get(SHARED):
            source = MultiProcessCollector(None)  # type: ignore[no-untyped-call]  # the library has none
        registry = CollectorRegistry()
        registry.register(WithoutZeros(source))
        return generate_latest(registry)


class WorkerMetrics(Metrics):
    """The metrics of a process that delivers webhooks and sends mail. Other processes do not show them."""

    def __init__(self) -> None:
        super().__init__()
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
        self._attempt_seconds = Histogram(
            "aureum_webhook_attempt_seconds",
            "Duration of one attempt",
            buckets=(*BUCKETS, 10.0, 15.0),
            registry=self.registry,
        )
        self._errors = Counter(
            "aureum_webhook_errors_total", "Webhook attempts that failed, by class", ("error",), registry=self.registry
        )
        self.mended = Counter(
            "aureum_webhook_lanes_mended_total", "Lanes that were later than they should be", registry=self.registry
        )
        self.open_hosts = Gauge(
            "aureum_webhook_open_hosts",
            "Hosts whose breaker is open, of each worker",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self._gauges = {
            name: Gauge(f"aureum_webhook_{name}", text, multiprocess_mode="livemostrecent", registry=self.registry)
            for name, text in GAUGES.items()
        }
        self._oldest_due = Gauge(
            OLDEST_DUE,
            "Age of the oldest live delivery that may be sent, of the tenants where it is worst",
            ("tenant",),
            multiprocess_mode="livemostrecent",
            registry=self.registry,
        )
        self._tenants: set[str] = set()
        self.mails = Counter("aureum_mails_total", "Attempts to send a mail", ("outcome",), registry=self.registry)
        for outcome in MAIL_OUTCOMES:
            self.mails.labels(outcome)
        self.mail_lag = Histogram(
            "aureum_mail_lag_seconds",
            "From the commit of an event to its mail accepted, of mails that were accepted at once",
            buckets=(*BUCKETS, 10.0, 30.0, 60.0, 300.0),
            registry=self.registry,
        )
        self._mails_due = Gauge(
            "aureum_mail_due",
            "Mails that wait to be sent, 10,000 at most",
            multiprocess_mode="livemostrecent",
            registry=self.registry,
        )
        self._mail_oldest_due = Gauge(
            "aureum_mail_oldest_due_seconds",
            "For how long the oldest mail has been due",
            multiprocess_mode="livemostrecent",
            registry=self.registry,
        )

    def show_mail(self, due: int, oldest_due: float) -> None:
        """Mails that wait, and for how many seconds the oldest has been due."""
        self._mails_due.set(due)
        self._mail_oldest_due.set(oldest_due)

    def observe_attempt(self, error: str | None, seconds: float) -> None:
        """An attempt of a webhook; *error* is None for a success."""
        self._attempt_seconds.observe(seconds)
        if error is not None:
            self._errors.labels(error).inc()

    def show_queue(self, values: Mapping[str, float], oldest_due: Mapping[str, float]) -> None:
        """*values* by the names of ``GAUGES``; seconds by tenant: of those not there none is shown any more."""
        for name, gauge in self._gauges.items():
            gauge.set(values[name])
        # A child cannot be taken away where processes share: at 0 it is left out of the page.
        for tenant in self._tenants - oldest_due.keys():
            self._oldest_due.labels(tenant).set(0)
        for tenant, seconds in oldest_due.items():
            self._oldest_due.labels(tenant).set(seconds)
        self._tenants = set(oldest_due)


class Collected(Protocol):
    """What measurements are collected from."""

    def collect(self) -> Iterable[Metric]: ...


class WithoutZeros:
    """Leaves out the tenants in whose queues nothing waits."""

    def __init__(self, source: Collected) -> None:
        self.source = source

    def collect(self) -> Iterable[Metric]:
        for metric in self.source.collect():
            if metric.name == OLDEST_DUE:
                metric.samples = [sample for sample in metric.samples if sample.value > 0]
            yield metric


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
