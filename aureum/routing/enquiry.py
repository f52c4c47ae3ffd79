"""What a client wrote, made ready: cut, masked, without what is not wanted, with the words of page and listing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from aureum.routing.language import language_asked_for, language_of
from aureum.routing.negation import without_negations
from aureum.routing.protected import Protected, masked, without_marks
from aureum.routing.text import LIMIT, clean, content_words, segments, shortened

PART_LIMIT = 200
"""How many characters of the subject, the page's words and the listing's words are read, each."""

CLAUSES = 4
"""How many clauses are looked at for the reason, those that say most; each costs the model a fifth of an enquiry."""

RAW_LIMIT = 4 * LIMIT
"""What is looked at before cleaning, which takes time by length."""

PAGE_WORDS_LEFT_OUT = frozenset(
    [
        "about",
        "agent",
        "agents",
        "amp",
        "and",
        "area",
        "areas",
        "at",
        "by",
        "contact",
        "details",
        "for",
        "form",
        "home",
        "homes",
        "house",
        "houses",
        "html",
        "http",
        "https",
        "idaho",
        "in",
        "index",
        "listing",
        "listings",
        "mls",
        "of",
        "on",
        "or",
        "page",
        "pages",
        "php",
        "properties",
        "property",
        "real",
        "estate",
        "realestate",
        "sale",
        "search",
        "the",
        "to",
        "utm",
        "www",
        "id",
    ]
)
"""Words of addresses that nearly every page of the trade has."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What an enquiry's listing is called. ``kind`` is its type, such as "condo"."""

    title: str = ""
    kind: str = ""
    price: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True)
class Enquiry:
    """``page`` is the address or path that it was sent from, ``names`` the client's own, which are masked."""

    message: str
    subject: str = ""
    page: str = ""
    listing: Listing | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """``text`` is all that is compared, ``written`` what of it the client wrote, ``clauses`` its parts as a reason
    can quote them."""

    text: str
    written: str
    clauses: tuple[str, ...]
    language: str
    asked_for: str | None


def page_words(page: str) -> str:
    """The words of an address's path: of ``/listings/412-lakeshore-dr?utm_source=x`` "lakeshore dr"."""
    path = re.sub(r"^[a-z][a-z+.-]*://[^/?#]*", "", page.strip(), flags=re.IGNORECASE)
    path = re.split("[?#]", path, maxsplit=1)[0]
    found = (word for word in re.split(r"[\W_]+", unquote(path)) if not word.isdigit())
    return " ".join(word for word in found if word and word.casefold() not in PAGE_WORDS_LEFT_OUT)


def listing_words(listing: Listing | None) -> str:
    """The words of the listing that an enquiry names."""
    return ", ".join(filter(None, (listing.title, listing.kind, listing.city, listing.price))) if listing else ""


def prepared(enquiry: Enquiry, mask: Protected) -> Prepared:
    """*enquiry* made ready to be compared. Any text gives a result."""
    beside = [
        shortened(clean(part[:RAW_LIMIT]), PART_LIMIT)
        for part in (enquiry.subject, page_words(enquiry.page[:RAW_LIMIT]), listing_words(enquiry.listing))
    ]
    message = shortened(clean(enquiry.message[:RAW_LIMIT]), LIMIT - sum(map(len, beside)) - 2 * len(beside))
    raw = f"{beside[0]}. {message}"
    texts = [
        without_negations(without_marks(masked(part, mask, enquiry.names)))
        for part in (beside[0], message, *beside[1:])
    ]
    parts = (part.strip() for one in texts for part, _ in segments(one))
    saying = {part: len(content_words(part)) for part in parts}
    clauses = sorted((part for part, count in saying.items() if count), key=lambda part: -saying[part])[:CLAUSES]
    return Prepared(joined(texts), joined(texts[:2]), tuple(clauses), language_of(raw), language_asked_for(raw))


def joined(texts: Iterable[str]) -> str:
    """*texts* as sentences of one."""
    return " ".join(part if part[-1:] in ".!?" else f"{part}." for part in texts if part.strip(" .,;:!?"))
