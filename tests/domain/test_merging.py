"""Merging contacts and undoing it: what each has afterwards, and that undoing gives both back."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import events_of, replay
from aureum.domain.contact import Contact
from aureum.domain.contact_card import Card, card_of
from aureum.domain.unmerging import card_without
from aureum.store.mapper import EventMapper, describe_all

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
MAPPER = EventMapper(UUID(int=9), lambda _: AESGCM(bytes(32)), describe_all({Contact: events_of(Contact)}))


def contact(number: int, **fields: Any) -> Contact:
    given: dict[str, Any] = {
        "first_name": f"John {number}",
        "last_name": "Smith",
        "email": None,
        "phone": None,
        "phone_e164": None,
        "lead_id": None,
        "created_by": None,
    }
    return Contact.add(UUID(int=number), AT, **given | fields)


def released(one: Contact, other: Contact) -> None:
    one.release(other.id, card_without(one.pending_events, other.id), AT)


def test_each_field_by_its_rule() -> None:
    one = contact(1, first_name="", phone="(208) 555-0100", phone_e164="+12085550100", tags=("a", "b"), score=3)
    other = contact(
        2,
        email="john@example.com",
        phone="208-555-0100",
        phone_e164="+12085550100",
        tags=("c", "a"),
        score=2,
        lead_id=UUID(int=7),
    )
    third = contact(3, email=" JOHN@example.com", phone="555", score=9, lead_id=UUID(int=8))
    before = card_of(one)
    one.absorb(other, AT)
    one.absorb(third, AT)
    assert card_of(one) == Card(
        first_name="John 2",
        last_name="Smith",
        email="john@example.com",
        phone="(208) 555-0100",
        phone_e164="+12085550100",
        other_names=("John 3 Smith",),
        other_emails=(),
        other_phones=(("555", None),),
        tags=("a", "b", "c"),
        score=9,
        lead_id=UUID(int=7),
        distinct_from=(),
    )
    assert one.merged_with == (other.id, third.id)
    # In another order than they came.
    released(one, other)
    assert (one.email, one.first_name, one.score, one.lead_id) == (" JOHN@example.com", "John 3", 9, UUID(int=8))
    released(one, third)
    assert card_of(one) == before and not one.merges


def test_what_was_changed_since_stays() -> None:
    one, other = contact(1, score=1), contact(2, email="b@example.com", phone="555", tags=("vip",), score=5)
    one.absorb(other, AT)
    one.change_details({"phone": "556"}, AT)
    one.classify(AT, tags=("vip", "new"))
    released(one, other)
    assert (one.email, one.phone, one.tags, one.score) == (None, "556", ("vip", "new"), 1)


NAMES = st.sampled_from(("", "Ann", "Bob"))
FIELDS = st.fixed_dictionaries(
    {
        "first_name": st.sampled_from(("Ann", "Bob")),
        "last_name": NAMES,
        "email": st.sampled_from((None, "a@example.com", "A@example.com", "b@example.com")),
        "phone": st.sampled_from((None, "208-555-0100", "call me")),
        "tags": st.lists(st.sampled_from(("x", "y", "z"))).map(tuple),
        "score": st.integers(0, 100),
        "lead_id": st.sampled_from((None, UUID(int=77))),
    }
)
CHANGES = st.tuples(st.sampled_from(("first_name", "email", "phone")), st.sampled_from(("Ann", "new@example.com")))


@given(st.lists(FIELDS, min_size=4, max_size=4), st.permutations(range(3)), st.permutations(range(3)))
def test_merged_and_unmerged_in_any_order_gives_back_what_was(
    people: list[dict[str, Any]], there: list[int], back: list[int]
) -> None:
    one, *others = [contact(number, **fields) for number, fields in enumerate(people, 1)]
    before = card_of(one)
    for place in there:
        one.absorb(others[place], AT)
    assert all(other.score <= one.score and {*other.tags} <= {*one.tags} for other in others)
    for place in back:
        released(one, others[place])
    assert card_of(one) == before


@given(st.lists(FIELDS, min_size=4, max_size=4), st.lists(st.integers(0, 2) | CHANGES, max_size=9))
def test_without_a_merge_is_as_if_it_had_not_been(people: list[dict[str, Any]], steps: list[Any]) -> None:
    """The same is decided about two contacts, of which one has the merge besides that is undone at the end."""
    one, *others = [contact(number, **fields) for number, fields in enumerate(people, 1)]
    twin = contact(1, **people[0])
    one.absorb(others[0], AT)
    for step in steps:
        for each in (one, twin):
            if isinstance(step, tuple):
                # What the form sent anyway is no change: so both get something of their own.
                each.change_details({step[0]: f"{step[1]} {len(steps)}"}, AT)
            elif others[step].id in each.merges:
                released(each, others[step])
            elif step or each is twin:
                each.absorb(others[step], AT)
    if others[0].id in one.merges:
        released(one, others[0])
    if others[0].id in twin.merges:
        released(twin, others[0])
    assert (card_of(one), one.merges) == (card_of(twin), twin.merges)
    events = one.collect_events()
    assert replay(MAPPER.to_domain_event(MAPPER.to_stored_event(event)) for event in events) == one
