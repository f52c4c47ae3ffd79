"""PostgreSQL's arrays in binary, packed here. psycopg, given a list, looks at each element to find out what it is, and
looks up how to send it, for each array of each call anew: that took a third of the time that a lone append takes here.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

NO_NULLS, FROM_ONE = 0, 1


class Packed(bytes):
    """An array as the server reads it. Its place in the statement says the type: ``%b::uuid[]``."""


class PackedDumper(Dumper):
    """Sends ``Packed`` as it is, of a type that the server takes from the statement (oid 0)."""

    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        packed: bytes = obj
        return packed


# Of all connections: the type is our own, and whoever imports it wants to send it.
psycopg.adapters.register_dumper(Packed, PackedDumper)

ELEMENTS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    UUID: (2950, lambda value: value.bytes),
    int: (23, lambda value: value.to_bytes(4, "big", signed=True)),
    str: (25, str.encode),
    bytes: (17, bytes),
}
"""The oid of an element's type, and its bytes: uuid, integer, text, bytea."""


def packed(kind: type, values: Sequence[Any]) -> Packed:
    """*values* as an array; all are of *kind*: UUID, int (of 4 bytes), str or bytes."""
    oid, encode = ELEMENTS[kind]
    header = (1, NO_NULLS, oid, len(values), FROM_ONE) if values else (0, NO_NULLS, oid)
    parts = [number.to_bytes(4, "big") for number in header]
    for value in values:
        element = encode(value)
        parts += (len(element).to_bytes(4, "big"), element)
    return Packed(b"".join(parts))
