"""``GET /api/v1/admin/today``: the work of the day, an agent's own or the whole brokerage's. A statement a section."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from aureum.background.catching_up import caught_up
from aureum.domain.ids import from_wire, leads_time, to_wire
from aureum.domain.wall_time import midnight, zone_of
from aureum.domain.working_hours import within_hours
from aureum.figures import today
from aureum.figures.keeping import FIGURES
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.api.staff.today_fields import TodayResponse
from aureum.http.api.staff.user_fields import OfBrokerage
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.timers.setting import TIMERS

PATH = "/api/v1/admin/today"

ITEMS, FEW, AGENTS, USERS = 25, 5, 200, 1_000
TOUCHED = 2_000
"""Changed leads that are looked at; more, and the counts are those of the newest."""

NIGHT = timedelta(hours=16)
LONGEST_NIGHT = timedelta(days=5)
"""A weekend, with a day off before and after it."""


async def get_today(context: Context, query: OfBrokerage) -> Response:
    """Returns the work of the day: leads that had no contact yet, tasks that are due, today's showings, and what
    changed since the last working hours. Agents get their own work. All other users get that of the whole brokerage,
    and by agent.

    A lead is unanswered by the same rule by which leads are passed on when an agent does not answer in time: its status
    is `new`, and no user or key has logged an activity, written notes, or completed a task about it."""
    context = await in_brokerage(context, query.brokerage_id, "show today")
    tenant_id, app = context.tenant_id, context.app
    behind = await caught_up(app.store, FIGURES, tenant_id)
    await caught_up(app.store, TIMERS, tenant_id)
    owner = context.caller.visible_to
    ((zone, now, hours),) = await app.database.tenant_rows(
        tenant_id, today.CLOCK, {"tenant": tenant_id, "owner": owner}
    )
    asked = about(tenant_id, owner, zone, now, night(now, hours, zone))
    work = (
        *(today.UNANSWERED, today.POND, today.COUNTS, today.TASKS, today.SHOWINGS, today.CHANGES, today.REQUESTED),
        today.MESSAGES,
    )
    by_agent = (today.AGENTS, today.USERS) if owner is None else ()
    # Counting by agent takes as long as all the rest.
    parts = await asyncio.gather(
        *(app.database.tenant_results(tenant_id, [(one, asked) for one in part]) for part in (work, by_agent) if part)
    )
    found = [rows for part in parts for rows in part]
    people = await persons(context, found[3], asked)
    body = encoded(shown(zone, behind, asked, found, people, owner is None))
    caller = context.caller
    etag = list_etag(PATH, tenant_id, caller.head, caller.read_version, caller.view, body)
    unchanged = not_modified(context.request, etag)
    return unchanged or answer(body, headers={"ETag": etag})


def about(tenant_id: UUID, owner: UUID | None, zone: str, now: datetime, since: datetime) -> dict[str, Any]:
    """What the statements are asked with."""
    day = now.astimezone(zone_of(zone)).date()
    return {
        "tenant": tenant_id,
        "owner": owner,
        "day": day,
        "today": midnight(day, zone),
        "tomorrow": midnight(day + timedelta(days=1), zone),
        "since": since,
        "first": UUID(int=(int(since.timestamp() * 1000) << 80)),
        "limit": ITEMS,
        "few": FEW,
        "agents": AGENTS,
        "users": USERS,
        "touched": TOUCHED,
    }


def night(now: datetime, hours: Mapping[str, Sequence[str]] | None, zone: str) -> datetime:
    """Since when things are new: the end of the agent's last working day; for others the last 16 hours."""
    place = zone_of(zone)
    begin = midnight(now.astimezone(place).date(), zone)
    ends = [] if not hours else [end for _, end in within_hours(now - LONGEST_NIGHT, begin, hours, place)]
    return ends[-1] if ends else now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - NIGHT


async def persons(context: Context, tasks: Sequence[Any], asked: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The persons whom *tasks* are about, by the ids of their leads."""
    ids = {orjson.loads(doc)["leadId"] for doc, _ in tasks} - {None}
    leads = [from_wire(one) for one in ids]
    if not leads:
        return {}
    rows = await context.app.database.tenant_rows(context.tenant_id, today.PEOPLE, {**asked, "leads": leads})
    return {to_wire(lead_id): {"name": name, "phone": phone} for lead_id, name, phone in rows}


def shown(
    zone: str,
    behind: int,
    asked: Mapping[str, Any],
    found: Sequence[Sequence[Any]],
    people: Mapping[str, Any],
    whole: bool,
) -> dict[str, Any]:
    """The answer, of the rows of the statements."""
    unanswered, pond, ((waiting, in_pond, overdue, later),), tasks, showings, changes, ((requested,),) = found[:7]
    messages = found[7]
    return {
        "time_zone": zone,
        "behind": behind,
        "unanswered": {"total": waiting, "items": list(map(waiting_lead, unanswered))},
        "pond": {"total": in_pond, "items": list(map(waiting_lead, pond))},
        "tasks": {"overdue": overdue, "later_today": later, "items": [due_task(row, people) for row in tasks]},
        "showings": {
            "total": showings[0][1] if showings else 0,
            "items": [orjson.Fragment(doc) for doc, _ in showings],
        },
        "messages": {
            "total": messages[0][2] if messages else 0,
            "items": [waiting_client(orjson.loads(contact), orjson.loads(said)) for contact, said, _ in messages],
        },
        "changes": {
            "since": leads_time(asked["since"]),
            "leads": sum(many for what, _, many in changes if what == "lead"),
            "statuses": {word: many for what, word, many in changes if what == "status"},
            "activities": {word: many for what, word, many in changes if what == "activity"},
            "showings": requested,
        },
        "users": [{"id": to_wire(user_id), "name": name} for user_id, name in found[9]] if whole else None,
        "agents": [agent(*row) for row in found[8]] if whole else None,
    }


def waiting_lead(row: Sequence[Any]) -> dict[str, Any]:
    """One that had no contact yet."""
    number, doc, pond, due_at, overdue = row
    return {
        "number": number,
        "due_at": None if due_at is None else leads_time(due_at),
        "overdue": bool(overdue),
        "pond": pond,
        "lead": orjson.Fragment(doc),
    }


def waiting_client(contact: Mapping[str, Any], conversation: Mapping[str, Any]) -> dict[str, Any]:
    """A client whose messages staff have not read."""
    return {
        "contact_id": contact["id"],
        "name": f"{contact['firstName']} {contact['lastName']}".strip(),
        "unread": conversation["unread"],
        "at": leads_time(datetime.fromisoformat(conversation["lastAt"])),
    }


def due_task(row: Sequence[Any], people: Mapping[str, Any]) -> dict[str, Any]:
    """A task, and the person whom it is about."""
    doc, overdue = row
    return {
        "overdue": overdue,
        "person": people.get(orjson.loads(doc)["leadId"]),
        "task": orjson.Fragment(doc),
    }


def agent(number: int, user_id: UUID, name: str, unanswered: int, overdue_tasks: int, showings: int) -> dict[str, Any]:
    """A user's line."""
    return {
        "agent": number,
        "id": to_wire(user_id),
        "name": name,
        "unanswered": unanswered,
        "overdue_tasks": overdue_tasks,
        "showings": showings,
    }


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_today,
        "Show today's work (admin)",
        access=STAFF,
        dialect="leads",
        query=OfBrokerage,
        answers=TodayResponse,
        refusals=(400, 404),
    ),
)
