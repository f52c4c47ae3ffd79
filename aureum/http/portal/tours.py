"""A client's tours: asked for, moved, cancelled, and taken into a calendar.

A client wishes for a time, and staff fix it. So a client who moves a tour says another wish; a time that was fixed
stays until staff fix another one.
"""

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.commands.portal.addresses import client_address_of
from aureum.commands.tours import ChangeTour, RequestTour, change_tour, request_tour
from aureum.domain.errors import Invalid, WrongState
from aureum.domain.ids import from_wire, now
from aureum.http.api.tours.icalendar import CALENDAR, calendar_of
from aureum.http.api.tours.tour_calendar import calendar_now
from aureum.http.portal.catalogue import later
from aureum.http.portal.client_tours import NO_TOUR, Found, found_tours, shown, tour_of
from aureum.http.portal.homes import is_public
from aureum.http.portal.listings import listings_of
from aureum.http.portal.page import PortalPage
from aureum.http.portal.people import card_of
from aureum.http.portal.telling import Asked, say_to_agent
from aureum.http.portal.typed import once_of, origin_of, text_of
from aureum.http.portal.visit import PortalVisit
from aureum.store.guards import AtMost

PATH = "/portal/tours"

SOURCE = "portal"

ASKED_A_MINUTE = 5

LONGEST_MESSAGE = 2_000
LONGEST_TIME = 200

DONE = {
    "asked": later("Your agent will confirm the tour."),
    "moved": later("Your agent knows which time you prefer."),
    "cancelled": later("The tour is cancelled."),
    "feed": later("Your calendar feed was revoked."),
}

NO_COUNTRY = "US"
"""Phones are passed on in their international form, which needs no country."""


async def show_tours(visit: PortalVisit) -> Response:
    """All of them, and the form for another one."""
    return await page(visit)


