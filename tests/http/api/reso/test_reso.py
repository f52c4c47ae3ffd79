"""RESO's EntityEvent, and properties in the fields of RESO's Data Dictionary 2.0 (https://dd.reso.org/DD2.0/)."""

from typing import Any
from urllib.parse import quote

import pytest

from aureum.http.api.reso.data_dictionary import ResoPropertyResponse
from aureum.http.api.reso.events import EntityEventResponse
from tests.http.operator import Tenant
from tests.http.serving import Answer, Server

EVENT = {
    "EntityEventSequence": "integer",
    "ResourceName": "Contacts, Property, Showing",
    "ResourceRecordKey": "string",
    "ResourceRecordUrl": "string",
}

PROPERTY = {
    **dict.fromkeys(("BedroomsTotal", "BathroomsTotalInteger"), "integer"),
    **dict.fromkeys(("ListPrice", "LivingArea"), "number"),
    **dict.fromkeys(("OriginalEntryTimestamp", "ModificationTimestamp"), "date-time"),
    **dict.fromkeys(("ListingKey", "City", "StateOrProvince"), "string"),
    **dict.fromkeys(("ListingId", "UnparsedAddress", "OriginatingSystemName"), "255"),
    "PostalCode": "10",
    "PublicRemarks": "4000",
    "StandardStatus": "Active, Closed, Coming Soon, Pending",
    "PropertyType": "Commercial Sale, Land, Residential",
    "PropertySubType": "Condominium, Single Family Residence, Townhouse",
    "LivingAreaUnits": "Square Feet",
}
"""The fields that we use, each with its type; of texts the characters that it holds, of lookups our values."""

HOUSE = {"title": "House", "address": "1 Main St", "city": "Boise", "state": "ID"}


@pytest.mark.parametrize(("model", "fields"), [(EntityEventResponse, EVENT), (ResoPropertyResponse, PROPERTY)])
def test_names_and_types_are_those_of_the_data_dictionary(model: Any, fields: dict[str, str]) -> None:
    schema = model.model_json_schema()["properties"]
    assert {name: kind_of(said) for name, said in schema.items()} == fields


def kind_of(said: dict[str, Any]) -> str:
    """The type of a field in our schema, as it stands above."""
    (option,) = [one for one in said.get("anyOf", [said]) if one.get("type") != "null"]
    values = option.get("enum", [option["const"]] if "const" in option else [])
    if values:
        return ", ".join(sorted(values))
    return str(option.get("maxLength") or option.get("format") or said.get("format") or option["type"])


def ask(server: Server, tenant: Tenant, path: str) -> Answer:
    answer = server.by_key(tenant, "GET", path)
    assert answer.status == 200, answer.body
    return answer


def followed(server: Server, tenant: Tenant, path: str | None) -> list[dict[str, Any]]:
    """All records from *path* on, page by page."""
    records: list[dict[str, Any]] = []
    for _ in range(50):
        assert path is not None
        page = ask(server, tenant, path).json
        records += page["value"]
        path = page.get("@odata.nextLink")
        if path is None:
            return records
    raise AssertionError("the pages have no end")


