"""The time zones to choose from, by continent, each with its difference from UTC as it is now."""

from collections import defaultdict
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from aureum.domain.ids import now

CONTINENTS = (
    "America",
    "Africa",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
"""Other names, such as US/Mountain, are older ones for the same zones."""


class Choice(NamedTuple):
    """A zone: its name, and what the list says."""

    name: str
    words: str


def zones() -> dict[str, list[Choice]]:
    """The zones by continent, from west to east."""
    return of_hour(now().replace(minute=0, second=0, microsecond=0))


@lru_cache(2)
def of_hour(moment: datetime) -> dict[str, list[Choice]]:
    """The same at this *moment*."""
    found: dict[str, list[tuple[timedelta, Choice]]] = defaultdict(list)
    for name in available_timezones():
        continent, _, place = name.partition("/")
        if continent in CONTINENTS and place:
            ahead = moment.astimezone(ZoneInfo(name)).utcoffset() or timedelta()
            words = f"{place.replace('_', ' ').replace('/', ', ')} ({difference(ahead)})"
            found[continent].append((ahead, Choice(name, words)))
    return {one: [choice for _, choice in sorted(found[one])] for one in CONTINENTS} | {"UTC": [Choice("UTC", "UTC")]}


def difference(ahead: timedelta) -> str:
    """``UTC−07:00``."""
    minutes = round(ahead.total_seconds() / 60)
    sign = "−" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
