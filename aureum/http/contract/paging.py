"""Pages of lists: ``limit``, and an opaque ``cursor`` that says where a page begins; and ``changedAfter``, an opaque
token that says how far a client has heard of what changed.

A page goes by ids, which sort by time and never change, or, of what changed, by positions of the log, which have no
gaps: so inserting while a client pages neither skips nor repeats anything.

Both belong to one list of one brokerage, seen by one caller through the same filters. They carry a digest of that, so
that one of another list is refused instead of answered with rows that mean something else there.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from aureum.http.wire.validation import refused

LONGEST_PAGE = 500

DIGEST = 8
"""Bytes that tell one list from another."""

POSITION = 8
"""Bytes of a position in the log."""

Bound = tuple[object, ...]
"""What a cursor or token belongs to: the list's path, the brokerage, the caller's view, the filters."""


def whole_number(text: Any, most: int) -> int | None:
    """The number from 1 to *most* that *text* is written as, in decimal digits and nothing else; None for any other."""
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 9):
        return None
    return int(text) if 1 <= int(text) <= most else None


def _limit(text: Any) -> int:
    limit = whole_number(text, LONGEST_PAGE)
    if limit is None:
        raise PydanticCustomError("page_limit", "limit")
    return limit


def decoded(text: Any, length: int) -> bytes | None:
    """The *length* bytes that *text* is the base64 of, without padding; None for any other."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"==")
    except (NotBase64, UnicodeEncodeError):
        return None
    return raw if len(raw) == length and encoded(raw) == text else None


def encoded(raw: bytes) -> str:
    """The inverse of ``decoded``."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


CURSOR = 16 + POSITION + DIGEST
TOKEN = POSITION + DIGEST


def _cursor(text: Any) -> bytes:
    raw = decoded(text, CURSOR)
    if raw is None:
        raise PydanticCustomError("cursor", "cursor")
    return raw


def _token(text: Any) -> bytes:
    raw = decoded(text, TOKEN)
    if raw is None:
        raise PydanticCustomError("changed_after", "changedAfter")
    return raw


Limit = Annotated[
    int, PlainValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE})
]
"""A page's length."""

Cursor = Annotated[
    bytes,
    PlainValidator(_cursor),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"}),
]
"""Where a page begins, as it was sent: 32 bytes in base64 without padding. ``opened_cursor`` reads it."""

Token = Annotated[
    bytes, PlainValidator(_token), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]{21}[AQgw]$"})
]
"""How far a client has heard of what changed, as it was sent: 16 bytes. ``opened_token`` reads it."""


class Place(NamedTuple):
    """Where a page begins: after this id, or this position as an id; and how far the log had come at the first page."""

    after: UUID
    head: int


def digest(bound: Bound, payload: bytes) -> bytes:
    """What makes *payload* belong to *bound*."""
    return blake2b(payload + repr(bound).encode(), digest_size=DIGEST, person=b"aureum list").digest()


def write_cursor(bound: Bound, place: Place) -> str:
    """*place* as ``Cursor`` and ``opened_cursor`` read it."""
    payload = place.after.bytes + place.head.to_bytes(POSITION)
    return encoded(payload + digest(bound, payload))


def opened_cursor(raw: bytes, bound: Bound, head: int) -> Place:
    """Where the page begins. Raises InvalidRequest for the cursor of another list, and for one of a log that went
    further than *head*: it was put back from a backup since."""
    payload = raw[:-DIGEST]
    place = Place(UUID(bytes=payload[:16]), int.from_bytes(payload[16:]))
    if raw[-DIGEST:] != digest(bound, payload) or place.head > head:
        raise refused("query", "cursor", "cursor")
    return place


def write_token(bound: Bound, position: int) -> str:
    """*position* as ``Token`` and ``opened_token`` read it."""
    payload = position.to_bytes(POSITION)
    return encoded(payload + digest(bound, payload))


def opened_token(raw: bytes, bound: Bound, head: int) -> int:
    """The position. Raises InvalidRequest as ``opened_cursor`` does."""
    payload = raw[:-DIGEST]
    position = int.from_bytes(payload)
    if raw[-DIGEST:] != digest(bound, payload) or position > head:
        raise refused("query", "changedAfter", "changed_after")
    return position


def link(path: str, query: Mapping[str, object], relation: str) -> str:
    """One entry of a ``Link`` header. It is relative: no URL is ever made from a request's Host."""
    return f'<{path}?{urlencode(query)}>; rel="{relation}"'
