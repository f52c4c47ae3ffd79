"""The clock of an agent against one that is read minute by minute, where clocks are set and where they are not."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aureum.domain.profile import DAYS
from aureum.domain.wall_time import zone_of
from aureum.domain.working_hours import LONGEST, due
from tests.examples import examples

MINUTE = timedelta(minutes=1)

CHANGES = {
    "America/Boise": (datetime(2026, 3, 8, 9, tzinfo=UTC), datetime(2026, 11, 1, 8, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    "America/Havana": (datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC)),
    "Pacific/Apia": (datetime(2011, 12, 30, 10, tzinfo=UTC),),
    "Asia/Kathmandu": (datetime(2026, 6, 1, tzinfo=UTC),),
}
"""When clocks are set there: forward and back, by half an hour too, over midnight, over a whole day; and never."""

WEEK = {day: ["09:00", "17:00"] for day in DAYS[:5]}
SLOW = {day: ["01:30", "02:30"] for day in DAYS}


def on_the_clock(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def minute_by_minute(
    start: datetime,
    minutes: int,
    hours: Mapping[str, list[str]] | None,
    away_from: datetime | None,
    away_to: datetime | None,
    zone: str,
) -> datetime:
    """Reads the wall's clock each minute, and counts the minutes at which the agent works."""
    place, left, moment = zone_of(zone), minutes, start
    away = away_from is not None or away_to is not None
    while moment < start + LONGEST:
        wall = moment.astimezone(place)
        opening = ["00:00", "24:00"] if hours is None else hours.get(DAYS[wall.weekday()], ["00:00", "00:00"])
        works = on_the_clock(opening[0]) <= wall.hour * 60 + wall.minute < on_the_clock(opening[1])
        if away and (away_from is None or away_from <= moment) and (away_to is None or moment < away_to):
            works = False
        moment += MINUTE
        left -= works
        if left == 0:
            return moment
    return start + LONGEST


clock = st.integers(0, 24 * 60).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
opening = st.tuples(clock, clock).filter(lambda pair: pair[0] < pair[1]).map(list)
weeks = st.none() | st.just(WEEK) | st.just(SLOW) | st.dictionaries(st.sampled_from(DAYS), opening, min_size=1)


@st.composite
def cases(
    draw: st.DrawFn,
) -> tuple[datetime, int, dict[str, list[str]] | None, datetime | None, datetime | None, str]:
    """Mostly within two days of a change of the clocks."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = draw(st.sampled_from(CHANGES[zone]))
    start = change + draw(st.integers(-2 * 1440, 1440)) * MINUTE
    moments = st.none() | st.integers(-1440, 4 * 1440).map(lambda minutes: start + minutes * MINUTE)
    return start, draw(st.integers(1, 3000)), draw(weeks), draw(moments), draw(moments), zone


BOISE = datetime(2026, 3, 6, 20, tzinfo=UTC)


@settings(max_examples=examples(150), deadline=None)
@given(cases())
@example((BOISE, 480, WEEK, None, None, "America/Boise"))
@example((datetime(2026, 3, 8, 8, tzinfo=UTC), 90, SLOW, None, None, "America/Boise"))
@example((datetime(2026, 11, 1, 6, tzinfo=UTC), 90, SLOW, None, None, "America/Boise"))
@example((BOISE, 1000, {"mon": ["09:00", "24:00"], "tue": ["00:00", "09:00"]}, None, None, "America/Boise"))
@example((BOISE, 10, WEEK, BOISE, None, "America/Boise"))
@example((BOISE, 10, None, BOISE + 20 * MINUTE, BOISE + 5 * MINUTE, "America/Boise"))
def test_minute_by_minute(
    case: tuple[datetime, int, dict[str, list[str]] | None, datetime | None, datetime | None, str],
) -> None:
    assert due(*case) == minute_by_minute(*case)


@given(cases(), st.integers(0, 59_999))
def test_milliseconds(
    case: tuple[datetime, int, dict[str, list[str]] | None, datetime | None, datetime | None, str], milliseconds: int
) -> None:
    """Events are timed to the millisecond: then it is due within the minute, and never before an earlier start is."""
    later = due(case[0] + timedelta(milliseconds=milliseconds), *case[1:])
    assert due(*case) <= later <= due(case[0] + MINUTE, *case[1:])


@pytest.mark.parametrize(
    ("start", "minutes", "hours", "expected"),
    [
        # Friday, half past four: half an hour of it counts, the rest on Monday, behind the change of the clocks.
        ("2026-03-06T23:30:00Z", 60, WEEK, "2026-03-09T15:30:00Z"),
        # An hour that clocks skip does not count: 01:30 to 03:00 is half an hour.
        ("2026-03-08T08:00:00Z", 31, {day: ["01:30", "03:00"] for day in DAYS}, "2026-03-09T07:31:00Z"),
        # One that comes twice counts twice: 01:30 to 02:00, and again.
        ("2026-11-01T06:00:00Z", 60, {day: ["01:30", "02:00"] for day in DAYS}, "2026-11-01T09:00:00Z"),
        # No hours: all hours.
        ("2026-03-06T23:30:00Z", 60, None, "2026-03-07T00:30:00Z"),
        # An hour a week: two weeks are the end of patience.
        ("2026-03-06T23:30:00Z", 121, {"mon": ["09:00", "10:00"]}, "2026-03-20T23:30:00Z"),
    ],
)
def test_examples(start: str, minutes: int, hours: dict[str, list[str]] | None, expected: str) -> None:
    found = due(datetime.fromisoformat(start), minutes, hours, None, None, "America/Boise")
    assert found == datetime.fromisoformat(expected)
