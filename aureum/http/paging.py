"""Pages of lists: ``limit`` and an opaque ``cursor``, the id that the page begins after.

Ids sort by time and never change, so inserting while somebody pages neither skips nor repeats anything.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

LONGEST_PAGE = 500


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


def _cursor(text: Any) -> UUID:
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"==")
    except (NotBase64, UnicodeEncodeError):
        raw = b""
    if len(raw) != 16 or write_cursor(UUID(bytes=raw)) != text:
        raise PydanticCustomError("cursor", "cursor")
    return UUID(bytes=raw)


Limit = Annotated[
    int, PlainValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE})
]
"""A page's length."""

Cursor = Annotated[
    UUID, PlainValidator(_cursor), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]{21}[AQgw]$"})
]
"""Where a page begins: 16 bytes in base64 without padding, of which the last character carries two bits."""


def write_cursor(last: UUID) -> str:
    """The id that a page ended with, as ``Cursor`` reads it."""
    return urlsafe_b64encode(last.bytes).rstrip(b"=").decode()


def next_link(path: str, query: Mapping[str, str], limit: int, last: UUID) -> str:
    """The ``Link`` header of a page that another follows: *query* has the filters.

    It is relative: no URL is ever made from a request's Host.
    """
    return f'<{path}?{urlencode({**query, "limit": limit, "cursor": write_cursor(last)})}>; rel="next"'
