"""Cells as people write them, and columns as programs call them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.commands.importing.fields import FIELDS, About
from aureum.commands.importing.headings import check, guessed, mapped, preset_of, presets
from aureum.commands.importing.reading import Refused, reader
from aureum.commands.importing.values import moment
from aureum.domain.csv_cells import read_back
from aureum.domain.errors import Invalid
from aureum.http.api.contacts.contact_fields import ContactCreate
from aureum.http.api.leads.lead_fields import LeadCreate
from aureum.http.api.properties.property_fields import PropertyCreate
from aureum.http.panel.exports import EXPORTS

BOISE = ZoneInfo("America/Boise")
ANN = UUID(int=7)
ABOUT = About(BOISE, "US", {"ann lee": ANN, "ann@example.com": ANN})


def read(resource: str, **cells: str) -> dict[str, Any]:
    header = [name.replace("_", " ") for name in cells]
    return reader(resource, header, guessed(resource, header), ABOUT)(list(cells.values()))


def test_a_contact() -> None:
    assert read(
        "contacts", Nombre="Zoë ", Apellidos="Smith", Correo="  z@example.com", Tags="vip; north end|vip,", Score="85.0"
    ) == {"firstName": "Zoë", "lastName": "Smith", "email": "z@example.com", "tags": ("vip", "north end"), "score": 85}
    assert read("contacts", Full_Name="Doe, Jane")["firstName"] == "Jane"
    assert read("contacts", Name="Mary Jane Doe", Tipo="Vendedora")["type"] == "SELLER"
    assert read("contacts", Name="Cher") == {"firstName": "Cher"}


def test_a_heading_may_name_a_time_zone_but_not_a_folder_of_them() -> None:
    for column, hour in (
        ("Created (Europe/Madrid)", 9),
        ("Created", 17),
        ("Created (America/Argentina)", 17),
    ):
        header = ["Name", column]
        found = reader("contacts", header, guessed("contacts", header), ABOUT)(["Jane", "2025-01-15 10:00"])
        assert found["createdAt"] == datetime(2025, 1, 15, hour, tzinfo=UTC)


def test_a_property() -> None:
    found = read(
        "properties",
        Address="123 Palm Dr",
        City="Boise",
        State="ID",
        List_Price="$1.2 million",
        Beds="3",
        Baths="2.50",
        Sq_Ft="2,400 sqft",
        Status="Under contract",
        Featured="Sí",
        Photos="https://example.com/1.jpg\nhttps://example.com/2.jpg",
    )
    assert [photo["url"] for photo in found["photos"]] == ["https://example.com/1.jpg", "https://example.com/2.jpg"]
    assert found["title"] == "123 Palm Dr"
    assert [found[name] for name in ("price", "bedrooms", "bathrooms", "sqft")] == ["1200000", "3", "2.5", "2400"]
    assert (found["status"], found["isFeatured"]) == ("PENDING", True)


@pytest.mark.parametrize(
    ("resource", "cells", "why"),
    [
        ("contacts", {"Name": "J", "Email": "jane at example"}, "email must be a valid email address."),
        ("contacts", {"Email": "j@example.com", "Name": ""}, "A name is required."),
        ("contacts", {"Name": "J", "Phone": "2.08555E+09"}, "phone was shortened by a spreadsheet."),
        ("contacts", {"Name": "J", "Score": "101"}, "score must be a whole number from 0 to 100."),
        ("contacts", {"Name": "J", "Type": "friend"}, "type must be one of: BUYER"),
        ("contacts", {"Name": "J\0"}, "name holds a NUL character."),
        ("contacts", {"Name": "x" * 500}, "name must have at most 401 characters."),
        ("leads", {"Name": "J", "Email": ""}, "An email address or a phone is required."),
        ("leads", {"Name": "J", "Phone": "1", "Agent": "Bob"}, "assignedToId must be a user of this brokerage"),
        ("leads", {"Name": "J", "Phone": "1", "Created": "soon"}, "createdAt must be a date such as"),
        ("leads", {"Name": "J", "Phone": "1", "Created": "2999-01-01"}, "createdAt must not be in the future"),
        ("properties", {"Address": "x", "City": "", "State": "ID"}, "City is required."),
        ("properties", {"Address": "x", "City": "y", "State": "ID", "Price": "300.000"}, "can be read in two ways"),
        ("properties", {"Address": "x", "City": "y", "State": "ID", "Beds": "many"}, "bedrooms must be a number"),
    ],
)
def test_what_cannot_be_read_says_why(resource: str, cells: dict[str, str], why: str) -> None:
    with pytest.raises(Refused, match=why.replace("(", "\\(")):
        read(resource, **cells)


def test_more_cells_than_columns() -> None:
    read_cells = reader("contacts", ["Name"], {"Name": "name"}, ABOUT)
    assert read_cells(["Jane", "", " "]) == {"firstName": "Jane"}
    with pytest.raises(Refused, match="more cells than the header"):
        read_cells(["Jane", "x"])


@pytest.mark.parametrize(
    ("said", "country", "expected"),
    [
        ("2025-01-15", "US", "2025-01-15T07:00"),
        ("2025-01-15T10:30:00.000Z", "US", "2025-01-15T10:30"),
        ("2025-01-15 10:30", "US", "2025-01-15T17:30"),
        ("3/4/2025", "US", "2025-03-04T07:00"),
        ("3/4/2025", "DE", "2025-04-03T06:00"),
        ("31.12.2024", "US", "2024-12-31T07:00"),
        ("3/4/2025 2:05 PM", "US", "2025-03-04T21:05"),
        ("Jan 15, 2025", "US", "2025-01-15T07:00"),
        ("15 de enero de 2025", "US", "2025-01-15T07:00"),
        ("Mon, 15 September 2025", "US", "2025-09-15T06:00"),
    ],
)
def test_dates(said: str, country: str, expected: str) -> None:
    assert moment("createdAt", said, BOISE, country) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_refused(said: str) -> None:
    try:
        found = moment("createdAt", said, BOISE, "US")
    except Invalid:
        return
    assert found.tzinfo is not None


@pytest.mark.parametrize("export", [one for one in EXPORTS if one.name in FIELDS], ids=lambda one: one.name)
def test_the_panels_own_files_are_understood(export: Any) -> None:
    header = [f"{column.label} (America/Boise)" if column.kind == "time" else column.label for column in export.columns]
    found = guessed(export.name, header)
    left_out = {name.partition(" (")[0] for name, field in found.items() if field is None}
    assert left_out <= {"Last changed", "Suspected spam"}
    expected = {"createdAt" if one.name == "createdAt" else one.name for one in export.columns}
    assert {field for field in found.values() if field} == expected - {"updatedAt", "suspect"}
    check(export.name, found)
    assert read_back("'=1") == "=1"


def test_every_preset_names_fields_that_there_are() -> None:
    assert {one.name for one in presets()} == {"Follow Up Boss", "HubSpot", "Zillow"}
    for preset in presets():
        for resource, columns in preset.columns.items():
            fields = {one.name: one for one in FIELDS[resource]}
            assert set(columns.values()) <= set(fields), preset.name
            check(resource, dict(columns))
        for field, words in preset.words.items():
            named = next(one for own in FIELDS.values() for one in own if one.name == field)
            assert all(named.read(field, said, About(BOISE, "US", {}, preset.words)) for said in words)


def test_the_files_of_other_programs() -> None:
    header = [
        "ID",
        "Date Added",
        "First Name",
        "Last Name",
        "Stage",
        "Lead Source",
        "Assigned To",
        "Email 1",
        "Phone 1",
    ]
    preset = preset_of("leads", header)
    assert preset is not None and preset.name == "Follow Up Boss"
    about = About(BOISE, "US", ABOUT.users, preset.words)
    cells = ["1", "01/15/2025 10:30", "Jane", "Doe", "Hot Prospect", "Zillow", "Ann Lee", "j@example.com", ""]
    found = reader("leads", header, guessed("leads", header), about)(cells)
    assert (found["status"], found["source"], found["assignedToId"]) == ("qualified", "Zillow", ANN)
    assert found["createdAt"] == datetime(2025, 1, 15, 17, 30, tzinfo=UTC)
    hubspot = ["Record ID", "First Name", "Last Name", "Email", "Phone Number", "Contact owner", "Create Date"]
    assert guessed("contacts", hubspot)["Phone Number"] == "phone"
    assert guessed("contacts", ["Name", "E-Mail", "Mobile phone", "Phone", "Old id"]) == {
        "Name": "name",
        "E-Mail": "email",
        "Mobile phone": "phone",
        "Phone": "phone",
        "Old id": None,
    }


def test_a_mapping_takes_the_place_of_the_guess() -> None:
    header = ["Client", "Mail"]
    assert mapped("contacts", header, {"Client": "lastName", "Mail": None}) == {"Client": "lastName", "Mail": None}
    wrongs: tuple[Any, ...] = ({"Nope": "email"}, {"Client": "nope"}, [], {"Client": 7})
    for wrong in wrongs:
        with pytest.raises(Invalid, match="map "):
            mapped("contacts", header, wrong)
    with pytest.raises(Invalid, match="No column is a name"):
        check("contacts", {"Mail": "email"})


def test_limits_are_those_of_the_api() -> None:
    for resource, model in (("contacts", ContactCreate), ("leads", LeadCreate), ("properties", PropertyCreate)):
        for name, schema in model.model_json_schema()["properties"].items():
            field = next((one for one in FIELDS[resource] if one.name == name), None)
            limit = next((one["maxLength"] for one in (schema, *schema.get("anyOf", ())) if "maxLength" in one), None)
            if field is None or limit is None or name in ("email", "name"):
                continue
            assert field.read(name, "x" * limit, ABOUT) == "x" * limit
            with pytest.raises(Invalid):
                field.read(name, "x" * (limit + 1), ABOUT)
