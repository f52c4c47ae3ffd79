"""Headers as the server has them, in lists: mappings of headers cost more than most answers."""

from collections.abc import Iterable

from starlette.types import Scope

Headers = Iterable[tuple[bytes, bytes]]


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of the header *name* (in lower case), None without it."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def lines(headers: Headers) -> bytes:
    """Headers as they stand in an answer."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])
