"""One save, one message: its name, its data, its changes, and bytes that come out the same every time."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.background.reading import Unreadable
from aureum.domain import ids
from aureum.domain.aggregate import ERASED
from aureum.domain.contact import Contact
from aureum.domain.lead import STATUSES, Lead
from aureum.domain.user import User
from aureum.registry import AGGREGATES
from aureum.registry import ALL_EVENTS as EVENTS
from aureum.store.event_store import Recorded
from aureum.webhooks.queue.message import Message, Parked, message_id
from aureum.webhooks.sending.signing import sign
from aureum.webhooks.telling.messages import SOURCE_OF, SOURCES, messages
from tests.stores import new_lead, new_task

TENANT = UUID("01890000-0000-7000-8000-000000000001")
RECORDED_AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
AGENT = ids.new_id()


class Log:
    """A tenant's log in memory: appends of events, with positions and metadata as the store writes them."""

    def __init__(self, first_position: int = 1) -> None:
        self.next = first_position
        self.records: list[Recorded] = []

    def append(self, events: Sequence[Any]) -> "Log":
        for place, event in enumerate(events, start=1):
            moment = RECORDED_AT + timedelta(seconds=self.next)
            self.records.append(Recorded(event, self.next, moment, {"append": [place, len(events)]}))
            self.next += 1
        return self

    def told(self, stream_id: UUID, after: int = 0) -> list[Message | Parked]:
        return list(messages(TENANT, stream_id, self.records, after))

    def messages(self, stream_id: UUID, after: int = 0) -> list[Message]:
        told = self.told(stream_id, after)
        assert all(isinstance(message, Message) for message in told)
        return [message for message in told if isinstance(message, Message)]


def saved(lead: Lead) -> Log:
    """The log of a brokerage in which nothing but *lead* was stored, at position 7."""
    return Log(7).append(lead.collect_events())


def test_a_captured_lead_is_created_with_all_that_it_is() -> None:
    lead = new_lead(assigned_to=AGENT)
    captured = lead.pending_events[0]
    (message,) = saved(lead).messages(lead.id)
    assert (message.position, message.event, message.stream_id) == (7, "lead.created", lead.id)
    assert message.recorded_at == RECORDED_AT + timedelta(seconds=7)
    body = orjson.loads(message.body)
    assert list(body) == ["event", "timestamp", "data", "id", "sequence"]
    assert body["event"] == "lead.created"
    assert body["timestamp"] == ids.aureum_time(captured.timestamp)
    assert body["sequence"] == 7
    assert body["id"] == message.message_id
    assert body["data"]["id"] == ids.to_wire(lead.id)
    assert body["data"]["name"] == "Jane Doe"
    assert body["data"]["status"] == "new"
    assert body["data"]["assignedToId"] == ids.to_wire(AGENT)


def test_an_append_of_three_events_sends_one_message_at_the_last_of_them() -> None:
    lead = new_lead()
    log = saved(lead)
    at = lead.created_on + timedelta(hours=1)
    lead.change_status("contacted", at)
    lead.assign(AGENT, at)
    lead.change_details({"email": "jane.doe@example.com", "notes": "Called back"}, at)
    created, updated = log.append(lead.collect_events()).messages(lead.id)
    assert created.event == "lead.created"
    assert (updated.position, updated.event) == (10, "lead.updated")
    body = orjson.loads(updated.body)
    assert list(body) == ["event", "timestamp", "data", "id", "sequence", "changes"]
    # Notes are not shown to other systems, and the time of the change is no change.
    assert body["changes"] == {
        "status": {"from": "new", "to": "contacted"},
        "assignedToId": {"from": None, "to": ids.to_wire(AGENT)},
        "email": {"from": "jane@example.com", "to": "jane.doe@example.com"},
    }
    assert body["timestamp"] == body["data"]["updatedAt"] == ids.aureum_time(at)
    assert body["data"]["createdAt"] == ids.aureum_time(lead.created_on)


def test_a_lead_that_is_captured_and_changed_in_one_append_is_only_created() -> None:
    lead = new_lead()
    lead.change_status("qualified", ids.now())
    (message,) = saved(lead).messages(lead.id)
    assert (message.position, message.event) == (8, "lead.created")
    body = orjson.loads(message.body)
    assert body["data"]["status"] == "qualified"
    assert "changes" not in body


def test_data_is_what_the_lead_was_then_not_what_it_became() -> None:
    lead = new_lead()
    log = saved(lead)
    for status in ("contacted", "lost"):
        lead.change_status(status, ids.now())
        log.append(lead.collect_events())
    bodies = [orjson.loads(message.body) for message in log.messages(lead.id)]
    assert [body["data"]["status"] for body in bodies] == ["new", "contacted", "lost"]
    assert [body.get("changes") for body in bodies] == [
        None,
        {"status": {"from": "new", "to": "contacted"}},
        {"status": {"from": "contacted", "to": "lost"}},
    ]


