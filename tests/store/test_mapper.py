"""Events become bytes and bytes events, of the present version and of those before."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import orjson
import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.aggregate import ERASED, Aggregate, Created, Event, replay
from aureum.domain.envelope import Envelope
from aureum.registry import AGGREGATES
from aureum.store.mapper import (
    REGISTRY,
    TOGETHER,
    EventMapper,
    EventType,
    UnknownEventType,
    describe_all,
    join_topic,
    split_topic,
)
from tests.store.captured import NEWEST, captured, sealed_one_by_one
from tests.store.golden_files import (
    DIRECTORY,
    STREAM_ID,
    TENANT_ID,
    VERSION,
    golden_mapper,
    missing,
    path,
    readable,
)
from tests.store.mapping import A_FEW, KEY, KINDS, events, mapper, moments
from tests.stores import new_lead

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@KINDS
def test_an_event_comes_back_as_it_was(kind: EventType) -> None:
    @A_FEW
    @given(events(kind))
    def comes_back(event: Any) -> None:
        stored = mapper().to_stored_event(event)
        assert (stored.originator_id, stored.originator_version) == (event.originator_id, event.originator_version)
        unused = [name for names in kind.cls.OPTIONAL_SINCE.values() for name in names if getattr(event, name) is None]
        assert split_topic(stored.topic) == (kind.cls.TOPIC, kind.schema_version - len(unused))
        back = mapper().to_domain_event(stored)
        assert type(back) is kind.cls
        assert vars(back) == vars(event)
        assert back == event

    comes_back()


def test_what_is_new_and_not_used_is_no_hindrance_to_the_release_before() -> None:
    """It serves beside this one, and knows only the first version of the fields."""
    cls: Any = Envelope.RecipientAdded
    for language, version in ((None, 1), ("es", 2)):
        added = cls(
            originator_id=STREAM_ID,
            originator_version=VERSION,
            timestamp=ids.now(),
            recipient_id=uuid4(),
            role="signer",
            name="Jane",
            email="jane@example.com",
            contact_id=None,
            order=1,
            template_role=None,
            language=language,
        )
        stored = mapper().to_stored_event(added)
        assert split_topic(stored.topic) == ("envelope.recipient_added", version)
        assert "language" not in orjson.loads(stored.state)
        assert mapper().to_domain_event(stored) == added


def test_what_decisions_make_comes_back_and_replays() -> None:
    lead = new_lead()
    lead.change_status("contacted", ids.now())
    lead.assign(uuid4(), ids.now())
    lead.change_details({"email": None, "notes": "Called"}, ids.now())
    stored = [mapper().to_stored_event(event) for event in lead.collect_events()]
    again = replay(map(mapper().to_domain_event, stored))
    assert vars(again) == vars(lead)


def test_every_type_that_was_stored_once_is_known() -> None:
    """An event type is for ever: the log of some installation holds it."""
    stored = {file.name.rpartition(".v")[0] for file in DIRECTORY.glob("*.json")}
    assert stored == set(REGISTRY)


@KINDS
def test_golden_files(kind: EventType) -> None:
    assert kind not in list(missing()), "its fields are new: python -m tests.store.golden_files"
    for schema_version in range(1, kind.schema_version + 1):
        golden = orjson.loads(path(kind.cls.TOPIC, schema_version).read_bytes())
        topic = join_topic(kind.cls.TOPIC, schema_version)
        stored = StoredEvent(STREAM_ID, VERSION, topic, golden["data"].encode())
        event = golden_mapper().to_domain_event(stored)
        assert golden["event"].items() <= readable(event).items()
        erased = EventMapper(TENANT_ID, lambda _: None, erased=True).to_domain_event(stored)
        # What a version did not have yet cannot be erased.
        later = {name for name in kind.personal if readable(event)[name] is None}
        assert readable(erased) | dict.fromkeys(later) == readable(event) | dict.fromkeys(
            {*kind.personal} - later, ERASED
        )
        if schema_version == kind.schema_version:
            present = orjson.loads(golden_mapper().to_stored_event(event).state)
            before = orjson.loads(golden["data"])
            assert readable(event) == golden["event"]
            assert list(present) == list(before), "the fields have changed: raise class_version, write the upcast"
            assert {name: present[name] for name in present if name != TOGETHER} == {
                name: before[name] for name in before if name != TOGETHER
            }


def test_every_event_class_is_registered_once_and_says_truly_what_is_personal() -> None:
    listed = [cls for classes in AGGREGATES.values() for cls in classes]
    assert len(REGISTRY) == len(listed), "two event types have the same name"
    for aggregate, classes in AGGREGATES.items():
        declared = {cls for cls in vars(aggregate).values() if isinstance(cls, type) and issubclass(cls, Event)}
        assert {cls for cls in declared if cls.TOPIC} == set(classes), f"the events of {aggregate.__name__}"
    for name, kind in REGISTRY.items():
        assert set(kind.personal) == kind.cls.PERSONAL, f"{name} calls a field personal that it does not have"


class Note(Aggregate):
    """An aggregate whose event has had three forms."""

    text: str
    pages: int

    def __init__(self) -> None:
        """Taken.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a note's events."""

    class Taken(Event, Created):
        """First it had a body, then a text, then its author was sealed in another way, then it also had pages."""

        TOPIC: ClassVar[str] = "note.taken"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("author",))
        class_version: ClassVar[int] = 4
        SEALED_ONE_BY_ONE: ClassVar[int] = 2

        author: str
        text: str
        pages: int

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["text"] = state.pop("body")

        @staticmethod
        def upcast_v3_v4(state: dict[str, Any]) -> None:
            state["pages"] = len(state["text"].split("\f"))

        def apply(self, aggregate: "Note") -> None:
            aggregate.text = self.text
            aggregate.pages = self.pages


