"""How an endpoint fares: its slots, its breaker, and when it has failed for too long. Pure.

A breaker that is open lets nothing through until its time is over, then one delivery as a probe: if that one succeeds,
all is as before; if it fails, the breaker stays open twice as long. What waits meanwhile keeps its attempts.

The first time is as long as the first pause of the schedule: an endpoint that stumbles once hears again when it would
have anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aureum.background.breaker import FAILURES_IN_A_ROW, open_for

SLOTS = 8
"""Deliveries that one endpoint may have in flight."""

SLOTS_AFTER_TIMEOUT = 1
"""What hangs holds one slot, until a success."""

WINDOW = timedelta(minutes=5)
WINDOW_AT_LEAST = 10
WINDOW_FAILED = 0.7
"""The breaker opens after five failures in a row, or when seven of ten and more attempts within five minutes failed."""

FAILING_TOO_LONG = timedelta(days=5)
"""Without one success: then the endpoint is disabled."""


@dataclass(frozen=True, slots=True)
class Health:
    """``failures`` in a row; ``tried`` and ``failed`` since ``window_from``; ``failing_since`` the first failure after
    the last success. ``openings`` counts how often the breaker opened without a success in between."""

    slots: int = SLOTS
    failures: int = 0
    tried: int = 0
    failed: int = 0
    window_from: datetime | None = None
    failing_since: datetime | None = None
    openings: int = 0
    open_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt, as far as it tells of the endpoint."""

    succeeded: bool
    timed_out: bool = False


def after(health: Health, results: Sequence[Result], now: datetime, jitter: float) -> Health:
    """How the endpoint fares after *results*, which ended in this order. *jitter* is a random number from 0 to 1."""
    for result in results:
        health = succeeded(health, now) if result.succeeded else failed(health, result, now, jitter)
    return health


def succeeded(health: Health, now: datetime) -> Health:
    """One success ends all that is wrong, but for the window: an endpoint may fail most of the time, not always."""
    window_is_over = health.window_from is None or now - health.window_from >= WINDOW
    if health.openings or window_is_over:
        return Health()
    return Health(tried=health.tried + 1, failed=health.failed, window_from=health.window_from)


def failed(health: Health, result: Result, now: datetime, jitter: float) -> Health:
    """One failure more."""
    if health.window_from is None or now - health.window_from >= WINDOW:
        health = replace(health, window_from=now, tried=0, failed=0)
    health = replace(
        health,
        slots=SLOTS_AFTER_TIMEOUT if result.timed_out else health.slots,
        failures=health.failures + 1,
        tried=health.tried + 1,
        failed=health.failed + 1,
        failing_since=health.failing_since or now,
    )
    # What was in flight when it opened says nothing new.
    if (health.open_until is None or health.open_until <= now) and opens(health):
        openings = health.openings + 1
        return replace(health, openings=openings, open_until=now + open_for(openings, jitter))
    return health


def opens(health: Health) -> bool:
    """Whether the breaker is to open after a failure; a probe that failed always opens it again."""
    return (
        health.openings > 0
        or health.failures >= FAILURES_IN_A_ROW
        or (health.tried >= WINDOW_AT_LEAST and health.failed >= WINDOW_FAILED * health.tried)
    )


def failing_too_long(health: Health, now: datetime) -> bool:
    """Whether the endpoint is to be disabled."""
    return health.failing_since is not None and now - health.failing_since >= FAILING_TOO_LONG
