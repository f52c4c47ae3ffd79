"""Rules of a brokerage that leads follow in ``subject_based`` mode: the first one that fits decides."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from aureum.domain.routing.enquiry import Enquiry
from aureum.domain.routing.settings import Rule, When

WORD = re.compile(r"\w+")


def fitting(rules: Sequence[Rule], enquiry: Enquiry, since: int = 0) -> Iterator[int]:
    """The places of the rules that fit, from the place *since* on; the last one, without conditions, always does."""
    for place, rule in enumerate(rules[since:], since):
        if rule.when is None or fits(rule.when, enquiry):
            yield place


def fits(when: When, enquiry: Enquiry) -> bool:
    """Whether every condition that is set holds."""
    listing = enquiry.listing
    price = None if listing is None else listing.price
    ids = {one for one in (enquiry.listing_id, listing and listing.listing_id) if one}
    places = f"{enquiry.text} {listing.city if listing else ''}"
    return (
        (not when.subject_has or names_one(when.subject_has, enquiry.subject))
        and (not when.page_has or contains_one(when.page_has, enquiry.page))
        and (not when.source or not {one.casefold() for one in when.source}.isdisjoint(folded(enquiry.sources)))
        and (not when.area or names_one(when.area, places))
        and (not when.listing_id or not ids.isdisjoint(when.listing_id))
        and (when.price_from is None or (price is not None and Decimal(price) >= Decimal(when.price_from)))
        and (when.price_to is None or (price is not None and Decimal(price) <= Decimal(when.price_to)))
    )


def folded(texts: Sequence[str]) -> set[str]:
    return {text.casefold() for text in texts}


def names_one(phrases: Sequence[str], text: str) -> bool:
    """Whether *text* has one of *phrases*: all its words, one behind the other, in any case."""
    words = f" {' '.join(WORD.findall(text.casefold()))} "
    return any(f" {' '.join(found)} " in words for phrase in phrases if (found := WORD.findall(phrase.casefold())))


def contains_one(parts: Sequence[str], text: str) -> bool:
    """Whether *text* has one of *parts* anywhere, in any case."""
    lower = text.casefold()
    return any(part.casefold() in lower for part in parts)