async def page(
    visit: PortalVisit, *, problem: str | None = None, of: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    """The same; of a form that was refused with the *problem*, the tour that it was *of*, and what was *typed*."""
    tours = await shown(visit, await found_tours(visit))
    listings, _ = await listings_of(visit)
    said = DONE.get(visit.request.query_params.get("done", ""))
    chosen = (typed or {}).get("listing") or visit.request.query_params.get("listing", "")
    return visit.render(
        "tours.html",
        status=422 if problem else 200,
        open=[one for one in tours if one.open],
        over=[one for one in tours if not one.open],
        homes=[one.home for one in listings],
        chosen=chosen,
        problem=problem,
        of=of,
        typed=dict.fromkeys(("date", "time", "message"), "") | dict(typed or {}),
        done=None if said is None or visit.request.method == "POST" else visit.gettext(said),
        today=now().astimezone(visit.zone).date().isoformat(),
        once=secrets.token_urlsafe(12),
    )


def wish(visit: PortalVisit) -> dict[str, str]:
    """What was typed of the time. Raises Invalid for a day that is none, or is over, and for a text that is too
    long."""
    day, time = text_of(visit, "date"), text_of(visit, "time")
    if day:
        try:
            past = date.fromisoformat(day) < now().astimezone(visit.zone).date()
        except ValueError as error:
            raise Invalid("date", visit.gettext("Choose a date, such as 2027-03-31.")) from error
        if past or len(day) != len("2027-03-31"):
            raise Invalid("date", visit.gettext("Choose a date that is not in the past."))
    if len(time) > LONGEST_TIME:
        raise Invalid("time", visit.gettext("Write the time in at most 200 characters."))
    return {"date": day, "time": " ".join(time.split())}


async def ask(visit: PortalVisit) -> Response:
    """Ask for a tour, of a listing or of none. Raises TooMany, AlreadyTaken, Conflict, Unavailable."""
    typed = {name: text_of(visit, name) for name in ("date", "time", "message", "listing")}
    try:
        when = wish(visit)
        if len(typed["message"]) > LONGEST_MESSAGE:
            raise Invalid("message", visit.gettext("Write a message of at most 2,000 characters."))
        property_id = await listing(visit, typed["listing"])
        card = await card_of(visit)
        key = client_address_of(await visit.app.store.tenant_key(visit.client.tenant_id), visit.client.address).key
        command = RequestTour(
            tenant_id=visit.client.tenant_id,
            country=NO_COUNTRY,
            property_id=property_id,
            name=card.name or visit.client.address,
            email=visit.client.address,
            phone=card.phone,
            message=typed["message"] or None,
            preferred_date=when["date"] or None,
            preferred_time=when["time"] or None,
            source=SOURCE,
            route=True,
        )
        await request_tour(
            visit.app.store,
            command,
            origin_of(visit),
            idempotency=once_of(visit, *typed.values()),
            guards=[AtMost(f"portal tours {key.hex()}", ASKED_A_MINUTE)],
        )
    except Invalid as error:
        return await page(visit, problem=str(error), typed=typed)
    return visit.go(f"{PATH}?done=asked")


async def listing(visit: PortalVisit, wire: str) -> UUID | None:
    """The listing of this id, which is on the client's list or on the market. Raises Invalid."""
    if not wire:
        return None
    listings, _ = await listings_of(visit)
    found = from_wire(wire) if any(one.home.id == wire for one in listings) else await is_public(visit, wire)
    if found is None:
        raise Invalid("listing", visit.gettext("Choose a listing from your list."))
    return found


async def move(visit: PortalVisit) -> Response:
    """Wish for another time, and tell the agent. Raises NotFound, Conflict, TooMany, Unavailable."""
    tour = await tour_of(visit, str(visit.request.path_params["id"]))
    typed = {name: text_of(visit, name) for name in ("date", "time")}
    try:
        when = wish(visit)
        if not any(when.values()):
            raise Invalid("date", visit.gettext("Say which time suits you."))
        await changed(
            visit, tour, schedule={"preferred_date": when["date"] or None, "preferred_time": when["time"] or None}
        )
    except (Invalid, WrongState) as error:
        problem = (
            str(error) if isinstance(error, Invalid) else visit.gettext("This tour has taken place or was cancelled.")
        )
        return await page(visit, problem=problem, of=tour.doc["id"], typed=typed)
    wished = " ".join(part for part in when.values() if part)
    where = await place(visit, tour)
    text = visit.gettext("I would like to move our tour (%(place)s) to: %(time)s", place=where, time=wished)
    await say_to_agent(visit, asked(tour, "A client asks to move a tour", text))
    return visit.go(f"{PATH}?done=moved")


async def cancel(visit: PortalVisit) -> Response:
    """Cancel a tour, and tell the agent. Raises NotFound, Conflict, TooMany, Unavailable."""
    tour = await tour_of(visit, str(visit.request.path_params["id"]))
    try:
        await changed(visit, tour, status="cancelled")
    except WrongState:
        problem = visit.gettext("This tour has taken place or was cancelled.")
        return await page(visit, problem=problem, of=tour.doc["id"])
    text = visit.gettext("I have cancelled our tour (%(place)s).", place=await place(visit, tour))
    await say_to_agent(visit, asked(tour, "A client has cancelled a tour", text))
    return visit.go(f"{PATH}?done=cancelled")


async def changed(visit: PortalVisit, tour: Found, **change: Any) -> None:
    """Change the tour. Raises what ``change_tour`` raises."""
    command = ChangeTour(tenant_id=visit.client.tenant_id, country=NO_COUNTRY, tour_id=tour.tour_id, **change)
    await change_tour(visit.app.store, command, origin_of(visit), missing=NO_TOUR)


async def place(visit: PortalVisit, tour: Found) -> str:
    """Where the tour is, in a word."""
    (found,) = await shown(visit, [tour])
    return found.place or visit.gettext("no listing")


def asked(tour: Found, title: str, text: str) -> Asked:
    """What staff are told of the tour."""
    doc = tour.doc
    agent, lead = doc["assignedToId"], doc.get("leadId")
    return Asked(title, text, from_wire(agent) if agent else None, from_wire(lead) if lead else None)


async def calendar(visit: PortalVisit) -> Response:
    """The tour as a file that calendars take in. Raises NotFound, WrongState, Unavailable."""
    tour = await tour_of(visit, str(visit.request.path_params["id"]).removesuffix(".ics"))
    _, file = await calendar_now(visit.app.store, visit.client.tenant_id, tour.tour_id)
    headers = {"Content-Disposition": 'attachment; filename="tour.ics"'}
    return Response(calendar_of(file), headers=headers, media_type=CALENDAR)


async def next_tour(visit: PortalVisit) -> Mapping[str, Any] | None:
    """The next one that has a time, else the newest that waits for one; for the first page."""
    tours = [one for one in await shown(visit, await found_tours(visit)) if one.open]
    timed = sorted((one.at, one.id, one) for one in tours if one.at is not None and one.at > now())
    if timed:
        return {"tour": timed[0][2]}
    waiting = [one for one in tours if one.at is None]
    return {"tour": waiting[0]} if waiting else None


PAGES = (
    PortalPage("GET", PATH, show_tours, preview=True),
    PortalPage("POST", PATH, ask),
    PortalPage("GET", f"{PATH}/{{id}}.ics", calendar),
    PortalPage("POST", f"{PATH}/{{id}}/move", move),
    PortalPage("POST", f"{PATH}/{{id}}/cancel", cancel),
)
