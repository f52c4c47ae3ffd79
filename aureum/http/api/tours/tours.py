"""Tours, in the Leads API: requested on a brokerage's own pages; listed, read and changed by staff or with a key."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import orjson
from pydantic import Field
from starlette.responses import Response

from aureum.commands.tours import NO_TOUR, ChangeTour, RequestTour, change_tour, request_tour
from aureum.domain.errors import NotFound
from aureum.domain.routing import reasons
from aureum.domain.tour import Tour
from aureum.http.access.callers import origin
from aureum.http.api.tours.tour_fields import (
    ReceivedTour,
    Status,
    TourChange,
    TourForm,
    TourResponse,
)
from aureum.http.contract.agents import check_agent
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import KEY_OR_STAFF, Context, Endpoint, Id
from aureum.http.contract.form_page import FormWords, Input
from aureum.http.contract.forms import FormEndpoint, Submission, submit
from aureum.http.contract.lists import DeltaPaging, Search, listing
from aureum.http.contract.resource import NOT_YET, AsOf, answered, expected_versions, unless_known, with_more
from aureum.http.wire.fields import Text
from aureum.http.wire.shapes import Shape
from aureum.projections import lead_list, tour_list
from aureum.store.event_store import Appended

TOURS = listing("/api/tours", tour_list.LIST, tour_list.TOURS)

RECEIVED = ("id", "listing_id", "name", "email", "status", "created_at")
"""What the document's answer to a request holds."""

SCHEDULE = ("preferred_date", "preferred_time", "starts_at")


class TourFilters(DeltaPaging):
    """The document's filters."""

    status: Annotated[Status | None, Field(description="Filter by status.")] = None
    listing_id: Annotated[Text | None, Field(description="Filter by property.")] = None
    q: Search = None


class RemovedTour(Shape):
    """With `changedAfter`: a tour that is no longer in the list, or no longer visible to the caller."""

    id: int
    removed: Literal[True]


class FoundTour(NamedTuple):
    """A tour's row, and the numbers of the agent it is assigned to and of its lead."""

    tour_id: UUID
    version: int
    doc: str
    details: str
    agent: int | None
    lead: int | None


def shown_tour(tour: Tour) -> dict[str, Any]:
    """A tour in the form of the Leads API, without the assigned agent."""
    doc = tour_list.document(tour, tour.id, tour.created_on, tour.modified_on)
    return tour_list.in_leads(doc, tour.number)


def received(tour: Tour) -> bytes:
    """A tour request, as the visitor's page gets it."""
    shown = shown_tour(tour)
    return encoded({name: shown[name] for name in RECEIVED})


async def tour_body(context: Context, tour: Tour) -> bytes:
    """The whole tour, in the same words as the list."""
    numbers = {
        "assigned_agent_id": await number_of(context, tour_list.AGENT, {"user": tour.assigned_to}),
        "lead_id": await number_of(context, tour_list.LEAD, {"lead": tour.lead_id}),
    }
    return encoded(shown_tour(tour) | numbers | await routing(context, lead_list.routed_of(tour)))


async def number_of(context: Context, query: str, named: Mapping[str, UUID | None]) -> int | None:
    """How the Leads API calls what is named, if it is."""
    if None in named.values():
        return None
    rows = await context.app.database.tenant_rows(context.tenant_id, query, {"tenant": context.tenant_id, **named})
    return rows[0][0] if rows else None


async def routing(context: Context, details: Mapping[str, Any]) -> dict[str, Any]:
    """How a tour found its agent, as the caller may see it; nothing of one that was not routed."""
    brief, routed_to = context.caller.visible_to is not None, details["routed_to"]
    agent = None
    if routed_to is not None and not brief:
        agent = await number_of(context, tour_list.AGENT, {"user": UUID(routed_to)})
    shown = reasons.shown(details, lambda _: agent, brief=brief)
    return {} if shown is None else {"routing": shown}


async def get_found(context: Context, number: int) -> FoundTour:
    """The tour that the Leads API calls *number*. Raises NotFound, also for what an agent must not see."""
    parameters = {"tenant": context.tenant_id, "number": number, "visible_to": context.caller.visible_to}
    rows = await context.app.database.tenant_rows(context.tenant_id, tour_list.OF_NUMBER, parameters)
    if not rows:
        raise NotFound(NO_TOUR)
    return FoundTour(*rows[0])


