"""The first page: the sign-in, and for a client who has signed in what waits for the client.

Each part is found by a function of its own and shown by a template of its own. A part that has nothing to say is left
out.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from starlette.responses import Response

from aureum.http.portal import dates, enquiries, listings, messages, tours
from aureum.http.portal.documents import lists
from aureum.http.portal.page import PortalPage
from aureum.http.portal.sign_in import show_sign_in
from aureum.http.portal.visit import PortalVisit


class HomePart(NamedTuple):
    """*find* gives what *template* shows, None for nothing. One for ``signers`` is there on every plan."""

    template: str
    find: Callable[[PortalVisit], Awaitable[Mapping[str, Any] | None]]
    signers: bool = False


PARTS: tuple[HomePart, ...] = (
    HomePart("documents/home.html", lists.to_sign, signers=True),
    HomePart("home_messages.html", messages.unread),
    HomePart("home_tours.html", tours.next_tour),
    HomePart("home_dates.html", dates.next_dates),
    HomePart("home_listings.html", listings.waiting),
    HomePart("home_enquiries.html", enquiries.newest),
)
"""In the order in which the page shows them: what the client has to do comes first."""


async def show_home(visit: PortalVisit) -> Response:
    """What waits for the client, or the sign-in."""
    if visit.signed_in is None:
        return show_sign_in(visit)
    wanted = [part for part in PARTS if part.signers or visit.at.has_portal]
    found = [(part.template, await part.find(visit)) for part in wanted]
    return visit.render("home.html", parts=[(template, shown) for template, shown in found if shown is not None])


PAGES = (PortalPage("GET", "/portal", show_home, anyone=True, preview=True),)
