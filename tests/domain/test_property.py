"""What a property allows, and what it records: given, when, then."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import replay
from aureum.domain.errors import Invalid
from aureum.domain.property import DETAILS, NUMBERS, REQUIRED, STANDARD_STATUS, STATUSES, TYPES, Property
from aureum.store.mapper import EventMapper, describe_all
from tests.stores import new_property

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANA = UUID(int=1)
MAPPER = EventMapper(
    UUID(int=9),
    lambda _: AESGCM(bytes(32)),
    describe_all({Property: (Property.Listed, Property.StatusChanged, Property.DetailsChanged)}),
)


def listed(**fields: Any) -> Property:
    """A property that ANA entered and that is not stored yet."""
    return new_property(property_id=UUID(int=7), at=AT, **{"created_by": ANA} | fields)


def stored(**fields: Any) -> Property:
    """A property without pending events, as it is after loading."""
    villa = listed(**fields)
    villa.collect_events()
    return villa


def test_entering_is_one_event_with_everything() -> None:
    villa = listed()
    (event,) = villa.collect_events()
    assert isinstance(event, Property.Listed) and event.TOPIC == "property.listed"
    assert (event.slug, event.status, event.mls_id, event.created_by) == ("modern-villa", "ACTIVE", "00123", ANA)
    assert (villa.price, villa.bathrooms, villa.is_featured, villa.time_zone) == (
        "4500000",
        "4.5",
        True,
        "America/Boise",
    )
    assert villa.id == UUID(int=7) and villa.version == 1 and villa.created_on == AT


def test_most_may_be_unknown() -> None:
    optional = {name: None for name in DETAILS if name not in (*REQUIRED, "is_featured")}
    villa = listed(**optional, created_by=None, status="COMING_SOON")
    assert (villa.price, villa.property_type, villa.time_zone, villa.status) == (None, None, None, "COMING_SOON")


REFUSED = [
    *((name, blank, name, f"{name} must not be blank.") for name in REQUIRED for blank in ("", " \t", None)),
    *(
        (name, text, name, f"{name} must be a number that is not negative.")
        for name in NUMBERS
        for text in ("-1", "1.0", "01", "1E+3", "NaN", "many", "", ".5", "5.", "٣")
    ),
    (
        "property_type",
        "CASTLE",
        "propertyType",
        "propertyType must be one of: SINGLE_FAMILY, CONDO, TOWNHOUSE, LAND, COMMERCIAL.",
    ),
    ("time_zone", "Boise", "timeZone", "timeZone must be an IANA name such as America/Boise."),
    ("time_zone", "../../etc/passwd", "timeZone", "timeZone must be an IANA name such as America/Boise."),
]


@pytest.mark.parametrize(("name", "value", "field", "sentence"), REFUSED)
def test_what_is_refused(name: str, value: str | None, field: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        listed(**{name: value})
    assert (refused.value.field, str(refused.value)) == (field, sentence)
    villa = stored()
    with pytest.raises(Invalid) as refused:
        villa.change_details({"description": "A view", name: value}, AT)
    assert (refused.value.field, str(refused.value)) == (field, sentence)
    assert villa.description is None and not villa.pending_events


@pytest.mark.parametrize("number", ["0", "0.5", "10", "450000.1", "1000000000000000000000.01"])
def test_exact_numbers(number: str) -> None:
    assert listed(price=number).price == number


def test_an_unknown_status_is_refused_and_changes_nothing() -> None:
    sentence = "status must be one of: ACTIVE, PENDING, SOLD, COMING_SOON."
    villa = stored()
    with pytest.raises(Invalid) as refused:
        villa.change_status("active", AT)
    assert (refused.value.field, str(refused.value)) == ("status", sentence)
    assert villa.status == "ACTIVE" and not villa.pending_events
    with pytest.raises(Invalid) as refused:
        listed(status="CLOSED")
    assert str(refused.value) == sentence


@given(st.sampled_from(STATUSES), st.sampled_from(STATUSES))
def test_any_change_of_status_is_legal_and_none_is_no_event(before: str, after: str) -> None:
    villa = stored(status=before)
    villa.change_status(after, AT)
    events = villa.collect_events()
    assert [(e.previous, e.status) for e in events] == ([] if before == after else [(before, after)])  # type: ignore[attr-defined]
    assert villa.status == after


def test_every_status_has_its_word_in_reso() -> None:
    assert [STANDARD_STATUS[status] for status in STATUSES] == ["Active", "Pending", "Closed", "Coming Soon"]


def test_only_details_that_differ_are_recorded() -> None:
    villa = stored()
    villa.change_details({"title": "Modern Villa", "price": "4400000.5", "is_featured": False, "time_zone": None}, AT)
    (changed,) = villa.collect_events()
    assert changed.details == {"price": "4400000.5", "is_featured": False, "time_zone": None}  # type: ignore[attr-defined]
    villa.change_details({"price": "4400000.5"}, AT)
    assert not villa.pending_events


def test_details_are_all_but_what_has_its_own_rules() -> None:
    assert set(Property.__annotations__) - set(DETAILS) == {"slug", "status", "created_by", "photos"}


@given(
    st.lists(
        st.sampled_from(STATUSES)
        | st.fixed_dictionaries(
            {},
            optional={
                "title": st.sampled_from(("A", "B")),
                "price": st.none() | st.integers(0).map(str),
                "is_featured": st.booleans(),
                "property_type": st.none() | st.sampled_from(TYPES),
                "time_zone": st.sampled_from((None, "Europe/Berlin", "America/Boise")),
            },
        ),
        max_size=8,
    )
)
def test_replay_from_storage_is_what_was_decided(changes: list[str | dict[str, Any]]) -> None:
    villa = listed()
    for change in changes:
        if isinstance(change, str):
            villa.change_status(change, AT)
        else:
            villa.change_details(change, AT)
            assert {name: getattr(villa, name) for name in change} == change
    events = villa.collect_events()
    assert replay(events) == villa
    assert replay(MAPPER.to_domain_event(MAPPER.to_stored_event(event)) for event in events) == villa