def test_a_lead_that_becomes_a_contact_without_another_status_is_an_update() -> None:
    lead = new_lead(status="converted")
    log = saved(lead)
    contact_id = ids.new_id()
    lead.convert(contact_id, ids.now())
    created, updated = log.append(lead.collect_events()).messages(lead.id)
    assert (created.event, updated.event) == ("lead.created", "lead.updated")
    assert orjson.loads(updated.body)["changes"] == {"contactId": {"from": None, "to": ids.to_wire(contact_id)}}


def test_a_change_that_is_not_shown_is_an_update_without_changes() -> None:
    lead = new_lead()
    log = saved(lead)
    lead.change_details({"notes": "Prefers mornings"}, ids.now())
    *_, updated = log.append(lead.collect_events()).messages(lead.id)
    assert orjson.loads(updated.body)["changes"] == {}


def test_only_what_ended_after_the_checkpoint_is_emitted() -> None:
    lead = new_lead()
    log = saved(lead)
    lead.change_status("contacted", ids.now())
    lead.assign(AGENT, ids.now())
    log.append(lead.collect_events())  # positions 8 and 9
    assert [m.position for m in log.messages(lead.id, after=7)] == [9]
    # The checkpoint stands within the append: it is told once, at its end, with all of its changes.
    (split,) = log.messages(lead.id, after=8)
    assert list(orjson.loads(split.body)["changes"]) == ["status", "assignedToId"]
    assert log.messages(lead.id, after=9) == []


def test_a_contact_is_created_and_updated_once_a_save() -> None:
    names = {"first_name": "John", "last_name": "Smith", "email": "john@example.com"}
    nothing = dict.fromkeys(("phone", "phone_e164", "lead_id", "created_by"))
    contact = Contact.add(ids.new_id(), ids.now(), tags=["vip"], **names, **nothing)  # type: ignore[arg-type]  # mixed
    log = Log().append(contact.collect_events())
    contact.change_details({"email": None}, ids.now())
    contact.classify(ids.now(), tags=["cold"], score=9)
    created, updated = (orjson.loads(one.body) for one in log.append(contact.collect_events()).messages(contact.id))
    assert (created["event"], updated["event"]) == ("contact.created", "contact.updated")
    assert (created["data"]["tags"], updated["data"]["tags"], "changes" in created) == (["vip"], ["cold"], False)
    assert updated["sequence"] == 3
    assert updated["changes"] == {
        "email": {"from": "john@example.com", "to": None},
        "tags": {"from": ["vip"], "to": ["cold"]},
        "score": {"from": 0, "to": 9},
    }


def test_an_event_without_a_name_or_of_another_aggregate_is_not_emitted() -> None:
    user = User.join(
        ids.new_id(),
        ids.now(),
        number=1,
        email="a@example.com",
        name="A",
        role="agent",
        password_hash=None,
        takes_leads=True,
        specialties=(),
    )
    assert Log().append(user.collect_events()).told(user.id) == []


def test_of_a_task_only_its_creation_and_each_completion_are_emitted() -> None:
    task = new_task(assigned_to=AGENT)
    log = Log().append(task.collect_events())  # position 1
    task.change_status("in_progress", ids.now())
    log.append(task.collect_events())  # position 2
    task.assign(None, ids.now())
    task.change_details({"priority": "URGENT"}, ids.now())
    log.append(task.collect_events())  # positions 3 and 4
    task.complete(ids.now())
    task.change_details({"title": "Called back"}, ids.now())
    log.append(task.collect_events())  # positions 5 and 6
    task.change_status("pending", ids.now())
    log.append(task.collect_events())  # position 7
    task.complete(ids.now())
    log.append(task.collect_events())  # position 8

    told = log.messages(task.id)

    assert [(message.position, message.event) for message in told] == [
        (1, "task.created"),
        (6, "task.completed"),
        (8, "task.completed"),
    ]
    bodies = [orjson.loads(message.body) for message in told]
    assert all(list(body) == ["event", "timestamp", "data", "id", "sequence"] for body in bodies)
    shown = [(body["data"]["title"], body["data"]["status"], body["data"]["assignedToId"]) for body in bodies]
    assert shown == [
        ("Call back", "pending", ids.to_wire(AGENT)),
        ("Called back", "completed", None),
        ("Called back", "completed", None),
    ]


def test_a_task_that_is_created_as_completed_is_created_and_completed() -> None:
    task = new_task(status="completed", assigned_to=AGENT)
    task.complete(ids.now())
    log = Log().append(task.collect_events())
    created, completed = log.messages(task.id)
    assert (created.event, completed.event, created.position, completed.position) == (
        "task.created",
        "task.completed",
        1,
        2,
    )
    for message in (created, completed):
        body = orjson.loads(message.body)
        assert (body["data"]["status"], body["sequence"]) == ("completed", message.position)
    # A batch may end between the two.
    assert list(log.messages(task.id, after=1)) == [completed]


