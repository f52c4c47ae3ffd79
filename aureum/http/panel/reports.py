"""Reports: what became of the leads of a period, beside the period before. As charts, tables, on paper, and as CSV."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from aureum.domain import ids
from aureum.domain.csv_cells import BOM, lines
from aureum.http.panel.acting import named
from aureum.http.panel.charts import funnel, stacked
from aureum.http.panel.notices import notices
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.statuses import STATUSES
from aureum.http.panel.today_words import span
from aureum.http.panel.visit import Visit

HERE = "/admin/reports"
API = "/api/v1/admin/reports"

PERIOD = "This period cannot be shown. Choose a first and a last day that are less than ten years apart."

MEDIA = "text/csv; charset=utf-8; header=present"

STAGES = ("leads", "contacted", "qualified", "showing", "offer", "converted")

Cells = Sequence[Sequence[Any]]


LONGEST = 14
"""Rows of the days that are shown at once; more are folded."""


def presets(today: date) -> list[tuple[str, date, date]]:
    """Periods that one asks for: their name, first and last day."""
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    monday = today - timedelta(days=today.weekday())
    return [
        ("Last week", monday - timedelta(days=7), monday - timedelta(days=1)),
        ("7 days", today - timedelta(days=6), today),
        ("30 days", today - timedelta(days=29), today),
        ("90 days", today - timedelta(days=89), today),
        ("This month", month, today),
        ("Last month", before, month - timedelta(days=1)),
        ("This year", today.replace(month=1, day=1), today),
    ]


async def asked(visit: Visit) -> Mapping[str, Any]:
    """The report of the period in the page's address. Raises what the API refuses."""
    period = {name: visit.request.query_params.get(name, "") for name in ("from", "to")}
    found: Mapping[str, Any] = (await visit.ask("GET", API, query=period | named(visit))).body
    return found


async def show_reports(visit: Visit) -> Response:
    """The page. A period that cannot be is said, above the usual one."""
    problem, status = None, 200
    try:
        found, _ = await asyncio.gather(asked(visit), notices(visit))
    except REFUSALS as error:
        refusal(error)
        problem, status = PERIOD, 400
        found = (await visit.ask("GET", API, query=named(visit))).body
    today = ids.now().astimezone(visit.zone).date()
    first, last = (found["period"][name] for name in ("from", "to"))
    links = {word: address(word, begin, end) for word, begin, end in presets(today)}
    chosen = named_as(visit.request.query_params.get("period", ""), today, first, last)
    steps = [(day_word(one["from"], one["to"]), one) for one in found["steps"]]
    tones = {one: shown.tone for one, shown in STATUSES["lead"].items()}
    return await page(
        visit,
        "reports.html",
        status,
        found=found,
        problem=problem,
        links=[(to, word, None) for word, to in links.items()],
        chosen=links.get(chosen, ""),
        folded=len(steps) > LONGEST,
        query=urlencode({"from": first, "to": last}),
        by_source=stacked([(word, one["sources"]) for word, one in steps]),
        by_status=stacked([(word, one["statuses"]) for word, one in steps], tones),
        funnel=funnel([(one, found["total"][one]) for one in STAGES]),
        tables={name: TABLES[name](found) for name in TABLES} | {"time": by_day(found)},
        words={one: shown.word for one, shown in STATUSES["lead"].items()},
        tones=tones,
        change=change,
        took=took,
        share=share,
    )


def address(word: str, begin: date, end: date) -> str:
    """The page of a period of ``presets``. The name tells it from another with the same days."""
    return f"{HERE}?{urlencode({'from': begin, 'to': end, 'period': word})}"


def named_as(asked: str, today: date, first: str, last: str) -> str:
    """What the period from *first* to *last* is called: as it was *asked* for, where two have the same days, such as
    "30 days" and "This month" on the thirtieth. Empty if it has no name."""
    names = [word for word, begin, end in presets(today) if (f"{begin}", f"{end}") == (first, last)]
    return asked if asked in names else next(iter(names), "")


def day_word(first: str, last: str) -> str:
    """``3 Nov``; a longer part by both of its days."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return f"{begin:%-d %b}" if begin == end else f"{begin:%-d %b} to {end:%-d %b}"


def change(now: int, before: int) -> tuple[str, str]:
    """How a number compares with that of the period before, and whether it went up or down."""
    if now == before:
        return f"as before ({before:,})", ""
    return f"{'+' if now > before else '−'}{abs(now - before):,} (before: {before:,})", "up" if now > before else "down"


def took(seconds: float | None) -> str:
    """``12 min``; a dash without any."""
    return "–" if seconds is None else span(seconds)


def share(part: int, whole: int) -> str:
    """``12 %``; a dash of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def status_word(status: str) -> str:
    return STATUSES["lead"][status].word


