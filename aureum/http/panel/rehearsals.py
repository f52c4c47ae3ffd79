"""A rehearsal of routing settings: started beside the settings, and what has come of it on a page of its own."""

from starlette.responses import RedirectResponse, Response

from aureum.http.panel.acting import named
from aureum.http.panel.fields import sent
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.routing import API as ROUTING
from aureum.http.panel.routing import HERE as ROUTING_PAGE
from aureum.http.panel.routing import SINCE, TRIED, read, shown
from aureum.http.panel.visit import Visit

HERE = ROUTING_PAGE + "/rehearsals"
API = ROUTING + "/rehearsals/{id}"
LENGTH = 50


async def start(visit: Visit) -> Response:
    """A rehearsal of what was typed, with the rules and groups of now."""
    try:
        now = (await read(visit)).settings
        settings = now | {field.name: sent(field, visit.form, visit.zone) for field in TRIED}
        body = {"settings": settings, "since": sent(SINCE, visit.form, visit.zone)}
        job = (await visit.ask("POST", ROUTING + "/rehearse", query=named(visit), body=body)).body
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{HERE}/{job['id']}", 303)


async def show(visit: Visit) -> Response:
    """How the load shifts, and a page of the leads."""
    job = (await visit.ask("GET", API, id=visit.id(), query=named(visit))).body
    query = {"page": visit.request.query_params.get("page", ""), "page_size": LENGTH} | named(visit)
    part = (await visit.ask("GET", API + "/leads", id=visit.id(), query=query)).body
    agents = (await read(visit)).agents
    return await page(
        visit,
        "rehearsal.html",
        job=job,
        leads=part["items"],
        names={one["agent"]: one["name"] for one in job["agents"]} | dict(agents),
        following=part["page"] + 1 if part["page"] < part["total_pages"] else None,
    )


PAGES = (Page(HERE, act=start), Page(HERE + "/{id}", show))
