"""``$metadata`` beside what RESO has published of the Data Dictionary 2.0."""

from typing import Any
from xml.etree import ElementTree

from tests.http.operator import Tenant
from tests.http.serving import Server

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"

PUBLISHED: dict[tuple[str, str], tuple[str, int, str]] = {
    ("EntityEvent", "EntityEventSequence"): ("Number", 64, ""),
    ("EntityEvent", "ResourceName"): ("String", 255, ""),
    ("EntityEvent", "ResourceRecordKey"): ("String", 255, ""),
    ("EntityEvent", "ResourceRecordUrl"): ("String", 8000, ""),
    ("Property", "BathroomsTotalInteger"): ("Number", 3, ""),
    ("Property", "BedroomsTotal"): ("Number", 3, ""),
    ("Property", "City"): ("String List, Single", 50, "City"),
    ("Property", "ListPrice"): ("Number", 14, ""),
    ("Property", "ListingId"): ("String", 255, ""),
    ("Property", "ListingKey"): ("String", 255, ""),
    ("Property", "LivingArea"): ("Number", 14, ""),
    ("Property", "LivingAreaUnits"): ("String List, Single", 25, "AreaUnits"),
    ("Property", "ModificationTimestamp"): ("Timestamp", 27, ""),
    ("Property", "OriginalEntryTimestamp"): ("Timestamp", 27, ""),
    ("Property", "OriginatingSystemName"): ("String", 255, ""),
    ("Property", "PostalCode"): ("String", 10, ""),
    ("Property", "PropertySubType"): ("String List, Single", 50, "PropertySubType"),
    ("Property", "PropertyType"): ("String List, Single", 50, "PropertyType"),
    ("Property", "PublicRemarks"): ("String", 4000, ""),
    ("Property", "StandardStatus"): ("String List, Single", 25, "StandardStatus"),
    ("Property", "StateOrProvince"): ("String List, Single", 2, "StateOrProvince"),
    ("Property", "UnparsedAddress"): ("String", 255, ""),
}
"""The fields that we serve: SimpleDataType, SugMaxLength and LookupName, of ``dd-data/2.0/fields.csv`` in the
repository RESOStandards/reso-tools at commit 18bccada (March 2026). All of them may be null there."""

TYPES = {
    "String": {"Edm.String"},
    "String List, Single": {"Edm.String"},
    "Timestamp": {"Edm.DateTimeOffset"},
    "Number": {"Edm.Int64", "Edm.Decimal"},
}
WITH_DECIMALS = {"ListPrice", "LivingArea"}
"""Those whose SugMaxPrecision is 2; for the other numbers it is empty."""


def test_names_types_and_lookups_are_those_that_were_published(server: Server, tenant: Tenant) -> None:
    answer = server.by_key(tenant, "GET", "/api/reso/$metadata")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/xml")
    same = server.by_key(tenant, "GET", "/api/reso/$metadata", headers={"If-None-Match": answer.headers["etag"]})
    assert same.status == 304
    root = ElementTree.fromstring(answer.body)  # noqa: S314  # our own
    assert (root.tag, root.attrib) == (f"{EDMX}Edmx", {"Version": "4.0"})
    kinds = {one.attrib["Name"]: one for one in root.iter(f"{EDM}EntityType")}
    keys = {name: one.find(f"{EDM}Key/{EDM}PropertyRef") for name, one in kinds.items()}
    assert {name: key.attrib["Name"] for name, key in keys.items() if key is not None} == {
        "EntityEvent": "EntityEventSequence",
        "Property": "ListingKey",
    }
    sets = {one.attrib["Name"]: one.attrib["EntityType"] for one in root.iter(f"{EDM}EntitySet")}
    assert sets == {name: f"org.reso.metadata.{name}" for name in kinds}

    fields = {(name, one.attrib["Name"]): one for name, kind in kinds.items() for one in kind.iter(f"{EDM}Property")}
    assert fields.keys() == PUBLISHED.keys()
    for (_, name), (simple, longest, lookup) in PUBLISHED.items():
        (field,) = [one for (_, own), one in fields.items() if own == name]
        assert field.attrib["Type"] in TYPES[simple]
        assert (field.attrib["Type"] == "Edm.Decimal") == (name in WITH_DECIMALS)
        if field.attrib["Type"] == "Edm.Decimal":
            assert (field.attrib["Precision"], field.attrib["Scale"]) == (str(longest), "2")
        if simple == "String":
            assert field.attrib["MaxLength"] == str(longest)
        assert said(field).get("RESO.OData.Metadata.LookupName", "") == lookup


def said(field: ElementTree.Element) -> dict[str, str]:
    """The annotations of a field."""
    return {one.attrib["Term"]: one.attrib["String"] for one in field.iter(f"{EDM}Annotation")}


def test_records_are_as_the_document_says(server: Server, tenant: Tenant) -> None:
    root = ElementTree.fromstring(server.by_key(tenant, "GET", "/api/reso/$metadata").body)  # noqa: S314  # our own
    bare = {"title": "House", "address": "x" * 300, "city": "Boise", "state": "ID"}
    whole = bare | {"address": "1 Main St", "price": 750000, "bedrooms": 3, "bathrooms": 2.5, "sqft": 1200.5}
    more = {"zip": "83702", "propertyType": "CONDO", "description": "Quiet", "mls": "IMLS", "mlsId": "1"}
    for body in (bare, whole | more):
        assert server.by_key(tenant, "POST", "/api/properties", body).status == 201
    for name in ("EntityEvent", "Property"):
        records = server.by_key(tenant, "GET", f"/api/reso/{name}").json["value"]
        declared = {
            one.attrib["Name"]: one.attrib
            for one in root.iter(f"{EDM}Property")
            if one in list(next(kind for kind in root.iter(f"{EDM}EntityType") if kind.attrib["Name"] == name))
        }
        assert len(records) == 2
        for record in records:
            assert record.keys() == declared.keys()
            assert all(fits(record[own], declared[own]) for own in record), record


def fits(value: Any, attributes: dict[str, str]) -> bool:
    """Whether a field may have the value."""
    if value is None:
        return attributes.get("Nullable") != "false"
    if attributes["Type"] == "Edm.Int64":
        return isinstance(value, int)
    if attributes["Type"] == "Edm.Decimal":
        return isinstance(value, int | float)
    return isinstance(value, str) and len(value) <= int(attributes.get("MaxLength", len(value)))
