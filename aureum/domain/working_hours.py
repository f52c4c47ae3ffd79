"""The clock of an agent who has to answer in time: it runs while the agent works, and stops otherwise.

An agent works while the clocks in the brokerage's zone show a time within the agent's hours, and the agent is not away.
Without hours the agent works at all hours. Where clocks are set forward, the hour that is skipped does not count; where
they are set back, the hour that comes twice counts twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aureum.domain.profile import DAYS
from aureum.domain.wall_time import change_between, zone_of

LONGEST = timedelta(days=14)
"""The calendar time after which any clock is over. Otherwise an agent who stays away would never be late."""

DAY = timedelta(days=1)

Span = tuple[datetime, datetime]
"""From a moment until another one, which is not part of it."""


def due(
    start: datetime,
    minutes: int,
    hours: Mapping[str, Sequence[str]] | None,
    away_from: datetime | None,
    away_to: datetime | None,
    zone: str,
) -> datetime:
    """When *minutes* of work have passed since *start*, in UTC; ``LONGEST`` after it at the latest. *hours* are those
    of a profile (``aureum.domain.profile``), read on the clocks of *zone*. Raises Invalid for an unknown *zone*."""
    left, until = timedelta(minutes=minutes), start.astimezone(UTC) + LONGEST
    for begin, end in at_work(start.astimezone(UTC), until, hours, away_from, away_to, zone_of(zone)):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    return until


def at_work(
    start: datetime,
    until: datetime,
    hours: Mapping[str, Sequence[str]] | None,
    away_from: datetime | None,
    away_to: datetime | None,
    place: ZoneInfo,
) -> Iterator[Span]:
    """When the agent works between two moments in UTC, in their order."""
    for span in [(start, until)] if hours is None else within_hours(start, until, hours, place):
        yield from present(span, away_from, away_to)


def within_hours(
    start: datetime, until: datetime, hours: Mapping[str, Sequence[str]], place: ZoneInfo
) -> Iterator[Span]:
    """When clocks in *place* show a time within *hours*."""
    for begin, end in same_offset(start, until, place):
        offset = begin.astimezone(place).replace(tzinfo=UTC) - begin
        first, last = begin + offset, end + offset
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        while midnight < last:
            opening = hours.get(DAYS[midnight.weekday()])
            if opening is not None:
                opens, closes = (max(first, min(last, midnight + on_clock(text))) for text in opening)
                if opens < closes:
                    yield opens - offset, closes - offset
            midnight += DAY


def same_offset(start: datetime, until: datetime, place: ZoneInfo) -> Iterator[Span]:
    """The time between two moments, parted where clocks in *place* are set: once in a day at most."""
    while start < until:
        end = min(start + DAY, until)
        if start.astimezone(place).utcoffset() != end.astimezone(place).utcoffset():
            # To the second, from which both moments may be away by some milliseconds.
            change = change_between(start.replace(microsecond=0), end.replace(microsecond=0) + SECOND, place)
            end = min(max(change, start), end)
        if end > start:
            yield start, end
        start = max(end, start)


SECOND = timedelta(seconds=1)


def on_clock(text: str) -> timedelta:
    """``17:30`` as the time since midnight; ``24:00`` is the end of the day."""
    hour, minute = text.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def present(span: Span, away_from: datetime | None, away_to: datetime | None) -> Iterator[Span]:
    """*span* without the absence. Without a beginning the absence has begun, without an end it goes on."""
    begin, end = span
    if away_from is None and away_to is None:
        yield span
        return
    before = begin if away_from is None else min(end, max(begin, away_from))
    after = end if away_to is None else max(begin, min(end, away_to))
    if begin < before:
        yield begin, before
    if max(after, before) < end:
        yield max(after, before), end
