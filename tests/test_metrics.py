"""What a process measures. That all processes of one ``serve`` are summed is tested where they run: tests/e2e."""

import re
from datetime import timedelta

from aureum.metrics import Metrics
from aureum.process import MeteredCounters


def value(metrics: Metrics, name: str) -> float:
    """A line of the page."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics.exposition().decode(), re.MULTILINE)
    assert found is not None, metrics.exposition().decode()
    return float(found[1])


def test_requests() -> None:
    metrics = Metrics()
    for seconds in (0.002, 0.2, 20.0):
        metrics.observe_request("GET", "/api/leads/{id}", 200, seconds)
    metrics.observe_request("BREW", "-", 405, 0.001)
    assert value(metrics, 'aureum_http_requests_total{method="GET",route="/api/leads/{id}",status="200"}') == 3
    # A method is what a client writes: unknown ones share a label, or anybody could fill the memory.
    assert value(metrics, 'aureum_http_requests_total{method="other",route="-",status="405"}') == 1
    assert value(metrics, 'aureum_http_request_seconds_bucket{le="0.25",route="/api/leads/{id}"}') == 2
    assert value(metrics, 'aureum_http_request_seconds_count{route="/api/leads/{id}"}') == 3


def test_the_worker() -> None:
    metrics = Metrics()
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
