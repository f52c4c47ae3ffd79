"""The grid of a calendar: every showing of its span stands in it once, at the hour that its clock shows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aureum.domain.ids import aureum_time
from aureum.http.panel.calendar_grid import Day, day_in, days_of_week, grid, span, week_of

ZONES = (
    "America/Boise",
    "America/Havana",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
)
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


def doc(moment: datetime) -> dict[str, Any]:
    return {"startsAt": aureum_time(moment)}


def placed(days: list[Day]) -> list[tuple[date, int, str]]:
    return [(day.date, hour.number, item.doc["startsAt"]) for day in days for hour in day.hours for item in hour.items]


@given(DAYS, st.sampled_from(ZONES), st.lists(st.integers(0, 7 * 24 * 60 + 120), max_size=20))
@example(date(2025, 3, 9), "America/Boise", [*range(6 * 1440 + 59, 7 * 1440, 30)])
@example(date(2025, 11, 2), "America/Boise", [*range(6 * 1440, 7 * 1440 + 60, 30)])
@example(date(2011, 12, 30), "Pacific/Apia", [*range(0, 7 * 1440, 60)])
def test_every_showing_of_a_week_stands_once_at_its_hour(day: date, name: str, minutes: list[int]) -> None:
    zone, days = ZoneInfo(name), days_of_week(week_of(day), date(2000, 1, 1))
    begins, ends = span(days, zone)
    moments = sorted({begins + timedelta(minutes=some) for some in minutes})

    found = placed(grid(days, [doc(moment) for moment in moments if moment < ends], zone))

    assert (day in days, len(days), days[0].weekday()) == (True, 7, 0)
    local = [moment.astimezone(zone) for moment in moments if moment < ends]
    expected = [(at.date(), at.hour, aureum_time(at.astimezone(UTC))) for at in local]
    assert sorted(found) == sorted(expected)
    assert [at.date() for at in (begins.astimezone(zone), (ends - timedelta(seconds=1)).astimezone(zone))] == [
        days[0],
        days[-1],
    ] or name == "Pacific/Apia"


@given(DAYS, st.sampled_from(ZONES))
def test_a_day_has_the_hours_that_its_clock_shows(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    begins, ends = span([day], zone)
    minutes = [begins + timedelta(minutes=some) for some in range(0, (ends - begins) // timedelta(minutes=1), 30)]

    (found,) = grid([day], [doc(begins), doc(ends - timedelta(minutes=1))] if minutes else [], zone)

    shown = {moment.astimezone(zone).hour for moment in minutes}
    assert {hour.number for hour in found.hours if hour.exists} == shown & {hour.number for hour in found.hours}


@pytest.mark.parametrize(
    ("day", "clocks"),
    [
        ("2025-03-09", ["1:59", "3:00"]),
        ("2025-11-02", ["0:59", "1:00 MDT", "1:00 MST", "2:00"]),
    ],
)
def test_the_days_on_which_clocks_change(day: str, clocks: list[str]) -> None:
    zone = ZoneInfo("America/Boise")
    begins, _ = span([date.fromisoformat(day)], zone)
    minutes = [119, 120] if day == "2025-03-09" else [59, 60, 120, 180]

    (found,) = grid([date.fromisoformat(day)], [doc(begins + timedelta(minutes=some)) for some in minutes], zone)

    assert [item.clock for hour in found.hours for item in hour.items] == clocks
    assert [hour.number for hour in found.hours if not hour.exists] == ([2] if day == "2025-03-09" else [])


@pytest.mark.parametrize("text", ["", "2026-W00", "2026-W54", "9999-W01", "1969-W01", "week", "2026-W1", "٢٠٢٦-W01"])
def test_what_is_no_week_is_this_week(text: str) -> None:
    assert days_of_week(text, date(2026, 11, 30))[0] == date(2026, 11, 30)
    assert days_of_week("2026-W01", date(2026, 11, 30))[0] == date(2025, 12, 29)


@pytest.mark.parametrize("text", ["", "2026-02-30", "9999-01-01", "20261130", "day"])
def test_what_is_no_day_is_today(text: str) -> None:
    assert day_in(text, date(2026, 11, 30)) == date(2026, 11, 30)
    assert day_in("2025-03-09", date(2026, 11, 30)) == date(2025, 3, 9)