def test_events_are_what_webhooks_are_told(server: Server, tenant: Tenant) -> None:
    house = server.by_key(tenant, "POST", "/api/properties", HOUSE).json
    server.by_key(tenant, "PATCH", f"/api/properties/{house['id']}", {"status": "SOLD"})
    lead = server.lead(tenant)
    assert server.by_key(tenant, "POST", f"/api/leads/{lead['id']}/convert").status < 300
    shown = {"name": "Jane", "email": "jane@example.com", "phone": "2085550100", "propertyId": house["id"]}
    assert server.by_key(tenant, "POST", "/api/showings", shown).status == 201

    told = ask(server, tenant, "/api/events?limit=500").json
    names = {"property": "Property", "contact": "Contacts", "showing": "Showing"}
    wanted = [
        (one["sequence"], names[kind], one["data"]["id"])
        for one in told
        if (kind := one["event"].partition(".")[0]) in names
    ]
    assert [name for _, name, _ in wanted] == ["Property", "Property", "Contacts", "Showing"]
    for top in (1, 3, 500):
        events = followed(server, tenant, f"/api/reso/EntityEvent?$top={top}")
        found = [(one["EntityEventSequence"], one["ResourceName"], one["ResourceRecordKey"]) for one in events]
        assert found == wanted
    for one in events:
        record = ask(server, tenant, one["ResourceRecordUrl"]).json
        assert one["ResourceRecordKey"] in (record.get("id"), record.get("ListingKey"))

    first = wanted[0][0]
    for option, rest in ((f"EntityEventSequence gt {first}", wanted[1:]), (f"EntityEventSequence ge {first}", wanted)):
        page = ask(server, tenant, f"/api/reso/EntityEvent?$filter={quote(option)}")
        assert [one["EntityEventSequence"] for one in page.json["value"]] == [sequence for sequence, *_ in rest]
        same = server.by_key(
            tenant,
            "GET",
            f"/api/reso/EntityEvent?$filter={quote(option)}",
            headers={"If-None-Match": page.headers["etag"]},
        )
        assert same.status == 304
    assert (
        ask(server, tenant, f"/api/reso/EntityEvent?$filter={quote('EntityEventSequence gt 999999')}").json["value"]
        == []
    )


@pytest.mark.parametrize(
    "query",
    [
        "$filter=EntityEventSequence",
        "$filter=ResourceName%20eq%20'Property'",
        "$filter=EntityEventSequence%20gt%20-1",
        "$filter=EntityEventSequence%20gt%20" + "9" * 30,
        "$filter=%00",
        "$top=0",
        "$top=501",
        "$orderby=EntityEventSequence%20desc",
        "$top=1&$top=2",
    ],
)
def test_what_is_not_there_is_refused(server: Server, tenant: Tenant, query: str) -> None:
    refused = server.by_key(tenant, "GET", f"/api/reso/EntityEvent?{query}")
    assert refused.status == 400 and refused.json["error"], refused.body


def test_a_property_in_the_fields_of_reso(server: Server, tenant: Tenant) -> None:
    sent = HOUSE | {
        "zip": "83702",
        "price": 4500000.5,
        "bedrooms": 5,
        "bathrooms": 4.5,
        "sqft": 4200,
        "propertyType": "CONDO",
        "status": "COMING_SOON",
        "mls": "IMLS",
        "mlsId": "00123",
        "description": "A" * 4_001,
    }
    house = server.by_key(tenant, "POST", "/api/properties", sent).json
    odd = HOUSE | {"zip": "83702-1234-5678", "bedrooms": 2.5, "propertyType": "LAND", "price": 10**12}
    land = server.by_key(tenant, "POST", "/api/properties", odd).json

    properties = followed(server, tenant, "/api/reso/Property?$top=1")
    assert [one["ListingKey"] for one in properties] == [land["id"], house["id"]]
    assert properties[1] == {
        "ListingKey": house["id"],
        "ListingId": "00123",
        "ListPrice": 4500000.5,
        "StandardStatus": "Coming Soon",
        "PropertyType": "Residential",
        "PropertySubType": "Condominium",
        "UnparsedAddress": "1 Main St",
        "City": "Boise",
        "StateOrProvince": "ID",
        "PostalCode": "83702",
        "BedroomsTotal": 5,
        "BathroomsTotalInteger": 5,
        "LivingArea": 4200,
        "LivingAreaUnits": "Square Feet",
        "PublicRemarks": "A" * 4_000,
        "OriginatingSystemName": "IMLS",
        "OriginalEntryTimestamp": house["createdAt"],
        "ModificationTimestamp": house["updatedAt"],
    }
    assert properties[0]["PropertyType"] == "Land"
    held = ("PostalCode", "BedroomsTotal", "PropertySubType", "ListPrice", "LivingArea", "LivingAreaUnits")
    assert [properties[0][name] for name in held] == [None] * len(held)
    assert ask(server, tenant, f"/api/reso/Property/{house['id']}").json == properties[1]
    server.by_key(tenant, "PATCH", f"/api/properties/{house['id']}", {"price": 1})
    was = ask(server, tenant, f"/api/reso/Property/{house['id']}?asOf={house['createdAt']}").json
    assert was == properties[1]
    assert server.by_key(tenant, "GET", "/api/reso/Property?$skiptoken=x").status == 400
