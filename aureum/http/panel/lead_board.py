"""The board: leads by status, the newest of each. A lead is moved by its own form, and with script also by dragging."""

import asyncio

from starlette.responses import Response

from aureum.http.panel.lead_done import done
from aureum.http.panel.lead_query import STATUSES, LeadQuery
from aureum.http.panel.lead_rows import Row, names_of, rows_of
from aureum.http.panel.lead_views import views_of
from aureum.http.panel.page import page
from aureum.http.panel.visit import Visit

LENGTH = 10
"""Leads that a column shows."""


async def show_board(visit: Visit, query: LeadQuery) -> Response:
    """The board of what the filters leave. How many leads a column has is known where nothing filters."""
    users, views = await asyncio.gather(names_of(visit), views_of(visit))
    parts = await asyncio.gather(*(column(visit, query, status, users) for status in STATUSES))
    count = {} if query.filtered or visit.acting is None else (await visit.ask("GET", "/api/leads/count")).body
    return await page(
        visit,
        "leads_board.html",
        query=query,
        columns=[
            {
                "status": status,
                "leads": leads,
                "count": count.get(status),
                "more": query.address(view="", status=status) if more else None,
            }
            for status, (leads, more) in zip(STATUSES, parts, strict=True)
        ],
        statuses=STATUSES,
        users=users,
        views=views,
        done=done(visit.request.query_params),
    )


async def column(visit: Visit, query: LeadQuery, status: str, users: dict[str, str]) -> tuple[list[Row], bool]:
    """The newest leads at a status, and whether there are more."""
    asked = query.asked | {"status": status, "sort": "", "limit": LENGTH}
    answer = await visit.ask("GET", "/api/leads", query=asked)
    return rows_of(answer.body, users), answer.more is not None
