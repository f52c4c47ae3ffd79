"""Properties, in the Aureum API: list, create, read, change."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.batches import Outcome, new_properties
from aureum.commands.properties import (
    NO_PROPERTY,
    ChangeProperty,
    EnterProperty,
    change_property,
    enter_property,
)
from aureum.domain.property import Property
from aureum.http.access.callers import origin
from aureum.http.api.properties.property_fields import (
    PropertyBatch,
    PropertyChange,
    PropertyCreate,
    PropertyResponse,
    Status,
    stored,
)
from aureum.http.contract.answers import encoded
from aureum.http.contract.batch import batch_endpoint
from aureum.http.contract.catching_up import RemovedResponse
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.history import get_history
from aureum.http.contract.lists import DeltaPaging, Search, listing
from aureum.http.contract.resource import AsOf, answered, expected_versions, run_once, shown
from aureum.http.contract.undoing import undo_endpoint
from aureum.http.wire.shapes import EventResponse
from aureum.projections import property_list

PROPERTIES = listing("/api/properties", property_list.LIST, property_list.PROPERTIES)


class PropertyFilters(DeltaPaging):
    """The document's filters."""

    status: Annotated[Status | None, Field(description="Filter by status.")] = None
    featured: Annotated[
        Literal["true", "false"] | None,
        Field(description="`true`: only featured properties. `false`: only properties that are not featured."),
    ] = None
    search: Search = None


def property_body(listed: Property) -> bytes:
    """A property as the Aureum API shows it, in the same words as the list."""
    return encoded(property_list.document(listed, listed.id, listed.created_on, listed.modified_on))


async def get_properties(context: Context, filters: PropertyFilters) -> Response:
    """Lists the properties, newest first: in pages with ``limit``, otherwise streamed as a whole."""
    featured = None if filters.featured is None else filters.featured == "true"
    return await PROPERTIES.answer(context, filters, {"status": filters.status, "featured": featured}, filters.search)


async def post_property(context: Context, new: PropertyCreate) -> Response:
    """Returns the new property. Its ``slug`` is derived from the title, and is unique within the brokerage."""
    command = entering(context, new)
    return await run_once(context, partial(enter_property, context.app.store, command), property_body, 201)


def entering(context: Context, new: PropertyCreate) -> EnterProperty:
    """What the caller asks for."""
    fields, photos = new.fields(context.caller.user_id), stored(new.photos)
    return EnterProperty(tenant_id=context.tenant_id, fields=fields, photos=photos)


async def decide_properties(context: Context, rows: Sequence[PropertyCreate]) -> Sequence[Outcome]:
    """A property for each row."""
    commands = [entering(context, new) for new in rows]
    return await new_properties(context.app.store, context.tenant_id, commands)


async def get_property(context: Context, property_id: UUID, as_of: AsOf) -> Response:
    """Returns the property, or its state at ``asOf``."""
    return await shown(context, property_list.LIST, property_id, NO_PROPERTY, as_of, property_body)


async def patch_property(context: Context, property_id: UUID, change: PropertyChange) -> Response:
    """Changes the fields that are sent, and returns the property. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    command = ChangeProperty(
        tenant_id=context.tenant_id,
        property_id=property_id,
        status=change.status,
        details=change.details(),
        photos=None if change.photos is None else stored(change.photos),
        expected_versions=expected_versions(context.request),
    )
    listed = await change_property(context.app.store, command, origin(context.request, context.caller))
    return answered(context, listed, property_body)


async def get_property_history(context: Context, property_id: UUID, as_of: AsOf) -> Response:
    """Lists every event of the property, oldest first: who changed what, when, from which value to which. With ``asOf``
    it ends at that moment."""
    return await get_history(context, property_list.LIST, property_id, NO_PROPERTY, as_of)


SHOWN = PropertyResponse
"""What webhooks are sent."""

one = partial(Endpoint, path="/api/properties/{id}", id=Id(NO_PROPERTY), answers=PropertyResponse)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/properties",
        get_properties,
        "List properties",
        query=PropertyFilters,
        answers=list[PropertyResponse | RemovedResponse],
        etag_from_position=True,
    ),
    Endpoint(
        "POST",
        "/api/properties",
        post_property,
        "Create a property",
        body=PropertyCreate,
        answers=PropertyResponse,
        status=201,
    ),
    batch_endpoint(
        "/api/properties",
        PropertyBatch,
        PropertyCreate,
        PropertyResponse,
        decide_properties,
        lambda _, listed: property_body(listed),
        command="EnterProperties",
        names="properties",
    ),
    one(method="GET", run=get_property, summary="Get a property", query=AsOf),
    one(method="PATCH", run=patch_property, summary="Change a property", body=PropertyChange),
    one(
        method="GET",
        path="/api/properties/{id}/history",
        run=get_property_history,
        summary="Get a property's history",
        query=AsOf,
        answers=list[EventResponse],
    ),
    undo_endpoint("/api/properties", Property, NO_PROPERTY, "property"),
)
