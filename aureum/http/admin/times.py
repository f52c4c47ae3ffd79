"""Times as pages show them and as browsers send them: on the clock of the brokerage."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aureum.domain.errors import Invalid
from aureum.domain.ids import aureum_time
from aureum.domain.wall_time import start_of


def shown_time(text: str | None, zone: ZoneInfo, clock: str = "%H:%M") -> str:
    """``2025-01-15T10:30:00.000Z`` → ``15 Jan 2025, 03:30 MST`` in Boise."""
    return "" if text is None else f"{datetime.fromisoformat(text).astimezone(zone):%-d %b %Y, {clock} %Z}"


def typed_time(text: str | None, zone: ZoneInfo) -> str:
    """The same as the value of an ``<input type="datetime-local">``: ``2025-01-15T03:30:00``."""
    if text is None:
        return ""
    return datetime.fromisoformat(text).astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def sent_time(text: str, zone: ZoneInfo) -> str | None:
    """What was typed there, as the API takes it; None for nothing. What is no time stays as typed: the API says so."""
    if not text:
        return None
    try:
        return aureum_time(start_of(text, zone.key).instant.astimezone(UTC))
    except Invalid:
        return text
