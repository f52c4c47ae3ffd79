"""The clock that a process has from the database: right within the time of a question, whatever is set meanwhile."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.clock import EPOCH, Clock
from aureum.domain.ids import NewIds

START = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Counter:
    """``time.monotonic`` as a test sets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def told(of: Clock) -> datetime:
    return EPOCH + timedelta(seconds=of.seconds())


def test_before_the_database_is_heard_it_is_this_machines() -> None:
    assert abs(Clock().seconds() - time.time()) < 5


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2), st.floats(0, 60)), min_size=1, max_size=20))
def test_it_is_never_ahead_and_gets_no_worse(questions: list[tuple[float, float, float]]) -> None:
    """A question goes, is answered and comes back; then some time passes."""
    with pytest.MonkeyPatch.context() as patch:
        counter, known, error = Counter(patch), Clock(), 10.0
        for there, back, pause in questions:
            asked = counter.now
            counter.now += there
            moment = START + timedelta(seconds=counter.now)
            counter.now += back
            known.heard(moment, asked, counter.now)
            behind = (START + timedelta(seconds=counter.now) - told(known)).total_seconds()
            assert -0.001 <= behind <= min(error, back) + 0.001
            error = behind
            counter.now += pause


@given(st.lists(st.floats(-90_000, 90_000), min_size=1, max_size=10), st.floats(0, 0.5))
def test_it_follows_a_clock_that_is_set(steps: list[float], takes: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        counter, known, moment = Counter(patch), Clock(), START
        for step in steps:
            moment += timedelta(seconds=step)
            for _ in range(2):
                asked = counter.now
                counter.now += takes
                moment += timedelta(seconds=takes)
                known.heard(moment, asked, counter.now)
            # Steps that are shorter than a question cannot be told from its being slow.
            assert abs((moment - told(known)).total_seconds()) <= 2 * takes + 0.001


@given(st.lists(st.integers(-2, 3), max_size=200))
def test_ids_go_up_though_time_stands_still_or_goes_back_a_little(steps: list[int]) -> None:
    made, milliseconds = NewIds(), 1_764_417_600_000
    found = []
    for step in steps:
        milliseconds += step
        found.append(made.after(milliseconds))
    assert found == sorted(set(found))
    assert all((one.version, one.variant) == (7, "specified in RFC 4122") for one in found)


def test_ids_follow_a_clock_that_was_set_back() -> None:
    made = NewIds()
    late, early = made.after(1_764_417_600_000), made.after(1_764_410_400_000)
    assert early < late and early.int >> 80 == 1_764_410_400_000


def test_now_is_cut_to_the_millisecond() -> None:
    assert ids.now().microsecond % 1_000 == 0 and ids.now().tzinfo is UTC
