"""Tours: requested by a visitor or entered by staff, then confirmed, rescheduled, assigned, called off."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change, visible
from aureum.commands.references import check_links, check_user
from aureum.commands.routed import NOWHERE, Route, Team, cleared, naming, routed, routed_and_told
from aureum.domain import ids
from aureum.domain.errors import Conflict, NotFound, StaleVersion
from aureum.domain.people import recognized_by
from aureum.domain.phones import e164
from aureum.domain.routing.enquiry import Enquiry
from aureum.domain.tour import Tour, TourFields
from aureum.domain.wall_time import start_of
from aureum.projections import tour_list
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.guards import Guard
from aureum.store.metadata import Origin

NUMBERS = "SELECT nextval('tour_numbers')"
"""Takes a block of the platform-wide integers of tours: ``EventStore.number_of``."""

NO_TOUR = "There is no such tour."


class RequestTour(BaseModel):
    """A new tour. ``starts_at`` is as ``aureum.domain.wall_time.start_of`` reads it.

    Without ``property_id`` the tour is linked to the one property of the brokerage that has ``listing_id`` as its
    mlsId, if it is only one. ``route``: it is to find an agent, though it is no form of the brokerage's pages.
    """

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    country: str
    listing_id: str | None = None
    property_id: UUID | None = None
    name: str
    email: str | None = None
    phone: str | None = None
    message: str | None = None
    preferred_date: str | None = None
    preferred_time: str | None = None
    starts_at: str | None = None
    status: str = "pending"
    assigned_to: UUID | None = None
    source: str
    source_domain: str | None = None
    created_by: UUID | None = None
    suspect: bool = False
    route: bool = False


async def request_tour(
    store: EventStore,
    command: RequestTour,
    origin: Origin,
    *,
    team: Team | None = None,
    idempotency: Idempotency | None = None,
    guards: Sequence[Guard] = (),
) -> tuple[Tour, Appended]:
    """The tour as it was requested; *guards* are what must hold besides. A form with its *team*, and what is to be
    routed, finds an agent, unless it is assigned already, or suspect. Of a form the tour is as it is known before the
    append, but for the agent.

    Raises Invalid, and what ``EventStore.append`` raises.
    """
    await check_user(store, command.tenant_id, command.assigned_to)
    property_id = command.property_id
    if property_id is not None:
        await check_links(store, command.tenant_id, {"property_id": property_id})
    elif command.listing_id is not None:
        property_id = await property_listed(store, command.tenant_id, command.listing_id)
    tour_id, at, number = ids.new_id(), ids.now(), await store.number_of(NUMBERS)
    schedule = await fixed(store, command.tenant_id, property_id, command.starts_at)
    fields = TourFields(
        listing_id=command.listing_id,
        property_id=property_id,
        name=command.name,
        email=command.email,
        phone=command.phone,
        message=command.message,
        preferred_date=command.preferred_date,
        preferred_time=command.preferred_time,
        local_start=schedule["local_start"],
        time_zone=schedule["time_zone"],
        starts_at=schedule["starts_at"],
        source=command.source,
        source_domain=command.source_domain,
        created_by=command.created_by,
    )

    async def append(route: Route) -> tuple[Tour, Appended]:
        tour = Tour.request(
            tour_id,
            at,
            fields,
            number=number,
            phone_e164=e164(command.phone, command.country),
            status=command.status,
            assigned_to=command.assigned_to or route.assigned_to,
            routing=route.routing,
            because=route.because,
            lead_id=None,
            suspect=command.suspect,
        )
        appended = await store.append(
            command.tenant_id,
            tour,
            NO_STREAM,
            command="RequestTour",
            origin=origin,
            idempotency=naming(idempotency) if command.route else idempotency,
            guards=(*guards, *route.guards),
        )
        if route.turn is not None:
            tour.assigned_to = tour.routed_to = appended.chosen
        return tour, appended

    if command.assigned_to is not None or command.suspect:
        return await append(NOWHERE)
    if command.route:
        return await routed_and_told(store, command.tenant_id, said(command), tour_id, append)
    if team is None:
        return await append(NOWHERE)
    return await routed(store, command.tenant_id, team, said(command), tour_id, at, append)


def said(tour: RequestTour | Tour | Tour.Requested) -> Enquiry:
    """What a visitor wrote, by which an agent is found."""
    return Enquiry(
        message=tour.message or "",
        sources=(tour.source,),
        listing_id=tour.listing_id,
        names=tuple(tour.name.split()),
        person=recognized_by(tour.email, tour.name),
    )


class ChangeTour(BaseModel):
    """Take a step, fix or move the time, assign the tour, correct its details; only what is set changes.

    ``schedule`` may have ``preferred_date``, ``preferred_time`` and ``starts_at``, the last as ``start_of`` reads it;
    ``relocate``: another property, or no property; ``details`` are the other ones by the names of
    ``aureum.domain.tour.DETAILS``. ``clear``: it is no suspect. ``visible_to`` is the
    agent who asks, ``expected_versions`` the caller's If-Match.
    """

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    country: str
    tour_id: UUID
    status: str | None = None
    schedule: dict[str, str | None] = {}
    assign: bool = False
    assigned_to: UUID | None = None
    relocate: bool = False
    property_id: UUID | None = None
    details: dict[str, str | None] = {}
    clear: bool = False
    visible_to: UUID | None = None
    expected_versions: frozenset[int] | None = None


async def change_tour(store: EventStore, command: ChangeTour, origin: Origin, *, missing: str = NO_TOUR) -> Tour:
    """The tour as it is afterwards; what holds already records nothing. A time that was fixed stays as it is when the
    tour goes to a property in another time zone.

    Raises NotFound with *missing*, StaleVersion, Invalid, WrongState, Conflict, and what ``EventStore.append`` raises.
    """
    if command.assign:
        await check_user(store, command.tenant_id, command.assigned_to)
    details: dict[str, str | UUID | None] = dict(command.details)
    if "phone" in command.details:
        details["phone_e164"] = e164(command.details["phone"], command.country)
    if command.relocate:
        details["property_id"] = command.property_id
        await check_links(store, command.tenant_id, {"property_id": command.property_id})
    schedule, property_id = dict(command.schedule), None
    if schedule.get("starts_at") is not None:
        property_id = await property_afterwards(store, command, missing)
    if "starts_at" in schedule:
        schedule |= await fixed(store, command.tenant_id, property_id, schedule["starts_at"])

    def decide(route: Route, tour: Tour, at: datetime) -> None:
        # First: what is suspected may not be worked on.
        if command.clear:
            tour.clear(at, route.assigned_to, route.routing, route.because)
        if details:
            tour.change_details(details, at)
        if command.assign:
            tour.assign(command.assigned_to, at)
        if schedule:
            if schedule.get("starts_at") is not None and tour.property_id != property_id:
                # Another user has just moved the tour to another property, perhaps in another time zone.
                raise Conflict
            tour.reschedule(schedule, at)
        # Last: the same request may move a tour and call it off, and what is over cannot be moved.
        if command.status is not None:
            tour.change_status(command.status, at)

    async def once(route: Route) -> tuple[Tour, Appended]:
        return await change(
            store,
            command.tenant_id,
            command.tour_id,
            Tour,
            partial(decide, route),
            command="ChangeTour",
            origin=origin,
            missing=missing,
            visible_to=command.visible_to,
            expected_versions=command.expected_versions,
            guards=route.guards,
        )

    # The user who clears a form may assign it in the same step.
    route_it = command.clear and not command.assign
    tour, _ = await (
        cleared(store, command.tenant_id, command.tour_id, Tour, said, once) if route_it else once(NOWHERE)
    )
    return tour


async def miss_tour(
    store: EventStore,
    tenant_id: UUID,
    tour_id: UUID,
    origin: Origin,
    *,
    missing: str = NO_TOUR,
    visible_to: UUID | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[Tour, Appended]:
    """The tour, to which the visitor did not come; twice is the same success, and one event.

    Raises NotFound with *missing*, WrongState, Conflict, and what ``EventStore.append`` raises.
    """
    return await change(
        store,
        tenant_id,
        tour_id,
        Tour,
        Tour.miss,
        command="MissTour",
        origin=origin,
        missing=missing,
        visible_to=visible_to,
        idempotency=idempotency,
    )


MADE_ANEW = 5
"""How often a calendar file is made while others go on changing its tour."""


class CalendarToSend(NamedTuple):
    """The calendar file of a tour at a version of its stream, and the address of its property."""

    version: int
    file: str
    place: str | None


async def send_calendar(
    store: EventStore,
    tenant_id: UUID,
    tour_id: UUID,
    make: Callable[[], Awaitable[CalendarToSend]],
    origin: Origin,
    *,
    missing: str = NO_TOUR,
    visible_to: UUID | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[Tour, Appended]:
    """The tour, whose visitor is sent the calendar file. *make* makes it, again if the tour has changed meanwhile.

    Raises NotFound with *missing*, WrongState, Conflict, and what ``EventStore.append`` raises.
    """
    for _ in range(MADE_ANEW):
        made = await make()

        def decide(tour: Tour, at: datetime, made: CalendarToSend = made) -> None:
            tour.send_calendar(made.file, made.place, at)

        try:
            return await change(
                store,
                tenant_id,
                tour_id,
                Tour,
                decide,
                command="SendCalendar",
                origin=origin,
                missing=missing,
                visible_to=visible_to,
                expected_versions=frozenset((made.version,)),
                idempotency=idempotency,
            )
        except StaleVersion:
            continue
    raise Conflict


async def clear_tour(
    store: EventStore,
    tenant_id: UUID,
    tour_id: UUID,
    origin: Origin,
    *,
    missing: str = NO_TOUR,
    visible_to: UUID | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[Tour, Appended]:
    """The tour, no longer suspected: it is routed. What is no suspect stays as it is.

    Raises NotFound with *missing*, Conflict, and what ``EventStore.append`` raises.
    """

    async def append(route: Route) -> tuple[Tour, Appended]:
        return await change(
            store,
            tenant_id,
            tour_id,
            Tour,
            lambda tour, at: tour.clear(at, route.assigned_to, route.routing, route.because),
            command="ClearTour",
            origin=origin,
            missing=missing,
            visible_to=visible_to,
            idempotency=naming(idempotency),
            guards=route.guards,
        )

    return await cleared(store, tenant_id, tour_id, Tour, said, append)


class Place(NamedTuple):
    """Where a tour takes place. *listed* is the property as the Aureum API shows it."""

    brokerage: str
    time_zone: str
    listed: dict[str, Any] | None


async def place_of(store: EventStore, tenant_id: UUID, property_id: UUID | None) -> Place:
    """The place of a tour of *property_id*, with the property's time zone if it has one, else the brokerage's."""
    parameters = {"tenant": tenant_id, "property": property_id}
    ((name, time_zone, doc),) = await store.database.tenant_rows(tenant_id, tour_list.PLACE, parameters)
    listed = None if doc is None else orjson.loads(doc)
    return Place(name, (listed or {}).get("timeZone") or time_zone, listed)


async def property_listed(store: EventStore, tenant_id: UUID, listing_id: str) -> UUID | None:
    """The only property of the brokerage whose mlsId is *listing_id*; None if there is none or more than one."""
    rows = await store.database.batched.ask(tour_list.PROPERTIES_LISTED, (tenant_id, listing_id))
    return rows[0][0] if len(rows) == 1 else None


async def property_afterwards(store: EventStore, command: ChangeTour, missing: str) -> UUID | None:
    """The property that the tour is of once *command* is carried out. Raises NotFound with *missing*."""
    if command.relocate:
        return command.property_id
    tour = (await store.load(command.tenant_id, command.tour_id)).aggregate()
    if not isinstance(tour, Tour) or not visible(tour, command.visible_to):
        raise NotFound(missing)
    return tour.property_id


async def fixed(
    store: EventStore, tenant_id: UUID, property_id: UUID | None, starts_at: str | None
) -> dict[str, str | None]:
    """*starts_at* as a tour keeps it: wall time, zone and instant; all three None without it. Raises Invalid."""
    if starts_at is None:
        return dict.fromkeys(("local_start", "time_zone", "starts_at"))
    start = start_of(starts_at, (await place_of(store, tenant_id, property_id)).time_zone)
    return {
        "local_start": start.local.isoformat(),
        "time_zone": start.zone,
        "starts_at": ids.aureum_time(start.instant),
    }