def test_an_unreadable_event_parks_its_save_and_what_follows_in_its_stream() -> None:
    lead = new_lead()
    log = saved(lead)
    lead.change_status("contacted", ids.now())
    log.append([Unreadable("InvalidTag"), *lead.collect_events()])  # positions 8 and 9
    lead.change_status("lost", ids.now())
    log.append(lead.collect_events())  # position 10
    created, *parked = log.told(lead.id)
    assert isinstance(created, Message)
    assert parked == [Parked(9, lead.id, 8, "InvalidTag"), Parked(10, lead.id, 8, "InvalidTag")]


def test_an_event_that_cannot_be_folded_is_parked() -> None:
    lead = new_lead()
    log = saved(lead)
    lead.change_status("contacted", ids.now())
    (event,) = lead.collect_events()
    del event.__dict__["status"]
    _, parked = log.append([event]).told(lead.id)
    assert parked == Parked(8, lead.id, 8, "AttributeError")


def test_a_stream_without_its_beginning_is_parked() -> None:
    lead = new_lead()
    lead.change_status("contacted", ids.now())
    _, changed = lead.collect_events()
    assert Log(3).append([changed]).told(lead.id) == [Parked(3, lead.id, 3, "KeyError")]


def test_text_that_json_cannot_hold_is_parked_and_its_successor_emitted() -> None:
    lead = new_lead(message="\ud800")
    log = saved(lead)
    lead.change_details({"message": "Hello"}, ids.now())
    parked, updated = log.append(lead.collect_events()).told(lead.id)
    assert parked == Parked(7, lead.id, 7, "TypeError")
    # Its changes say from what: that cannot be written either.
    assert updated == Parked(8, lead.id, 8, "TypeError")
    lead.change_status("lost", ids.now())
    *_, last = log.append(lead.collect_events()).told(lead.id)
    assert isinstance(last, Message)


@pytest.mark.parametrize("metadata", [{}, {"append": None}, {"append": [1]}, {"append": ["a", "b"]}])
def test_metadata_that_does_not_say_where_an_append_ends_means_that_it_ends_here(metadata: dict[str, Any]) -> None:
    lead = new_lead()
    (event,) = lead.collect_events()
    (message,) = messages(TENANT, lead.id, [Recorded(event, 1, RECORDED_AT, metadata)])
    assert isinstance(message, Message)


def test_an_erased_person_is_shown_with_placeholders() -> None:
    lead = new_lead(first_name=ERASED, last_name=ERASED, email=ERASED, phone=None, message=ERASED)
    log = saved(lead)
    lead.change_details({"email": "x@example.com"}, ids.now())
    (event,) = lead.collect_events()
    event.__dict__["details"] = ERASED
    created, updated = log.append([event]).messages(lead.id)
    assert orjson.loads(created.body)["data"]["email"] == ERASED
    assert orjson.loads(updated.body)["changes"] == {}


def test_the_id_of_a_message_can_be_signed_and_stands_for_one_save_only() -> None:
    others = {message_id(tenant, position) for tenant in (TENANT, ids.PLATFORM, AGENT) for position in (1, 11, 111)}
    assert len(others) == 9
    for text in others:
        assert re.fullmatch(r"msg_[0-9a-z]{25}_[0-9]+", text)
        sign(b"{}", message_id=text, event="lead.created", secrets=["whsec_AAAA"], timestamp=1)


def test_every_name_is_one_of_the_ten_of_the_document_and_every_type_exists() -> None:
    for aggregate, source in SOURCES.items():
        types = {event.TOPIC for event in AGGREGATES[aggregate]}
        assert set(source.names) <= types
        assert set(source.names.values()) <= set(EVENTS)
        assert all(SOURCE_OF[name] is source for name in types)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
changes_of_a_lead = st.lists(
    st.tuples(st.sampled_from(STATUSES), st.sampled_from([None, AGENT]), st.dictionaries(st.just("message"), texts)),
    max_size=6,
)


@given(changes_of_a_lead, st.integers(1, 2**30))
def test_made_again_from_any_checkpoint_the_bytes_are_the_same(
    saves: list[tuple[str, UUID | None, dict[str, str]]], first_position: int
) -> None:
    lead = new_lead()
    log = Log(first_position).append(lead.collect_events())
    ends = [log.next - 1]
    for status, agent, details in saves:
        lead.change_status(status, ids.now())
        lead.assign(agent, ids.now())
        lead.change_details(dict(details), ids.now())
        events = lead.collect_events()
        if events:
            ends.append(log.append(events).next - 1)
    whole = log.messages(lead.id)
    # One message a save, at its last event, in order.
    assert [message.position for message in whole] == ends
    for message in whole:
        assert orjson.loads(message.body)["id"] == message.message_id
    for checkpoint in range(first_position - 1, log.next):
        assert log.messages(lead.id, checkpoint) == [m for m in whole if m.position > checkpoint]
    # What is in changes leads from one message's data to the next one's.
    for earlier, later in pairwise(whole):
        before, after = orjson.loads(earlier.body), orjson.loads(later.body)
        moved = before["data"] | {name: change["to"] for name, change in after["changes"].items()}
        assert moved | {"updatedAt": after["data"]["updatedAt"]} == after["data"]
        assert all(before["data"][name] == change["from"] for name, change in after["changes"].items())
