"""The file that a calendar feed shows (RFC 5545). By itself it says when and where, and nothing of the visitor."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aureum.http.api.tours.icalendar import NO_DOMAIN, STATUS, one_line

if TYPE_CHECKING:
    from icalendar import Event

DURATION = timedelta(minutes=60)

REFRESH = "PT15M"
"""How often calendars should look, if they ask."""


def feed_file(showings: Iterable[tuple[Mapping[str, Any], int]], places: Mapping[str, str], *, details: bool) -> bytes:
    """The file of *showings*, as the Aureum API shows them, each with its version. *places* are the addresses of their
    properties. With *details* it also has names and how to reach them."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//Aureum//Calendar feed//EN")
    calendar.add("X-WR-CALNAME", "Showings")
    calendar.add("NAME", "Showings")
    calendar.add("X-PUBLISHED-TTL", REFRESH)
    for showing, version in showings:
        calendar.add_component(event_of(showing, version, places.get(showing["propertyId"] or ""), details=details))
    content: bytes = calendar.to_ical()
    return content


def event_of(showing: Mapping[str, Any], version: int, place: str | None, *, details: bool) -> "Event":
    """One showing. Its time is in UTC, which every calendar shows on its user's clock. Its UID is that of the showing's
    own calendar file."""
    from icalendar import Event

    event = Event()
    event.add("UID", f"{showing['id']}@{NO_DOMAIN}")
    event.add("SEQUENCE", version - 1)
    event.add("DTSTAMP", moment(showing["updatedAt"]))
    event.add("DTSTART", moment(showing["startsAt"]))
    event.add("DURATION", DURATION)
    event.add("STATUS", STATUS[showing["status"]])
    event.add("SUMMARY", f"Showing: {one_line(showing['name'])}" if details else "Showing")
    where = one_line(place) or (f"MLS {one_line(showing['listingId'])}" if showing["listingId"] else "")
    if where:
        event.add("LOCATION", where)
    reached = [one_line(showing[name]) for name in ("phone", "email") if showing[name]]
    if details and reached:
        event.add("DESCRIPTION", "\n".join(reached))
    return event


def moment(text: str) -> datetime:
    """A time of the Aureum API, to the second."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
