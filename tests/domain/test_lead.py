"""What a lead allows, and what it records: given, when, then."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import ERASED, replay
from aureum.domain.errors import Invalid
from aureum.domain.lead import STATUSES, Lead
from tests.stores import new_lead

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANA = UUID(int=1)


def stored(**fields: object) -> Lead:
    """A lead without pending events, as it is after loading."""
    lead = new_lead(**fields)  # type: ignore[arg-type]
    lead.collect_events()
    return lead


def test_capturing_is_one_event_with_everything() -> None:
    lead = new_lead(first_name="Jane", utm_source="google")
    (captured,) = lead.collect_events()
    assert isinstance(captured, Lead.Captured)
    assert (captured.first_name, captured.utm_source, captured.status) == ("Jane", "google", "new")
    assert lead.version == 1


@pytest.mark.parametrize("fields", [{"status": "hot"}, {"email": None, "phone": None}, {"email": "", "phone": ""}])
def test_what_cannot_be_captured(fields: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        new_lead(**fields)  # type: ignore[arg-type]


@given(st.sampled_from(STATUSES), st.sampled_from(STATUSES))
def test_any_change_of_status_is_legal_and_none_is_no_event(before: str, after: str) -> None:
    lead = stored(status=before)
    lead.change_status(after, AT)
    events = lead.collect_events()
    assert [(e.previous, e.status) for e in events] == ([] if before == after else [(before, after)])  # type: ignore[attr-defined]
    assert lead.status == after


def test_an_unknown_status_is_refused_and_changes_nothing() -> None:
    lead = stored()
    with pytest.raises(Invalid, match="new, contacted, qualified"):
        lead.change_status("hot", AT)
    assert lead.status == "new" and not lead.pending_events


def test_assigning_twice_is_one_event() -> None:
    lead = stored()
    lead.assign(ANA, AT)
    lead.assign(ANA, AT)
    assert len(lead.collect_events()) == 1
    lead.assign(None, AT)
    assert lead.assigned_to is None and len(lead.collect_events()) == 1


def test_only_details_that_differ_are_recorded() -> None:
    lead = stored()
    lead.change_details({"first_name": "Jane", "last_name": "Roe", "message": None}, AT)
    (changed,) = lead.collect_events()
    assert changed.details == {"last_name": "Roe", "message": None}  # type: ignore[attr-defined]
    lead.change_details({"last_name": "Roe"}, AT)
    assert not lead.pending_events


def test_a_way_to_answer_must_remain() -> None:
    lead = stored(phone=None)
    with pytest.raises(Invalid, match="cannot both be removed"):
        lead.change_details({"email": None}, AT)
    lead.change_details({"email": None, "phone": "208-555-0123"}, AT)
    assert lead.email is None


def test_replay_never_refuses_what_was_recorded_under_older_rules() -> None:
    lead = new_lead()
    lead.change_status("contacted", AT)
    lead.change_details({"last_name": "Roe"}, AT)
    captured, moved, changed = lead.collect_events()
    object.__setattr__(moved, "status", "a status of long ago")
    object.__setattr__(changed, "details", ERASED)
    again = replay([captured, moved, changed])
    assert (again.status, again.last_name, again.version) == ("a status of long ago", "Doe", 3)


@given(st.lists(st.sampled_from(STATUSES), max_size=8))
def test_replay_is_what_was_decided(statuses: list[str]) -> None:
    lead = new_lead()
    for number, status in enumerate(statuses):
        lead.change_status(status, AT + timedelta(seconds=number))
        lead.assign(ANA if number % 2 else None, AT + timedelta(seconds=number))
    events = lead.collect_events()
    assert replay(events) == lead
