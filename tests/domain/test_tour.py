"""What a tour allows, and what it records: given, when, then."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import ERASED, replay
from aureum.domain.errors import Invalid, WrongState
from aureum.domain.tour import NEXT, SCHEDULE, STATUSES, Tour
from tests import stores

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANA = UUID(int=1)
HOUSE = UUID(int=2)
FIXED: dict[str, str | None] = {
    "local_start": "2025-03-09T10:00:00",
    "time_zone": "America/Boise",
    "starts_at": "2025-03-09T16:00:00.000Z",
}


def new_tour(**fields: Any) -> Tour:
    """A tour that is not stored yet, of ``AT``; *fields* replace those of the document's example."""
    return stores.new_tour(at=AT, **fields)


def stored(**fields: Any) -> Tour:
    """A tour without pending events, as it is after loading."""
    tour = new_tour(**fields)
    tour.collect_events()
    return tour


def test_requesting_is_one_event_with_everything() -> None:
    tour = new_tour(property_id=HOUSE, created_by=ANA)
    (requested,) = tour.collect_events()
    assert isinstance(requested, Tour.Requested)
    assert (requested.preferred_time, requested.status, requested.property_id) == ("10:00 AM", "pending", HOUSE)
    assert (tour.number, tour.created_by, tour.version) == (789, ANA, 1)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"status": "done"}, "status"),
        ({"email": None, "phone": None}, "email"),
        ({"email": " ", "phone": ""}, "email"),
        ({"preferred_date": "2024-02-30"}, "preferred_date"),
        ({"preferred_date": "next week"}, "preferred_date"),
        ({"starts_at": "2025-03-09T16:00:00.000Z"}, "starts_at"),
        (FIXED | {"time_zone": None}, "starts_at"),
    ],
)
def test_what_cannot_be_requested(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        new_tour(**fields)
    assert refused.value.field == field


@pytest.mark.parametrize("fields", [{"email": None}, {"phone": None}, {"preferred_date": None, "preferred_time": None}])
def test_one_way_to_answer_is_enough_and_no_time_is_needed(fields: dict[str, Any]) -> None:
    tour = stored(**fields)
    tour.change_status("confirmed", AT)
    assert tour.status == "confirmed"


@given(st.sampled_from(STATUSES), st.sampled_from(STATUSES))
def test_a_step_is_the_contracts_or_nothing_happens(before: str, after: str) -> None:
    tour = stored(status=before)
    if after == before or after in NEXT[before]:
        tour.change_status(after, AT)
        events = tour.collect_events()
        assert [(e.previous, e.status) for e in events] == ([] if before == after else [(before, after)])  # type: ignore[attr-defined]
        assert tour.status == after
    else:
        with pytest.raises(WrongState):
            tour.change_status(after, AT)
        assert tour.status == before and not tour.pending_events


def test_the_steps_are_those_of_the_contract() -> None:
    steps = {(before, after) for before in NEXT for after in NEXT[before]}
    cancelling = {("pending", "cancelled"), ("confirmed", "cancelled")}
    assert steps == {("pending", "confirmed"), ("confirmed", "completed")} | cancelling


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("completed", "pending", "A completed tour cannot become pending: completed is final."),
        ("cancelled", "confirmed", "A cancelled tour cannot become confirmed: cancelled is final."),
        ("pending", "completed", "A pending tour can become confirmed or cancelled, not completed."),
        ("confirmed", "pending", "A confirmed tour can become completed or cancelled, not pending."),
    ],
)
def test_a_refused_step_says_what_is_allowed(before: str, after: str, sentence: str) -> None:
    with pytest.raises(WrongState) as refused:
        stored(status=before).change_status(after, AT)
    assert str(refused.value) == sentence


def test_an_unknown_status_is_refused_and_changes_nothing() -> None:
    tour = stored()
    with pytest.raises(Invalid, match="one of: pending, confirmed, completed, cancelled") as refused:
        tour.change_status("done", AT)
    assert refused.value.field == "status"
    assert tour.status == "pending" and not tour.pending_events


def test_rescheduling_records_the_whole_schedule() -> None:
    tour = stored()
    tour.reschedule(FIXED, AT)
    (moved,) = tour.collect_events()
    assert {name: getattr(moved, name) for name in SCHEDULE} == {
        "preferred_date": "2024-12-30",
        "preferred_time": "10:00 AM",
        **FIXED,
    }
    assert {name: getattr(tour, name) for name in FIXED} == FIXED


