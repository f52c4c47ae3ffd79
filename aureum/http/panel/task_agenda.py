"""Tasks in the order of work: overdue, today, this week, later, without a date. The reader's own ones at first."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.panel.fields import Field
from aureum.http.panel.page import REFUSALS, page, refusal
from aureum.http.panel.picking import name_of, picked, with_names
from aureum.http.panel.times import on_clock, sent_time
from aureum.http.panel.undoing import PARTLY, UNDONE, to_undo, undo_offered
from aureum.http.panel.visit import Visit

HERE = "/admin/tasks"
API = "/api/tasks/agenda"

EVERYONE = "all"
"""Instead of a user."""

GROUPS = {
    "overdue": "Overdue",
    "today": "Today",
    "week": "This week",
    "later": "Later",
    "undated": "Without a date",
}

DONE = {
    "complete": "The task was completed.",
    "reopen": "The task is open again.",
    "snooze": "The task was put off.",
    "added": "The task was added.",
    "changed": "The task was saved.",
    "undone": UNDONE,
    "partly": PARTLY,
}

ABOUT = Field("leadId", "About", "lead", hint="A lead's name, if it is about one.")
MORNING = time(9)
FRIDAY, MONDAY = 4, 0


async def show_agenda(visit: Visit) -> Response:
    """The page."""
    return await agenda(visit)


async def agenda(visit: Visit, problem: str | None = None) -> Response:
    """The page; of a quick task that was refused with what was typed, and the *problem*."""
    query, at = visit.request.query_params, datetime.now(visit.zone)
    whose = visit.form["back"] if problem else query.get("assignedToId", "")
    users = {user["id"]: user["name"] for user in (await visit.ask("GET", "/api/users")).body}
    chosen = whose if whose == EVERYONE or whose in users else own(visit, users)
    group = query.get("group", "")
    asked = {
        "assignedToId": "" if chosen == EVERYONE else chosen,
        "group": group if group in GROUPS else "",
        "after": query.get("after", "") if group in GROUPS else "",
    }
    found = (await visit.ask("GET", API, query=asked)).body
    values = {name: visit.form[name] for name in ("leadId", "title", "due")}
    return await page(
        visit,
        "tasks.html",
        400 if problem else 200,
        groups=[(name, label, found[name]) for name, label in GROUPS.items() if found[name]["tasks"]],
        only=GROUPS.get(group),
        more={name: urlencode(one(chosen, group=name, after=found[name]["more"])) for name in GROUPS},
        whose=chosen,
        me_here=visit.me is not None and visit.me["id"] in users,
        users=users,
        back=chosen,
        times=times(at),
        pages_about=page_about,
        values=values,
        pick=(await with_names(visit, [ABOUT], values, {}))["leadId"],
        about_field=ABOUT,
        problem=problem,
        done=DONE.get(query.get("done", "")) if problem is None else None,
        offer=undo_offered(visit, "/api/tasks"),
    )


def own(visit: Visit, users: Mapping[str, str]) -> str:
    """Whose tasks the page begins with: the reader's. Agents begin with all that they see: what is assigned to them,
    and what they added. A platform admin has none here."""
    assert visit.me is not None
    return str(visit.me["id"]) if visit.role != "agent" and visit.me["id"] in users else EVERYONE


def one(chosen: str, **more: str | None) -> dict[str, str]:
    """The query of the page for the same user."""
    return {"assignedToId": chosen} | {name: value for name, value in more.items() if value}


def times(at: datetime) -> list[tuple[str, str]]:
    """When a task may be put off to, in words and as a form has it: always the morning of a later day."""
    day = at.date()
    return [
        ("Tomorrow 9:00", morning(day + timedelta(days=1))),
        ("Friday 9:00", morning(following(day, FRIDAY))),
        ("Next Monday 9:00", morning(following(day, MONDAY))),
    ]


def following(day: date, weekday: int) -> date:
    """The next such weekday after *day*."""
    return day + timedelta(days=(weekday - day.weekday() - 1) % 7 + 1)


def morning(day: date) -> str:
    """Nine o'clock, as a form has it."""
    return datetime.combine(day, MORNING).isoformat(timespec="minutes")


async def add(visit: Visit) -> Response:
    """A task from the line above the list: a title, perhaps until when, and about which lead."""
    whose = visit.form["back"]
    try:
        visit = await picked(visit, [ABOUT])
        body: dict[str, Any] = {
            "title": visit.form["title"],
            "dueDate": sent_time(visit.form["due"], visit.zone),
            "leadId": visit.form["leadId"] or None,
            "assignedToId": adder(visit) if whose in ("", EVERYONE) else whose,
        }
        await visit.ask("POST", "/api/tasks", body=body)
    except REFUSALS as error:
        return await agenda(visit, refusal(error))
    return RedirectResponse(f"{HERE}?{urlencode(one(whose, done='added'))}", 303)


def adder(visit: Visit) -> str | None:
    """To whom a task is assigned that is added to everyone's: to the reader, unless that is a platform admin."""
    assert visit.me is not None
    return None if visit.role == "platform_admin" else str(visit.me["id"])


async def act(visit: Visit) -> Response:
    """Complete a task, open it again, or put it off, and go back to the list."""
    do, path = visit.form["do"], "/api/tasks/{id}"
    before = await visit.ask("GET", path, id=visit.id())
    try:
        if do == "complete":
            after = await visit.ask("POST", path + "/complete", id=visit.id())
        else:
            due = {"dueDate": sent_time(visit.form["due"] or visit.form["other"], visit.zone)}
            body = {"status": "pending"} if do == "reopen" else due
            after = await visit.ask("PATCH", path, id=visit.id(), body=body, if_match=visit.form["etag"])
    except NotFound:
        raise
    except REFUSALS as error:
        return await agenda(visit, refusal(error))
    done = do if do in ("complete", "reopen") else "snooze"
    undo = to_undo(before.etag, after.etag, f"tasks/{visit.id()}")
    if visit.form["back"] == "one":
        return RedirectResponse(f"{HERE}/{visit.id()}?done={done}{undo}", 303)
    return RedirectResponse(f"{HERE}?{urlencode(one(visit.form['back'], done=done))}{undo}", 303)


def overdue(task: Mapping[str, Any], at: datetime, zone: ZoneInfo) -> bool:
    """Whether an open task is late: one that is due on a day without a time when that day is over."""
    if task["dueDate"] is None or task["status"] == "completed":
        return False
    due = on_clock(task["dueDate"], zone)
    if due.time() == time():
        return due.date() < at.astimezone(zone).date()
    return due < at


KINDS = {"leadId": "leads", "contactId": "contacts", "propertyId": "properties"}


def page_about(task: Mapping[str, Any]) -> str | None:
    """The page of what the task is about: the person, or else the property."""
    return next((f"/admin/{kind}/{task[name]}" for name, kind in KINDS.items() if task[name]), None)


async def about(visit: Visit, task: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the task is about, by name, if the reader may see it; whether it is late; and when it may be put off to."""
    at = datetime.now(visit.zone)
    linked = [
        (f"/admin/{kind}/{task[name]}", await name_of(visit, LINKS[name], task[name]))
        for name, kind in KINDS.items()
        if task[name]
    ]
    return {"linked": linked, "overdue": overdue(task, at, visit.zone), "times": times(at)}


LINKS = {"leadId": "lead", "contactId": "contact", "propertyId": "property"}
