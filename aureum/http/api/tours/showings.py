"""Showings, in the Aureum API: the same as tours in the Leads API. List, enter, read, change."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.tours import ChangeTour, RequestTour, change_tour, clear_tour, miss_tour, request_tour
from aureum.domain.errors import Invalid
from aureum.domain.tour import Tour
from aureum.http.access.callers import origin
from aureum.http.api.tours.tour_fields import (
    ShowingChange,
    ShowingCreate,
    ShowingResponse,
    Status,
)
from aureum.http.contract.answers import encoded
from aureum.http.contract.catching_up import RemovedResponse
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.history import get_history
from aureum.http.contract.lists import DeltaPaging, Search, listing
from aureum.http.contract.resource import AsOf, answered, expected_versions, reference, run_once, shown
from aureum.http.contract.routing import beside, with_routing
from aureum.http.contract.undoing import undo_endpoint
from aureum.http.wire.fields import Text
from aureum.http.wire.shapes import EventResponse
from aureum.projections import tour_list

NO_SHOWING = "There is no such showing."
SHOWINGS = listing("/api/showings", tour_list.LIST, tour_list.SHOWINGS)

DETAILS = ("listing_id", "name", "email", "phone", "message")
SCHEDULE = ("preferred_date", "preferred_time", "starts_at")

NAMES = {"starts_at": "startsAt", "preferred_date": "preferredDate"}
"""How fields are called here of which the rules of a tour speak."""


class ShowingFilters(DeltaPaging):
    """As of a tour, and who takes care of it."""

    status: Annotated[Status | None, Field(description="Filter by status.")] = None
    listing_id: Annotated[Text | None, Field(alias="listingId", description="Filter by the listing id in the MLS.")] = (
        None
    )
    assigned_to: Annotated[str | None, Field(alias="assignedToId", description="Filter by assigned user.")] = None
    search: Search = None


@contextmanager
def in_these_words() -> Iterator[None]:
    """Raises Invalid with the names that fields have here."""
    try:
        yield
    except Invalid as error:
        text = str(error)
        for name, shown_here in NAMES.items():
            text = text.replace(name, shown_here)
        raise Invalid(NAMES.get(error.field, error.field), text) from error


def showing_body(context: Context, tour: Tour) -> bytes:
    """A tour as the Aureum API shows it, in the same words as the list, and how it was routed."""
    return encoded(with_routing(context, tour_list.document(tour, tour.id, tour.created_on, tour.modified_on), tour))


async def get_showings(context: Context, filters: ShowingFilters) -> Response:
    """Lists the showings, newest first: in pages with ``limit``, otherwise streamed as a whole. Agents see the showings
    that are assigned to them or that they created."""
    chosen = {
        "status": filters.status,
        "listing_id": filters.listing_id,
        "assigned_to": reference(filters.assigned_to),
        "visible_to": context.caller.visible_to,
    }
    return await SHOWINGS.answer(context, filters, chosen, filters.search)


async def post_showing(context: Context, new: ShowingCreate) -> Response:
    """Returns the new showing. If the brokerage has a property with this listing id, the showing is linked to it."""
    caller = context.caller
    command = RequestTour(
        tenant_id=context.tenant_id,
        country=caller.country,
        source="api",
        created_by=caller.user_id,
        **vars(new) | {"property_id": reference(new.property_id), "assigned_to": reference(new.assigned_to)},
    )
    body = partial(showing_body, context)
    with in_these_words():
        return await run_once(context, partial(request_tour, context.app.store, command), body, 201)


async def get_showing(context: Context, tour_id: UUID, as_of: AsOf) -> Response:
    """Returns the showing, or its state at ``asOf``."""
    body = partial(showing_body, context)
    return await shown(context, tour_list.LIST, tour_id, NO_SHOWING, as_of, body, beside=partial(beside, context))


async def patch_showing(context: Context, tour_id: UUID, change: ShowingChange) -> Response:
    """Changes the fields that are sent, and returns the showing. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    given = change.model_fields_set
    command = ChangeTour(
        tenant_id=context.tenant_id,
        country=context.caller.country,
        tour_id=tour_id,
        status=change.status,
        schedule={name: getattr(change, name) for name in SCHEDULE if name in given},
        assign="assigned_to" in given,
        assigned_to=reference(change.assigned_to),
        relocate="property_id" in given,
        property_id=reference(change.property_id),
        details={name: getattr(change, name) for name in DETAILS if name in given},
        visible_to=context.caller.visible_to,
        expected_versions=expected_versions(context.request),
    )
    with in_these_words():
        tour = await change_tour(
            context.app.store, command, origin(context.request, context.caller), missing=NO_SHOWING
        )
    return answered(context, tour, partial(showing_body, context))


async def post_showing_clearance(context: Context, tour_id: UUID) -> Response:
    """Marks a suspected showing as genuine. Webhooks receive it as new. Clearing it again has no further effect."""
    command = partial(
        clear_tour,
        context.app.store,
        context.tenant_id,
        tour_id,
        missing=NO_SHOWING,
        visible_to=context.caller.visible_to,
    )
    return await run_once(context, command, partial(showing_body, context))


async def get_showing_history(context: Context, tour_id: UUID, as_of: AsOf) -> Response:
    """Lists every event of the showing, oldest first: who changed what, when, from which value to which. With ``asOf``
    it ends at that moment."""
    return await get_history(context, tour_list.LIST, tour_id, NO_SHOWING, as_of)


async def post_no_show(context: Context, tour_id: UUID) -> Response:
    """Records that the visitor did not come: the status becomes ``cancelled``, and ``noShow`` is true. Recording it
    again has no further effect."""
    command = partial(
        miss_tour,
        context.app.store,
        context.tenant_id,
        tour_id,
        missing=NO_SHOWING,
        visible_to=context.caller.visible_to,
    )
    return await run_once(context, command, partial(showing_body, context))


SHOWN = ShowingResponse
"""What webhooks are sent."""

one = partial(Endpoint, path="/api/showings/{id}", id=Id(NO_SHOWING), answers=ShowingResponse)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/showings",
        get_showings,
        "List showings",
        query=ShowingFilters,
        answers=list[ShowingResponse | RemovedResponse],
        etag_from_position=True,
    ),
    Endpoint(
        "POST",
        "/api/showings",
        post_showing,
        "Create a showing",
        body=ShowingCreate,
        answers=ShowingResponse,
        status=201,
    ),
    one(method="GET", run=get_showing, summary="Get a showing", query=AsOf),
    one(method="PATCH", run=patch_showing, summary="Change a showing", body=ShowingChange),
    one(
        method="POST",
        path="/api/showings/{id}/clear",
        run=post_showing_clearance,
        summary="Clear a suspected showing",
    ),
    one(
        method="GET",
        path="/api/showings/{id}/history",
        run=get_showing_history,
        summary="Get a showing's history",
        query=AsOf,
        answers=list[EventResponse],
    ),
    one(
        method="POST",
        path="/api/showings/{id}/no-show",
        run=post_no_show,
        summary="Record that the visitor did not come",
        refusals=(409,),
    ),
    undo_endpoint("/api/showings", Tour, NO_SHOWING, "showing"),
)
