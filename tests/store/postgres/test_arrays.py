"""Arrays that are packed here arrive as what they are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from aureum.store.postgres.arrays import Big, packed
from tests.examples import examples


@pytest.fixture(scope="module")
def connection(module_database_url: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(module_database_url, autocommit=True) as opened:
        yield opened


KINDS: dict[Any, tuple[str, st.SearchStrategy[Any]]] = {
    UUID: ("uuid", st.uuids()),
    int: ("integer", st.integers(-(2**31), 2**31 - 1)),
    str: ("text", st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))),
    bytes: ("bytea", st.binary()),
    Big: ("bigint", st.integers(-(2**63), 2**63 - 1)),
    float: ("float8", st.floats(allow_nan=False)),
    datetime: ("timestamptz", st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1))),  # noqa: DTZ001
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: KINDS[kind][0])
@given(data=st.data())
@settings(max_examples=examples(60), deadline=None)
def test_an_array_arrives_as_it_was(connection: Connection[Any], kind: Any, data: st.DataObject) -> None:
    name, values = KINDS[kind]
    sent = data.draw(st.lists(st.none() | values, max_size=40))
    asked = f"SELECT %b::{name}[], cardinality(%b::{name}[]), array_lower(%b::{name}[], 1)"
    cursor = connection.cursor(binary=True)
    cursor.execute(asked.encode(), [packed(kind, sent)] * 3)
    assert cursor.fetchall() == [(sent, len(sent), 1 if sent else None)]


@pytest.mark.parametrize(("kind", "limit"), [(int, 2**31), (Big, 2**63)])
def test_an_integer_that_no_column_takes_is_refused_here(kind: Any, limit: int) -> None:
    for integer in (limit, -limit - 1):
        with pytest.raises(OverflowError):
            packed(kind, [0, integer])
