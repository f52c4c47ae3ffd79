"""Lists as CSV files, as they are filtered: each is the list of its page, whole, under the same address with ``.csv``.

A file is streamed in the parts in which the API streams the list, so that a long one needs no more memory than a short
one. Pages go by ids, so that what is made or changed meanwhile neither skips nor repeats a row. An agent gets what the
agent sees in the list.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from starlette.responses import Response, StreamingResponse

from aureum.domain.csv_cells import BOM, lines
from aureum.domain.ids import from_wire
from aureum.http.access.roles import ADMIN
from aureum.http.access.security import note
from aureum.http.panel.lead_query import LeadQuery
from aureum.http.panel.page import Page
from aureum.http.panel.resource import Column
from aureum.http.panel.times import on_clock
from aureum.http.panel.visit import Doc, Visit
from aureum.store.security_log import Noted

TENANT = "SELECT tenant_id FROM brokerages WHERE number = %(number)s"

MEDIA = "text/csv; charset=utf-8; header=present"
FORMER = "a former user"

log = structlog.get_logger()


@dataclass(frozen=True)
class Export:
    """The list of the page at *path*. *filters* are the parameters of the list at *api* that are passed on."""

    path: str
    api: str
    filters: Sequence[str]
    columns: Sequence[Column]
    query: Callable[[Visit], Mapping[str, Any]] | None = None
    """What the list is asked for, where the page's own parameters have other names."""

    @property
    def name(self) -> str:
        """The list's name in the file's."""
        return self.path.rpartition("/")[2]


async def export(wanted: Export, visit: Visit) -> Response:
    """The file. What the list refuses, such as an unknown status, is refused before the file begins."""
    asked = (
        {name: visit.request.query_params.get(name, "") for name in wanted.filters}
        if wanted.query is None
        else wanted.query(visit)
    )
    return await file_of(wanted, visit, await visit.stream(wanted.api, query=asked))


async def file_of(wanted: Export, visit: Visit, parts: AsyncIterator[Sequence[Doc]]) -> Response:
    """The file of what *parts* have."""
    users = {user["id"]: user["name"] for user in (await visit.ask("GET", "/api/users")).body}
    headers = {"Content-Disposition": f'attachment; filename="{wanted.name}.csv"'}
    if visit.request.method == "HEAD":
        return Response(headers=headers, media_type=MEDIA)
    await noted(visit, wanted)
    return StreamingResponse(written(wanted, visit, parts, users), headers=headers, media_type=MEDIA)


async def noted(visit: Visit, wanted: Export) -> None:
    """The security log says who has taken which list."""
    assert visit.me is not None and visit.acting is not None
    database = visit.request.app.state.aureum.database
    ((tenant_id,),) = await database.rows(TENANT, {"number": visit.acting["id"]})
    own = visit.role != ADMIN
    about = wanted.name if own else f"{wanted.name} (by a platform admin)"
    user_id = from_wire(visit.me["id"]) if own else None
    note(visit.request, Noted("export", tenant_id=tenant_id, user_id=user_id, about=about))


async def written(
    wanted: Export, visit: Visit, parts: AsyncIterator[Sequence[Doc]], users: Mapping[str, str]
) -> AsyncIterator[bytes]:
    """The file's bytes, a part of the list at a time. The log says that it was read, and how far."""
    rows, complete = 0, False
    try:
        yield BOM.encode() + lines([[heading(column, visit) for column in wanted.columns]])
        async for docs in parts:
            rows += len(docs)
            yield lines([cell(column, doc, visit, users) for column in wanted.columns] for doc in docs)
        complete = True
    finally:
        assert visit.me is not None and visit.acting is not None
        log.info(
            "list_exported",
            list=wanted.name,
            rows=rows,
            complete=complete,
            user=visit.me["id"],
            brokerage=visit.acting["id"],
            request_id=visit.request.scope["state"]["request_id"],
        )


def heading(column: Column, visit: Visit) -> str:
    """``Created (America/Boise)``: a cell has no room for the zone of its time."""
    return f"{column.label} ({visit.zone.key})" if column.kind == "time" else column.label


