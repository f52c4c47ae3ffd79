"""PostgreSQL's arrays in binary, packed here. psycopg, given a list, looks at each element to find out what it is, and
looks up how to send it, again for each array of each call: that took a third of the time that a lone append takes here.
"""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NewType
from uuid import UUID

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

FROM_ONE = 1
NULL = (-1).to_bytes(4, "big", signed=True)

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Big = NewType("Big", int)
"""An integer of 8 bytes."""

Json = NewType("Json", bytes)
"""A JSON document."""


class PackedArray(bytes):
    """An array as the server reads it. Its place in the statement says the type: ``%b::uuid[]``."""


class PackedDumper(Dumper):
    """Sends ``PackedArray`` as it is, of a type that the server takes from the statement (oid 0)."""

    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        packed: bytes = obj
        return packed


# For all connections: the type is our own, and code that imports it wants to send it.
psycopg.adapters.register_dumper(PackedArray, PackedDumper)

HEADER = struct.Struct("!iiiii")
NO_DIMENSION = struct.Struct("!iii")
LENGTH = struct.Struct("!i")
FOUR, EIGHT, SIXTEEN = map(LENGTH.pack, (4, 8, 16))


def measured(element: bytes) -> bytes:
    """*element* behind its length."""
    return LENGTH.pack(len(element)) + element


ELEMENTS: dict[Any, tuple[int, Callable[[Any], bytes]]] = {
    UUID: (2950, lambda value: SIXTEEN + value.bytes),
    int: (23, lambda value: FOUR + value.to_bytes(4, "big", signed=True)),
    Big: (20, lambda value: EIGHT + value.to_bytes(8, "big", signed=True)),
    float: (701, lambda value: EIGHT + struct.pack("!d", value)),
    str: (25, lambda value: measured(value.encode())),
    bytes: (17, measured),
    Json: (114, measured),
    datetime: (1184, lambda value: EIGHT + ((value - EPOCH) // MICROSECOND).to_bytes(8, "big", signed=True)),
}
"""The oid of an element's type, and its bytes behind their length: uuid, integer, bigint, double precision, text,
bytea, json, timestamptz."""


def packed(kind: Any, values: Sequence[Any]) -> PackedArray:
    """*values* as an array; all are of *kind*, one of ``ELEMENTS``, or None.

    Raises OverflowError for an integer that is too large.
    """
    oid, encode = ELEMENTS[kind]
    return array_of(oid, [NULL if value is None else encode(value) for value in values])


def array_of(oid: int, elements: Sequence[bytes]) -> PackedArray:
    """*elements* of that type, each behind its length, as an array."""
    if not elements:
        return PackedArray(NO_DIMENSION.pack(0, 0, oid))
    return PackedArray(HEADER.pack(1, NULL in elements, oid, len(elements), FROM_ONE) + b"".join(elements))
