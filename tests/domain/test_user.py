"""What a user allows, what it records, and that the staff's table holds what the aggregate says."""

from datetime import UTC, datetime
from functools import reduce
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import ERASED, replay
from aureum.domain.errors import Invalid
from aureum.domain.user import ROLES, User
from aureum.projections import users
from aureum.store.mapper import EventMapper

AT = datetime(2026, 1, 1, tzinfo=UTC)
MAPPER = EventMapper(UUID(int=9), lambda _: AESGCM(bytes(32)))


def joined(**fields: Any) -> User:
    given: dict[str, Any] = {
        "number": 1,
        "email": "Ana@Example.com",
        "name": "Ana",
        "role": "agent",
        "password_hash": "old",
        "takes_leads": True,
        "specialties": ("land",),
    }
    return User.join(UUID(int=7), AT, **given | fields)


def recorded(user: User) -> list[Any]:
    """The new events, by type."""
    return [event.TOPIC for event in user.collect_events()]  # type: ignore[attr-defined]


def test_what_already_holds_records_nothing() -> None:
    user = joined()
    user.collect_events()
    user.rename(" Ana ", AT)
    user.change_profile({"role": "agent", "takes_leads": True, "specialties": ("land",)}, AT)
    user.change_profile({}, AT)
    user.enable(AT)
    assert recorded(user) == []
    user.disable(AT)
    user.disable(AT)
    user.enable(AT)
    user.rename("Bea", AT)
    user.set_password("new", AT)
    assert recorded(user) == ["user.disabled", "user.enabled", "user.renamed", "user.password_set"]


def test_only_what_changed_is_recorded() -> None:
    user = joined()
    user.collect_events()
    user.change_profile({"role": "broker", "takes_leads": True, "specialties": ("land", "condos")}, AT)
    (event,) = user.collect_events()
    assert isinstance(event, User.ProfileChanged)
    assert event.changes == {"role": "broker", "specialties": ["land", "condos"]}
    assert (user.role, user.specialties) == ("broker", ("land", "condos"))


@pytest.mark.parametrize("fields", [{"name": " "}, {"role": "boss"}])
def test_what_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        joined(**fields)
    user = joined()
    user.collect_events()
    with pytest.raises(Invalid):
        user.rename(fields["name"], AT) if "name" in fields else user.change_profile(fields, AT)
    assert recorded(user) == []


def test_who_owns() -> None:
    owner = joined(role="brokerage_owner")
    assert owner.owns and not joined(role="platform_admin").owns
    owner.disable(AT)
    assert not owner.owns


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("rename"), st.text("ab", min_size=1, max_size=3)),
        st.tuples(st.just("set_password"), st.text("ab", min_size=1, max_size=3)),
        st.tuples(st.just("disable")),
        st.tuples(st.just("enable")),
        st.tuples(
            st.just("change_profile"),
            st.fixed_dictionaries(
                {},
                optional={
                    "role": st.sampled_from(ROLES),
                    "takes_leads": st.booleans(),
                    "specialties": st.lists(st.text("ab", max_size=2), max_size=2).map(tuple),
                },
            ),
        ),
    ),
    max_size=8,
)


@given(changes=CHANGES)
def test_the_table_and_the_log_hold_what_the_aggregate_says(changes: list[tuple[Any, ...]]) -> None:
    user = joined()
    for method, *arguments in changes:
        getattr(user, method)(*arguments, AT)
    events = [MAPPER.to_domain_event(MAPPER.to_stored_event(event)) for event in user.collect_events()]

    row = reduce(users.step, events, None)

    names = ("number", "name", "role", "password_hash", "takes_leads", "disabled")
    assert row is not None
    assert [row[name] for name in names] == [getattr(user, name) for name in names]
    assert (row["email"], tuple(row["specialties"])) == ("ana@example.com", user.specialties)
    assert row["stream_version"] == user.version and row["joined_at"] == user.created_on
    again = replay(events)
    assert vars(again) == vars(user)
    # Which user must log in again follows from what is new, not from what was.
    for place in range(1, len(events)):
        (told,) = users.rows(events[:place], events[place:])
        assert told["out"] == any(isinstance(one, User.PasswordSet | User.Disabled) for one in events[place:])


def test_an_erased_user_is_read_all_the_same() -> None:
    user = joined()
    user.rename("Bea", AT)
    user.set_password("new", AT)
    stored = [MAPPER.to_stored_event(event) for event in user.collect_events()]
    assert not any(secret in event.state for event in stored for secret in (b"Ana", b"Bea", b"new", b"old"))
    erased = replay(EventMapper(UUID(int=9), lambda _: None).to_domain_event(event) for event in stored)
    assert (erased.name, erased.email, erased.password_hash, erased.role) == (ERASED, ERASED, ERASED, "agent")


def test_a_profile_is_checked_as_a_whole() -> None:
    user = joined()
    user.change_profile({"price_min": "300000", "away_to": "2026-02-01T00:00:00.000Z"}, AT)
    for changes in ({"price_max": "299999.99"}, {"away_from": "2026-02-01T00:00:00.000Z"}, {"daily_cap": 10_001}):
        with pytest.raises(Invalid):
            user.change_profile(changes, AT)
    user.change_profile({"price_min": None, "price_max": "299999.99"}, AT)
    assert (user.price_min, user.price_max) == (None, "299999.99")


def test_a_bio_is_personal_and_its_own_event() -> None:
    user = joined()
    user.collect_events()
    user.change_profile({"bio": "Ana sells land.", "areas": ("Kuna", "Kuna", " ")}, AT)
    user.change_profile({"bio": "Ana sells land.", "areas": ("Kuna",)}, AT)
    events: list[Any] = list(user.collect_events())
    bio, profile = events
    assert (bio.TOPIC, bio.bio, bio.PERSONAL) == ("user.bio_changed", "Ana sells land.", {"bio"})
    assert (profile.TOPIC, profile.changes) == ("user.profile_changed", {"areas": ["Kuna"]})
