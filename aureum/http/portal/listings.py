"""The listings that the agent sent or the client saved, with what the client says of them; and those on the market, to
save."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from starlette.responses import Response

from aureum.commands.of_contacts import Around
from aureum.commands.shortlists import React, react, remove_listing, save_listing
from aureum.domain.errors import Invalid, NotFound, WrongState
from aureum.domain.ids import from_wire, to_wire
from aureum.domain.of_contact import CLIENT
from aureum.domain.shortlist import NO_ENTRY, Shortlist
from aureum.http.portal.catalogue import later
from aureum.http.portal.clients import around_client, names_of, written_to
from aureum.http.portal.homes import Home, homes_of, is_public, on_the_market
from aureum.http.portal.page import PortalPage
from aureum.http.portal.typed import origin_of, text_of
from aureum.http.portal.visit import PortalVisit
from aureum.projections.shortlists import newest

PATH = "/portal/listings"

REACTIONS = {"love": later("I love it"), "maybe": later("Maybe"), "no": later("Not for me")}

LONGEST_SEARCH = 200

NO_LISTING = "There is no such listing."

DONE = {
    "saved": later("The listing is on your list."),
    "said": later("Your agent sees what you think of it."),
    "removed": later("The listing is no longer on your list."),
}


class ClientListing(NamedTuple):
    """All that a client sees of a listing on the list. ``agent`` is the one who sent it."""

    home: Home
    at: datetime
    own: bool
    agent: str | None
    note: str | None
    reaction: str | None
    comment: str | None


async def listings_of(visit: PortalVisit) -> tuple[list[ClientListing], list[Around[Shortlist]]]:
    """Those on the client's list, newest first, without listings that are gone; and the lists. Raises Unavailable."""
    lists = await around_client(visit, Shortlist)
    found = newest(one for around in lists for one in around.kept)
    homes = await homes_of(visit, [entry.property_id for _, entry in found])
    agents = await names_of(visit, {entry.sent_by for _, entry in found})
    shown = [
        ClientListing(
            homes[entry.property_id],
            entry.at,
            entry.by == CLIENT,
            None if entry.sent_by is None else agents.get(to_wire(entry.sent_by)),
            entry.note,
            entry.reaction,
            entry.comment,
        )
        for _, entry in found
        if entry.property_id in homes
    ]
    return shown, lists


async def show_listings(visit: PortalVisit) -> Response:
    """All of them."""
    return await page(visit)


async def page(visit: PortalVisit, *, problem: str | None = None, of: str = "", typed: str = "") -> Response:
    """The same; of a form that was refused with the *problem*, the listing that it was *of*, and what was *typed*."""
    listings, _ = await listings_of(visit)
    return visit.render(
        "listings.html",
        status=422 if problem else 200,
        listings=listings,
        reactions={name: visit.gettext(text) for name, text in REACTIONS.items()},
        problem=problem,
        of=of,
        typed=typed,
        done=done(visit),
        searchable=bool(visit.client.contact_ids),
    )


def done(visit: PortalVisit) -> str | None:
    """What a form has done that led here."""
    said = DONE.get(visit.request.query_params.get("done", ""))
    return None if said is None or visit.request.method == "POST" else visit.gettext(said)


async def show_market(visit: PortalVisit) -> Response:
    """Listings on the market that are not on the client's list yet, by words."""
    words = visit.request.query_params.get("q", "").replace("\0", " ")[:LONGEST_SEARCH]
    listings, _ = await listings_of(visit)
    known = {one.home.id for one in listings}
    found = [one for one in await on_the_market(visit, words) if one.id not in known]
    return visit.render("market.html", homes=found, words=words, writable=bool(visit.client.contact_ids))


async def save(visit: PortalVisit) -> Response:
    """A listing on the market onto the client's list. Raises NotFound, Conflict, Unavailable."""
    property_id = await is_public(visit, visit.form["listing"])
    if property_id is None:
        raise NotFound(NO_LISTING)
    contact_id = written_to(visit, await around_client(visit, Shortlist))
    try:
        await save_listing(visit.app.store, visit.client.tenant_id, contact_id, property_id, origin_of(visit))
    except WrongState:
        return await page(visit, problem=visit.gettext("Your list is full. Remove some listings first."))
    return visit.go(f"{PATH}?done=saved")


async def say(visit: PortalVisit) -> Response:
    """What the client thinks of a listing. Raises NotFound, Conflict, Unavailable."""
    property_id, contact_id = await on_list(visit)
    comment = text_of(visit, "comment")
    command = React(
        tenant_id=visit.client.tenant_id,
        contact_id=contact_id,
        property_id=property_id,
        reaction=visit.form["reaction"] or None,
        comment=comment or None,
    )
    try:
        await react(visit.app.store, command, origin_of(visit))
    except Invalid:
        problem = visit.gettext("Write a comment of at most 2,000 characters.")
        return await page(visit, problem=problem, of=to_wire(property_id), typed=comment)
    return visit.go(f"{PATH}?done=said")


async def remove(visit: PortalVisit) -> Response:
    """Take a listing off that the client saved. Raises NotFound, NotAllowed, Conflict, Unavailable."""
    property_id, contact_id = await on_list(visit)
    about = (visit.client.tenant_id, contact_id, property_id, CLIENT)
    await remove_listing(visit.app.store, *about, origin_of(visit))
    return visit.go(f"{PATH}?done=removed")


async def on_list(visit: PortalVisit) -> tuple[UUID, UUID]:
    """The listing that the path names, and the contact on whose list it stands. Raises NotFound."""
    property_id = from_wire(str(visit.request.path_params["id"]))
    for around in await around_client(visit, Shortlist):
        if property_id is not None and any(property_id in one.entries for one in around.kept):
            return property_id, around.contact.id
    raise NotFound(NO_ENTRY)


async def waiting(visit: PortalVisit) -> Mapping[str, Any] | None:
    """The listings that the agent sent and of which the client has said nothing, for the first page."""
    listings, _ = await listings_of(visit)
    new: Sequence[ClientListing] = [one for one in listings if not one.own and one.reaction is None]
    return {"listings": new[:3], "number": len(new)} if new else None


PAGES = (
    PortalPage("GET", PATH, show_listings, preview=True),
    PortalPage("POST", PATH, save),
    PortalPage("GET", f"{PATH}/market", show_market, preview=True),
    PortalPage("POST", f"{PATH}/{{id}}/reaction", say),
    PortalPage("POST", f"{PATH}/{{id}}/remove", remove),
)
