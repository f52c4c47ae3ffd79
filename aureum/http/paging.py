"""Pages of lists: ``limit`` and an opaque ``cursor``, the id that the page begins after.

Ids sort by time and never change, so inserting while somebody pages neither skips nor repeats anything.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from aureum.http.validation import bad_parameter

LONGEST_PAGE = 500


def limit_of(text: str | None) -> int | None:
    """A page's length, or None for the whole list. Raises InvalidRequest."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LONGEST_PAGE):
        raise bad_parameter("limit", f"must be a whole number from 1 to {LONGEST_PAGE}")
    return int(text)


def cursor_of(text: str | None) -> UUID | None:
    """Where a page begins, or None for the first. Raises InvalidRequest."""
    if text is None:
        return None
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"==")
    except (NotBase64, UnicodeEncodeError):
        raw = b""
    if len(raw) != 16 or write_cursor(UUID(bytes=raw)) != text:
        raise bad_parameter("cursor", "must be the one that a Link header of this list gave you")
    return UUID(bytes=raw)


def write_cursor(last: UUID) -> str:
    """The inverse of ``cursor_of``."""
    return urlsafe_b64encode(last.bytes).rstrip(b"=").decode()


def next_link(path: str, query: Mapping[str, str], limit: int, last: UUID) -> str:
    """The ``Link`` header of a page that another follows: *query* has the filters.

    It is relative: no URL is ever made from a request's Host.
    """
    return f'<{path}?{urlencode({**query, "limit": limit, "cursor": write_cursor(last)})}>; rel="next"'
