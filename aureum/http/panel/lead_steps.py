"""What a lead's page does in one click: a step of the pipeline, lost with its reason, another agent, a task to follow
up. Nothing of it asks whether the lead has changed since the page was shown: each can be undone."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.panel.page import REFUSALS, Page, refusal
from aureum.http.panel.resource import Resource
from aureum.http.panel.resource_page import one_form
from aureum.http.panel.times import sent_time
from aureum.http.panel.undoing import to_undo
from aureum.http.panel.visit import Visit

API = "/api/leads/{id}"


async def change_status(resource: Resource, visit: Visit) -> Response:
    """Take a step, or give the lead up for a reason."""
    body: dict[str, Any] = {"status": visit.form["status"]}
    if body["status"] == "lost":
        body |= {name: visit.form[name] or None for name in ("lostReason", "lostNote")}
    return await changed(resource, visit, body, "status")


async def assign(resource: Resource, visit: Visit) -> Response:
    """Assign the lead to another agent, or to no agent."""
    return await changed(resource, visit, {"assignedToId": visit.form["assignedToId"] or None}, "assigned")


async def changed(resource: Resource, visit: Visit, body: Mapping[str, Any], done: str) -> Response:
    """Change the lead, and return to its page with the button that undoes it."""
    try:
        before = await visit.ask("GET", API, id=visit.id())
        after = await visit.ask("PATCH", API, id=visit.id(), body=body)
        undo = to_undo(before.etag, after.etag)
    except REFUSALS as error:
        return await refused(resource, visit, error)
    try:
        await visit.ask("GET", API, id=visit.id())
    except NotFound:
        # An agent has given it away.
        return RedirectResponse(f"{resource.path}?done=changed", 303)
    return RedirectResponse(f"{resource.path}/{visit.id()}?done={done}{undo}", 303)


async def follow_up(resource: Resource, visit: Visit) -> Response:
    """A task about this lead, for its agent, or else for the user who adds it. The day is that of the button, or the
    one that was typed."""
    lead = (await visit.ask("GET", API, id=visit.id())).body
    assert visit.me is not None and visit.acting is not None
    mine = visit.me["id"] if visit.role != "platform_admin" else None
    body = {
        "title": visit.form["title"],
        "type": "follow_up",
        "dueDate": sent_time(visit.form["day"] or visit.form["due"], visit.zone),
        "leadId": visit.id(),
        "assignedToId": lead["assignedToId"] or mine,
    }
    try:
        await visit.ask("POST", "/api/tasks", body=body)
    except REFUSALS as error:
        return await refused(resource, visit, error)
    return RedirectResponse(f"{resource.path}/{visit.id()}?done=task", 303)


async def finish(resource: Resource, visit: Visit) -> Response:
    """A task of the page is done."""
    task = visit.form["task"]
    before = await visit.ask("GET", "/api/tasks/{id}", id=task)
    after = await visit.ask("POST", "/api/tasks/{id}/complete", id=task)
    undo = to_undo(before.etag, after.etag, f"tasks/{task}")
    return RedirectResponse(f"{resource.path}/{visit.id()}?done=finished{undo}", 303)


async def refused(resource: Resource, visit: Visit, error: Exception) -> Response:
    """The page again, with why not. Raises NotFound without such a lead."""
    return await one_form(resource, visit, problem=refusal(error))


STEPS: Mapping[str, Callable[[Resource, Visit], Awaitable[Response]]] = {
    "step": change_status,
    "agent": assign,
    "follow-up": follow_up,
    "finish": finish,
}


def steps_of(resource: Resource) -> tuple[Page, ...]:
    """The targets of the page's forms."""
    return tuple(Page(f"{resource.path}/{{id}}/{name}", act=partial(act, resource)) for name, act in STEPS.items())
