"""The mapper of tests: any event of any type, one person's key."""

from datetime import UTC, datetime
from typing import Any, get_type_hints
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import settings
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.store.mapper import (
    REGISTRY,
    EventMapper,
    EventType,
)
from tests.store.golden_files import (
    made,
)

KEY = AESGCM(b"the key of one person, not more.")
KINDS = pytest.mark.parametrize("kind", REGISTRY.values(), ids=REGISTRY)
A_FEW = settings(deadline=None, max_examples=25)
"""Of each kind: there are a hundred, and what their fields are made of is the same."""

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
    int | None: st.none() | st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    UUID: st.uuids(),
    UUID | None: st.none() | st.uuids(),
    list[int]: st.lists(st.integers(0, 2**53)),
    list[str]: st.lists(st.text(), max_size=3),
    list[list[float]]: st.lists(st.lists(st.floats(0, 1e6), max_size=2), max_size=3),
    list[dict[str, Any]]: st.lists(st.dictionaries(st.text(), json, max_size=2), max_size=3),
    dict[str, str]: st.dictionaries(st.text(), st.text(), max_size=3),
    tuple[str, ...]: st.lists(st.text(), max_size=3).map(tuple),
    dict[str, Any]: st.dictionaries(st.text(), json, max_size=3),
    dict[str, Any] | None: st.none() | st.dictionaries(st.text(), json, max_size=3),
    list[list[str]] | None: st.none() | st.lists(st.lists(st.text(), max_size=2), max_size=2),
    list[dict[str, str]]: st.lists(st.dictionaries(st.text(), st.text(), max_size=2), max_size=3),
    list[dict[str, str | None]]: st.lists(st.dictionaries(st.text(), st.none() | st.text(), max_size=3), max_size=3),
    dict[str, str | None]: st.dictionaries(st.text(), st.none() | st.text(), max_size=3),
    dict[str, str | bool | None]: st.dictionaries(st.text(), st.none() | st.booleans() | st.text(), max_size=3),
    dict[str, str | int | list[str]]: st.dictionaries(
        st.text(), st.text() | st.integers(-(2**63), 2**63 - 1) | st.lists(st.text(), max_size=2), max_size=3
    ),
}
"""Every type that a field of an event may have; READERS in the mapper knows those that JSON does not."""


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
