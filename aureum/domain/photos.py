"""The photos of a property: links to pictures that stand elsewhere, in the order in which they are shown. Pure.

Nothing is fetched here, and no page of ours loads a picture from another host.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from aureum.domain.errors import Invalid
from aureum.domain.texts import one_line

Photo = dict[str, str]
"""``url``, and ``alt``: what the picture shows, for readers who do not see it; empty if that is not known."""

MOST = 50
LONGEST_URL = 2_000
LONGEST_ALT = 300

FIELD = "photos"
TOO_MANY = f"photos must have at most {MOST} entries."
NOT_HTTPS = "Photo {place}: url must be a web address that begins with https://, without spaces or a password."
TOO_LONG = f"Photo {{place}}: url must have at most {LONGEST_URL:,} characters, and alt at most {LONGEST_ALT}."
TWICE = "Photo {place}: the same url is listed above. Remove one of them."


def read_photos(photos: Sequence[Photo]) -> list[Photo]:
    """*photos* as they are stored. Raises Invalid, which names the first that breaks a rule by its place."""
    if len(photos) > MOST:
        raise Invalid(FIELD, TOO_MANY)
    found: list[Photo] = []
    for place, photo in enumerate(photos, 1):
        url, alt = photo["url"].strip(), one_line(photo["alt"]).strip()
        if len(url) > LONGEST_URL or len(alt) > LONGEST_ALT:
            raise Invalid(FIELD, TOO_LONG.format(place=place))
        if not is_https(url):
            raise Invalid(FIELD, NOT_HTTPS.format(place=place))
        if any(one["url"] == url for one in found):
            raise Invalid(FIELD, TWICE.format(place=place))
        found.append({"url": url, "alt": alt})
    return found


def is_https(url: str) -> bool:
    """Whether *url* leads to a page of https, as it stands and with nothing in it that hides where it leads."""
    if not url.startswith("https://") or not url.isprintable() or any(one.isspace() or one in '\\"<>' for one in url):
        return False
    try:
        parts = urlsplit(url)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return bool(named) and "@" not in parts.netloc
