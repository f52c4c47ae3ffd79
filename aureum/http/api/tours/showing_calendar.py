"""``GET /api/showings/calendar``: the showings of a span of time, in its order, and those that have no time yet."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.domain.ids import from_wire
from aureum.http.api.tours.tour_fields import ShowingResponse
from aureum.http.contract.answers import answer_kept, encoded, kept_as, log_etag, not_modified, resource_etag
from aureum.http.contract.endpoint import Context, Endpoint
from aureum.http.contract.paging import LONGEST_PAGE
from aureum.http.contract.resource import reference
from aureum.http.wire.shapes import Shape
from aureum.http.wire.times import Time
from aureum.projections import showing_calendar

PATH = "/api/showings/calendar"

MOST_UNSCHEDULED = 20


class CalendarFilters(BaseModel):
    """The span of time, and whose showings."""

    model_config = ConfigDict(frozen=True)

    since: Annotated[Time, Field(alias="from", description="Only showings that start at this moment or later.")]
    before: Annotated[Time, Field(description="Only showings that start before this moment.")]
    assigned_to: Annotated[str | None, Field(alias="assignedToId", description="Filter by assigned user.")] = None


class CalendarEntry(ShowingResponse):
    """A showing, with the address of its property, and the ETag that ``If-Match`` takes."""

    place: Annotated[str | None, Field(description="The address of the property. `null` if it is not known.")]
    etag: Annotated[str, Field(description="The ETag of the showing, for `If-Match`.")]


class CalendarResponse(Shape):
    """The showings of a span of time."""

    showings: Annotated[
        list[CalendarEntry], Field(description=f"Showings that start within the span, at most {LONGEST_PAGE}.")
    ]
    more: Annotated[bool, Field(description="Whether there are more than that. Ask for a shorter span.")]
    unscheduled: Annotated[
        list[CalendarEntry],
        Field(
            description="Pending and confirmed showings without a start time, newest first, "
            f"at most {MOST_UNSCHEDULED}."
        ),
    ]


async def get_showing_calendar(context: Context, filters: CalendarFilters) -> Response:
    """Returns the showings that start within a span of time, in the order of their times, and the showings that still
    need a time. Agents see the showings that are assigned to them or that they created."""
    etag = log_etag(context.request, context.caller, PATH)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged

    async def read() -> bytes:
        return b"\n" + encoded(await calendar(context, filters.since, filters.before, reference(filters.assigned_to)))

    return answer_kept(await context.app.answers.get(kept_as(context.caller, etag), read), etag)


async def calendar(context: Context, since: datetime, before: datetime, assigned_to: UUID | None) -> dict[str, Any]:
    """The answer's body."""
    of = {
        "tenant": context.tenant_id,
        "visible_to": context.caller.visible_to,
        "assigned_to": assigned_to,
        "since": since,
        "before": before,
    }
    timed, untimed = await context.app.database.tenant_results(
        context.tenant_id,
        [
            (showing_calendar.BETWEEN, of | {"limit": LONGEST_PAGE + 1}),
            (showing_calendar.UNSCHEDULED, of | {"limit": MOST_UNSCHEDULED}),
        ],
    )
    rows = [(orjson.loads(doc), version) for doc, version in (*timed[:LONGEST_PAGE], *untimed)]
    places = await places_of(context, (doc["propertyId"] for doc, _ in rows))
    entries = [
        doc | {"place": places.get(doc["propertyId"]), "etag": resource_etag(version, context.caller)}
        for doc, version in rows
    ]
    shown = min(len(timed), LONGEST_PAGE)
    return {"showings": entries[:shown], "more": len(timed) > LONGEST_PAGE, "unscheduled": entries[shown:]}


async def places_of(context: Context, properties: Iterable[str | None]) -> Mapping[str, str]:
    """The addresses of properties of the caller's brokerage, by their wire ids."""
    return await places_of_tenant(context, context.tenant_id, properties)


async def places_of_tenant(context: Context, tenant_id: UUID, properties: Iterable[str | None]) -> Mapping[str, str]:
    """The same of any brokerage."""
    ids = [from_wire(one) for one in {*properties} if one is not None]
    if not ids:
        return {}
    of = {"tenant": tenant_id, "properties": ids}
    found = await context.app.database.tenant_rows(tenant_id, showing_calendar.PLACES, of)
    listed = (orjson.loads(doc) for (doc,) in found)
    return {one["id"]: address(one) for one in listed}


def address(listed: Mapping[str, Any]) -> str:
    """``123 Palm Dr, Beverly Hills``: enough to know which one it is."""
    return f"{listed['address']}, {listed['city']}"


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        get_showing_calendar,
        "List the showings of a calendar",
        query=CalendarFilters,
        answers=CalendarResponse,
        etag_from_position=True,
    ),
)
