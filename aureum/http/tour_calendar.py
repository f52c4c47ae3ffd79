"""``GET /api/tours/{id}.ics``: a tour as a file that calendars take in, and update when they are given a later one."""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from aureum.commands.tours import NO_TOUR, Place, place_of
from aureum.domain.errors import NotFound
from aureum.domain.ids import to_wire
from aureum.domain.tour import Tour
from aureum.domain.wall_time import Start, day_of
from aureum.http.answers import list_etag, not_modified
from aureum.http.calendar import CALENDAR, CalendarTour, calendar_of
from aureum.http.endpoint import KEY_OR_STAFF, Asked, Endpoint, Id
from aureum.http.resources import NOT_YET, AsOf
from aureum.http.tours import get_found


async def get_tour_calendar(asked: Asked, number: int, as_of: AsOf) -> Response:
    """The file; 409 for a tour without a date. It names the property and the brokerage too, so its ETag is of its
    bytes: the tour's version would not tell that one of these has changed. With ``asOf`` the tour as it was, at the
    property as it is."""
    found = await get_found(asked, number)
    tour: Tour | None = (await asked.app.store.load(asked.tenant_id, found.tour_id)).aggregate(as_of.as_of)
    if tour is None:
        raise NotFound(NOT_YET)
    place = await place_of(asked.app.store, asked.tenant_id, tour.property_id)
    content = calendar_of(calendar_tour(tour, place))
    etag = list_etag(content)
    unchanged = not_modified(asked.request, etag)
    if unchanged is not None:
        return unchanged
    headers = {"ETag": etag, "Content-Disposition": f'inline; filename="tour-{number}.ics"'}
    return Response(content, headers=headers, media_type=CALENDAR)


def calendar_tour(tour: Tour, place: Place) -> CalendarTour:
    """What the file says. It has no domain: the UID must outlive every domain of the brokerage."""
    return CalendarTour(
        uid=to_wire(tour.id),
        version=tour.version,
        status=tour.status,
        created_at=tour.created_on,
        updated_at=tour.modified_on,
        brokerage=place.brokerage,
        listing_id=tour.listing_id,
        address=None if place.listed is None else address_of(place.listed),
        visitor=tour.name,
        start=start_of_tour(tour),
        preferred_date=None if tour.preferred_date is None else day_of(tour.preferred_date),
        preferred_time=tour.preferred_time,
    )


def start_of_tour(tour: Tour) -> Start | None:
    """The start as it was fixed, whatever has become of the zone's rules since."""
    if tour.local_start is None or tour.time_zone is None or tour.starts_at is None:
        return None
    return Start(datetime.fromisoformat(tour.local_start), tour.time_zone, datetime.fromisoformat(tour.starts_at))


def address_of(listed: dict[str, Any]) -> str:
    """``123 Palm Dr, Beverly Hills, CA 90210`` of a property as the Aureum API shows it."""
    region = f"{listed['state']} {listed['zip'] or ''}".strip()
    return f"{listed['address']}, {listed['city']}, {region}"


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/tours/{id}.ics",
        get_tour_calendar,
        "Get a tour as a calendar file",
        access=KEY_OR_STAFF,
        dialect="leads",
        id=Id(NO_TOUR, number=True),
        query=AsOf,
        answers=str,
        media=CALENDAR,
        refusals=(409,),
        headers={"Content-Disposition": "The name of the file."},
    ),
)