def cell(column: Column, doc: Doc, visit: Visit, users: Mapping[str, str]) -> str:
    """A value, as a spreadsheet and an import read it."""
    value = doc.get(column.name)
    if value is None:
        return ""
    match column.kind:
        case "time":
            return f"{on_clock(value, visit.zone):%Y-%m-%d %H:%M}"
        case "wall":
            return f"{on_clock(value, ZoneInfo(doc['timeZone'])):%Y-%m-%d %H:%M}"
        case "user":
            return users.get(value, FORMER)
        case "badge":
            return str(value).replace("_", " ")
        case "words":
            return ", ".join(value)
        case "photos":
            return "\n".join(photo["url"] for photo in value)
        case "tick" | "suspect":
            return "yes" if value else ""
        case "amount" if isinstance(value, float) and value.is_integer():
            return str(int(value))
    return str(value)


TIMES = (Column("createdAt", "Created", "time"), Column("updatedAt", "Last changed", "time"))
ASSIGNED = Column("assignedToId", "Assigned to", "user")
REACHED = (Column("email", "Email"), Column("phone", "Phone"))
NAME = (Column("firstName", "First name"), Column("lastName", "Last name"))

EXPORTS = (
    Export(
        "/admin/leads",
        "/api/leads",
        (),
        (
            *NAME,
            *REACHED,
            Column("status", "Status", "badge"),
            Column("lostReason", "Lost because", "badge"),
            Column("source", "Source"),
            ASSIGNED,
            Column("subject", "Subject"),
            Column("message", "Message"),
            Column("sourcePage", "Source page"),
            Column("suspect", "Suspected spam", "suspect"),
            *TIMES,
        ),
        # A file that is whole comes newest first.
        lambda visit: LeadQuery.of(visit).asked | {"sort": ""},
    ),
    Export(
        "/admin/contacts",
        "/api/contacts",
        ("search", "type", "tag"),
        (
            *NAME,
            *REACHED,
            Column("type", "Type", "badge"),
            Column("tags", "Tags", "words"),
            Column("score", "Score", "amount"),
            *TIMES,
        ),
    ),
    Export(
        "/admin/properties",
        "/api/properties",
        ("search", "status", "featured"),
        (
            Column("title", "Title"),
            Column("address", "Street address"),
            Column("city", "City"),
            Column("state", "State"),
            Column("zip", "ZIP code"),
            Column("price", "Price", "amount"),
            Column("status", "Status", "badge"),
            Column("propertyType", "Type", "badge"),
            Column("bedrooms", "Bedrooms", "amount"),
            Column("bathrooms", "Bathrooms", "amount"),
            Column("sqft", "Square feet", "amount"),
            Column("isFeatured", "Featured", "tick"),
            Column("mlsId", "MLS listing id"),
            Column("description", "Description"),
            Column("photos", "Photos", "photos"),
            *TIMES,
        ),
    ),
    Export(
        "/admin/tasks",
        "/api/tasks",
        ("status", "assignedToId"),
        (
            Column("title", "Title"),
            Column("type", "Type", "badge"),
            Column("priority", "Priority"),
            Column("status", "Status", "badge"),
            Column("dueDate", "Due", "time"),
            ASSIGNED,
            Column("description", "Description"),
            *TIMES,
        ),
    ),
    Export(
        "/admin/showings",
        "/api/showings",
        ("search", "status", "listingId", "assignedToId"),
        (
            Column("name", "Name"),
            *REACHED,
            Column("status", "Status", "badge"),
            Column("listingId", "Listing"),
            Column("preferredDate", "Preferred date"),
            Column("preferredTime", "Preferred time"),
            Column("startsAt", "Starts at", "wall"),
            Column("timeZone", "Time zone"),
            ASSIGNED,
            Column("message", "Message"),
            *TIMES,
        ),
    ),
)

PAGES = tuple(Page(f"{one.path}.csv", partial(export, one)) for one in EXPORTS)
