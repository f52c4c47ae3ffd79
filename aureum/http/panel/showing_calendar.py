"""The week and the day of showings, on the clock of the brokerage: ``/admin/showings``, ``?week=2026-W49``,
``?day=2026-11-30``. On a phone, a week that the address does not name shows the present day only."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from aureum.domain.ids import aureum_time
from aureum.http.panel.calendar_grid import day_in, days_of_week, grid, span, week_of
from aureum.http.panel.page import page
from aureum.http.panel.undoing import PARTLY, UNDONE, undo_offered
from aureum.http.panel.visit import Visit

HERE = "/admin/showings"
API = "/api/showings/calendar"

DONE = {
    "move": "The showing was moved.",
    "schedule": "The showing was confirmed.",
    "confirmed": "The showing was confirmed.",
    "completed": "The showing took place.",
    "cancelled": "The showing was cancelled.",
    "no_show": "The showing was recorded as a no-show.",
    "sent": "The showing was created, and the calendar file is on its way to the visitor.",
    "not_sent": "The showing was created, but the calendar file was not sent. It needs a start and an email address.",
    "send": "The calendar file is on its way to the visitor.",
    "changed": "The showing was saved.",
    "undone": UNDONE,
    "partly": PARTLY,
}


async def show_calendar(visit: Visit) -> Response:
    """A week, or a day, and above it the showings that need a time."""
    query = visit.request.query_params
    today = datetime.now(visit.zone).date()
    agent = query.get("assignedToId", "")
    by_day = "day" in query
    day = day_in(query.get("day", ""), today)
    days = [day] if by_day else days_of_week(query.get("week", ""), today)
    begins, ends = span(days, visit.zone)
    asked = {"from": aureum_time(begins), "before": aureum_time(ends), "assignedToId": agent}
    found = (await visit.ask("GET", API, query=asked)).body
    users = {user["id"]: user["name"] for user in (await visit.ask("GET", "/api/users")).body}
    shown = by_day or "week" in query
    return await page(
        visit,
        "showing_calendar.html",
        days=grid(days, found["showings"], visit.zone),
        unscheduled=found["unscheduled"],
        more=found["more"],
        today=today,
        by_day=by_day,
        # Of a week that was not asked for, a phone shows today.
        only_today=not shown and today in days,
        title=title(days),
        links=links(days, today, agent, by_day=by_day),
        back=back(days, agent, by_day=by_day) if shown else urlencode({"assignedToId": agent} if agent else {}),
        agent=agent,
        users=users,
        done=DONE.get(query.get("done", "")),
        offer=undo_offered(visit, "/api/showings"),
    )


def title(days: Sequence[date]) -> str:
    """``30 Nov – 6 Dec 2026``, ``Monday 30 November 2026``."""
    first, last = days[0], days[-1]
    if first == last:
        return f"{first:%A %-d %B %Y}"
    begins = f"{first:%-d}" if first.month == last.month else f"{first:%-d %b}"
    return f"{begins if first.year == last.year else f'{first:%-d %b %Y}'} – {last:%-d %b %Y}"


def back(days: Sequence[date], agent: str, *, by_day: bool) -> str:
    """The query of the page that shows *days*."""
    when = {"day": days[0].isoformat()} if by_day else {"week": week_of(days[0])}
    return urlencode(when | ({"assignedToId": agent} if agent else {}))


def links(days: Sequence[date], today: date, agent: str, *, by_day: bool) -> Mapping[str, Any]:
    """Where the neighbours of *days* are, and the other views."""

    def of_day(day: date) -> str:
        return f"{HERE}?{back([day], agent, by_day=True)}"

    def of_week(day: date) -> str:
        return f"{HERE}?{back([day], agent, by_day=False)}"

    chosen = today if today in days else days[0]
    step = timedelta(days=len(days))
    to = of_day if by_day else of_week
    return {
        "previous": to(days[0] - step),
        "next": to(days[0] + step),
        "today": to(today),
        "day_before": of_day(chosen - timedelta(days=1)),
        "day_after": of_day(chosen + timedelta(days=1)),
        "day": of_day(chosen),
        "week": of_week(chosen),
        "list": f"{HERE}?{urlencode({'view': 'list'} | ({'assignedToId': agent} if agent else {}))}",
    }
