"""A tour's row, whatever happens to the tour, says what the tour itself says, in both dialects."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.aggregate import ERASED
from aureum.domain.errors import DomainError
from aureum.domain.ids import leads_time
from aureum.domain.tour import STATUSES, Tour
from aureum.projections import tour_list
from tests.domain.test_tour import ANA, FIXED, HOUSE, new_tour
from tests.stores import new_lead

LATER = datetime(2026, 1, 2, 12, 0, 0, 345_000, tzinfo=UTC)
NOT_FIXED: dict[str, str | None] = dict.fromkeys(FIXED)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
details = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "email": st.none() | texts,
        "phone": st.none() | texts,
        "message": st.none() | texts,
        "listing_id": st.none() | texts,
        "property_id": st.sampled_from([None, HOUSE, ANA]),
    },
)
schedules = st.tuples(
    st.fixed_dictionaries(
        {}, optional={"preferred_date": st.sampled_from([None, "2025-03-09"]), "preferred_time": st.none() | texts}
    ),
    st.sampled_from([{}, FIXED, NOT_FIXED]),
).map(lambda both: both[0] | both[1])
changes = st.one_of(
    st.sampled_from(STATUSES).map(lambda status: lambda tour, at: tour.change_status(status, at)),
    st.sampled_from([None, ANA, HOUSE]).map(lambda agent: lambda tour, at: tour.assign(agent, at)),
    schedules.map(lambda schedule: lambda tour, at: tour.reschedule(schedule, at)),
    details.map(lambda given: lambda tour, at: tour.change_details(given, at)),
)


def row_of(tour: Tour) -> dict[str, Any]:
    """The row after the events that the tour has not given away yet."""
    (row,) = tour_list.LIST.rows((), tour.collect_events())
    return row


@given(st.lists(changes, max_size=8), details)
def test_the_row_is_the_tour_after_any_changes(made: list[Any], first: dict[str, Any]) -> None:
    tour = new_tour(**({"email": "jane@example.com"} | first | {"phone": "208-555-0456"}))
    for number, change in enumerate(made, start=1):
        try:
            change(tour, LATER + timedelta(seconds=number))
        except DomainError:
            continue

    row = row_of(tour)

    assert list(row) == list(tour_list.LIST.columns)
    doc, leads_doc = orjson.loads(row["doc"]), orjson.loads(row["leads_doc"])
    expected = tour_list.document(tour, tour.id, tour.created_on, tour.modified_on)
    assert list(doc.items()) == list(expected.items())
    assert list(leads_doc.items()) == list(tour_list.in_leads(expected, tour.number).items())
    assert leads_doc["created_at"] == leads_time(tour.created_on)
    assert leads_doc["updated_at"] == leads_time(tour.modified_on)
    columns = ("number", "status", "listing_id", "assigned_to", "created_by")
    assert {name: row[name] for name in columns} == {name: getattr(tour, name) for name in columns}
    assert (row["tour_id"], row["stream_version"], row["updated_at"]) == (tour.id, tour.version, tour.modified_on)


def test_both_documents_of_a_tour_whose_time_is_fixed() -> None:
    tour = new_tour(property_id=HOUSE, **FIXED)
    tour.assign(ANA, LATER)

    row = row_of(tour)

    assert orjson.loads(row["doc"]) == {
        "id": ids.to_wire(tour.id),
        "listingId": "202412345",
        "propertyId": ids.to_wire(HOUSE),
        "name": "Jane Doe",
        "email": "jane@example.com",
        "phone": "208-555-0456",
        "preferredDate": "2024-12-30",
        "preferredTime": "10:00 AM",
        "startsAt": "2025-03-09T16:00:00.000Z",
        "timeZone": "America/Boise",
        "assignedToId": ids.to_wire(ANA),
        "status": "pending",
        "message": "Is it available Saturday morning?",
        "createdAt": "2026-01-01T12:00:00.000Z",
        "updatedAt": "2026-01-02T12:00:00.345Z",
    }
    assert orjson.loads(row["leads_doc"]) == {
        "id": 789,
        "listing_id": "202412345",
        "name": "Jane Doe",
        "email": "jane@example.com",
        "phone": "208-555-0456",
        "preferred_date": "2024-12-30",
        "preferred_time": "10:00 AM",
        "status": "pending",
        "created_at": "2026-01-01T12:00:00Z",
        "message": "Is it available Saturday morning?",
        "starts_at": "2025-03-09T16:00:00Z",
        "time_zone": "America/Boise",
        "property_id": ids.to_wire(HOUSE),
        "updated_at": "2026-01-02T12:00:00Z",
    }


def test_an_erased_person_leaves_placeholders() -> None:
    tour = new_tour(name=ERASED, email=ERASED, preferred_time=ERASED)
    tour.change_details({"email": "x@example.com", "listing_id": "7"}, LATER)
    requested, corrected = tour.collect_events()
    corrected.__dict__["details"] = ERASED

    (row,) = tour_list.LIST.rows((), [requested, corrected])

    doc = orjson.loads(row["doc"])
    assert (doc["name"], doc["email"], doc["listingId"], row["listing_id"]) == (
        ERASED,
        ERASED,
        "202412345",
        "202412345",
    )


def test_a_step_leaves_the_row_before_as_it_was() -> None:
    tour = new_tour()
    tour.change_details({"property_id": HOUSE}, LATER)
    requested, moved = tour.collect_events()
    before = tour_list.step(None, requested)
    kept = orjson.dumps(before, default=str)

    after = tour_list.step(before, moved)

    assert after is not None and after["doc"]["propertyId"] == ids.to_wire(HOUSE)
    assert orjson.dumps(before, default=str) == kept


@pytest.mark.parametrize("row", [None, {"doc": {}}])
def test_events_of_other_aggregates_change_nothing(row: Any) -> None:
    (captured,) = new_lead(lead_id=UUID(int=3)).collect_events()

    assert tour_list.step(row, captured) is row
    assert tour_list.LIST.rows((), [captured]) == []
