"""What a lead's page shows of its person besides the lead: the timeline, what is to be done next, showings, listing,
contact and earlier enquiries, and the lead as it was at any moment."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aureum.domain.ids import now
from aureum.http.panel.change_words import Words
from aureum.http.panel.envelope_words import entries_of
from aureum.http.panel.envelopes import of_person as envelopes_of
from aureum.http.panel.history_words import Entry, entries_in_words
from aureum.http.panel.mail_words import MailLine, mails_about
from aureum.http.panel.resource import LENGTH
from aureum.http.panel.times import asked_time, shown_time
from aureum.http.panel.visit import Doc, Visit

STEPS = ("new", "contacted", "qualified", "showing", "offer", "converted")
"""The pipeline as a row of steps. ``lost`` stands apart, since it asks for a reason."""

QUICK = {
    "Called: no answer": "Called, no answer",
    "Called: left a message": "Left a message",
    "Called: answered": "Called, spoke",
    "Email sent": "Sent mail",
}
"""The buttons that log what happened in one click, by what ``activity_words`` offers."""

SHOWN = {"all": "All", "notes": "Notes & calls", "changes": "Changes", "mails": "Mails", "work": "Showings & tasks"}
"""The filters of the timeline."""

LEAD_DONE = {
    "status": "The status was changed.",
    "assigned": "The lead was assigned.",
    "task": "The task was added.",
    "finished": "The task is done.",
}

AT_ONCE = 25
"""Entries of the timeline that the page shows; a link leads to older ones."""

MOST = 6
"""Earlier enquiries and showings that are named."""

MORNING = 9

HISTORY = "/api/leads/{id}/history"


@dataclass(frozen=True)
class Beside:
    """``timeline`` is the page of it that is shown, newest first; ``moments`` are all that the slider can go to, with
    what happened then. ``then`` is the moment that the page shows, None for now. ``due`` are the dates that a task can
    have in one click."""

    timeline: Sequence[Entry]
    chosen: str
    chips: Sequence[tuple[str, str, int | None]]
    older: str | None
    moments: Sequence[tuple[str, str]]
    then: str | None
    tasks: Sequence[Doc]
    showings: Sequence[Doc]
    enquiries: Sequence[Doc]
    envelopes: Sequence[Doc] | None
    contact: tuple[str, str] | None
    listing: tuple[str, str] | None
    due: Sequence[tuple[str, str]]
    steps: Sequence[str]
    quick: Mapping[str, str]


def as_of(visit: Visit) -> str:
    """The moment that the page is asked for; empty for now. What a form changes is the present."""
    return visit.request.query_params.get("asOf", "") if visit.request.method == "GET" else ""


async def beside(visit: Visit, lead: Doc) -> Beside:
    """All of it. The timeline ends at the moment that the page shows; the rest is as it is now."""
    query, then = visit.request.query_params, as_of(visit)
    # None of them needs what another says.
    staff, contact, history, was, tasks, showings, enquiries, listing, mails, envelopes = await asyncio.gather(
        asked(visit, "/api/users"),
        contact_of(visit, lead),
        asked(visit, HISTORY, id=lead["id"]),
        asked(visit, HISTORY, id=lead["id"], query={"asOf": then}) if then else no_more(),
        asked(visit, "/api/tasks", query={"leadId": lead["id"], "limit": LENGTH}),
        of_person(visit, "/api/showings", lead),
        of_person(visit, "/api/leads", lead),
        listing_of(visit, lead),
        mails_about(visit, "/api/leads/{id}/mails", lead["id"]),
        envelopes_of(visit, leadId=lead["id"]),
    )
    users = {user["id"]: user["name"] for user in staff}
    assert visit.me is not None
    words = Words("lead", users | ({contact[0]: contact[1]} if contact else {}), visit.zone, visit.me)
    entries = whole = entries_in_words(history, words)
    if then:
        entries = [replace(one, undoable=False) for one in whole if one.version <= was[-1]["version"]]
    showings = [one for one in showings if is_of(one, lead)]
    work = [] if then else [*map(task_entry, tasks), *(showing_entry(one, users) for one in showings)]
    work += [] if then else map(mail_entry, mails)
    work += [] if then else (entry for one in envelopes or () for entry in entries_of(one))
    story = sorted([*entries, *work], key=lambda one: (one.at, one.version), reverse=True)
    chosen = query.get("show", "all") if query.get("show", "all") in SHOWN else "all"
    shown = [one for one in story if chosen in ("all", one.sort)]
    page = int(query.get("page", "1")) if query.get("page", "1").isdecimal() and len(query.get("page", "1")) < 6 else 1
    kept = {name: value for name, value in (("asOf", then), ("show", chosen)) if value not in ("", "all")}
    here = f"/admin/leads/{lead['id']}"
    return Beside(
        timeline=shown[(page - 1) * AT_ONCE : page * AT_ONCE],
        chosen=address(here, kept),
        chips=[(address(here, kept | {"show": name}), word, None) for name, word in SHOWN.items()],
        older=address(here, kept | {"page": page + 1}) if len(shown) > page * AT_ONCE else None,
        moments=[(one.saved_at, f"{shown_time(one.saved_at, visit.zone)}: {one.what}") for one in whole],
        then=asked_time(then, visit.zone) if then else None,
        tasks=sorted((one for one in tasks if one["status"] != "completed"), key=lambda one: one["dueDate"] or "~"),
        showings=showings,
        enquiries=[one for one in enquiries if one["id"] != lead["id"] and same_person(one, lead)],
        envelopes=envelopes,
        contact=contact,
        listing=listing,
        due=quick_dates(visit.zone),
        steps=STEPS,
        quick=QUICK,
    )


async def asked(visit: Visit, path: str, **more: Any) -> Any:
    """What the API says at *path*."""
    return (await visit.ask("GET", path, **more)).body


async def no_more() -> list[Doc]:
    """Nothing besides: the page shows the lead as it is now."""
    return []


def address(path: str, query: Mapping[str, Any]) -> str:
    """The timeline of the page with this query; all of it is no filter."""
    kept = {name: value for name, value in query.items() if (name, value) != ("show", "all")}
    return f"{path}?{urlencode(kept)}#timeline" if kept else f"{path}#timeline"


async def of_person(visit: Visit, api: str, lead: Doc) -> list[Doc]:
    """What a list of the API finds by the person's address, else by the phone."""
    by = lead["email"] or lead["phone"]
    if not by:
        return []
    found: list[Doc] = (await visit.ask("GET", api, query={"search": by, "limit": MOST + 1})).body
    return found


