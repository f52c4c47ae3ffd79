"""What a task allows, and what it records: given, when, then."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import replay
from aureum.domain.errors import Invalid
from aureum.domain.task import DETAILS, LINKS, PRIORITIES, STATUSES, TYPES, Task
from aureum.store.mapper import EventMapper, describe_all
from tests.stores import new_task

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANA, LEAD, CONTACT = UUID(int=1), UUID(int=2), UUID(int=3)
MAPPER = EventMapper(
    UUID(int=9),
    lambda _: AESGCM(bytes(32)),
    describe_all({Task: (Task.Created, Task.DetailsChanged, Task.Assigned, Task.StatusChanged, Task.Completed)}),
)


def created(**fields: Any) -> Task:
    """A task about ``LEAD`` that ANA created and that is not stored yet."""
    return new_task(task_id=UUID(int=7), at=AT, **{"lead_id": LEAD, "created_by": ANA} | fields)


def stored(**fields: Any) -> Task:
    """A task without pending events, as it is after loading."""
    task = created(**fields)
    task.collect_events()
    return task


def kinds(task: Task) -> list[str]:
    """The types of the events that wait to be stored; afterwards none does."""
    return [event.TOPIC for event in task.collect_events()]  # type: ignore[attr-defined]


def test_creating_is_one_event_with_everything() -> None:
    task = created()
    (event,) = task.collect_events()
    assert isinstance(event, Task.Created) and event.TOPIC == "task.created"
    assert (event.title, event.due_date, event.lead_id) == ("Call back", "2026-01-20T00:00:00.000Z", LEAD)
    assert (task.type, task.priority, task.status, task.created_by) == ("other", "MEDIUM", "pending", ANA)
    assert task.id == UUID(int=7) and task.version == 1 and task.created_on == AT


@pytest.mark.parametrize("status", STATUSES)
def test_a_task_is_created_with_any_status(status: str) -> None:
    task = created(status=status)
    assert task.status == status and kinds(task) == ["task.created"] + ["task.completed"] * (status == "completed")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("title", "", "title must not be blank."),
        ("title", " \n", "title must not be blank."),
        ("title", None, "title must not be blank."),
        ("type", "CALL", "type must be one of: call, email, meeting, follow_up, other."),
        ("type", None, "type must be one of: call, email, meeting, follow_up, other."),
        ("priority", "high", "priority must be one of: LOW, MEDIUM, HIGH, URGENT."),
    ],
)
def test_what_is_refused(name: str, value: str | None, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        created(**{name: value})
    assert (refused.value.field, str(refused.value)) == (name, sentence)
    task = stored()
    with pytest.raises(Invalid) as refused:
        task.change_details({"description": "Soon", name: value}, AT)
    assert (refused.value.field, str(refused.value)) == (name, sentence)
    assert task.description is None and not task.pending_events


def test_an_unknown_status_is_refused_and_changes_nothing() -> None:
    sentence = "status must be one of: pending, in_progress, completed."
    task = stored()
    with pytest.raises(Invalid) as refused:
        task.change_status("done", AT)
    assert (refused.value.field, str(refused.value)) == ("status", sentence)
    assert task.status == "pending" and not task.pending_events
    with pytest.raises(Invalid) as refused:
        created(status="done")
    assert str(refused.value) == sentence


def test_completing_twice_is_one_event() -> None:
    task = stored(status="in_progress")
    task.complete(AT)
    task.complete(AT)
    task.change_status("completed", AT)
    (event,) = task.collect_events()
    assert isinstance(event, Task.Completed) and event.TOPIC == "task.completed"
    assert (event.previous, task.status) == ("in_progress", "completed")


@given(st.sampled_from(STATUSES), st.sampled_from(STATUSES))
def test_any_change_of_status_is_legal_and_none_is_no_event(before: str, after: str) -> None:
    task = stored(status=before)
    task.change_status(after, AT)
    events = task.collect_events()
    assert [e.previous for e in events] == ([] if before == after else [before])  # type: ignore[attr-defined]
    assert all(isinstance(e, Task.Completed if after == "completed" else Task.StatusChanged) for e in events)
    assert task.status == after


def test_what_was_completed_can_be_reopened_and_completed_again() -> None:
    task = stored(status="completed")
    task.change_status("pending", AT)
    task.change_status("pending", AT)
    task.complete(AT)
    assert kinds(task) == ["task.status_changed", "task.completed"]


def test_assigning_twice_is_one_event() -> None:
    task = stored()
    task.assign(ANA, AT)
    task.assign(ANA, AT)
    (event,) = task.collect_events()
    assert (event.previous, event.assigned_to) == (None, ANA)  # type: ignore[attr-defined]
    task.assign(None, AT)
    assert task.assigned_to is None and kinds(task) == ["task.assigned"]


def test_only_details_that_differ_are_recorded() -> None:
    task = stored()
    task.change_details({"title": "Call back", "type": "call", "due_date": None}, AT)
    (changed,) = task.collect_events()
    assert changed.details == {"type": "call", "due_date": None}  # type: ignore[attr-defined]
    task.change_details({"type": "call"}, AT)
    assert not task.pending_events


@pytest.mark.parametrize("contact", [CONTACT, CONTACT.hex, str(CONTACT)])
def test_links_are_recorded_as_hex_digits_and_shown_as_ids(contact: UUID | str) -> None:
    task = stored()
    task.change_details({"lead_id": None, "contact_id": contact, "property_id": None}, AT)
    (changed,) = task.collect_events()
    assert changed.details == {"lead_id": None, "contact_id": CONTACT.hex}  # type: ignore[attr-defined]
    assert (task.lead_id, task.contact_id) == (None, CONTACT)
    task.change_details({"contact_id": contact}, AT)
    assert not task.pending_events


def test_details_are_all_but_what_has_its_own_events() -> None:
    assert set(Task.__annotations__) - set(DETAILS) == {"status", "assigned_to", "created_by", "moved_from"}


IDS = st.none() | st.sampled_from((ANA, LEAD, CONTACT))


@given(
    st.lists(
        st.sampled_from(STATUSES)
        | IDS
        | st.fixed_dictionaries(
            {},
            optional={
                "title": st.sampled_from(("A", "B")),
                "type": st.sampled_from(TYPES),
                "priority": st.sampled_from(PRIORITIES),
                "due_date": st.sampled_from((None, "2026-02-01T00:00:00.000Z")),
                **{name: IDS for name in LINKS},
            },
        ),
        max_size=8,
    )
)
def test_replay_from_storage_is_what_was_decided(changes: list[str | UUID | dict[str, Any] | None]) -> None:
    task = created()
    for change in changes:
        if isinstance(change, str):
            task.change_status(change, AT)
        elif isinstance(change, dict):
            task.change_details(change, AT)
            assert {name: getattr(task, name) for name in change} == change
        else:
            task.assign(change, AT)
    events = task.collect_events()
    assert replay(events) == task
    assert replay(MAPPER.to_domain_event(MAPPER.to_stored_event(event)) for event in events) == task