@pytest.mark.parametrize("schedule", [{}, {"preferred_date": "2024-12-30"}, FIXED])
def test_the_same_schedule_records_nothing_even_when_final(schedule: dict[str, str | None]) -> None:
    tour = stored(**FIXED, status="completed")
    tour.reschedule(schedule, AT)
    assert not tour.pending_events


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_a_final_tour_is_not_rescheduled(status: str) -> None:
    tour = stored(status=status)
    with pytest.raises(WrongState, match=f"A {status} tour cannot be rescheduled: {status} is final."):
        tour.reschedule({"preferred_time": "noon"}, AT)
    assert tour.preferred_time == "10:00 AM" and not tour.pending_events


@pytest.mark.parametrize("schedule", [{"preferred_date": "2025-02-29"}, {"starts_at": None}, {"time_zone": None}])
def test_a_schedule_must_make_sense(schedule: dict[str, str | None]) -> None:
    tour = stored(**FIXED)
    with pytest.raises(Invalid):
        tour.reschedule(schedule, AT)
    assert tour.starts_at == FIXED["starts_at"] and not tour.pending_events


def test_assigning_twice_is_one_event() -> None:
    tour = stored()
    tour.assign(ANA, AT)
    tour.assign(ANA, AT)
    assert len(tour.collect_events()) == 1
    tour.assign(None, AT)
    assert tour.assigned_to is None and len(tour.collect_events()) == 1


def test_only_details_that_differ_are_recorded() -> None:
    tour = stored()
    tour.change_details({"name": "Jane Doe", "listing_id": "1", "property_id": HOUSE, "message": None}, AT)
    (changed,) = tour.collect_events()
    assert changed.details == {"listing_id": "1", "property_id": HOUSE.hex, "message": None}  # type: ignore[attr-defined]
    assert (tour.listing_id, tour.property_id, tour.message) == ("1", HOUSE, None)
    tour.change_details({"property_id": HOUSE, "listing_id": "1"}, AT)
    assert not tour.pending_events
    tour.change_details({"property_id": None}, AT)
    assert tour.property_id is None and len(tour.pending_events) == 1


def test_a_way_to_answer_must_remain() -> None:
    tour = stored(phone=None)
    with pytest.raises(Invalid, match="cannot both be removed"):
        tour.change_details({"email": None}, AT)
    tour.change_details({"email": None, "phone": "208-555-0123"}, AT)
    assert tour.email is None


def test_what_a_visitor_wrote_is_personal() -> None:
    visitors = {"name", "email", "phone", "phone_e164", "message", "preferred_time"}
    personal = [set(event.PERSONAL) for event in (Tour.Requested, Tour.Rescheduled, Tour.DetailsChanged)]
    assert personal == [visitors | {"because"}, {"preferred_time"}, {"details"}]


def test_replay_never_refuses_what_was_recorded_under_older_rules() -> None:
    tour = new_tour()
    tour.change_status("confirmed", AT)
    tour.change_details({"name": "Roe"}, AT)
    requested, moved, changed = tour.collect_events()
    object.__setattr__(moved, "status", "a status of long ago")
    object.__setattr__(changed, "details", ERASED)
    again = replay([requested, moved, changed])
    assert (again.status, again.name, again.version) == ("a status of long ago", "Jane Doe", 3)


@given(st.lists(st.sampled_from(STATUSES), max_size=6), st.lists(st.sampled_from([FIXED, {"preferred_date": None}])))
def test_replay_is_what_was_decided(statuses: list[str], schedules: list[dict[str, str | None]]) -> None:
    tour = new_tour()
    for number, schedule in enumerate(schedules):
        tour.reschedule(schedule, AT + timedelta(seconds=number))
        tour.change_details({"property_id": HOUSE if number % 2 else None}, AT + timedelta(seconds=number))
    for number, status in enumerate(statuses):
        if status in NEXT[tour.status]:
            tour.change_status(status, AT + timedelta(minutes=number))
        tour.assign(ANA if number % 2 else None, AT + timedelta(minutes=number))
    events = tour.collect_events()
    assert replay(events) == tour
