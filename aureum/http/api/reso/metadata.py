"""``/api/reso/$metadata``: what ``/api/reso`` serves, as an EDMX document of OData 4 (CSDL XML).

Fields have the names and types of RESO's Data Dictionary 2.0. Lookups are texts, and an annotation names the lookup.
The Data Dictionary lets every field be null; here only those are nullable that can be null.
"""

import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import get_args
from xml.sax.saxutils import quoteattr

from aureum.http.api.reso.data_dictionary import LONGEST, ResoPropertyResponse
from aureum.http.api.reso.events import EntityEventResponse
from aureum.http.wire.shapes import Shape

NAMESPACE = "org.reso.metadata"

INTEGERS = ("EntityEventSequence", "BedroomsTotal", "BathroomsTotalInteger")
DECIMALS = ("ListPrice", "LivingArea")
TIMESTAMPS = ("OriginalEntryTimestamp", "ModificationTimestamp")

LOOKUPS: Mapping[str, str] = {
    "StandardStatus": "StandardStatus",
    "PropertyType": "PropertyType",
    "PropertySubType": "PropertySubType",
    "City": "City",
    "StateOrProvince": "StateOrProvince",
    "LivingAreaUnits": "AreaUnits",
}
"""The lookup of each field that has one."""

MAX_LENGTH: Mapping[str, int] = {
    "ListingKey": 255,
    "ResourceName": 255,
    "ResourceRecordKey": 255,
    "ResourceRecordUrl": 8_000,
    **LONGEST,
}

RESOURCES: Mapping[str, tuple[str, type[Shape]]] = {
    "EntityEvent": ("EntityEventSequence", EntityEventResponse),
    "Property": ("ListingKey", ResoPropertyResponse),
}
"""The resources, each with its key and its fields."""

DOCUMENT = """\
<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">
<edmx:DataServices>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="{namespace}">
{resources}
<EntityContainer Name="Default">
{sets}
</EntityContainer>
</Schema>
</edmx:DataServices>
</edmx:Edmx>
"""


@cache
def metadata() -> bytes:
    """The document."""
    resources = "\n".join(line for name in RESOURCES for line in resource(name))
    sets = "\n".join(f'<EntitySet Name="{name}" EntityType="{NAMESPACE}.{name}"/>' for name in RESOURCES)
    return DOCUMENT.format(namespace=NAMESPACE, resources=resources, sets=sets).encode()


def resource(name: str) -> Iterator[str]:
    """The lines of a resource."""
    key, shape = RESOURCES[name]
    yield f'<EntityType Name="{name}">'
    yield f'<Key><PropertyRef Name="{key}"/></Key>'
    for field, declared in shape.model_fields.items():
        nullable = types.NoneType in get_args(declared.annotation)
        yield property_of(field, nullable, declared.description or "")
    yield "</EntityType>"


def property_of(field: str, nullable: bool, description: str) -> str:
    """A field, with its type and what limits it."""
    attributes = {"Name": field} | typed(field) | ({} if nullable else {"Nullable": "false"})
    said = {"Core.Description": description}
    if field in LOOKUPS:
        said["RESO.OData.Metadata.LookupName"] = LOOKUPS[field]
    return (
        f"<Property{joined(attributes)}>"
        + "".join(f"<Annotation{joined({'Term': term, 'String': text})}/>" for term, text in said.items())
        + "</Property>"
    )


def typed(field: str) -> dict[str, str]:
    """The type of a field in the Data Dictionary."""
    if field in INTEGERS:
        return {"Type": "Edm.Int64"}
    if field in DECIMALS:
        return {"Type": "Edm.Decimal", "Precision": "14", "Scale": "2"}
    if field in TIMESTAMPS:
        return {"Type": "Edm.DateTimeOffset", "Precision": "3"}
    longest = MAX_LENGTH.get(field)
    return {"Type": "Edm.String"} | ({} if longest is None else {"MaxLength": str(longest)})


def joined(attributes: Mapping[str, str]) -> str:
    """Attributes of an element."""
    return "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
