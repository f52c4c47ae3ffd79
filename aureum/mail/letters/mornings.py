"""When a digest is due: at the beginning of the user's working day on the brokerage's clock. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aureum.domain.profile import DAYS
from aureum.domain.routing.eligible import away_at

BEGINS = "08:00"
"""For a user whose profile has no working hours."""


class Work(NamedTuple):
    """When a user works: the hours and the absence of the profile, on the clocks of a zone."""

    place: ZoneInfo
    hours: Mapping[str, Sequence[str]] | None
    away_from: datetime | None
    away_to: datetime | None


def morning(work: Work, day: date) -> datetime | None:
    """When the working day begins, in UTC; None on a day off. Where clocks skip that time, it is as much later, and
    where it comes twice, the first time counts."""
    opening = (BEGINS,) if work.hours is None else work.hours.get(DAYS[day.weekday()])
    if opening is None:
        return None
    hour, minute = map(int, opening[0].split(":"))
    return datetime.combine(day, time(hour, minute), tzinfo=work.place).astimezone(UTC)


def due(work: Work, at: datetime, waits_since: datetime, last: date | None) -> date | None:
    """The day whose digest is due at a moment; None if it is too early or was made already (*last*), on a day off or of
    absence, and if nothing has waited since before that morning (*waits_since*)."""
    day = at.astimezone(work.place).date()
    begins = morning(work, day)
    if begins is None or at < begins or waits_since >= begins or (last is not None and last >= day):
        return None
    return None if away_at(at, work.away_from, work.away_to) else day
