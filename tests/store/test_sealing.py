"""Personal fields are sealed: unreadable without the key, bound to their place, and gone with the key."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_type_hints
from uuid import UUID, uuid4

import orjson
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.aggregate import ERASED, replay
from aureum.domain.lead import Lead
from aureum.store.mapper import (
    REGISTRY,
    TOGETHER,
    EventMapper,
    EventType,
    UnknownEventType,
)
from tests.store.captured import BOTH_FORMS, NEWEST, captured, sealed_one_by_one, with_fields
from tests.store.golden_files import (
    made,
)
from tests.store.mapping import A_FEW, KEY, KINDS, PERSONAL_KINDS, events, mapper
from tests.stores import new_lead


@KINDS
def test_nothing_personal_is_stored_in_clear(kind: EventType) -> None:
    hints = get_type_hints(kind.cls)

    def secret(name: str, hint: Any) -> Any:
        text = f"secret-{name}"
        return {text: text} if hint == dict[str, str | None] else text

    @A_FEW
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
    @A_FEW
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