def sources(found: Mapping[str, Any]) -> Cells:
    """By source, with the status that leads have now."""
    head = ["Source", "Leads", "Before", *(shown.word for shown in STATUSES["lead"].values())]
    return [head] + [
        [one["source"], one["leads"], one["leads_before"], *(one["statuses"].get(each, 0) for each in STATUSES["lead"])]
        for one in found["sources"]
    ]


def statuses(found: Mapping[str, Any]) -> Cells:
    """By status."""
    return [["Status", "Leads", "Before"]] + [
        [status_word(one["status"]), one["leads"], one["leads_before"]] for one in found["statuses"]
    ]


ORIGINS = {"organic": "From visitors", "staff": "Entered by staff"}

FIGURES = ["Leads", "Before", "Answered", "Not answered", "Median", "90 % within", "Converted", "Rate", "Lost"]


def origins(found: Mapping[str, Any]) -> Cells:
    """What came from the public, beside what staff entered."""
    return [["Origin", *FIGURES]] + [[ORIGINS[one["origin"]], *figures(one)] for one in found["origins"]]


def agents(found: Mapping[str, Any]) -> Cells:
    """Agents side by side."""
    return [["Agent", *FIGURES]] + [
        [one["name"] or ("Unassigned" if one["id"] is None else "a former user"), *figures(one)]
        for one in found["agents"]
    ]


def figures(one: Mapping[str, Any]) -> list[Any]:
    """The cells of a group, in the order of ``FIGURES``."""
    counted = [one["leads"], one["leads_before"], one["answered"], one["unanswered"]]
    times = [took(one["median_seconds"]), took(one["p90_seconds"])]
    return [*counted, *times, one["converted"], share(one["converted"], one["leads"]), one["lost"]]


def stages(found: Mapping[str, Any]) -> Cells:
    """How far leads came."""
    total, before = found["total"], found["total_before"]
    words = {"leads": "All leads"} | {one: status_word(one) for one in STAGES[1:]}
    return [["Came to", "Leads", "Share", "Before"]] + [
        [words[one], total[one], share(total[one], total["leads"]), before[one]] for one in STAGES
    ]


def over_time(found: Mapping[str, Any]) -> Cells:
    """The parts of the period."""
    names = [one["source"] for one in found["sources"] if one["leads"]]
    return [["From", "To", "Leads", *names, *(shown.word for shown in STATUSES["lead"].values())]] + [
        [
            *(one[name] for name in ("from", "to", "leads")),
            *(one["sources"].get(name, 0) for name in names),
            *(one["statuses"].get(status, 0) for status in STATUSES["lead"]),
        ]
        for one in found["steps"]
    ]


def by_day(found: Mapping[str, Any]) -> Cells:
    """The same as a page shows it: a column for the days, as people write them."""
    head, *rows = over_time(found)
    return [["When", *head[2:]]] + [[dates(first, last), *rest] for first, last, *rest in rows]


def dates(first: str, last: str) -> str:
    """``23 Nov 2026``; a longer part by both of its days."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return f"{begin:%-d %b %Y}" if begin == end else f"{begin:%-d %b %Y} to {end:%-d %b %Y}"


TABLES: dict[str, Callable[[Mapping[str, Any]], Cells]] = {
    "time": over_time,
    "sources": sources,
    "statuses": statuses,
    "origins": origins,
    "funnel": stages,
    "agents": agents,
}
"""By the name of their file."""


async def file(name: str, visit: Visit) -> Response:
    """A table as CSV."""
    found = await asked(visit)
    rows = [[str(cell) for cell in row] for row in TABLES[name](found)]
    period = f"{found['period']['from']}-to-{found['period']['to']}"
    headers = {"Content-Disposition": f'attachment; filename="{name}-{period}.csv"'}
    return Response(BOM.encode() + lines(rows), headers=headers, media_type=MEDIA)


PAGES = (
    Page(HERE, show_reports),
    *(Page(f"{HERE}/{name}.csv", partial(file, name)) for name in TABLES),
)
