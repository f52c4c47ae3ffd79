"""Times as pages show them and as browsers send them: on the clock of the brokerage."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aureum.domain.ids import aureum_time
from aureum.domain.wall_time import Midnight, midnight
from aureum.http.wire.times import parse_time

TYPED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?", re.ASCII)
"""What an ``<input type="datetime-local">`` sends."""


def shown_time(text: str | None, zone: ZoneInfo, clock: str = "%H:%M") -> str:
    """``2025-01-15T10:30:00.000Z`` → ``15 Jan 2025, 03:30 MST`` in Boise."""
    return "" if text is None else f"{on_clock(text, zone):%-d %b %Y, {clock} %Z}"


def is_past(text: str) -> bool:
    """Whether an instant of the API is over."""
    return datetime.fromisoformat(text) <= datetime.now(UTC)


def typed_time(text: str | None, zone: ZoneInfo) -> str:
    """The same as the value of an ``<input type="datetime-local">``: ``2025-01-15T03:30:00``."""
    return "" if text is None else on_clock(text, zone).replace(tzinfo=None).isoformat(timespec="seconds")


def typed_on_clock(text: str | None, zone: ZoneInfo) -> str:
    """The same to the minute; empty for none."""
    return "" if text is None else on_clock(text, zone).replace(tzinfo=None).isoformat(timespec="minutes")


def on_clock(text: str, zone: ZoneInfo) -> datetime:
    """An instant of the API on the clock of *zone*, or, at the ends of what a ``datetime`` can hold, in UTC."""
    instant = datetime.fromisoformat(text)
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant


def sent_time(text: str, zone: ZoneInfo) -> str | None:
    """What was typed there, as the API takes it; None for nothing. What is no time stays as typed: the API says so.

    Of a time that the clock shows twice the first is meant, and one that it jumps over is as much later.
    """
    if not TYPED.fullmatch(text):
        return text or None
    try:
        return aureum_time(datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC))
    except OverflowError:
        return f"{text}Z"
    except ValueError:
        return text


def asked_time(text: str, zone: ZoneInfo) -> str:
    """A moment in an address as the API writes it, in whichever spelling the API has taken it. A date alone is its
    midnight in *zone*."""
    moment = parse_time(text)
    return aureum_time(midnight(moment.date(), zone.key) if isinstance(moment, Midnight) else moment)
