"""Wall time: what a clock in a place shows, and the instant that it means, across daylight-saving changes."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from aureum.domain.errors import Invalid

YEARS = range(1970, 2201)
"""Far from the ends of what ``datetime`` can hold, so that no later conversion overflows."""

OFFSETS = range(-12 * 60, 14 * 60 + 1)
"""In minutes: the offsets from UTC that exist anywhere."""

TEXT = re.compile(
    r"(?P<wall>\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d)?)(?:(?<=:\d\d:\d\d)[.,]\d{1,9})?"
    r"(?:(?P<utc>[Zz])|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>[0-5]\d))?",
    re.ASCII,
)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Midnight(datetime):
    """A date that came without a time. It is midnight in UTC until it is known on whose clock it is to be read."""


def midnight(day: date, zone: str) -> datetime:
    """When *day* begins on the clock of *zone* (IANA), in UTC: the first of two midnights, and where clocks jump over
    it the moment they do. Raises Invalid for an unknown *zone*.
    """
    place = zone_of(zone)
    wall = datetime.combine(day, time())
    try:
        instant = wall.replace(tzinfo=place).astimezone(UTC)
        if instant.astimezone(place).replace(tzinfo=None) != wall:
            instant = _gap_end(wall, place)
    except OverflowError:
        # At the ends of what a datetime can hold.
        return wall.replace(tzinfo=UTC)
    return instant


@dataclass(frozen=True)
class Start:
    """When something begins. *local* is naive wall time in *zone* (IANA), *instant* is in UTC; whole seconds."""

    local: datetime
    zone: str
    instant: datetime


def start_of(text: str, zone: str) -> Start:
    """The start that *text* names for a place in *zone*.

    *text* is ISO 8601: with an offset or Z an instant, without one wall time in *zone*, a date alone its midnight
    there. Seconds may be missing; fractions are cut. Where clocks are set back, a wall time happens twice: the first of
    the two is meant; who means the second gives the offset. Raises Invalid for anything else, also for a wall time that
    clocks jump over.
    """
    place = zone_of(zone)
    if DATE.fullmatch(text):
        instant = midnight(_within_years(f"{text}T00:00").date(), zone)
        return Start(instant.astimezone(place).replace(tzinfo=None, fold=0), zone, instant)
    match = TEXT.fullmatch(text)
    if match is None:
        raise Invalid(
            "starts_at",
            "starts_at must be a date and a time such as 2025-03-09T10:00:00, in the property's local time, "
            "or 2025-03-09T16:00:00Z, or a date such as 2025-03-09, which means midnight there.",
        )
    wall = _within_years(match["wall"].upper())
    if match["utc"] or match["sign"]:
        instant = (wall - _offset(match)).replace(tzinfo=UTC)
        return Start(instant.astimezone(place).replace(tzinfo=None, fold=0), zone, instant)
    instant = wall.replace(tzinfo=place).astimezone(UTC)
    if instant.astimezone(place).replace(tzinfo=None) != wall:
        following = _after_gap(wall, place).isoformat()
        raise Invalid(
            "starts_at",
            f"starts_at is a time that does not exist: clocks in {zone} skip {wall.isoformat()} on that day. "
            f"The next valid time is {following}.",
        )
    return Start(wall, zone, instant)


def day_of(text: str) -> date:
    """The date that a ``preferred_date`` is, ``2024-12-30``. Raises Invalid."""
    try:
        day = date.fromisoformat(text) if DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise Invalid(
            "preferred_date",
            f"preferred_date must be a date such as 2024-12-30, in the years {YEARS[0]} to {YEARS[-1]}.",
        )
    return day


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises Invalid."""
    if name not in _names():
        raise Invalid("time_zone", "time zone must be an IANA name such as America/Boise.")
    return ZoneInfo(name)


def change_between(before: datetime, after: datetime, place: ZoneInfo) -> datetime:
    """The first instant of the offset that holds at *after*; at *before* (both UTC, whole seconds) another one does."""
    offset = after.astimezone(place).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // timedelta(seconds=2) * timedelta(seconds=1)
        if middle.astimezone(place).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def _within_years(text: str) -> datetime:
    if int(text[:4]) not in YEARS:
        raise Invalid("starts_at", f"starts_at must be in the years {YEARS[0]} to {YEARS[-1]}.")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("starts_at", "starts_at must be a day and a time of day that exist.") from error


def _offset(match: re.Match[str]) -> timedelta:
    if match["utc"]:
        return timedelta(0)
    minutes = int(match["sign"] + "1") * (int(match["hours"]) * 60 + int(match["minutes"]))
    if minutes not in OFFSETS:
        raise Invalid("starts_at", "starts_at must have an offset from UTC between -12:00 and +14:00.")
    return timedelta(minutes=minutes)


def _after_gap(wall: datetime, place: ZoneInfo) -> datetime:
    """The first wall time after the gap that *wall* is in."""
    return _gap_end(wall, place).astimezone(place).replace(tzinfo=None)


def _gap_end(wall: datetime, place: ZoneInfo) -> datetime:
    """The instant at which the gap ends that *wall* is in (PEP 495: in a gap, fold=1 has the later offset)."""
    before, after = (wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (1, 0))
    return change_between(before, after, place)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
