"""When a failed delivery is tried again: the contract's table, and what must hold for every jitter."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.webhooks.sending.schedule import next_attempt_after, parse_retry_after

DAY = timedelta(hours=24)
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

# Attempts made, and the middle of the pause after them.
TABLE = [
    (0, timedelta(0)),
    (1, timedelta(seconds=5)),
    (2, timedelta(minutes=5)),
    (3, timedelta(minutes=30)),
    (4, timedelta(hours=2)),
    (5, timedelta(hours=5)),
    (6, timedelta(hours=10)),
    (7, timedelta(hours=14)),
    (8, timedelta(hours=20)),
    (9, timedelta(hours=24)),
]

jitters = st.floats(0, 1)
attempts = st.integers(0, 9)
waits = st.none() | st.timedeltas(timedelta(0), timedelta(days=400))


def pause(attempt: int, jitter: float = 0.5, retry_after: timedelta | None = None) -> timedelta:
    found = next_attempt_after(attempt, jitter=jitter, retry_after=retry_after)
    assert found is not None
    return found


@pytest.mark.parametrize(("attempt", "middle"), TABLE)
def test_the_table(attempt: int, middle: timedelta) -> None:
    assert pause(attempt, jitter=0.5) == middle
    assert pause(attempt, jitter=0) == middle * 0.8
    assert pause(attempt, jitter=1) == middle * 1.2


@pytest.mark.parametrize("attempt", [10, 11, 1000])
def test_after_the_tenth_attempt_there_is_none(attempt: int) -> None:
    for retry_after in (None, timedelta(seconds=1)):
        assert next_attempt_after(attempt, jitter=0.5, retry_after=retry_after) is None


@given(attempts, jitters)
def test_jitter_stays_within_a_fifth(attempt: int, jitter: float) -> None:
    middle = dict(TABLE)[attempt]
    assert middle * 0.8 <= pause(attempt, jitter) <= middle * 1.2


@given(attempts.filter(lambda attempt: attempt > 0), jitters, waits)
def test_pauses_never_shrink(attempt: int, jitter: float, retry_after: timedelta | None) -> None:
    """At the same jitter each pause is at least the one before; and none is longer than the longest of the table."""
    assert pause(attempt - 1, jitter, retry_after) <= pause(attempt, jitter, retry_after) <= DAY * 1.2


@given(attempts, jitters, waits)
def test_retry_after_is_honoured_up_to_a_day_and_never_shortens(
    attempt: int, jitter: float, retry_after: timedelta | None
) -> None:
    asked = min(retry_after or timedelta(0), DAY)
    assert pause(attempt, jitter, retry_after) == max(pause(attempt, jitter), asked)


@pytest.mark.parametrize(("attempt", "jitter"), [(-1, 0.5), (1, -0.1), (1, 1.1), (1, float("nan"))])
def test_nonsense_is_refused(attempt: int, jitter: float) -> None:
    with pytest.raises(ValueError, match=r"attempt|jitter"):
        next_attempt_after(attempt, jitter=jitter, retry_after=None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("120", timedelta(seconds=120)),
        (" 120 ", timedelta(seconds=120)),
        ("0", timedelta(0)),
        ("0000000000000000000120", timedelta(seconds=120)),
        ("86400", DAY),
        ("86401", DAY),
        ("1000000000", DAY),
        ("9" * 5000, DAY),
        ("-5", None),
        ("+5", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("²", None),
        ("soon", None),
        ("120, 240", None),
        ("Sun, 01 Mar 2026 12:02:00 GMT", timedelta(seconds=120)),
        ("Sunday, 01-Mar-26 12:02:00 GMT", timedelta(seconds=120)),
        ("Sun Mar  1 12:02:00 2026", timedelta(seconds=120)),
        ("Sun, 01 Mar 2026 11:00:00 GMT", timedelta(0)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        ("Sun, 99 Mar 2026 12:02:00 GMT", None),
        ("Sun, 01 Mar 99999999999999999999 12:02:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", timedelta(0)),
        ("Sun, 01 Mar 2026 12:02:00 GMT" + " " * 2 + "x" * 100, None),
        ("2026-03-01T12:02:00Z", None),
    ],
)
def test_retry_after_header(value: str | None, expected: timedelta | None) -> None:
    assert parse_retry_after(value, NOW) == expected


@given(st.integers(-(10**6), 10**6))
def test_retry_after_date_round_trip(seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    expected = min(max(timedelta(seconds=seconds), timedelta(0)), DAY)
    assert parse_retry_after(format_datetime(moment, usegmt=True), NOW) == expected


@given(st.text() | st.text("0123456789 :,GMTSunMar+-", max_size=40) | st.from_regex(r"\A\w{3}, \d+ \w{3} \d+ .*\Z"))
def test_retry_after_survives_anything(value: str) -> None:
    found = parse_retry_after(value, NOW)
    assert found is None or timedelta(0) <= found <= DAY
