"""The reader's own calendar feed: made, shown once, renewed, revoked."""

from starlette.responses import RedirectResponse, Response

from aureum.http.panel.page import Page, page
from aureum.http.panel.visit import Visit

HERE = "/admin/showings/feed"
API = "/api/me/calendar-feed"

DONE = {"revoked": "The address was revoked. Calendars that have it get nothing more."}


async def show_feed(visit: Visit) -> Response:
    """Whether there is a feed, and the forms that make one and revoke it."""
    return await feed(visit)


async def feed(visit: Visit, made: object = None) -> Response:
    """The page; right after an address was *made* with it, this once."""
    assert visit.me is not None
    found = None if visit.me["brokerage"] is None else (await visit.ask("GET", API)).body
    done = DONE.get(visit.request.query_params.get("done", ""))
    return await page(visit, "showing_feed.html", feed=found, made=made, done=done)


async def make(visit: Visit) -> Response:
    """A new address, in place of the one before."""
    made = (await visit.ask("POST", API, body={"details": visit.form["details"] == "yes"})).body
    return await feed(visit, made)


async def revoke(visit: Visit) -> Response:
    """No address any more."""
    await visit.ask("DELETE", API)
    return RedirectResponse(f"{HERE}?done=revoked", 303)


PAGES = (Page(HERE, show_feed, make), Page(HERE + "/revoke", act=revoke))
