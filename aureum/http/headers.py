"""One header of a request, found in the list that the server made: mappings of headers cost more than most answers."""

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of the header *name* (in lower case), None without it."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None
