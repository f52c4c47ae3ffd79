"""One step with one lead on a small page of its own: assign it, move it to a status, note something, add a task.

With script the pages open as dialogs over the list and the board, which also send these forms themselves. Each leads
back to where it was opened.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import Invalid
from aureum.http.panel.fields import Field, as_typed, made
from aureum.http.panel.lead_query import HERE
from aureum.http.panel.lead_rows import names_of
from aureum.http.panel.leads import AGENT, LOST, STATUS
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import ApiAnswer, Visit

API = "/api/leads/{id}"

MOVED = "Another user has moved this lead meanwhile. Choose its status again."
WHY = "Choose why the lead is lost, so that reports can count it."

TEXT = Field("text", "Note", "long", required=True)
TITLE = Field("title", "What needs to be done", required=True)
DUE = Field("dueDate", "Due", "time")

Doing = Callable[[Visit, Mapping[str, Any], ApiAnswer], Awaitable[object]]


@dataclass(frozen=True)
class Step:
    """A step: what the page is called, with the lead's name in it, its fields, and how it is done."""

    name: str
    title: str
    button: str
    fields: Sequence[Field]
    do: Doing


async def assign(visit: Visit, body: Mapping[str, Any], lead: ApiAnswer) -> None:
    """Assign the lead to the chosen user, or to no user."""
    to = {"assignedToId": body.get("assignedToId")}
    await visit.ask("PATCH", API, id=visit.id(), body=to, if_match=visit.form["etag"])


async def move(visit: Visit, body: Mapping[str, Any], lead: ApiAnswer) -> None:
    """To another status, unless it stands at another one than where the user saw it. Raises Invalid."""
    was = visit.form["was"]
    if was and was != lead.body["status"]:
        raise Invalid("status", MOVED)
    await visit.ask("PATCH", API, id=visit.id(), body=body, if_match=visit.form["etag"])


async def note(visit: Visit, body: Mapping[str, Any], lead: ApiAnswer) -> None:
    """On the lead's timeline."""
    said = {"type": "note", "text": body.get("text", "")}
    await visit.ask("POST", API + "/activities", id=visit.id(), body=said)


async def add_task(visit: Visit, body: Mapping[str, Any], lead: ApiAnswer) -> None:
    """About the lead, for its agent; of a lead without one for the user."""
    await visit.ask("POST", "/api/tasks", body=task_about(visit, body, lead.body))


def task_about(visit: Visit, said: Mapping[str, Any], lead: Mapping[str, Any]) -> dict[str, Any]:
    """The body of such a task."""
    assert visit.me is not None
    own = visit.me["id"] if visit.role != "platform_admin" else None
    return {**said, "leadId": lead["id"], "assignedToId": lead["assignedToId"] or own}


STEPS = (
    Step("assign", "Assign {}", "Assign", (AGENT,), assign),
    Step("status", "Move {}", "Move", (STATUS, *LOST), move),
    Step("note", "Note about {}", "Add note", (TEXT,), note),
    Step("task", "Task about {}", "Add task", (TITLE, DUE), add_task),
)


def back_to(visit: Visit) -> str:
    """The address of the list or board that a form was opened on; no other address is taken from a form."""
    back = visit.form["back"] or visit.request.query_params.get("back", "")
    return back if back.startswith(("/admin/leads?", "/admin/leads/")) or back == HERE else HERE


def with_done(back: str, done: str, number: int = 1) -> str:
    """*back*, where it says what was done."""
    return f"{back}{'&' if urlsplit(back).query else '?'}done={done}&n={number}"


async def show(step: Step, visit: Visit) -> Response:
    """The form, with what the lead says now."""
    return await form(step, visit, await visit.ask("GET", API, id=visit.id()))


async def form(step: Step, visit: Visit, lead: ApiAnswer, problem: str | None = None, status: int = 400) -> Response:
    """The form; after a refusal with what was typed, and the *problem*."""
    typed = {one.name: str(lead.body.get(one.name) or "") for one in step.fields}
    values = as_typed(step.fields, visit.form) if problem else typed
    return await page(
        visit,
        "lead_quick.html",
        status if problem else 200,
        step=step,
        lead=lead.body,
        title=step.title.format(lead.body["name"]),
        values=values,
        etag=lead.etag,
        back=back_to(visit),
        users=await names_of(visit),
        problem=problem,
    )


async def act(step: Step, visit: Visit) -> Response:
    """Do the step, and lead back."""
    lead = await visit.ask("GET", API, id=visit.id())
    if step.do is move and visit.form["status"] == "lost" != lead.body["status"] and not visit.form["lostReason"]:
        # A question, not a refusal: the card on the board has no field for it.
        return await form(step, visit, lead, WHY, 200)
    try:
        await step.do(visit, made(step.fields, visit.form, visit.zone), lead)
    except REFUSALS as error:
        return await form(step, visit, lead, refusal(error))
    return RedirectResponse(with_done(back_to(visit), step.name), 303)


PAGES = tuple(Page(f"{HERE}/{{id}}/{step.name}", partial(show, step), partial(act, step)) for step in STEPS)
