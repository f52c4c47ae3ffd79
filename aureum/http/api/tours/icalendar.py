"""The calendar file of a tour (RFC 5545), made so that a calendar which has it already updates it (RFC 5546).

A tour that was called off is METHOD:CANCEL, any other METHOD:PUBLISH. Both demand an ORGANIZER. No mailbox of the
brokerage is known, so it has the brokerage's name and an address under ``.invalid`` (RFC 2606), where no mail ever
goes. Neither has an ATTENDEE: PUBLISH forbids it, and CANCEL needs none where the whole event is cancelled.
"""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from aureum.domain.errors import WrongState
from aureum.domain.wall_time import Start, change_between, zone_of

if TYPE_CHECKING:
    from icalendar import Event, Timezone, TimezoneDaylight, TimezoneStandard

CALENDAR = "text/calendar; charset=utf-8"

NO_DOMAIN = "aureum.invalid"

ORGANIZER = f"mailto:tours@{NO_DOMAIN}"

STATUS = {"pending": "TENTATIVE", "confirmed": "CONFIRMED", "completed": "CONFIRMED", "cancelled": "CANCELLED"}


@dataclass(frozen=True)
class CalendarTour:
    """What the file says. *uid*: the tour's wire id. *domain*: the brokerage's first one; it is part of the UID, so it
    must stay the same for as long as the tour does. *version* and *updated_at* rise with all that the file shows: its
    stream's, and the property's address and the brokerage's name. Texts are as visitors and staff wrote them."""

    uid: str
    version: int
    status: str
    created_at: datetime
    updated_at: datetime
    brokerage: str
    domain: str | None = None
    listing_id: str | None = None
    address: str | None = None
    visitor: str | None = None
    start: Start | None = None
    preferred_date: date | None = None
    preferred_time: str | None = None
    duration: int = 60
    """In minutes; an all-day event has none."""


def calendar_of(tour: CalendarTour) -> bytes:
    """The file, the same for the same version. Raises WrongState for a tour without start and date, unless it was
    called off: then the file says no more than that (RFC 5546, 3.2.5)."""
    # Many processes are never asked for one.
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//Aureum//Tours//EN")
    calendar.add("METHOD", "CANCEL" if tour.status == "cancelled" else "PUBLISH")
    calendar.add_component(_event(tour))
    for zone in calendar.get_missing_tzids():
        assert tour.start is not None, "only a fixed start has a zone"
        calendar.subcomponents.insert(0, _zone(zone, tour.start.local.year))
    content: bytes = calendar.to_ical()
    return content


def _event(tour: CalendarTour) -> "Event":
    from icalendar import Event, vCalAddress

    event = Event()
    event.add("UID", f"{tour.uid}@{tour.domain or NO_DOMAIN}")
    event.add("SEQUENCE", tour.version - 1)
    event.add("DTSTAMP", tour.updated_at.astimezone(UTC))
    event.add("CREATED", tour.created_at.astimezone(UTC))
    event.add("LAST-MODIFIED", tour.updated_at.astimezone(UTC))
    event.add("STATUS", STATUS[tour.status])
    _add_time(event, tour)
    place = one_line(tour.address) or (f"listing {one_line(tour.listing_id)}" if tour.listing_id else "a property")
    visitor = one_line(tour.visitor)
    event.add("SUMMARY", f"Tour of {place} with {visitor}" if visitor else f"Tour of {place}")
    if tour.address:
        event.add("LOCATION", one_line(tour.address))
    if words := plain(tour.preferred_time):
        event.add("DESCRIPTION", f"Preferred time: {words}")
    organizer = vCalAddress(ORGANIZER)
    organizer.params["CN"] = one_line(tour.brokerage)
    event.add("ORGANIZER", organizer)
    return event


def _add_time(event: "Event", tour: CalendarTour) -> None:
    if tour.start is not None:
        event.add("DTSTART", _moment(tour.start, timedelta(minutes=tour.duration)))
        # Not DTEND: wall time would be an hour off where the tour ends in the hour that happens twice.
        event.add("DURATION", timedelta(minutes=tour.duration))
    elif tour.preferred_date is not None:
        event.add("DTSTART", tour.preferred_date)
        event.add("DTEND", tour.preferred_date + timedelta(days=1))
    elif tour.status != "cancelled":
        raise WrongState("This tour has no date yet: set preferred_date or starts_at first.")


def _moment(start: Start, duration: timedelta) -> datetime:
    """Wall time with its zone, or UTC where clocks change between start and end, or show one of the two twice: ical.js
    and node-ical read the first of two equal wall times an hour late, and add the duration to the wall time."""
    wall = start.local.replace(tzinfo=zone_of(start.zone))
    ends = (wall.astimezone(UTC) + duration).astimezone(zone_of(start.zone))
    offsets = {moment.replace(fold=fold).utcoffset() for moment in (wall, ends) for fold in (0, 1)}
    return wall if len(offsets) == 1 else start.instant


def _zone(name: str, year: int) -> "Timezone":
    """The rules of *name* in *year* and a few days around it.

    The library could write them, but begins daylight-saving time by the new clock where RFC 5545 asks for the old one.
    """
    from icalendar import Timezone

    place = zone_of(name)
    zone = Timezone()
    zone.add("TZID", name)
    first = datetime(year, 1, 1, tzinfo=UTC) - timedelta(days=2)
    zone.add_component(_rule(first.astimezone(place), first.astimezone(place)))
    for before, after in pairwise(first + timedelta(days=day) for day in range(372)):
        if before.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            change = change_between(before, after, place)
            zone.add_component(_rule((change - timedelta(seconds=1)).astimezone(place), change.astimezone(place)))
    return zone


def _rule(before: datetime, since: datetime) -> "TimezoneStandard | TimezoneDaylight":
    """The offset that holds *since* a moment, which is written as the clock of *before* would show it."""
    from icalendar import TimezoneDaylight, TimezoneStandard

    rule = TimezoneDaylight() if since.dst() else TimezoneStandard()
    rule.add("DTSTART", since.astimezone(UTC).replace(tzinfo=None) + (before.utcoffset() or timedelta(0)))
    rule.add("TZOFFSETFROM", before.utcoffset())
    rule.add("TZOFFSETTO", since.utcoffset())
    rule.add("TZNAME", since.tzname())
    return rule


def plain(text: str | None) -> str:
    """*text* without control characters; what ends a line anywhere is ``\\n``, which the library escapes."""
    lines = (text or "").splitlines()
    return "\n".join("".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cs")) for line in lines).strip()


def one_line(text: str | None) -> str:
    """The same on one line."""
    return " ".join(plain(text).split())
