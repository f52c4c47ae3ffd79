"""Rehearsals of routing settings: started beside the settings, listed, cancelled, and what has come of one on a page of
its own."""

from starlette.responses import RedirectResponse, Response

from aureum.http.panel.acting import named
from aureum.http.panel.fields import sent
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.routing import API as ROUTING
from aureum.http.panel.routing import HERE as ROUTING_PAGE
from aureum.http.panel.routing import SINCE, TRIED, read, shown
from aureum.http.panel.visit import Visit

HERE = ROUTING_PAGE + "/rehearsals"
LIST = ROUTING + "/rehearsals"
API = LIST + "/{id}"
LENGTH = 50

WORDS = {"running": "Running", "completed": "Completed", "failed": "Failed", "cancelled": "Stopped"}
TONES = {"running": "warning", "completed": "good", "failed": "bad"}


async def show_all(visit: Visit) -> Response:
    """The newest rehearsals."""
    found = (await visit.ask("GET", LIST, query=named(visit))).body["rehearsals"]
    return await page(visit, "rehearsals.html", rehearsals=found, words=WORDS, tones=TONES)


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


async def stop(visit: Visit) -> Response:
    """Cancel a rehearsal that has not ended."""
    try:
        await visit.ask("POST", API + "/cancel", id=visit.id(), query=named(visit))
    except REFUSALS as error:
        return await show(visit, refusal(error), 409)
    return RedirectResponse(f"{HERE}/{visit.id()}", 303)


async def show(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """How the load shifts, and a page of the leads."""
    job = (await visit.ask("GET", API, id=visit.id(), query=named(visit))).body
    query = {"page": visit.request.query_params.get("page", ""), "page_size": LENGTH} | named(visit)
    part = (await visit.ask("GET", API + "/leads", id=visit.id(), query=query)).body
    agents = (await read(visit)).agents
    return await page(
        visit,
        "rehearsal.html",
        status,
        job=job,
        words=WORDS,
        tones=TONES,
        problem=problem,
        leads=part["items"],
        names={one["agent"]: one["name"] for one in job["agents"]} | dict(agents),
        following=part["page"] + 1 if part["page"] < part["total_pages"] else None,
    )


PAGES = (Page(HERE, show_all, start), Page(HERE + "/{id}", show, stop))
