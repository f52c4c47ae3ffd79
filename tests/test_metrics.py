"""What a process measures. That all processes of one ``serve`` are summed is tested where they run: tests/e2e."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from aureum.domain.ids import to_wire
from aureum.metrics import GAUGES, SHARED, Metrics, WorkerMetrics
from aureum.processes.worker_child import MeteredCounters
from aureum.webhooks.queue.observing import Observed


def value(metrics: Metrics, name: str) -> float:
    """A line of the page."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics.exposition().decode(), re.MULTILINE)
    assert found is not None, metrics.exposition().decode()
    return float(found[1])


def test_requests() -> None:
    metrics = WorkerMetrics()
    for seconds in (0.002, 0.2, 20.0):
        metrics.observe_request("GET", "/api/leads/{id}", 200, seconds)
    metrics.observe_request("BREW", "-", 405, 0.001)
    assert value(metrics, 'aureum_http_requests_total{method="GET",route="/api/leads/{id}",status="200"}') == 3
    # A method is what a client writes: unknown ones share a label, or anybody could fill the memory.
    assert value(metrics, 'aureum_http_requests_total{method="other",route="-",status="405"}') == 1
    assert value(metrics, 'aureum_http_request_seconds_bucket{le="0.25",route="/api/leads/{id}"}') == 2
    assert value(metrics, 'aureum_http_request_seconds_count{route="/api/leads/{id}"}') == 3


def test_the_worker() -> None:
    metrics = WorkerMetrics()
    for outcome in ("delivered", "failed", "exhausted"):
        assert value(metrics, f'aureum_webhook_attempts_total{{outcome="{outcome}"}}') == 0
    counters = MeteredCounters(metrics)
    counters.attempted_first(timedelta(milliseconds=40))
    counters.flying(3)
    assert value(metrics, "aureum_webhook_in_flight") == 3
    for outcome in ("failed", "delivered", "delivered", "superseded"):
        counters.ended(outcome)
    counters.flying(0)
    assert value(metrics, "aureum_webhook_in_flight") == 0
    assert value(metrics, 'aureum_webhook_attempts_total{outcome="delivered"}') == 2 == counters.delivered
    assert value(metrics, 'aureum_webhook_attempts_total{outcome="superseded"}') == 1
    assert value(metrics, 'aureum_webhook_lag_seconds_bucket{le="0.05"}') == 1
    assert value(metrics, 'aureum_webhook_lag_seconds_bucket{le="0.025"}') == 0
    assert (counters.first_attempts, counters.failed, counters.in_flight) == (1, 1, 0)


def queue(**values: int) -> Observed:
    """What was found in the tables; what is not named is 0."""
    counted = dict.fromkeys(GAUGES, 0) | values
    return Observed(**counted, oldest_due={})


def test_attempts_by_duration_and_error() -> None:
    metrics = WorkerMetrics()
    counters = MeteredCounters(metrics)
    for seconds, error in ((0.04, None), (0.2, "http_5xx"), (15.0, "timeout"), (15.0, "timeout")):
        counters.attempted(error, seconds)
    counters.mended(2)
    assert value(metrics, 'aureum_webhook_attempt_seconds_bucket{le="0.05"}') == 1
    assert value(metrics, "aureum_webhook_attempt_seconds_count") == 4
    assert value(metrics, 'aureum_webhook_errors_total{error="timeout"}') == 2
    assert value(metrics, 'aureum_webhook_errors_total{error="http_5xx"}') == 1
    assert value(metrics, "aureum_webhook_lanes_mended_total") == counters.mended_lanes == 2


def test_the_queue_as_it_was_found_last() -> None:
    metrics = WorkerMetrics()
    counters = MeteredCounters(metrics)
    counters.hosts_open(4)
    counters.observed(queue(due=7, open_breakers=2, xmin_age=900))
    counters.observed(found := queue(due=5, open_breakers=1, dead_rows=8))
    assert counters.last == found
    for name, expected in (("due", 5), ("open_breakers", 1), ("dead_rows", 8), ("xmin_age", 0), ("open_hosts", 4)):
        assert value(metrics, f"aureum_webhook_{name}") == expected


@pytest.mark.parametrize("shared", [False, True], ids=["one process", "processes that share"])
def test_only_the_tenants_where_something_waits_have_a_line(shared: bool, tmp_path: Path) -> None:
    """The library decides when it is imported whether processes share, so another process looks."""
    program = "\n".join(
        (
            "from dataclasses import replace",
            "from uuid import UUID",
            "from aureum.metrics import WorkerMetrics, WorkerMetrics",
            "from aureum.processes.worker_child import MeteredCounters",
            "from tests.test_metrics import queue",
            "metrics = WorkerMetrics()",
            "counters = MeteredCounters(metrics)",
            "for ages in ({UUID(int=1): 60.0, UUID(int=2): 5.0}, {UUID(int=2): 15.0, UUID(int=3): 2.0}):",
            "    counters.observed(replace(queue(due=3), oldest_due=ages))",
            "print(metrics.exposition().decode())",
        )
    )
    variables = os.environ | ({SHARED: str(tmp_path)} if shared else {})
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = re.findall(r'^aureum_webhook_oldest_due_seconds\{tenant="(\w+)"\} (\S+)$', done.stdout, re.MULTILINE)
    assert sorted(lines) == [(to_wire(UUID(int=2)), "15.0"), (to_wire(UUID(int=3)), "2.0")]
    assert re.search(r"^aureum_webhook_due 3.0$", done.stdout, re.MULTILINE)