def same_person(one: Doc, lead: Doc) -> bool:
    """Whether both have the same address, or without one the same phone."""
    name = "email" if lead["email"] else "phone"
    return (one[name] or "").casefold() == (lead[name] or "").casefold()


def is_of(showing: Doc, lead: Doc) -> bool:
    """Whether a showing is this lead's, or was asked for by the same person."""
    return showing.get("leadId") == lead["id"] or same_person(showing, lead)


async def contact_of(visit: Visit, lead: Doc) -> tuple[str, str] | None:
    """The id and the name of the contact that the lead belongs to."""
    if lead["contactId"] is None:
        return None
    found = (await visit.ask("GET", "/api/contacts/{id}", id=lead["contactId"])).body
    return found["id"], f"{found['firstName']} {found['lastName']}".strip()


async def listing_of(visit: Visit, lead: Doc) -> tuple[str, str] | None:
    """The page and the title of the property whose page the form was sent from."""
    slug = (lead["sourcePage"] or "").rstrip("/").rpartition("/")[2].partition("?")[0]
    words = slug.replace("-", " ").strip()
    if not words or len(words) > 100:
        return None
    found = (await visit.ask("GET", "/api/properties", query={"search": words, "limit": MOST})).body
    return next(((f"/admin/properties/{one['id']}", one["title"]) for one in found if one["slug"] == slug), None)


def task_entry(task: Doc) -> Entry:
    """A task in the timeline."""
    done = " (done)" if task["status"] == "completed" else ""
    return Entry(0, task["createdAt"], f"Task: {task['title']}{done}", "", "work", page=f"/admin/tasks/{task['id']}")


def showing_entry(showing: Doc, users: Mapping[str, str]) -> Entry:
    """A showing in the timeline."""
    agent = users.get(showing["assignedToId"] or "", "")
    status = "no-show" if showing.get("noShow") else showing["status"]
    what = (
        f"Showing requested ({status})"
        if showing["listingId"] is None
        else (f"Showing of {showing['listingId']} requested ({status})")
    )
    page = f"/admin/showings/{showing['id']}"
    return Entry(0, showing["createdAt"], what, f"with {agent}" if agent else "", "work", page=page)


def mail_entry(mail: MailLine) -> Entry:
    """A mail in the timeline."""
    why = f": {mail.reason}" if mail.reason and mail.status == "failed" else ""
    return Entry(0, mail.at, f"{mail.what} ({mail.state}{why})", "", "mails", page=mail.page)


def quick_dates(zone: ZoneInfo, at: datetime | None = None) -> list[tuple[str, str]]:
    """Dates for a task in one click, as a form sends them, and in words."""
    today = (at or now()).astimezone(zone).replace(hour=MORNING, minute=0, second=0, microsecond=0, tzinfo=None)
    days = {
        "Tomorrow 9:00": today + timedelta(days=1),
        "Friday 9:00": today + timedelta(days=(4 - today.weekday()) % 7 or 7),
        "Monday 9:00": today + timedelta(days=(0 - today.weekday()) % 7 or 7),
        "In a week": today + timedelta(days=7),
    }
    return [(day.isoformat(timespec="minutes"), word) for word, day in days.items()]
