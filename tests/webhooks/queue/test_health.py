"""The breaker of an endpoint, its slots, and when it is to be disabled: pure rules."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aureum.background.breaker import LONGEST_OPEN, open_for
from aureum.background.pauses import SPREAD
from aureum.webhooks.queue.health import (
    FAILING_TOO_LONG,
    SLOTS,
    Health,
    Result,
    after,
    failing_too_long,
)
from aureum.webhooks.sending.schedule import SCHEDULE

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
OK, BAD, LATE = Result(True), Result(False), Result(False, timed_out=True)
SECOND = timedelta(seconds=1)


def test_five_failures_in_a_row_open_the_breaker_and_four_do_not() -> None:
    assert after(Health(), [BAD] * 4, NOON, 1.0).openings == 0
    opened = after(Health(), [BAD] * 5, NOON, 1.0)
    assert (opened.openings, opened.open_until) == (1, NOON + 5 * SECOND)
    assert after(Health(), [BAD] * 4 + [OK] + [BAD] * 4, NOON, 1.0).openings == 0


def test_what_was_in_flight_when_it_opened_says_nothing_new() -> None:
    opened = after(Health(), [BAD] * 5, NOON, 1.0)
    assert after(opened, [BAD] * 3, NOON + SECOND, 1.0).open_until == opened.open_until


def test_a_probe_that_fails_doubles_the_time_and_one_that_succeeds_ends_it() -> None:
    health = after(Health(), [BAD] * 5, NOON, 1.0)
    periods = []
    now = NOON
    for _ in range(9):
        assert health.open_until is not None
        now = health.open_until
        health = after(health, [BAD], now, 1.0)
        assert health.open_until is not None
        periods.append((health.open_until - now) / SECOND)
    assert periods == [10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert after(health, [OK], now, 1.0) == Health()


def test_most_of_ten_within_five_minutes_open_it_though_some_succeed() -> None:
    mixed = [BAD, BAD, OK, BAD, BAD, OK, BAD, BAD, OK, BAD]
    assert after(Health(), mixed, NOON, 1.0).openings == 1
    assert after(Health(), [BAD, OK] * 20, NOON, 1.0).openings == 0, "half of the attempts is not most"
    # The same, but the window is over in between.
    early = after(Health(), mixed[:6], NOON, 1.0)
    assert after(early, mixed[6:], NOON + timedelta(minutes=5), 1.0).openings == 0


def test_a_time_out_leaves_one_slot_until_a_success() -> None:
    late = after(Health(), [LATE], NOON, 1.0)
    assert late.slots == 1
    assert after(late, [BAD], NOON, 1.0).slots == 1
    assert after(late, [OK], NOON, 1.0).slots == SLOTS


def test_an_endpoint_is_disabled_after_five_days_without_a_success() -> None:
    health = after(Health(), [BAD], NOON, 1.0)
    health = after(health, [BAD], NOON + FAILING_TOO_LONG - SECOND, 1.0)
    assert not failing_too_long(health, NOON + FAILING_TOO_LONG - SECOND)
    assert failing_too_long(health, NOON + FAILING_TOO_LONG)
    assert not failing_too_long(after(health, [OK, BAD], NOON + FAILING_TOO_LONG, 1.0), NOON + FAILING_TOO_LONG)


def test_the_first_time_it_is_open_delays_no_retry() -> None:
    # The contract: the second attempt comes after 5 s, a fifth earlier or later.
    assert max(open_for(1, jitter) for jitter in (0.0, 0.5, 1.0)) <= SCHEDULE[1]
    assert SPREAD == 0.2


@given(st.integers(1, 1_000), st.floats(0, 1))
def test_no_breaker_is_open_for_longer_than_a_quarter_of_an_hour(openings: int, jitter: float) -> None:
    assert timedelta(seconds=2.5) <= open_for(openings, jitter) <= LONGEST_OPEN


@given(
    st.lists(st.tuples(st.sampled_from([OK, BAD, LATE]), st.integers(0, 400)), max_size=60),
    st.floats(0, 1),
)
def test_whatever_happens_one_success_lets_everything_through(story: list[tuple[Result, int]], jitter: float) -> None:
    health, now = Health(), NOON
    failures = 0
    for result, seconds in story:
        now += seconds * SECOND
        health = after(health, [result], now, jitter)
        failures = 0 if result.succeeded else failures + 1
        assert health.failures == failures
        assert (health.failing_since is None) == (failures == 0)
        assert (health.open_until is None) == (health.openings == 0)
        assert health.failed <= health.tried
        if result.succeeded:
            assert (health.slots, health.openings) == (SLOTS, 0)
    # Batches fold like single results.
    assert after(Health(), [r for r, _ in story], NOON, jitter) == fold([r for r, _ in story], jitter)


def fold(results: list[Result], jitter: float) -> Health:
    health = Health()
    for result in results:
        health = after(health, [result], NOON, jitter)
    return health
