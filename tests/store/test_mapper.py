"""Events become bytes and bytes events; what is personal is unreadable without its key, and stays where it was put."""

import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, cast, get_type_hints
from uuid import UUID, uuid4

import orjson
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.aggregate import ERASED, Aggregate, Created, Event, replay
from aureum.domain.lead import Lead
from aureum.registry import AGGREGATES
from aureum.store.cipher import field_context, seal, unseal
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
from tests.store.golden_files import (
    DIRECTORY,
    STREAM_ID,
    TENANT_ID,
    VERSION,
    golden_mapper,
    made,
    missing,
    path,
    readable,
)
from tests.stores import new_lead

KEY = AESGCM(b"the key of one person, not more.")

KINDS = pytest.mark.parametrize("kind", REGISTRY.values(), ids=REGISTRY)
PERSONAL_KINDS = pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=name) for name, kind in REGISTRY.items() if kind.personal]
)

json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(), some, max_size=3),
    max_leaves=8,
)
FIELDS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(),
    str | None: st.none() | st.text(),
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    UUID: st.uuids(),
    UUID | None: st.none() | st.uuids(),
    tuple[str, ...]: st.lists(st.text(), max_size=3).map(tuple),
    dict[str, Any]: st.dictionaries(st.text(), json, max_size=3),
    dict[str, Any] | None: st.none() | st.dictionaries(st.text(), json, max_size=3),
    list[list[str]] | None: st.none() | st.lists(st.lists(st.text(), max_size=2), max_size=2),
    dict[str, str | None]: st.dictionaries(st.text(), st.none() | st.text(), max_size=3),
    dict[str, str | bool | None]: st.dictionaries(st.text(), st.none() | st.booleans() | st.text(), max_size=3),
    dict[str, str | int | list[str]]: st.dictionaries(
        st.text(), st.text() | st.integers(-(2**63), 2**63 - 1) | st.lists(st.text(), max_size=2), max_size=3
    ),
}
"""Every type that a field of an event may have; READERS in the mapper knows those that JSON does not."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

moments = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


def events(kind: EventType) -> st.SearchStrategy[Any]:
    """Any event of *kind*, milliseconds included."""
    hints = get_type_hints(kind.cls)
    return st.builds(
        lambda fields, **envelope: made(kind, fields, **envelope),
        st.fixed_dictionaries({name: FIELDS[hints[name]] for name in kind.fields}),
        originator_id=st.uuids(),
        originator_version=st.integers(1, 2**31 - 1),
        timestamp=moments,
    )


def mapper(tenant_id: UUID = ids.PLATFORM, key: AESGCM | None = KEY) -> EventMapper:
    return EventMapper(tenant_id, lambda _: key)


@KINDS
def test_an_event_comes_back_as_it_was(kind: EventType) -> None:
    @settings(deadline=None)
    @given(events(kind))
    def comes_back(event: Any) -> None:
        stored = mapper().to_stored_event(event)
        assert (stored.originator_id, stored.originator_version) == (event.originator_id, event.originator_version)
        assert split_topic(stored.topic) == (kind.cls.TOPIC, kind.schema_version)
        back = mapper().to_domain_event(stored)
        assert type(back) is kind.cls
        assert vars(back) == vars(event)
        assert back == event

    comes_back()


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
    stored = {file.name.partition(".v")[0] for file in DIRECTORY.glob("*.json")}
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
        erased = EventMapper(TENANT_ID, lambda _: None).to_domain_event(stored)
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


@KINDS
def test_nothing_personal_is_stored_in_clear(kind: EventType) -> None:
    hints = get_type_hints(kind.cls)

    def secret(name: str, hint: Any) -> Any:
        text = f"secret-{name}"
        return {text: text} if hint == dict[str, str | None] else text

    @settings(deadline=None)
    @given(events(kind))
    def is_unreadable(event: Any) -> None:
        fields = {name: vars(event)[name] for name in kind.fields}
        fields |= {name: secret(name, hints[name]) for name in kind.personal}
        same = {name: vars(event)[name] for name in ("originator_id", "originator_version", "timestamp")}
        stored = mapper().to_stored_event(made(kind, fields, **same))
        assert b"secret-" not in stored.state
        other = mapper().to_stored_event(made(kind, fields, **same))
        if kind.personal:
            seals = [orjson.loads(each.state)[TOGETHER] for each in (stored, other)]
            assert seals[0] != seals[1], "equal values look different"

    is_unreadable()


NEWEST = REGISTRY["lead.captured"].schema_version


def captured() -> StoredEvent:
    return mapper().to_stored_event(new_lead().pending_events[0])


def with_fields(stored: StoredEvent, **fields: Any) -> StoredEvent:
    state = orjson.dumps(orjson.loads(stored.state) | fields)
    return StoredEvent(stored.originator_id, stored.originator_version, stored.topic, state)


def sealed_one_by_one(stored: StoredEvent, tenant_id: UUID = ids.PLATFORM) -> StoredEvent:
    """The same event as it was stored when each personal field was sealed by itself."""
    name, schema_version = split_topic(stored.topic)
    fields = orjson.loads(stored.state)
    stream_id, version = cast(UUID, stored.originator_id), stored.originator_version
    context = field_context(tenant_id, stream_id, stream_id, version, "")
    together = orjson.loads(unseal(KEY, b64decode(fields.pop(TOGETHER)), context))
    for field, value in together.items():
        sealed = seal(KEY, orjson.dumps(value), context + field.encode())
        fields[field] = b64encode(sealed).decode()
    before = REGISTRY[name].cls.SEALED_ONE_BY_ONE if name in REGISTRY else schema_version - 1
    return StoredEvent(stream_id, version, join_topic(name, before), orjson.dumps(fields))


BOTH_FORMS = pytest.mark.parametrize("form", [lambda stored: stored, sealed_one_by_one], ids=["together", "one by one"])


@BOTH_FORMS
def test_a_ciphertext_stays_where_it_was_put(form: Callable[[StoredEvent], StoredEvent]) -> None:
    stored = form(captured())
    assert mapper().to_domain_event(stored).first_name == "Jane"
    with pytest.raises(InvalidTag):  # in another version of the stream
        mapper().to_domain_event(StoredEvent(stored.originator_id, 2, stored.topic, stored.state))
    with pytest.raises(InvalidTag):  # in another stream
        mapper().to_domain_event(StoredEvent(uuid4(), 1, stored.topic, stored.state))
    fields, others = orjson.loads(stored.state), orjson.loads(form(captured()).state)
    for name in {TOGETHER, "email"} & fields.keys():
        with pytest.raises(InvalidTag):  # in another lead's event of the same kind
            mapper().to_domain_event(with_fields(stored, **{name: others[name]}))
    with pytest.raises(InvalidTag):  # in another tenant
        mapper(UUID(int=2)).to_domain_event(stored)
    with pytest.raises(InvalidTag):  # under another key
        mapper(key=AESGCM(b"the key of another person, here!")).to_domain_event(stored)


def test_the_seal_of_one_field_is_no_other_fields_nor_that_of_all() -> None:
    together = captured()
    one_by_one = sealed_one_by_one(together)
    fields = orjson.loads(one_by_one.state)
    with pytest.raises(InvalidTag):
        mapper().to_domain_event(with_fields(one_by_one, first_name=fields["last_name"]))
    with pytest.raises(InvalidTag):
        mapper().to_domain_event(with_fields(together, **{TOGETHER: fields["first_name"]}))
    with pytest.raises(InvalidTag):
        mapper().to_domain_event(with_fields(one_by_one, first_name=orjson.loads(together.state)[TOGETHER]))


@PERSONAL_KINDS
def test_a_seal_that_was_changed_or_moved_is_refused(kind: EventType) -> None:
    @settings(deadline=None)
    @given(events(kind), st.data())
    def is_refused(event: Any, data: st.DataObject) -> None:
        stored = mapper().to_stored_event(event)
        fields = orjson.loads(stored.state)
        has_some = any(vars(event)[name] is not None for name in kind.personal)
        assert (TOGETHER in fields) == has_some, "what is not there is not sealed"
        if not has_some:
            return
        sealed = bytearray(b64decode(fields[TOGETHER]))
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
        with pytest.raises(InvalidTag):
            mapper().to_domain_event(with_fields(stored, **{TOGETHER: b64encode(sealed).decode()}))
        place = data.draw(st.tuples(st.uuids(), st.integers(1, 2**31 - 1)))
        if place != (event.originator_id, event.originator_version):
            with pytest.raises(InvalidTag):
                mapper().to_domain_event(StoredEvent(*place, stored.topic, stored.state))

    is_refused()


def test_what_stands_in_clear_beside_a_seal_does_not_count() -> None:
    stored = mapper().to_stored_event(new_lead(phone=None).pending_events[0])
    read = mapper().to_domain_event(with_fields(stored, phone="+1 208 555 0100", first_name="Mallory"))
    assert (read.phone, read.first_name) == (None, "Jane")


def test_a_version_that_seals_one_by_one_refuses_what_is_sealed_together() -> None:
    before = {
        name: replace(kind, schema_version=kind.cls.SEALED_ONE_BY_ONE)
        for name, kind in REGISTRY.items()
        if kind.cls.SEALED_ONE_BY_ONE
    }
    assert before
    older = EventMapper(ids.PLATFORM, lambda _: KEY, before)
    older.to_domain_event(sealed_one_by_one(captured()))
    with pytest.raises(UnknownEventType, match=rf"lead\.captured:{NEWEST}"):
        older.to_domain_event(captured())


@BOTH_FORMS
def test_of_an_erased_person_placeholders_remain(form: Callable[[StoredEvent], StoredEvent]) -> None:
    lead = new_lead(phone=None)
    lead.change_status("qualified", ids.now())
    lead.change_details({"first_name": "Janet", "notes": "Called"}, ids.now())
    stored = [mapper().to_stored_event(event) for event in lead.collect_events()]
    stored = [form(one) if TOGETHER in orjson.loads(one.state) else one for one in stored]
    erased: Lead = replay(map(mapper(key=None).to_domain_event, stored))
    assert (erased.first_name, erased.last_name, erased.email, erased.message) == (ERASED,) * 4
    assert (erased.phone, erased.notes) == (None, None), "what was never there is not erased"
    assert (erased.status, erased.source, erased.version) == ("qualified", "website", 3)


def test_of_an_erased_person_nothing_new_is_kept() -> None:
    lead = new_lead()
    lead.change_details({"notes": "Called"}, ids.now())
    lead.assign(uuid4(), ids.now())
    stored = [mapper(key=None).to_stored_event(event) for event in lead.collect_events()]
    assert b"Jane" not in stored[0].state
    assert orjson.loads(stored[1].state)["details"] is None
    again: Any = replay(map(mapper().to_domain_event, stored))
    assert (again.first_name, again.notes, again.assigned_to) == (None, None, lead.assigned_to)


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
