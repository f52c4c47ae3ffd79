"""A property in the fields of RESO's Data Dictionary 2.0, made of the property as the Aureum API shows it.

Lookup values are those of the Lookup resource, with blanks. What the Data Dictionary cannot hold is null: half a
bedroom, say, or a ZIP code that is longer than its field.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from aureum.http.wire.shapes import Amount, Shape, Timestamp, Wire

TYPES: Mapping[str, tuple[str, str | None]] = {
    "SINGLE_FAMILY": ("Residential", "Single Family Residence"),
    "CONDO": ("Residential", "Condominium"),
    "TOWNHOUSE": ("Residential", "Townhouse"),
    "LAND": ("Land", None),
    "COMMERCIAL": ("Commercial Sale", None),
}
"""PropertyType and PropertySubType of ours."""

LONGEST: Mapping[str, int] = {
    "ListingId": 255,
    "UnparsedAddress": 255,
    "PostalCode": 10,
    "PublicRemarks": 4_000,
    "OriginatingSystemName": 255,
}
"""Characters that a field of the Data Dictionary holds."""

DECIMALS_BELOW = 10**12
"""Its decimals have fourteen digits, two of them behind the point."""


class ResoPropertyResponse(Shape):
    """A property in the fields of RESO's Data Dictionary 2.0."""

    ListingKey: Annotated[Wire, Field(description="The `id` in the Aureum API.")]
    ListingId: Annotated[str | None, Field(description="The `mlsId`.", max_length=255)]
    ListPrice: Annotated[Amount | None, Field(description="In US dollars.")]
    StandardStatus: Annotated[Literal["Active", "Pending", "Closed", "Coming Soon"], Field(description="The status.")]
    PropertyType: Annotated[
        Literal["Residential", "Land", "Commercial Sale"] | None, Field(description="The type of property.")
    ]
    PropertySubType: Annotated[
        Literal["Single Family Residence", "Condominium", "Townhouse"] | None,
        Field(description="The type of residence."),
    ]
    UnparsedAddress: Annotated[str | None, Field(description="The street address.", max_length=255)]
    City: Annotated[str, Field(description="The city.")]
    StateOrProvince: Annotated[str, Field(description="The state.")]
    PostalCode: Annotated[str | None, Field(description="The ZIP code.", max_length=10)]
    BedroomsTotal: Annotated[int | None, Field(description="The number of bedrooms.", ge=0)]
    BathroomsTotalInteger: Annotated[int | None, Field(description="Each half bathroom counts as one.", ge=0)]
    LivingArea: Annotated[Amount | None, Field(description="The living area.")]
    LivingAreaUnits: Annotated[Literal["Square Feet"] | None, Field(description="The unit of the size.")]
    PublicRemarks: Annotated[str | None, Field(description="The first 4,000 characters.", max_length=4_000)]
    OriginatingSystemName: Annotated[str | None, Field(description="The MLS.", max_length=255)]
    OriginalEntryTimestamp: Annotated[Timestamp, Field(description="When the property was created.")]
    ModificationTimestamp: Annotated[Timestamp, Field(description="When the property was last changed.")]


def in_data_dictionary(doc: Mapping[str, Any]) -> dict[str, Any]:
    """The property *doc* of the Aureum API in RESO's fields."""
    kind, sub_kind = TYPES.get(doc["propertyType"], (None, None))
    remarks = doc["description"]
    fields = {
        "ListingKey": doc["id"],
        "ListingId": doc["mlsId"],
        "ListPrice": decimal(doc["price"]),
        "StandardStatus": doc["standardStatus"],
        "PropertyType": kind,
        "PropertySubType": sub_kind,
        "UnparsedAddress": doc["address"],
        "City": doc["city"],
        "StateOrProvince": doc["state"],
        "PostalCode": doc["zip"],
        "BedroomsTotal": whole(doc["bedrooms"]),
        "BathroomsTotalInteger": None if doc["bathrooms"] is None else math.ceil(doc["bathrooms"]),
        "LivingArea": decimal(doc["sqft"]),
        "LivingAreaUnits": None if decimal(doc["sqft"]) is None else "Square Feet",
        "PublicRemarks": None if remarks is None else remarks[: LONGEST["PublicRemarks"]],
        "OriginatingSystemName": doc["mls"],
        "OriginalEntryTimestamp": doc["createdAt"],
        "ModificationTimestamp": doc["updatedAt"],
    }
    return {name: None if too_long(name, value) else value for name, value in fields.items()}


def decimal(number: float | None) -> float | None:
    """A number that a decimal holds; None for a larger one."""
    return None if number is None or number >= DECIMALS_BELOW else number


def whole(number: float | None) -> int | None:
    """A whole number; None for a fraction."""
    return None if number is None or number != int(number) else int(number)


def too_long(name: str, value: Any) -> bool:
    """Whether the field cannot hold the text."""
    return isinstance(value, str) and len(value) > LONGEST.get(name, len(value))
