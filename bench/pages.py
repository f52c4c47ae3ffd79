"""One page or form, asked for again and again: how long it takes, and how large it is.

Beside the time stands what process and database worked for it, which other work on the machine blurs less.
"""

import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from statistics import quantiles

from bench.processes import Server
from bench.rows import Row

CALLS = 100
BUDGET, LARGEST = 60.0, 100_000
"""Milliseconds, and bytes, of a page."""

WARM = 5
"""Calls that do not count yet."""


def measured(
    served: Server,
    what: str,
    calls: int,
    send: Callable[[HTTPConnection], None],
    *,
    status: int = 200,
    before_each: Callable[[HTTPConnection, int], None] | None = None,
) -> Row:
    """*send* a request so often, each time after what *before_each* does. Raises RuntimeError for another *status*."""
    took, size = [], 0
    with closing(HTTPConnection("127.0.0.1", served.port, timeout=30)) as connection:
        for number in range(calls + WARM):
            if number == WARM:
                before = served.cpu_seconds()
            if before_each is not None:
                before_each(connection, number)
            started = time.perf_counter()
            send(connection)
            answer = connection.getresponse()
            body = answer.read()
            took.append((time.perf_counter() - started) * 1_000)
            if answer.status != status:
                raise RuntimeError(f"{what}: {answer.status}, {body[:200]!r}")
            size = len(body)
    after = served.cpu_seconds()
    worked = "" if before is None or after is None else f"{(sum(after) - sum(before)) * 1_000 / calls:.0f} ms of work"
    slow = quantiles(took[WARM:], n=20)[-1]
    return Row(
        what,
        f"p95 {slow:.0f} ms, {size / 1_000:.0f} KB",
        worked,
        budget=f"≤ {BUDGET:g} ms, {LARGEST // 1_000} KB",
        met=slow <= BUDGET and size <= LARGEST,
    )
