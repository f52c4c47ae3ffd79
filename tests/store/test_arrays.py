"""Arrays that are packed here arrive as what they are."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from aureum.store.arrays import packed


@pytest.fixture(scope="module")
def connection(module_database_url: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(module_database_url, autocommit=True) as opened:
        yield opened


KINDS: dict[type, tuple[str, st.SearchStrategy[Any]]] = {
    UUID: ("uuid", st.uuids()),
    int: ("integer", st.integers(-(2**31), 2**31 - 1)),
    str: ("text", st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))),
    bytes: ("bytea", st.binary()),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_an_array_arrives_as_it_was(connection: Connection[Any], kind: type, data: st.DataObject) -> None:
    name, values = KINDS[kind]
    sent = data.draw(st.lists(values, max_size=40))
    asked = f"SELECT %b::{name}[], cardinality(%b::{name}[]), array_lower(%b::{name}[], 1)"
    cursor = connection.cursor(binary=True)
    cursor.execute(asked.encode(), [packed(kind, sent)] * 3)
    assert cursor.fetchall() == [(sent, len(sent), 1 if sent else None)]
