"""Today: the work of the day, each item with its next step. An agent sees their own, all others the brokerage's."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.commands.leads import NO_LEAD
from aureum.domain import ids
from aureum.domain.errors import NotFound
from aureum.http.panel.acting import named
from aureum.http.panel.activity_words import OFFERED
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.rendering import TEMPLATES
from aureum.http.panel.times import on_clock, sent_time
from aureum.http.panel.today_words import age, changes, clock, dialled, later, weekday
from aureum.http.panel.visit import Visit

HERE = "/admin"
API = "/api/v1/admin/today"

CALLS = ("Called: answered", "Called: no answer", "Called: left a message")
"""The outcomes that are logged from here; the lead's page has all."""

DONE = {
    "called": "The call was logged.",
    "contacted": "The lead was marked as contacted.",
    "assigned": "The lead was assigned.",
    "claimed": "You claimed this lead. It is assigned to you.",
    "completed": "The task is done.",
    "snoozed": "The task was put off.",
    "confirmed": "The showing was confirmed.",
}

TEMPLATES.filters["dialled"] = dialled
TEMPLATES.filters["age"] = age
TEMPLATES.filters["weekday"] = weekday


async def shown(visit: Visit, problem: str | None = None) -> Response:
    """The page; with the *problem* of a step that was refused."""
    assert visit.me is not None, "only a user who is logged in gets here"
    found = None
    now = ids.now()
    if visit.acting is not None:
        found = (await visit.ask("GET", API, query=named(visit))).body
    return await page(
        visit,
        "today.html",
        400 if problem else 200,
        found=found,
        users={one["id"]: one["name"] for one in (found or {}).get("users") or ()},
        now=now,
        day=now.astimezone(visit.zone),
        clock=clock,
        changes=changes,
        calls=CALLS,
        hour=hour,
        problem=problem,
        done=None if problem else DONE.get(visit.request.query_params.get("done", "")),
    )


def hour(visit_zone: Any, showing: dict[str, Any]) -> str:
    """``14:30``: when a showing begins, on the brokerage's clock; else what the visitor prefers."""
    if showing["startsAt"] is not None:
        return f"{on_clock(showing['startsAt'], visit_zone):%H:%M}"
    return showing["preferredTime"] or "no time yet"


async def show_today(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


LEAD, TASK, SHOWING = "/api/leads/{id}", "/api/tasks/{id}", "/api/showings/{id}"


def step(
    done: str, ask: Callable[[Visit], Awaitable[Any]], of: str | None = None
) -> Callable[[Visit], Awaitable[Response]]:
    """What a form does: *ask* the API, and back to the page, which says what was *done*. What the user may not see is
    not there, whatever was typed: *of* is its endpoint."""

    async def act(visit: Visit) -> Response:
        try:
            await ask(visit)
        except NotFound:
            raise
        except REFUSALS as error:
            if of is not None:
                await visit.ask("GET", of, id=visit.id())
            return await shown(visit, refusal(error))
        return RedirectResponse(f"{HERE}?done={done}", 303)

    return act


async def call(visit: Visit) -> None:
    """Log a call with its outcome."""
    body = OFFERED.get(visit.form["what"], {"type": visit.form["what"]})
    await visit.ask("POST", LEAD + "/activities", id=visit.id(), body=body)


async def contacted(visit: Visit) -> None:
    """The person was reached in another way."""
    await visit.ask("PATCH", LEAD, id=visit.id(), body={"status": "contacted"})


async def assign(visit: Visit) -> None:
    """To the chosen user, or to none."""
    await visit.ask("PATCH", LEAD, id=visit.id(), body={"assignedToId": visit.form["assignedToId"] or None})


async def claim(visit: Visit) -> None:
    """The first agent who claims a lead has it. Its id is the lead's number."""
    try:
        await visit.ask("POST", "/api/v1/admin/leads/{id}/claim", id=visit.id())
    except NotFound as error:
        raise NotFound(NO_LEAD) from error


async def complete(visit: Visit) -> None:
    """The task is done."""
    await visit.ask("POST", TASK + "/complete", id=visit.id())


async def snooze(visit: Visit) -> None:
    """Put a task off. A word that no button sends, the API refuses as a time."""
    wall = later(visit.form["until"], ids.now().astimezone(visit.zone).date())
    due = visit.form["until"] or "-" if wall is None else sent_time(wall, visit.zone)
    await visit.ask("PATCH", TASK, id=visit.id(), body={"dueDate": due})


async def confirm(visit: Visit) -> None:
    """The showing takes place."""
    await visit.ask("PATCH", SHOWING, id=visit.id(), body={"status": "confirmed"})


PAGES = (
    Page(HERE, show_today),
    Page(HERE + "/today/leads/{id}/call", act=step("called", call, LEAD)),
    Page(HERE + "/today/leads/{id}/contacted", act=step("contacted", contacted, LEAD)),
    Page(HERE + "/today/leads/{id}/assign", act=step("assigned", assign, LEAD)),
    Page(HERE + "/today/pond/{id}/claim", act=step("claimed", claim)),
    Page(HERE + "/today/tasks/{id}/complete", act=step("completed", complete, TASK)),
    Page(HERE + "/today/tasks/{id}/snooze", act=step("snoozed", snooze, TASK)),
    Page(HERE + "/today/showings/{id}/confirm", act=step("confirmed", confirm, SHOWING)),
)
