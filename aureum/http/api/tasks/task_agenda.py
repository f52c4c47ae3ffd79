"""``GET /api/tasks/agenda``: open tasks in the order of work: overdue, today, this week, later, without a date."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.domain.errors import Invalid
from aureum.domain.ids import from_wire, now, to_wire
from aureum.domain.wall_time import midnight
from aureum.http.api.tasks.task_fields import TaskResponse
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified, resource_etag
from aureum.http.contract.endpoint import Context, Endpoint
from aureum.http.contract.paging import Limit, decoded
from aureum.http.contract.paging import encoded as as_cursor
from aureum.http.contract.resource import NO_ONE, reference
from aureum.http.wire.shapes import Shape
from aureum.projections import brokerages, task_agenda

PATH = "/api/tasks/agenda"

Group = Literal["overdue", "today", "week", "later", "undated"]

CURSOR = 24
"""Bytes: the milliseconds of a due date, and a task's id."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = (datetime(1, 1, 1, tzinfo=UTC), NO_ONE)
"""Before every task."""

BAD_CURSOR = "after must be the `more` of a group of this agenda."


class AgendaFilters(BaseModel):
    """Whose tasks, and how many of each group."""

    model_config = ConfigDict(frozen=True)

    assigned_to: Annotated[str | None, Field(alias="assignedToId", description="Filter by assigned user.")] = None
    group: Annotated[Group | None, Field(description="Only this group.")] = None
    after: Annotated[
        str | None, Field(description="The `more` of the previous response of the same group. Send `group`, too.")
    ] = None
    limit: Annotated[Limit, Field(description="The most tasks of a group.")] = 25


class AgendaTask(TaskResponse):
    """A task, the name of what it is about, and the ETag that ``If-Match`` takes."""

    about: Annotated[
        str | None, Field(description="The name of the lead or contact, or the address of the property, if any.")
    ]
    etag: Annotated[str, Field(description="The ETag of the task, for `If-Match`.")]


class AgendaGroup(Shape):
    """Some tasks. ``more`` is set if there are more."""

    tasks: list[AgendaTask]
    more: Annotated[str | None, Field(description="Send it as `after` to get the next tasks of the group.")]


class AgendaResponse(Shape):
    """Open tasks by when they are due, on the clock of the brokerage. A task with a date but no time is overdue
    when that day is over. ``week`` ends on Sunday."""

    overdue: AgendaGroup
    today: AgendaGroup
    week: AgendaGroup
    later: AgendaGroup
    undated: AgendaGroup


async def get_task_agenda(context: Context, filters: AgendaFilters) -> Response:
    """Returns the open tasks in the order of work: overdue, due today, this week, later, and without a date. Agents see
    the tasks that are assigned to them or that they created."""
    body = encoded(await agenda(context, filters, now()))
    caller = context.caller
    # Also of the bytes: a task becomes overdue without an event.
    etag = list_etag(PATH, caller.tenant_id, caller.head, caller.read_version, caller.view, body)
    return not_modified(context.request, etag) or answer(body, headers={"ETag": etag})


async def agenda(context: Context, filters: AgendaFilters, at: datetime) -> dict[str, Any]:
    """The answer's body, as it is at that moment."""
    database, tenant_id = context.app.database, context.tenant_id
    ((zone,),) = await database.tenant_rows(tenant_id, brokerages.ZONE, {"tenant": tenant_id})
    spans = spans_at(at, ZoneInfo(zone))
    wanted = [name for name in task_agenda.GROUPS if filters.group in (None, name)]
    after_due, after_id = parse_cursor(filters)
    of = {
        "tenant": tenant_id,
        "visible_to": context.caller.visible_to,
        "assigned_to": reference(filters.assigned_to),
        "now": at,
        "today": spans["today"][0],
        "after_due": after_due,
        "after_id": after_id,
        "groups": [name for name in wanted if name in spans],
        "since": [spans[name][0] for name in wanted if name in spans],
        "before": [spans[name][1] for name in wanted if name in spans],
        "limit": filters.limit + 1,
    }
    whose = {"assigned": filters.assigned_to is not None, "seen": context.caller.visible_to is not None}
    asked = [(task_agenda.agenda(task_agenda.DATED, **whose), of)] if of["groups"] else []
    asked += [(task_agenda.agenda(task_agenda.UNDATED, **whose), of)] if "undated" in wanted else []
    found = [row for rows in await database.tenant_results(tenant_id, asked) for row in rows]
    names = await names_of(context, [orjson.loads(doc) for _, doc, *_ in found])
    return {
        name: shown(context, [row for row in found if row[0] == name], filters.limit, names)
        for name in task_agenda.GROUPS
    }


def shown(context: Context, rows: Sequence[Any], limit: int, names: Mapping[str, str]) -> dict[str, Any]:
    """One group."""
    tasks = []
    for _, text, version, *_ in rows[:limit]:
        doc = orjson.loads(text)
        tasks.append(doc | {"about": names.get(link_of(doc) or ""), "etag": resource_etag(version, context.caller)})
    return {"tasks": tasks, "more": cursor(rows[limit - 1]) if len(rows) > limit else None}


def spans_at(at: datetime, zone: ZoneInfo) -> dict[str, tuple[datetime, datetime]]:
    """From when to when the tasks of each group are due. Of those in two spans ``DATED`` says which it is."""
    day = at.astimezone(zone).date()
    today, tomorrow, monday = (midnight(day + timedelta(days=days), zone.key) for days in (0, 1, 7 - day.weekday()))
    end = datetime.max.replace(tzinfo=UTC)
    return {
        "overdue": (FIRST[0], at),
        "today": (today, tomorrow),
        "week": (tomorrow, monday),
        "later": (monday, end),
    }


def cursor(row: Any) -> str:
    """Where the group goes on behind this row."""
    *_, due_at, task_id = row
    moment = 0 if due_at is None else (due_at - EPOCH) // timedelta(milliseconds=1)
    return as_cursor(moment.to_bytes(8, "big", signed=True) + task_id.bytes)


def parse_cursor(filters: AgendaFilters) -> tuple[datetime, UUID]:
    """The inverse. Raises Invalid."""
    if filters.after is None:
        return FIRST
    raw = decoded(filters.after, CURSOR)
    try:
        if raw is None or filters.group is None:
            raise Invalid("after", BAD_CURSOR)
        return EPOCH + timedelta(milliseconds=int.from_bytes(raw[:8], "big", signed=True)), UUID(bytes=raw[8:])
    except OverflowError as error:
        raise Invalid("after", BAD_CURSOR) from error


def link_of(task: Mapping[str, Any]) -> str | None:
    """The id of what the task is about: the person, or else the property."""
    found: str | None = task["leadId"] or task["contactId"] or task["propertyId"]
    return found


async def names_of(context: Context, tasks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the tasks are about, by its wire id."""
    ids = [from_wire(link) for link in {link_of(task) for task in tasks} if link is not None]
    if not ids:
        return {}
    of = {"tenant": context.tenant_id, "visible_to": context.caller.visible_to, "ids": ids}
    found = await context.app.database.tenant_rows(context.tenant_id, task_agenda.NAMES, of)
    return {to_wire(one): name for one, name in found}


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_task_agenda,
        "List open tasks by when they are due",
        query=AgendaFilters,
        answers=AgendaResponse,
    ),
)
