"""Properties: what the brokerage lists."""

from typing import get_args

from aureum.http.api.properties.property_fields import Status, Type
from aureum.http.panel.around import around_property
from aureum.http.panel.fields import Field
from aureum.http.panel.resource import Column, PageLink, Resource
from aureum.http.panel.resource_page import pages_of

FIELDS = (
    Field("title", "Title", required=True),
    Field("address", "Street address", required=True),
    Field("city", "City", required=True),
    Field("state", "State", required=True),
    Field("zip", "ZIP code"),
    Field("price", "Price", "price", hint="In dollars, such as $300,000 or 300k."),
    Field("status", "Status", "choice", get_args(Status), required=True),
    Field("propertyType", "Type", "choice", get_args(Type)),
    Field("bedrooms", "Bedrooms", "amount"),
    Field("bathrooms", "Bathrooms", "amount"),
    Field("sqft", "Square feet", "amount"),
    Field("isFeatured", "Featured", "tick"),
    Field("mls", "MLS"),
    Field("mlsId", "Listing id in the MLS"),
    Field("timeZone", "Time zone", hint="Such as America/Boise. Leave empty to use the brokerage's."),
    Field("description", "Description", "long"),
    Field(
        "photos",
        "Photos",
        "photos",
        hint="One line per photo: its address, which begins with https://, a space, and what it shows.",
    ),
)

PROPERTIES = Resource(
    path="/admin/properties",
    api="/api/properties",
    one="property",
    many="Properties",
    title=lambda listed: listed["title"],
    chips="status",
    template="property.html",
    beside=around_property,
    columns=(
        Column("title", "Title"),
        Column("price", "Price", "price"),
        Column("status", "Status", "badge"),
        Column("address", "Street address"),
        Column("city", "City"),
        Column("mlsId", "MLS listing id"),
    ),
    filters=(
        Field("search", "Search"),
        Field("status", "Status", "choice", get_args(Status)),
        Field("featured", "Featured", "choice", ("true", "false")),
    ),
    new=FIELDS,
    change=FIELDS,
    links=(
        PageLink("New showing of this property", "/admin/showings/new", {"propertyId": "id", "listingId": "mlsId"}),
        PageLink("New task about this property", "/admin/tasks/new", {"propertyId": "id"}),
    ),
    history=True,
    facts=(
        Column("slug", "Name in addresses"),
        Column("createdAt", "Created", "time"),
        Column("updatedAt", "Last changed", "time"),
    ),
)

PAGES = pages_of(PROPERTIES)
