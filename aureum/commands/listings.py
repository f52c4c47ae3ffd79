"""The property of the brokerage that an enquiry is about, by its listing id or the page that it was sent from."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

import orjson

from aureum.domain.routing.enquiry import Enquiry, Listing, page_parts
from aureum.lru import Lru
from aureum.projections import property_list
from aureum.store.event_store import EventStore

SECONDS = 60.0
"""How long a listing is remembered: a price that has just changed may be known a little late."""

LIMIT = 10_000

MOST = 20
"""How many properties are read; if so many have the names, what is cut off may have one of them, too."""


class Looked(NamedTuple):
    """What a name was found to mean, and when: the properties that have it, no more than two."""

    at: float
    found: tuple[tuple[UUID, Listing], ...]


known: Lru[tuple[UUID, str], Looked] = Lru(LIMIT)
"""By tenant and name. Most parts of a page's address name nothing, which is remembered, too: the second form of a page
looks up nothing, whatever its query says of campaigns."""


async def with_listing(store: EventStore, tenant_id: UUID, enquiry: Enquiry) -> Enquiry:
    """*enquiry* with the listing that it is about, if there is one. Raises Unavailable."""
    if not enquiry.listing_id and not enquiry.page:
        return enquiry
    return replace(enquiry, listing=await listing_of(store, tenant_id, enquiry.listing_id, enquiry.page))


async def listing_of(store: EventStore, tenant_id: UUID, listing_id: str | None, page: str) -> Listing | None:
    """The one property that *listing_id* or a part of *page* names, as its mlsId or slug; None if that is none, or
    more than one. Raises Unavailable."""
    names = tuple(name for name in (listing_id, *page_parts(page)) if name)
    now = time.monotonic()
    looked = {name: known.find((tenant_id, name)) for name in names}
    fresh = {name: one.found for name, one in looked.items() if one is not None and now - one.at < SECONDS}
    unknown = [name for name in looked if name not in fresh]
    if unknown:
        fresh |= await looked_up(store, tenant_id, unknown, now)
    found = {property_id: listing for one in fresh.values() for property_id, listing in one}
    return next(iter(found.values())) if len(found) == 1 else None


async def looked_up(
    store: EventStore, tenant_id: UUID, names: Sequence[str], now: float
) -> dict[str, tuple[tuple[UUID, Listing], ...]]:
    """The properties that have each of *names*, from the database. Raises Unavailable."""
    parameters = {"tenant": tenant_id, "names": list(names), "most": MOST}
    rows = await store.database.tenant_rows(tenant_id, property_list.NAMED, parameters)
    properties = [(slug, mls_id, (property_id, listing(orjson.loads(doc)))) for property_id, slug, mls_id, doc in rows]
    found = {name: tuple(one for *called, one in properties if name in called)[:2] for name in names}
    if len(rows) < MOST:
        for name, one in found.items():
            known.keep((tenant_id, name), Looked(now, one))
    return found


def listing(doc: dict[str, object]) -> Listing:
    """A property of the Aureum API as routing reads it."""

    def text(name: str) -> str:
        value = doc.get(name)
        return "" if value is None else str(value)

    return Listing(text("title"), text("propertyType"), text("city"), text("price") or None, text("mlsId") or None)
