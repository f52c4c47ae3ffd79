"""What a subscriber allows, and what it records: given, when, then."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import ERASED, replay
from aureum.domain.subscriber import Subscriber
from aureum.store.mapper import EventMapper, describe_all

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
TENANT = UUID(int=9)
REGISTRY = describe_all(
    {Subscriber: (Subscriber.Subscribed, Subscriber.Consented, Subscriber.Resubscribed, Subscriber.Unsubscribed)}
)
MAPPER = EventMapper(TENANT, lambda _: AESGCM(bytes(32)), REGISTRY)
NOTHING_NEW: dict[str, Any] = {"first_name": None, "interests": (), "source_domain": "b1.example.com"}


def subscribed(**fields: Any) -> Subscriber:
    """A subscriber that is not stored yet; *fields* replace the sensible ones."""
    given: dict[str, Any] = {
        "email": "subscriber@example.com",
        "first_name": "John",
        "interests": ("new-listings", "market-updates"),
        "source_domain": "b1.example.com",
    }
    return Subscriber.subscribe(UUID(int=7), AT, **given | fields)


def stored(**fields: Any) -> Subscriber:
    """A subscriber without pending events, as it is after loading."""
    subscriber = subscribed(**fields)
    subscriber.collect_events()
    return subscriber


def test_subscribing_is_one_event_with_everything() -> None:
    subscriber = subscribed()
    (event,) = subscriber.collect_events()
    assert isinstance(event, Subscriber.Subscribed) and event.TOPIC == "subscriber.subscribed"
    assert (event.email, event.first_name, event.source_domain) == ("subscriber@example.com", "John", "b1.example.com")
    assert subscriber.subscribed and subscriber.interests == ("new-listings", "market-updates")
    assert subscriber.id == UUID(int=7) and subscriber.version == 1 and subscriber.created_on == AT


def test_interests_keep_their_order_without_doubles() -> None:
    assert subscribed(interests=["b", "a", "b"]).interests == ("b", "a")
    subscriber = stored()
    subscriber.subscribe_again(AT, **NOTHING_NEW | {"interests": ["d", "c", "d"]})
    assert subscriber.interests == ("d", "c")


@pytest.mark.parametrize(("left", "topic"), [(False, "subscriber.consented"), (True, "subscriber.resubscribed")])
def test_asking_again_is_always_one_event(left: bool, topic: str) -> None:
    subscriber = stored()
    if left:
        subscriber.unsubscribe(AT)
        subscriber.collect_events()
    subscriber.subscribe_again(AT, **NOTHING_NEW)
    (event,) = subscriber.collect_events()
    assert topic == event.TOPIC  # type: ignore[attr-defined]
    assert subscriber.subscribed
    assert (subscriber.first_name, subscriber.interests) == ("John", ("new-listings", "market-updates"))
    subscriber.subscribe_again(AT, **NOTHING_NEW)
    (event,) = subscriber.collect_events()
    assert isinstance(event, Subscriber.Consented)


@pytest.mark.parametrize("left", [False, True])
def test_what_is_given_again_replaces_what_was_known(left: bool) -> None:
    subscriber = stored()
    if left:
        subscriber.unsubscribe(AT)
    subscriber.subscribe_again(AT, first_name="Jack", interests=("tips",), source_domain="b2.example.com")
    assert (subscriber.first_name, subscriber.interests) == ("Jack", ("tips",))
    assert (subscriber.email, subscriber.source_domain) == ("subscriber@example.com", "b2.example.com")


def test_unsubscribing_twice_is_one_event() -> None:
    subscriber = stored()
    subscriber.unsubscribe(AT)
    subscriber.unsubscribe(AT)
    (event,) = subscriber.collect_events()
    assert isinstance(event, Subscriber.Unsubscribed) and event.TOPIC == "subscriber.unsubscribed"
    assert not subscriber.subscribed


def test_an_erased_person_is_replayed_and_may_still_unsubscribe() -> None:
    subscriber = subscribed()
    subscriber.subscribe_again(AT, **NOTHING_NEW)
    subscriber.unsubscribe(AT)
    subscriber.subscribe_again(AT, **NOTHING_NEW)
    rows = [MAPPER.to_stored_event(event) for event in subscriber.collect_events()]
    assert not any(word in row.state for row in rows for word in (b"John", b"subscriber@"))
    erased = EventMapper(TENANT, lambda _: None, REGISTRY)
    again = replay(erased.to_domain_event(row) for row in rows)
    assert (again.email, again.first_name, again.subscribed, again.version) == (ERASED, ERASED, True, 4)
    again.unsubscribe(AT)
    assert not again.subscribed


AGAIN = st.fixed_dictionaries(
    {
        "first_name": st.sampled_from((None, "A", "B")),
        "interests": st.lists(st.sampled_from(("a", "b", "c")), max_size=4),
        "source_domain": st.sampled_from((None, "b1.example.com")),
    }
)


@given(AGAIN, st.lists(st.none() | AGAIN, max_size=8))
def test_replay_from_storage_is_what_was_decided(first: dict[str, Any], requests: list[dict[str, Any] | None]) -> None:
    subscriber = subscribed(**first)
    for request in requests:
        before = len(subscriber.pending_events)
        if request is None:
            subscriber.unsubscribe(AT)
        else:
            subscriber.subscribe_again(AT, **request)
            assert len(subscriber.pending_events) == before + 1
        assert subscriber.subscribed is (request is not None)
    events = subscriber.collect_events()
    assert replay(events) == subscriber
    assert replay(MAPPER.to_domain_event(MAPPER.to_stored_event(event)) for event in events) == subscriber
