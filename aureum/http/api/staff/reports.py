"""``GET /api/v1/admin/reports``: what became of the leads of a period. Its days are those of the brokerage's clock."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.responses import Response

from aureum.background.catching_up import caught_up
from aureum.domain import ids
from aureum.domain.errors import Invalid
from aureum.domain.ids import to_wire
from aureum.domain.lead import STATUSES
from aureum.domain.wall_time import YEARS, midnight, zone_of
from aureum.figures import days, reports
from aureum.figures.keeping import FIGURES
from aureum.http.api.staff.report_fields import Period, ReportsResponse
from aureum.http.api.staff.scope import in_brokerage
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.projections import brokerages
from aureum.store.postgres.database import Database

PATH = "/api/v1/admin/reports"

DAY = timedelta(days=1)
USUAL, LONGEST = 30, 3_660
"""Days of a period, by itself and at most."""

EARLIEST = date(YEARS[0], 1, 1)

DAILY, WEEKLY = 31, 184
"""Up to how many days a period is shown by days, and by weeks."""

STAGES = ("contacted", "qualified", "showing", "offer", "converted")


async def get_reports(context: Context, query: Period) -> Response:
    """Returns what became of the leads that were created in a period, compared with as many days before it: by source,
    status, origin and agent, over time, with the response time and how far they came. Agents get the leads that they
    see, all other users those of the brokerage.

    Days begin at midnight on the brokerage's clock. Suspected spam does not count. The status and the agent are those
    of now; how far a lead came is the furthest that it ever was. The first contact is what `GET /api/v1/admin/today`
    takes for one."""
    context = await in_brokerage(context, query.brokerage_id, "show reports")
    tenant_id, database = context.tenant_id, context.app.database
    behind = await caught_up(context.app.store, FIGURES, tenant_id)
    ((zone,),) = await database.tenant_rows(tenant_id, brokerages.ZONE, {"tenant": tenant_id})
    first, last = days_of(query, ids.now().astimezone(zone_of(zone)).date())
    parts = steps(first, last)
    before = first - (last - first) - DAY
    begins, bounds = start(first, zone), [start(day, zone) for day in parts]
    found = None
    if not behind and context.caller.visible_to is None:
        midnights = await midnights_with_leads(database, tenant_id, before, last, zone)
        found = await days.counted(database, tenant_id, midnights, begins, bounds) if midnights else None
    if found is None:
        about = {"owner": context.caller.visible_to, "before": start(before, zone), "begins": begins, "bounds": bounds}
        found = await counted(database, about | {"tenant": tenant_id, "ends": start(last + DAY, zone)})
    counts, took = found
    names = await database.tenant_rows(tenant_id, reports.NAMES, {"tenant": tenant_id})
    body = encoded(
        {
            "time_zone": zone,
            "behind": behind,
            "period": {"from": first, "to": last},
            "before": {"from": before, "to": first - DAY},
        }
        | shown(counts, took, {user: (number, name) for user, number, name in names}, parts, last)
    )
    caller = context.caller
    etag = list_etag(PATH, tenant_id, caller.head, caller.read_version, caller.view, body)
    return not_modified(context.request, etag) or answer(body, headers={"ETag": etag})


async def counted(database: Database, asked: dict[str, Any]) -> tuple[Sequence[Any], Mapping[Any, Sequence[float]]]:
    """What the leads of the period themselves say: those that an agent sees, or all of them where the days are not
    kept."""
    # Each reads all leads of the period; beside each other they take as long as the slower one.
    memory: tuple[str, dict[str, Any]] = (reports.MEMORY, {})
    (_, counts), (_, times) = await asyncio.gather(
        *(database.tenant_results(asked["tenant"], [memory, (one, asked)]) for one in (reports.COUNTS, reports.TIMES))
    )
    return counts, {(grouped, current, agent, staff): both for grouped, current, agent, staff, both in times}


async def midnights_with_leads(
    database: Database, tenant_id: UUID, first: date, last: date, zone: str
) -> list[datetime]:
    """The midnights that bound the days from *first* to *last*, without those before the oldest lead and after the
    newest."""
    ((oldest, newest),) = await database.tenant_rows(tenant_id, days.ENDS, {"tenant": tenant_id})
    if oldest is None:
        return []
    begin, end = (one.astimezone(zone_of(zone)).date() for one in (oldest, newest))
    begin, end = max(begin, first), min(end, last)
    return [start(begin + place * DAY, zone) for place in range((end - begin).days + 2)] if begin <= end else []


def start(day: date, zone: str) -> datetime:
    """When a day begins on the clock of *zone*."""
    return midnight(day, zone).astimezone(UTC)


def days_of(query: Period, today: date) -> tuple[date, date]:
    """The first and the last day that were asked for. Raises Invalid."""
    last = today if query.ends is None else date.fromisoformat(query.ends)
    usual = max(last - (USUAL - 1) * DAY, EARLIEST)
    first = usual if query.begins is None else date.fromisoformat(query.begins)
    for name, day in (("from", first), ("to", last)):
        if day.year not in YEARS:
            raise Invalid(name, f"{name} must be in the years {YEARS[0]} to {YEARS[-1]}.")
    if last < first:
        raise Invalid("to", "to must not be before from.")
    if (last - first).days >= LONGEST:
        raise Invalid("from", f"from must be less than {LONGEST:,} days before to.")
    return first, last


def steps(first: date, last: date) -> list[date]:
    """The first days of the parts that the period is shown in: days, weeks from its beginning, or months."""
    whole = [first + place * DAY for place in range((last - first).days + 1)]
    if len(whole) <= DAILY:
        return whole
    if len(whole) <= WEEKLY:
        return whole[::7]
    return [first, *(day for day in whole[1:] if day.day == 1)]


def shown(
    counts: Sequence[Any],
    took: Mapping[Any, Sequence[float]],
    names: Mapping[Any, Any],
    parts: Sequence[date],
    last: date,
) -> dict[str, Any]:
    """The answer, of the rows of the statements."""
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in counts:
        rows[row[0]].append(row[1:])
    total = {row[0]: row[6:] for row in rows[reports.TOTAL]}
    staff = {(row[0], row[5]): row[6:] for row in rows[reports.BY_STAFF]}
    agents = {(row[0], row[4]): row[6:] for row in rows[reports.BY_AGENT]}
    sources: dict[str, dict[str, Any]] = {}
    statuses = {one: {"status": one, "leads": 0, "leads_before": 0} for one in STATUSES}
    for current, _, source, status, _, _, many, *_ in rows[reports.BY_SOURCE]:
        name = "leads" if current else "leads_before"
        one = sources.setdefault(source, {"source": source, "leads": 0, "leads_before": 0, "statuses": {}})
        one[name] += many
        statuses[status][name] += many
        if current:
            one["statuses"][status] = many
    return {
        "total": figures(total.get(True), took.get((reports.TIMES_TOTAL, True, None, None))),
        "total_before": figures(total.get(False), took.get((reports.TIMES_TOTAL, False, None, None))),
        "origins": [
            {"origin": word}
            | figures(staff.get((True, entered)), took.get((reports.TIMES_BY_STAFF, True, None, entered)))
            | {"leads_before": staff.get((False, entered), (0,))[0]}
            for word, entered in (("organic", False), ("staff", True))
        ],
        "sources": sorted(sources.values(), key=lambda one: (-one["leads"], one["source"])),
        "statuses": list(statuses.values()),
        "agents": sorted(
            (
                {"agent": number, "id": None if agent is None else to_wire(agent), "name": name}
                | figures(agents.get((True, agent)), took.get((reports.TIMES_BY_AGENT, True, agent, None)))
                | {"leads_before": agents.get((False, agent), (0,))[0]}
                for agent in {agent for _, agent in agents}
                for number, name in [names.get(agent, (None, None))]
            ),
            key=lambda one: (one["id"] is None, -one["leads"], one["name"] or ""),
        ),
        "steps": over_time(rows, parts, last),
    }


def over_time(rows: Mapping[int, Sequence[Any]], parts: Sequence[date], last: date) -> list[dict[str, Any]]:
    """The parts of the period, with what came in each."""
    found = [
        {"from": day, "to": following - DAY, "leads": 0, "sources": {}, "statuses": {}}
        for day, following in zip(parts, [*parts[1:], last + DAY], strict=True)
    ]
    for current, bucket, source, status, _, _, many, *_ in (
        *rows[reports.BY_DAY_AND_SOURCE],
        *rows[reports.BY_DAY_AND_STATUS],
    ):
        if current:
            part: dict[str, Any] = found[bucket - 1]
            part["sources" if source is not None else "statuses"][source or status] = many
            part["leads"] += many if source is not None else 0
    return found


def figures(counted: Sequence[int] | None, took: Sequence[float] | None) -> dict[str, Any]:
    """The counts of a group, and its response times."""
    leads, answered, *reached, lost, unanswered = counted or (0,) * 9
    median, ninth = took or (None, None)
    return {
        "leads": leads,
        "answered": answered,
        "unanswered": unanswered,
        "median_seconds": median,
        "p90_seconds": ninth,
        **dict(zip(STAGES, reached, strict=True)),
        "lost": lost,
    }


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_reports,
        "Show reports (admin)",
        access=STAFF,
        dialect="leads",
        query=Period,
        answers=ReportsResponse,
        refusals=(400, 404, 422),
    ),
)
