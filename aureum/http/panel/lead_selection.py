"""What is done to several leads at once: each of them is a request of its own to the API, so that one that is refused
does not keep the others from being changed. A lead that has changed since the list was shown is left alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import Invalid, NotFound
from aureum.http.panel.exports import EXPORTS, file_of
from aureum.http.panel.fields import made
from aureum.http.panel.lead_query import HERE, NOBODY
from aureum.http.panel.lead_quick import API, DUE, TITLE, WHY, back_to, task_about, with_done
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import ApiAnswer, Visit

MOST = 100
"""Leads that one form changes; a page of the list has fewer."""

AT_ONCE = 8

CHANGED = "It was changed after you opened the list. Look at it, then try again."
GONE = "It is no longer there, or no longer assigned to you."
NO_STEP = "Choose what to do with the leads."

Doing = Callable[[ApiAnswer], Awaitable[object]]


class Outcome(NamedTuple):
    """What became of one lead: its name as far as it is known, and why nothing was done, if so."""

    lead_id: str
    name: str
    why: str | None


async def work(visit: Visit) -> Response:
    """Change the leads that were ticked, and say what became of each; all of them well: back to the list."""
    ticked = [one.partition("~")[::2] for one in visit.form.all("lead")[:MOST]]
    back = back_to(visit)
    if not ticked:
        return RedirectResponse(with_done(back, "none"), 303)
    what = visit.form["do"]
    if what == "export":
        return await file_of(EXPORTS[0], visit, found(visit, [lead_id for lead_id, _ in ticked]))
    gate = asyncio.Semaphore(AT_ONCE)
    try:
        do = step(visit, what)
    except Invalid as error:
        return await told(visit, [], back, str(error))

    async def one(lead_id: str, seen: str) -> Outcome:
        async with gate:
            return await outcome(visit, lead_id, seen, do)

    outcomes = await asyncio.gather(*(one(*each) for each in ticked))
    if all(each.why is None for each in outcomes):
        return RedirectResponse(with_done(back, what, len(outcomes)), 303)
    return await told(visit, outcomes, back)


def step(visit: Visit, what: str) -> Doing:
    """How one lead is changed. Raises Invalid for what cannot be done to any."""
    form = visit.form

    def patch(body: Mapping[str, Any]) -> Doing:
        return lambda lead: visit.ask("PATCH", API, id=lead.body["id"], body=body, if_match=lead.etag)

    match what:
        case "assign" if form["assignedToId"]:
            return patch({"assignedToId": None if form["assignedToId"] == NOBODY else form["assignedToId"]})
        case "status" if form["status"] == "lost":
            if not form["lostReason"]:
                raise Invalid("lostReason", WHY)
            return patch({"status": "lost", "lostReason": form["lostReason"]})
        case "status" if form["status"]:
            return patch({"status": form["status"]})
        case "task" if form["title"]:
            said = made((TITLE, DUE), form, visit.zone)
            return lambda lead: visit.ask("POST", "/api/tasks", body=task_about(visit, said, lead.body))
    raise Invalid("do", NO_STEP)


async def outcome(visit: Visit, lead_id: str, seen: str, do: Doing) -> Outcome:
    """Of one lead, which the list showed as it was last changed at *seen*."""
    name = ""
    try:
        lead = await visit.ask("GET", API, id=lead_id)
        name = lead.body["name"]
        if seen and lead.body["updatedAt"] != seen:
            return Outcome(lead_id, name, CHANGED)
        await do(lead)
    except NotFound:
        return Outcome(lead_id, name or "A lead", GONE)
    except REFUSALS as error:
        return Outcome(lead_id, name, refusal(error))
    return Outcome(lead_id, name, None)


async def told(visit: Visit, outcomes: Sequence[Outcome], back: str, problem: str | None = None) -> Response:
    """The page that says which leads were changed, and which were not, and why."""
    return await page(
        visit,
        "leads_outcome.html",
        400 if problem else 200,
        changed=sum(one.why is None for one in outcomes),
        refused=[one for one in outcomes if one.why is not None],
        back=back,
        problem=problem,
    )


async def found(visit: Visit, lead_ids: Sequence[str]) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """The leads, as an export takes them. One that is gone meanwhile is left out."""
    for lead_id in lead_ids:
        try:
            yield [(await visit.ask("GET", API, id=lead_id)).body]
        except NotFound:
            continue


PAGES = (Page(f"{HERE}/selected", act=work),)
