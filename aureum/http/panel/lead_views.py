"""Saved views of the list of leads: opened from the list, saved there, renamed and removed on a page of their own."""

from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.panel.lead_query import HERE, LeadQuery
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit

API = "/api/me/views"
VIEWS = f"{HERE}/views"

NOTHING = "Filter or sort the leads first, then save that as a view."

DONE = {"renamed": "The view was renamed.", "removed": "The view was removed."}


async def views_of(visit: Visit) -> list[dict[str, Any]]:
    """The user's views, each with the address that opens it."""
    found = (await visit.ask("GET", API)).body
    return [one | {"address": f"{HERE}?{one['query']}"} for one in found]


async def show(visit: Visit) -> Response:
    """All views of the user."""
    return await shown(visit)


async def shown(visit: Visit, problem: str | None = None) -> Response:
    """The same; after a refusal with the *problem*."""
    done = DONE.get(visit.request.query_params.get("done", "")) if problem is None else None
    views = await views_of(visit)
    return await page(visit, "lead_views.html", 400 if problem else 200, views=views, problem=problem, done=done)


async def save(visit: Visit) -> Response:
    """Save the list as it was shown, and show it again."""
    query = LeadQuery.sent(visit.form["query"])
    if not query.chosen:
        return await shown(visit, NOTHING)
    body = {"name": visit.form["name"], "page": "leads", "query": query.text().removeprefix("?")}
    try:
        await visit.ask("POST", API, body=body)
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(query.address(done="view"), 303)


async def rename(visit: Visit) -> Response:
    """Give a view another name."""
    try:
        await visit.ask("PATCH", API + "/{id}", id=visit.id(), body={"name": visit.form["name"]})
    except NotFound:
        raise
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{VIEWS}?done=renamed", 303)


async def remove(visit: Visit) -> Response:
    """Keep a view no longer."""
    await visit.ask("DELETE", API + "/{id}", id=visit.id())
    return RedirectResponse(f"{VIEWS}?done=removed", 303)


PAGES = (
    Page(VIEWS, show, save),
    Page(VIEWS + "/{id}", act=rename),
    Page(VIEWS + "/{id}/remove", act=remove),
)