@pytest.mark.parametrize(
    ("topic", "fields"),
    [
        ("note.taken", {"body": "one\ftwo"}),
        ("note.taken:2", {"text": "one\ftwo"}),
        ("note.taken:3", {"text": "one\ftwo"}),
        ("note.taken:4", {"text": "one\ftwo", "pages": 2}),
    ],
)
def test_old_fields_become_the_present_ones(topic: str, fields: dict[str, Any]) -> None:
    registry = describe_all({Note: (Note.Taken,)})
    tenant_id = UUID(int=1)
    upcasting = EventMapper(tenant_id, lambda _: KEY, registry)
    note = Note._create(Note.Taken, id=uuid4(), timestamp=ids.now(), author="Ann", text="one\ftwo", pages=2)
    (event,) = note.collect_events()
    present = upcasting.to_stored_event(event)
    assert present.topic == "note.taken:4"
    # What is encrypted is as it was; the others as they were called then.
    sealed = present if split_topic(topic)[1] > 2 else sealed_one_by_one(present, tenant_id)
    old = {name: value for name, value in orjson.loads(sealed.state).items() if name not in ("text", "pages")}
    stored = StoredEvent(present.originator_id, 1, topic, orjson.dumps(old | fields))
    assert upcasting.to_domain_event(stored) == event
    assert vars(replay([upcasting.to_domain_event(stored)])) == vars(note)


@pytest.mark.parametrize(
    "topic",
    [
        *("", ":", "lead", "lead.captured.", "LEAD.CAPTURED", "lead.captured:x"),
        *("lead.captured:0", f"lead.captured:{NEWEST + 1}", "lead.captured:99", "lead.captured:²", "lead.captured:-1"),
        *("this", "this:s", "os:system", "aureum.domain.lead:Lead.Captured", "tests.store.test_mapper:Note.Taken"),
    ],
)
def test_what_is_not_registered_is_refused_and_never_imported(topic: str) -> None:
    loaded = set(sys.modules)
    assert "this" not in loaded
    with pytest.raises(UnknownEventType, match="was it written by a newer one"):
        mapper().to_domain_event(StoredEvent(uuid4(), 1, topic, captured().state))
    assert set(sys.modules) == loaded


@settings(deadline=None)
@given(st.from_regex(r"[a-z_]+\.[a-z_]+", fullmatch=True) | st.text(), st.integers(1, 2**15 - 1))
def test_a_topic_is_a_name_and_a_version(name: str, schema_version: int) -> None:
    if split_topic(name) == (name, 1):
        assert split_topic(join_topic(name, schema_version)) == (name, schema_version)


@settings(deadline=None)
@given(moments)
def test_times_are_kept_in_milliseconds(moment: datetime) -> None:
    stored = mapper().to_stored_event(new_lead(at=moment).pending_events[0])
    assert orjson.loads(stored.state)["timestamp"] == (moment - EPOCH) // timedelta(milliseconds=1)
