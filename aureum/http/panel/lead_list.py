"""The list of leads: found by words, filtered by chips, sorted by its columns; several are worked on at once."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from starlette.responses import RedirectResponse, Response

from aureum.http.api.leads.lead_fields import LostReason
from aureum.http.panel.lead_board import show_board
from aureum.http.panel.lead_done import done
from aureum.http.panel.lead_query import NOBODY, STATUSES, LeadQuery
from aureum.http.panel.lead_rows import FORMER, names_of, rows_of
from aureum.http.panel.lead_views import views_of
from aureum.http.panel.page import page
from aureum.http.panel.visit import ApiAnswer, Visit
from aureum.http.wire.errors import InvalidRequest

LENGTH = 40

NEWEST = "-createdAt"

SOURCES = ("website", "manual", "api")
"""Where leads mostly come from; an address may name any other."""

TOO_MANY = "So many leads can't be sorted that way. Filter or search until at most 2,000 are left."

COLUMNS: Sequence[tuple[str, str, str]] = (
    ("Name", "name", "-name"),
    ("Email and phone", "", ""),
    ("Subject", "", ""),
    ("Status", "status", "-status"),
    ("Assigned to", "", ""),
    ("Last touch", "-updatedAt", "updatedAt"),
    ("Age", NEWEST, "createdAt"),
)
"""Each heading, how it sorts at first, and then."""


class Chip(NamedTuple):
    """A filter that is on, and the address of the list without it."""

    text: str
    without: str


class Heading(NamedTuple):
    """A column's heading, where it leads, and how the list is sorted by it now."""

    text: str
    leads_to: str
    sorted: str


async def show_leads(visit: Visit) -> Response:
    """The list, or the board."""
    query = LeadQuery.of(visit)
    return await (show_board(visit, query) if query["view"] == "board" else show_list(visit, query))


async def show_list(visit: Visit, query: LeadQuery) -> Response:
    """A page of the list."""
    cursor = visit.request.query_params.get("cursor", "")
    problem = None
    users, count, views = await asyncio.gather(names_of(visit), counted(visit), views_of(visit))
    try:
        answer = await listed(visit, query, cursor)
    except InvalidRequest:
        if cursor:
            # Of another list, or from before the database was put back: the list begins again.
            return RedirectResponse(query.address(), 303)
        if not query["sort"]:
            raise
        problem, query = TOO_MANY, LeadQuery({name: text for name, text in query.chosen.items() if name != "sort"})
        answer = await listed(visit, query, "")
    return await page(
        visit,
        "leads.html",
        query=query,
        leads=rows_of(answer.body, users),
        more=None if answer.more is None else query.address(cursor=answer.more["cursor"]),
        begun=bool(cursor),
        here=query.address(cursor=cursor),
        views=views,
        users=users,
        sources=SOURCES,
        tabs_of=tabs(query, count),
        chips=chips(query, users),
        headings=headings(query),
        reasons=get_args(LostReason),
        statuses=STATUSES,
        problem=problem,
        done=done(visit.request.query_params),
    )


async def listed(visit: Visit, query: LeadQuery, cursor: str) -> ApiAnswer:
    """What the API lists."""
    return await visit.ask("GET", "/api/leads", query=query.asked | {"limit": LENGTH, "cursor": cursor})


async def counted(visit: Visit) -> Mapping[str, int]:
    """How many leads stand at each status."""
    if visit.acting is None:
        return {}
    found: Mapping[str, int] = (await visit.ask("GET", "/api/leads/count")).body
    return found


def tabs(query: LeadQuery, count: Mapping[str, int]) -> list[tuple[str, str, int | None, bool]]:
    """Each status with its address, and, where nothing else filters, how many leads it has; whether it is open."""
    known = {} if query.filtered else count
    total = known.get("total")
    return [
        ("All", query.address(status=""), total, not query["status"]),
        *((one, query.address(status=one), known.get(one), query["status"] == one) for one in STATUSES),
    ]


def chips(query: LeadQuery, users: Mapping[str, str]) -> list[Chip]:
    """The filters that are on."""
    said = {
        "q": f"“{query['q']}”",
        "source": f"Source: {query['source']}",
        "assigned": "Unassigned"
        if query["assigned"] == NOBODY
        else f"Assigned to {users.get(query['assigned'], FORMER)}",
        "since": f"Created from {query['since']}",
        "until": f"Created until {query['until']}",
        "spam": "Suspected spam",
        "pond": "In the pond",
    }
    return [Chip(text, query.address(**{name: ""})) for name, text in said.items() if query[name]]


def headings(query: LeadQuery) -> list[Heading]:
    """The headings of the columns."""
    now = query["sort"] or NEWEST
    found = []
    for text, first, then in COLUMNS:
        to = then if now == first else first
        order = ("descending" if now.startswith("-") else "ascending") if now in (first, then) else ""
        found.append(Heading(text, query.address(sort="" if to == NEWEST else to) if to else "", order))
    return found
