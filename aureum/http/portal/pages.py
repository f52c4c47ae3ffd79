"""Every page of the portal, in one list."""

from collections import defaultdict

from starlette.responses import Response
from starlette.routing import Route

from aureum.http.portal import (
    assets,
    data,
    dates,
    documents,
    enquiries,
    feed,
    home,
    listings,
    messages,
    moving,
    sign_in,
    tours,
    verify,
)
from aureum.http.portal.page import PortalAddress, PortalPage
from aureum.http.portal.visit import PortalVisit
from aureum.http.wire.errors import HttpError

NOWHERE = "There is no such page."


async def show_nothing(visit: PortalVisit) -> Response:
    """Of the portal, but no page of it."""
    if visit.request.url.path == "/portal/":
        return visit.go("/portal")
    raise HttpError("path_not_found", NOWHERE)


PAGES: tuple[PortalPage, ...] = (
    *home.PAGES,
    *sign_in.PAGES,
    *documents.PAGES,
    *messages.PAGES,
    *tours.PAGES,
    *feed.PAGES,
    *listings.PAGES,
    *dates.PAGES,
    *enquiries.PAGES,
    *data.PAGES,
    *moving.PAGES,
    *verify.PAGES,
    # Any other path, so it stands last.
    PortalPage("GET", "/portal/{path:path}", show_nothing, anyone=True),
    PortalPage("POST", "/portal/{path:path}", show_nothing, anyone=True),
)


def routes() -> list[Route]:
    """Of all pages, by path, and of what they load."""
    by_path: dict[str, list[PortalPage]] = defaultdict(list)
    for page in PAGES:
        by_path[page.path].append(page)
    pages = [Route(path, PortalAddress(some), include_in_schema=False) for path, some in by_path.items()]
    return [*assets.routes(), *pages]
