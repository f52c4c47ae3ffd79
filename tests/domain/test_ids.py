"""Ids and times on the wire."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.ids import aureum_time, from_wire, leads_time, new_id, to_wire

numbers = st.integers(0, (1 << 128) - 1)


@given(numbers)
def test_there_and_back(number: int) -> None:
    wire = to_wire(UUID(int=number))
    assert len(wire) == 26 and wire[0] == "c" and wire.isalnum() and wire == wire.lower()
    assert from_wire(wire) == UUID(int=number)


@given(numbers, numbers)
def test_the_order_is_kept(one: int, other: int) -> None:
    assert (one < other) == (to_wire(UUID(int=one)) < to_wire(UUID(int=other)))


@given(st.text(max_size=30))
def test_what_never_was_an_id_is_none(text: str) -> None:
    found = from_wire(text)
    assert found is None or to_wire(found) == text


@pytest.mark.parametrize(
    "text", ["", "c", "c" + "z" * 25, "C" + "0" * 25, "c" + "0" * 24, "c" + "0" * 24 + "é", "clx..."]
)
def test_these_are_none(text: str) -> None:
    assert from_wire(text) is None


def test_ids_sort_by_time() -> None:
    past = new_id(datetime(2020, 1, 1, tzinfo=UTC))
    assert past.version == 7
    assert to_wire(past) < to_wire(new_id(datetime(2020, 1, 1, 0, 0, 0, 2000, tzinfo=UTC))) < to_wire(new_id())


def test_times_as_the_documents_write_them() -> None:
    moment = datetime(2025, 1, 15, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    assert aureum_time(moment) == "2025-01-15T10:30:00.000Z"
    assert leads_time(moment) == "2025-01-15T10:30:00Z"
