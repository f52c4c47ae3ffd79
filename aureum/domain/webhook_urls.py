"""How a webhook's URL is read: where a request goes, and what it asks for there.

The text that was given is what is kept and shown, and its path and query go over the wire byte for byte: receivers put
signatures and tokens there, in which ``%2F`` and ``/`` are two things. Only the host is brought into one form, for name
lookups, limits and comparisons; the fragment is never sent, as in any HTTP request.
"""

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from yarl import URL

MAX_URL_LENGTH = 2048

_AS_GIVEN = "".join(map(chr, range(0x21, 0x7F)))


class UnsafeUrl(ValueError):
    """A URL that webhooks are not sent to. The text is for the person who typed it and says what to change."""


class Destination(NamedTuple):
    """``host`` is lower case and goes over the wire as it is (IDNA), without brackets and trailing dot; ``target`` is
    the path with the query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def key(self) -> str:
        """``example.com:443``: what limits and breakers of a host go by."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@lru_cache(maxsize=1_000)
def read_url(url: str) -> Destination:
    """Raises UnsafeUrl for what is no absolute URL of http or https, or carries credentials."""
    if len(url) > MAX_URL_LENGTH:
        raise UnsafeUrl(f"url must not be longer than {MAX_URL_LENGTH} characters.")
    # Lone surrogates are not printable either, and yarl would drop them without a word.
    if not url.isprintable() or any(character.isspace() or character == "\\" for character in url):
        raise UnsafeUrl("url must not contain spaces, backslashes, line breaks or other invisible characters.")
    try:
        parsed = URL(url)
    except ValueError:
        raise UnsafeUrl("url is not a valid URL. Write it like https://example.com/hooks.") from None
    if parsed.scheme not in ("http", "https"):
        raise UnsafeUrl("url must begin with https:// or http://.")
    # The text itself is asked, because yarl drops an empty user ("http://@host/").
    rest = url.partition("//")[2]
    length = min((at for mark in "/?#" if (at := rest.find(mark)) >= 0), default=len(rest))
    if "@" in rest[:length]:
        raise UnsafeUrl("url must not contain a user name or password. Remove the part before the @.")
    host = (parsed.raw_host or "").lower().removesuffix(".")
    if not host:
        raise UnsafeUrl("url must name a host, like https://example.com/hooks.")
    target = rest[length:].partition("#")[0]
    return Destination(
        parsed.scheme,
        host,
        parsed.port or 0,
        # What is no ASCII cannot stand in a request line: it goes as the UTF-8 that browsers send for it.
        quote(target if target.startswith("/") else f"/{target}", safe=_AS_GIVEN),
    )
