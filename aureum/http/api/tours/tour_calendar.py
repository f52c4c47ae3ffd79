"""``GET /api/tours/{id}.ics``: a tour as a file that calendars take in, and update when they are given a later one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from uuid import UUID

from starlette.responses import Response

from aureum.commands.tours import NO_TOUR, CalendarToSend, send_calendar
from aureum.domain.aggregate import replay
from aureum.domain.brokerage import Brokerage
from aureum.domain.errors import NotFound, WrongState
from aureum.domain.ids import PLATFORM, now, to_wire
from aureum.domain.property import Property
from aureum.domain.tour import Tour
from aureum.domain.wall_time import Start, day_of
from aureum.http.api.tours.icalendar import CALENDAR, CalendarTour, calendar_of
from aureum.http.api.tours.showings import NO_SHOWING, showing_body
from aureum.http.api.tours.tour_fields import ShowingResponse
from aureum.http.api.tours.tours import get_found
from aureum.http.contract.answers import list_etag, not_modified
from aureum.http.contract.endpoint import KEY_OR_STAFF, Context, Endpoint, Id
from aureum.http.contract.resource import NOT_YET, AsOf, loaded, run_once
from aureum.projections import tour_list
from aureum.store.event_store import EventStore, Recorded

NO_DATE = "This showing has no date yet: set preferredDate or startsAt first."

END = 2**63 - 1
"""Above every position of a log."""


async def get_tour_calendar(context: Context, number: int, as_of: AsOf) -> Response:
    """Returns the tour as an iCalendar file, or the file at ``asOf``. A tour without a date is 409, unless it was
    cancelled."""
    found = await get_found(context, number)
    return await calendar_file(context, found.tour_id, as_of, f"tour-{number}.ics")


async def get_showing_file(context: Context, tour_id: UUID, as_of: AsOf) -> Response:
    """Returns the showing as an iCalendar file, or the file at ``asOf``. A showing without a date is 409, unless it was
    cancelled."""
    await loaded(context, tour_list.LIST, tour_id, NO_SHOWING)
    try:
        return await calendar_file(context, tour_id, as_of, "showing.ics")
    except WrongState as error:
        raise WrongState(NO_DATE) from error


async def calendar_file(context: Context, tour_id: UUID, as_of: AsOf, name: str) -> Response:
    """The file of a tour that the caller may see. Raises NotFound, WrongState."""
    _, shown = await calendar_now(context.app.store, context.tenant_id, tour_id, as_of.as_of)
    content = calendar_of(shown)
    # Of the bytes: the file also shows the property and the brokerage, whose changes leave the tour's version as it is.
    etag = list_etag(content)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    headers = {"ETag": etag, "Content-Disposition": f'inline; filename="{name}"'}
    return Response(content, headers=headers, media_type=CALENDAR)


async def calendar_now(
    store: EventStore, tenant_id: UUID, tour_id: UUID, until: datetime | None = None
) -> tuple["Past", CalendarTour]:
    """The tour as its events made it, up to *until* if that is given, and what its file says. Raises NotFound."""
    past = Past(await recorded(store, tenant_id, tour_id, until))
    if past.tour is None:
        raise NotFound(NOT_YET)
    places = {
        stay.property_id: await recorded(store, tenant_id, stay.property_id, until)
        for stay in past.stays
        if stay.property_id is not None
    }
    brokerage = await recorded(store, PLATFORM, tenant_id, until)
    return past, calendar_tour(past, past.tour, places, brokerage)


async def post_calendar(context: Context, tour_id: UUID) -> Response:
    """Mails the calendar file to the visitor, at most three times a day. The showing needs a start and an email
    address. After the showing is cancelled, the file removes it from the visitor's calendar, provided that an earlier
    mail has added it. The request body is ignored."""
    await loaded(context, tour_list.LIST, tour_id, NO_SHOWING)
    command = partial(
        send_calendar,
        context.app.store,
        context.tenant_id,
        tour_id,
        partial(to_send, context, tour_id),
        missing=NO_SHOWING,
        visible_to=context.caller.visible_to,
    )
    return await run_once(context, command, partial(showing_body, context))


async def to_send(context: Context, tour_id: UUID) -> CalendarToSend:
    """The file as the visitor gets it: with nothing in it that a visitor typed. Raises NotFound, WrongState."""
    past, shown = await calendar_now(context.app.store, context.tenant_id, tour_id)
    assert past.tour is not None, "its file was made"
    past.tour.check_sendable(now())
    file = calendar_of(replace(shown, visitor=None, listing_id=None, preferred_time=None))
    return CalendarToSend(past.tour.version, file.decode(), shown.address)


async def recorded(store: EventStore, tenant_id: UUID, stream_id: UUID, until: datetime | None) -> list[Recorded]:
    """The events of a stream, up to *until* if that is given."""
    events = (await store.load(tenant_id, stream_id)).events
    return [one for one in events if until is None or one.event.timestamp <= until]


@dataclass(frozen=True, slots=True)
class Stay:
    """From one position of the log to another the tour was of this property."""

    property_id: UUID | None
    since: int
    until: int


@dataclass
class Past:
    """A tour as its *events* made it: where it was to take place, and the date that it had last."""

    events: Sequence[Recorded]
    tour: Tour | None = None
    stays: list[Stay] = field(default_factory=list)
    start: Start | None = None
    preferred_date: date | None = None

    def __post_init__(self) -> None:
        where, since = None, 0
        for one in self.events:
            self.tour = tour = replay([one.event], self.tour)
            if tour.property_id != where:
                self.stays.append(Stay(where, since, one.position))
                where, since = tour.property_id, one.position
            if tour.local_start is not None or tour.preferred_date is not None:
                self.start = start_of_tour(tour)
                self.preferred_date = None if tour.preferred_date is None else day_of(tour.preferred_date)
        self.stays.append(Stay(where, since, END))


def calendar_tour(
    past: Past, tour: Tour, places: Mapping[UUID, Sequence[Recorded]], brokerage: Sequence[Recorded]
) -> CalendarTour:
    """What the file says. It has no domain: the UID must outlive every domain of the brokerage. What was called off has
    the date that calendars know it by, also if that was taken away before."""
    elsewhere = [*moves(past, places), *renames(brokerage, tour.created_on)]
    dated = tour.status == "cancelled" or tour.local_start is not None or tour.preferred_date is not None
    place = replay(one.event for one in places[tour.property_id]) if tour.property_id else None
    return CalendarTour(
        uid=to_wire(tour.id),
        version=tour.version + len(elsewhere),
        status=tour.status,
        created_at=tour.created_on,
        updated_at=max([tour.modified_on, *elsewhere]),
        brokerage=replay(one.event for one in brokerage).name,
        listing_id=tour.listing_id,
        address=None if place is None else address_of(place),
        visitor=tour.name,
        start=past.start if dated else None,
        preferred_date=past.preferred_date if dated else None,
        preferred_time=tour.preferred_time,
    )


def moves(past: Past, places: Mapping[UUID, Sequence[Recorded]]) -> Iterator[datetime]:
    """When the property that the tour was of at that moment got another address."""
    for stay in past.stays:
        place, address = None, ""
        for one in places.get(stay.property_id, ()) if stay.property_id else ():
            place = replay([one.event], place)
            before, address = address, address_of(place)
            if stay.since < one.position < stay.until and address != before:
                yield one.event.timestamp


def renames(brokerage: Sequence[Recorded], since: datetime) -> Iterator[datetime]:
    """When the brokerage got another name, after *since*."""
    for one in brokerage:
        if isinstance(one.event, Brokerage.Renamed) and one.event.timestamp > since:
            yield one.event.timestamp


def start_of_tour(tour: Tour) -> Start | None:
    """The start as it was fixed, even if the zone's rules have changed since."""
    if tour.local_start is None or tour.time_zone is None or tour.starts_at is None:
        return None
    return Start(datetime.fromisoformat(tour.local_start), tour.time_zone, datetime.fromisoformat(tour.starts_at))


def address_of(place: Property) -> str:
    """``123 Palm Dr, Beverly Hills, CA 90210``."""
    region = f"{place.state} {place.zip_code or ''}".strip()
    return f"{place.address}, {place.city}, {region}"


file = partial(
    Endpoint,
    method="GET",
    query=AsOf,
    answers=str,
    media=CALENDAR,
    refusals=(409,),
    headers={"Content-Disposition": "The name of the file."},
)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/showings/{id}/send-calendar",
        post_calendar,
        "Send the visitor the calendar file",
        id=Id(NO_SHOWING),
        answers=ShowingResponse,
        refusals=(409,),
    ),
    file(
        path="/api/showings/{id}.ics",
        run=get_showing_file,
        summary="Get a showing as a calendar file",
        id=Id(NO_SHOWING),
    ),
    file(
        path="/api/tours/{id}.ics",
        run=get_tour_calendar,
        summary="Get a tour as a calendar file",
        access=KEY_OR_STAFF,
        dialect="leads",
        id=Id(NO_TOUR, number=True),
    ),
)
