"""What a contact allows, and what it records: given, when, then."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import ERASED, replay
from aureum.domain.contact import DETAILS, TYPES, Contact
from aureum.domain.errors import Invalid
from aureum.store.mapper import EventMapper, describe_all

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANA = UUID(int=1)
LEAD = UUID(int=2)
TENANT = UUID(int=9)
REGISTRY = describe_all({Contact: (Contact.Added, Contact.DetailsChanged, Contact.Classified)})
MAPPER = EventMapper(TENANT, lambda _: AESGCM(bytes(32)), REGISTRY)


def added(**fields: Any) -> Contact:
    """A contact that is not stored yet; *fields* replace the sensible ones."""
    given: dict[str, Any] = {
        "first_name": "John",
        "last_name": "Smith",
        "email": "john@example.com",
        "phone": "+1-555-0100",
        "phone_e164": None,
        "lead_id": LEAD,
        "created_by": ANA,
    }
    return Contact.add(UUID(int=7), AT, **given | fields)


def stored(**fields: Any) -> Contact:
    """A contact without pending events, as it is after loading."""
    contact = added(**fields)
    contact.collect_events()
    return contact


def test_adding_is_one_event_with_everything() -> None:
    contact = added()
    (event,) = contact.collect_events()
    assert isinstance(event, Contact.Added) and event.TOPIC == "contact.added"
    assert (event.first_name, event.email, event.lead_id, event.created_by) == ("John", "john@example.com", LEAD, ANA)
    assert (contact.type, contact.tags, contact.score) == ("BUYER", (), 0)
    assert contact.id == UUID(int=7) and contact.version == 1 and contact.created_on == AT


@pytest.mark.parametrize("names", [("Cher", ""), ("", "Smith")])
def test_one_name_is_enough(names: tuple[str, str]) -> None:
    contact = added(first_name=names[0], last_name=names[1], email=None, phone=None)
    assert (contact.first_name, contact.last_name) == names


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"type": "buyer"}, "type", "type must be one of: BUYER, SELLER, INVESTOR, VENDOR, OTHER."),
        ({"score": -1}, "score", "score must be from 0 to 100."),
        ({"score": 101}, "score", "score must be from 0 to 100."),
        ({"tags": ("vip", " ")}, "tags", "tags must not be blank."),
    ],
)
def test_what_is_refused(fields: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        added(**fields)
    assert (refused.value.field, str(refused.value)) == (field, sentence)
    contact = stored()
    others: dict[str, Any] = {"type": "SELLER", "tags": ("new",), "score": 1}
    with pytest.raises(Invalid) as refused:
        contact.classify(AT, **others | fields)
    assert (refused.value.field, str(refused.value)) == (field, sentence)
    assert (contact.type, contact.tags, contact.score) == ("BUYER", (), 0) and not contact.pending_events


def test_a_name_must_be_given_and_remain() -> None:
    sentence = "firstName or lastName must not be blank."
    with pytest.raises(Invalid) as refused:
        added(first_name=" ", last_name="")
    assert (refused.value.field, str(refused.value)) == ("firstName", sentence)
    contact = stored(last_name="")
    with pytest.raises(Invalid) as refused:
        contact.change_details({"first_name": " "}, AT)
    assert str(refused.value) == sentence
    assert contact.first_name == "John" and not contact.pending_events
    contact.change_details({"first_name": "", "last_name": "Roe"}, AT)
    assert (contact.first_name, contact.last_name) == ("", "Roe")


def test_only_details_that_differ_are_recorded() -> None:
    contact = stored()
    contact.change_details({"first_name": "John", "last_name": "Roe", "phone": None}, AT)
    (changed,) = contact.collect_events()
    assert changed.details == {"last_name": "Roe", "phone": None}  # type: ignore[attr-defined]
    contact.change_details({"last_name": "Roe"}, AT)
    assert not contact.pending_events


def test_tags_keep_their_order_without_doubles_and_blanks_around() -> None:
    assert added(tags=[" vip", "beverly-hills", "vip ", "VIP"]).tags == ("vip", "beverly-hills", "VIP")


def test_classifying_is_one_event_with_what_differs() -> None:
    contact = stored(tags=("vip",), score=5)
    contact.classify(AT, type="SELLER", tags=("vip", " vip"), score=0)
    (event,) = contact.collect_events()
    assert event.changes == {"type": "SELLER", "score": 0}  # type: ignore[attr-defined]
    contact.classify(AT, tags=())
    (event,) = contact.collect_events()
    assert event.changes == {"tags": []}  # type: ignore[attr-defined]
    assert (contact.type, contact.tags, contact.score) == ("SELLER", (), 0)


def test_what_holds_already_is_no_event() -> None:
    contact = stored(type="VENDOR", tags=("a", "b"), score=100)
    contact.classify(AT)
    contact.classify(AT, type="VENDOR", tags=("a", "b"), score=100)
    assert not contact.pending_events
    contact.classify(AT, tags=("b", "a"))
    assert contact.tags == ("b", "a") and len(contact.collect_events()) == 1


def test_an_erased_person_is_replayed_and_still_classified() -> None:
    contact = added()
    contact.change_details({"last_name": "Roe"}, AT)
    contact.classify(AT, score=10)
    rows = [MAPPER.to_stored_event(event) for event in contact.collect_events()]
    assert not any(word in row.state for row in rows for word in (b"John", b"Roe", b"john@", b"0100"))
    erased = EventMapper(TENANT, lambda _: None, REGISTRY)
    again = replay(erased.to_domain_event(row) for row in rows)
    assert (again.first_name, again.last_name, again.email) == (ERASED, ERASED, ERASED)
    assert (again.score, again.type, again.version) == (10, "BUYER", 3)


WORDS = st.sampled_from(("A", "B", "C"))


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={name: WORDS for name in DETAILS})
        | st.fixed_dictionaries(
            {"type": st.none() | st.sampled_from(TYPES)},
            optional={"tags": st.none() | st.lists(WORDS), "score": st.none() | st.integers(0, 100)},
        ),
        max_size=8,
    )
)
def test_replay_from_storage_is_what_was_decided(changes: list[dict[str, Any]]) -> None:
    contact = added(tags=("A",))
    for change in changes:
        if "type" in change:
            contact.classify(AT, **change)
        else:
            contact.change_details(change, AT)
            assert {name: getattr(contact, name) for name in change} == change
    events = contact.collect_events()
    assert replay(events) == contact
    assert replay(MAPPER.to_domain_event(MAPPER.to_stored_event(event)) for event in events) == contact
