"""An append as PostgreSQL takes it: a value of the type ``append_item`` (``migrations/0018_guards.sql``) in binary.

A composite value is the number of its columns, and of each column its type, its length and its bytes. Types that are
not built in are sent as 0: the server takes the one that it expects there.
"""

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from eventsourcing.persistence import StoredEvent

from aureum.store.guards import AtMost, Guard, Once, Unchanged, Unique
from aureum.store.mapper import split_topic
from aureum.store.postgres.arrays import NULL, array_of, measured

if TYPE_CHECKING:
    from aureum.store.append import Append, Remember

SMALLINT, INTEGER, BYTEA, TEXT, UUID = 21, 23, 17, 25, 2950
ITS_OWN = 0

COLUMN = struct.Struct("!ii")
NUMBER = struct.Struct("!iii")

EVENT_VERSION_TYPE = struct.Struct("!i iii ii")
EVENT_SCHEMA_DATA = struct.Struct("!iih ii")
STREAM = struct.Struct("!i ii16s ii16s iii iii")

ITEM_COLUMNS, EVENT_COLUMNS = 16, 5


def nulls(*types: int) -> bytes:
    """Columns of these types without a value."""
    return b"".join(struct.pack("!i", one) + NULL for one in types)


NOT_PERSONAL = nulls(BYTEA)
CHANGED, UNCOUNTED, OFTEN, UNNAMED = nulls(INTEGER), nulls(TEXT, INTEGER), nulls(BYTEA, INTEGER), nulls(TEXT, TEXT)
NO_GUARDS = CHANGED + UNCOUNTED + OFTEN + UNNAMED
FORGOTTEN = nulls(BYTEA, BYTEA, BYTEA)


def bytea(value: bytes) -> bytes:
    """A column."""
    return COLUMN.pack(BYTEA, len(value)) + value


def text(value: str) -> bytes:
    """A column."""
    encoded = value.encode()
    return COLUMN.pack(TEXT, len(encoded)) + encoded


def integer(value: int) -> bytes:
    """A column."""
    return NUMBER.pack(INTEGER, 4, value)


def item(append: "Append", leader: int) -> bytes:
    """*append* behind its length; *leader* is the item that it goes together with, 0: none."""
    events = array_of(ITS_OWN, [event(*one) for one in zip(append.events, append.metadata, strict=True)])
    return measured(
        b"".join(
            (
                STREAM.pack(
                    *(ITEM_COLUMNS, UUID, 16, append.tenant_id.bytes, UUID, 16, append.stream_id.bytes),
                    *(INTEGER, 4, append.expected_version, INTEGER, 4, leader),
                ),
                COLUMN.pack(ITS_OWN, len(events)),
                events,
                bytea(append.subject_key) if append.subject_key else NOT_PERSONAL,
                guards(append.guards) if append.guards else NO_GUARDS,
                remember(append.remember) if append.remember else FORGOTTEN,
            )
        )
    )


def event(stored: StoredEvent, metadata: bytes) -> bytes:
    """A value of ``append_event`` behind its length."""
    name, schema_version = split_topic(stored.topic)
    kind, data = name.encode(), stored.state
    return measured(
        b"".join(
            (
                EVENT_VERSION_TYPE.pack(EVENT_COLUMNS, INTEGER, 4, stored.originator_version, TEXT, len(kind)),
                kind,
                EVENT_SCHEMA_DATA.pack(SMALLINT, 2, schema_version, BYTEA, len(data)),
                data,
                COLUMN.pack(BYTEA, len(metadata)),
                metadata,
            )
        )
    )


def guards(given: Sequence[Guard]) -> bytes:
    """The columns of the guards."""
    unchanged, at_most, once, unique = CHANGED, UNCOUNTED, OFTEN, UNNAMED
    for guard in given:
        match guard:
            case Unchanged():
                unchanged = integer(guard.directory_version)
            case AtMost():
                at_most = text(guard.counter) + integer(guard.most)
            case Once():
                once = bytea(guard.key) + integer(guard.seconds)
            case Unique():
                unique = text(guard.purpose) + text(guard.name)
    return unchanged + at_most + once + unique


def remember(given: "Remember") -> bytes:
    """The columns of an idempotency key."""
    return bytea(given.key) + bytea(given.request) + bytea(given.answer)
