"""Properties, in the Aureum API: list, create, read, change."""

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from aureum.commands.properties import (
    NO_PROPERTY,
    ChangeProperty,
    EnterProperty,
    change_property,
    enter_property,
)
from aureum.domain.property import Property
from aureum.http.access.callers import origin
from aureum.http.api.properties.property_fields import NewProperty, PropertyChange, ShownProperty, Status
from aureum.http.contract.answers import encoded
from aureum.http.contract.catching_up import ShownRemoved
from aureum.http.contract.endpoint import Asked, Endpoint, Id
from aureum.http.contract.lists import DeltaPaging, listing
from aureum.http.contract.resource import AsOf, answered, expected_versions, once, shown
from aureum.projections import property_list

PROPERTIES = listing("/api/properties", property_list.LIST, property_list.PROPERTIES)


class PropertyFilters(DeltaPaging):
    """The document's filters."""

    status: Annotated[Status | None, Field(description="Filter by status.")] = None
    featured: Annotated[
        Literal["true", "false"] | None,
        Field(description="`true`: only featured properties. `false`: only properties that are not featured."),
    ] = None


def property_body(listed: Property) -> bytes:
    """A property as the Aureum API shows it, in the same words as the list."""
    return encoded(property_list.document(listed, listed.id, listed.created_on, listed.modified_on))


async def get_properties(asked: Asked, filters: PropertyFilters) -> Response:
    """Lists the properties, newest first: in pages with ``limit``, otherwise streamed as a whole."""
    featured = None if filters.featured is None else filters.featured == "true"
    return await PROPERTIES.answer(asked, filters, {"status": filters.status, "featured": featured})


async def post_property(asked: Asked, new: NewProperty) -> Response:
    """Returns the new property. Its ``slug`` is derived from the title, and is unique within the brokerage."""
    fields = new.model_dump(exclude={"status"}) | {"created_by": asked.about.user_id}
    command = EnterProperty(tenant_id=asked.tenant_id, status=new.status, fields=fields)
    remember = await once(asked, property_body)
    listed, appended = await enter_property(
        asked.app.store, command, origin(asked.request, asked.about), idempotency=remember
    )
    return answered(asked, listed, property_body, appended, 201)


async def get_property(asked: Asked, property_id: UUID, as_of: AsOf) -> Response:
    """Returns the property, or its state at ``asOf``."""
    return await shown(asked, property_list.LIST, property_id, NO_PROPERTY, as_of, property_body)


async def patch_property(asked: Asked, property_id: UUID, change: PropertyChange) -> Response:
    """Changes the fields that are sent, and returns the property. Send ``If-Match`` with the ETag to avoid overwriting
    someone else's change."""
    command = ChangeProperty(
        tenant_id=asked.tenant_id,
        property_id=property_id,
        status=change.status,
        details=change.model_dump(exclude={"status"}, exclude_unset=True),
        expected_versions=expected_versions(asked.request),
    )
    listed = await change_property(asked.app.store, command, origin(asked.request, asked.about))
    return answered(asked, listed, property_body)


SHOWN = ShownProperty
"""What webhooks are sent."""

one = partial(Endpoint, path="/api/properties/{id}", id=Id(NO_PROPERTY), answers=ShownProperty)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/properties",
        get_properties,
        "List properties",
        query=PropertyFilters,
        answers=list[ShownProperty | ShownRemoved],
        of_log=True,
    ),
    Endpoint(
        "POST",
        "/api/properties",
        post_property,
        "Create a property",
        body=NewProperty,
        answers=ShownProperty,
        status=201,
    ),
    one(method="GET", run=get_property, summary="Get a property", query=AsOf),
    one(method="PATCH", run=patch_property, summary="Change a property", body=PropertyChange),
)
