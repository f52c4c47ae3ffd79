"""The days and hours of a calendar on the clock of a place: which hours a day has, and what stands at which.

A day of which clocks are set forward lacks an hour, and one of which they are set back has one of them twice. What is
in either of the two stands in the one cell of that hour, and its time says which it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aureum.domain.wall_time import YEARS, midnight
from aureum.http.panel.times import on_clock

WEEK = re.compile(r"(\d{4})-W(\d\d)", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

WORK = range(8, 19)
"""The hours that are shown whether or not there is something at them."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that begins at a time of the day, such as ``9:30``, which also says which one if it happens twice."""

    clock: str
    wall: str
    doc: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a day. ``exists`` is false of one that clocks jump over. ``wall`` is its beginning, as a form has
    it."""

    number: int
    wall: str
    exists: bool
    items: Sequence[Item]

    @property
    def clock(self) -> str:
        return f"{self.number}:00"


@dataclass(frozen=True, slots=True)
class Day:
    """A day with its hours, in their order."""

    date: date
    hours: Sequence[Hour] = field(default=())

    @property
    def count(self) -> int:
        """How many things there are."""
        return sum(len(hour.items) for hour in self.hours)


def week_of(day: date) -> str:
    """``2026-W49``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def days_of_week(text: str, today: date) -> list[date]:
    """The days from Monday to Sunday of a week as ``week_of`` writes it; of this week if *text* is none."""
    found = WEEK.fullmatch(text)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        monday = None
    if monday is None or not YEARS[0] < monday.year < YEARS[-1]:
        monday = today - timedelta(days=today.weekday())
    return [monday + timedelta(days=number) for number in range(7)]


def day_in(text: str, today: date) -> date:
    """The day that *text* names; today if it names none."""
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else today
    except ValueError:
        return today
    return day if YEARS[0] < day.year < YEARS[-1] else today


def span(days: Sequence[date], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the first of *days* begins, and when the last one is over, in UTC."""
    return midnight(days[0], zone.key), midnight(days[-1] + timedelta(days=1), zone.key)


def grid(days: Sequence[date], docs: Iterable[Mapping[str, Any]], zone: ZoneInfo) -> list[Day]:
    """*days* with the *docs* that begin on them (``startsAt``), each at its hour, in the order in which they come. All
    days have the same hours: those of ``WORK``, and those around them at which something is."""
    items: dict[tuple[date, int], list[Item]] = {}
    for doc in docs:
        local = on_clock(doc["startsAt"], zone)
        items.setdefault((local.date(), local.hour), []).append(item(local, doc))
    used = [hour for _, hour in items]
    hours = range(min([WORK[0], *used]), max([WORK[-1], *used]) + 1)
    return [Day(day, [hour_of(day, hour, zone, items.get((day, hour), ())) for hour in hours]) for day in days]


def item(local: datetime, doc: Mapping[str, Any]) -> Item:
    """*doc*, which begins at *local*."""
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    clock = f"{local:%-H:%M %Z}" if twice else f"{local:%-H:%M}"
    return Item(clock, local.replace(tzinfo=None, fold=0).isoformat(timespec="minutes"), doc)


def hour_of(day: date, hour: int, zone: ZoneInfo, items: Sequence[Item]) -> Hour:
    """One hour of a day, with what is in it."""
    exists = any(is_shown(datetime.combine(day, time(hour, minute)), zone) for minute in (0, 30))
    return Hour(hour, f"{day}T{hour:02}:00", exists, items)


def is_shown(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock of *zone* ever shows *wall*: it may jump over it (PEP 495)."""
    offsets = [wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]
    first, second = offsets[0] or timedelta(0), offsets[1] or timedelta(0)
    return first >= second