async def post_tour(context: Context, form: TourForm) -> Response:
    """Stores a tour request. If the brokerage has a property with this listing id, the tour is linked to it. The
    endpoint accepts the same formats as the contact form."""

    async def request(submission: Submission) -> tuple[Tour, Appended]:
        caller = submission.site.visitor
        return await request_tour(
            context.app.store,
            RequestTour(
                tenant_id=caller.tenant_id,
                country=caller.country,
                source="website",
                source_domain=submission.host,
                **vars(form),
            ),
            submission.origin,
            team=submission.site.team,
            idempotency=submission.idempotency,
            guards=submission.guards,
        )

    return await submit(context, form, received, request, once=True)


async def get_tours(context: Context, filters: TourFilters) -> Response:
    """Lists the tour requests, newest first: in pages with ``limit``, otherwise streamed as a whole. Agents see the
    tours that are assigned to them or that they created."""
    chosen = {"status": filters.status, "listing_id": filters.listing_id, "visible_to": context.caller.visible_to}
    return await TOURS.answer(context, filters, chosen, filters.q)


async def get_tour(context: Context, number: int, as_of: AsOf) -> Response:
    """Returns the tour, or its state at ``asOf``."""
    found = await get_found(context, number)
    if as_of.as_of is None:
        numbers = {"assigned_agent_id": found.agent, "lead_id": found.lead}
        more = numbers | await routing(context, orjson.loads(found.details))
        return unless_known(context, with_more(found.doc, more), found.version)
    tour = (await context.app.store.load(context.tenant_id, found.tour_id)).aggregate(as_of.as_of)
    if tour is None:
        raise NotFound(NOT_YET)
    return unless_known(context, await tour_body(context, tour), tour.version)


async def patch_tour(context: Context, number: int, change: TourChange) -> Response:
    """Changes the fields that are sent, and returns the tour. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    found = await get_found(context, number)
    given = change.model_fields_set
    command = ChangeTour(
        tenant_id=context.tenant_id,
        country=context.caller.country,
        tour_id=found.tour_id,
        status=change.status,
        schedule={name: getattr(change, name) for name in SCHEDULE if name in given},
        assign="assigned_agent_id" in given,
        assigned_to=await check_agent(context, change.assigned_agent_id),
        clear="suspect" in given,
        visible_to=context.caller.visible_to,
        expected_versions=expected_versions(context.request),
    )
    tour = await change_tour(context.app.store, command, origin(context.request, context.caller))
    body = await tour_body(context, tour)
    return answered(context, tour, lambda _: body)


WORDS = FormWords(
    "Thank you for your request! We'll confirm the time of your tour.",
    (
        Input("name", "Name", required=True, autocomplete="name"),
        Input("email", "Email", "email", required=True, autocomplete="email"),
        Input("phone", "Phone", "tel", autocomplete="tel"),
        Input("preferred_date", "Preferred date", "date"),
        Input("preferred_time", "Preferred time"),
        Input("message", "Message", "long"),
        Input("listing_id", "", required=True),
    ),
    "Request the tour",
)

one = partial(
    Endpoint,
    path="/api/tours/{id}",
    access=KEY_OR_STAFF,
    dialect="leads",
    id=Id(NO_TOUR, number=True),
    answers=TourResponse,
)

ENDPOINTS = (
    FormEndpoint(
        "POST",
        "/api/tours",
        post_tour,
        "Request a tour",
        body=TourForm,
        answers=ReceivedTour,
        words=WORDS,
    ),
    Endpoint(
        "GET",
        "/api/tours",
        get_tours,
        "List tour requests",
        access=KEY_OR_STAFF,
        dialect="leads",
        query=TourFilters,
        answers=list[TourResponse | RemovedTour],
        etag_from_position=True,
    ),
    one(method="GET", run=get_tour, summary="Get a tour request", query=AsOf),
    one(method="PATCH", run=patch_tour, summary="Change a tour", body=TourChange, refusals=(400,)),
)
