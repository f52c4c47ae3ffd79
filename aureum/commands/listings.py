"""The property of the brokerage that an enquiry is about, by its listing id or the page that it was sent from."""

import time
from dataclasses import replace
from uuid import UUID

import orjson

from aureum.domain.routing.enquiry import Enquiry, Listing, page_parts
from aureum.lru import Lru
from aureum.projections import property_list
from aureum.store.event_store import EventStore

SECONDS = 60.0
"""How long a listing is remembered: a price that has just changed may be known a little late."""

LIMIT = 2_000

known: Lru[tuple[UUID, tuple[str, ...]], tuple[float, Listing | None]] = Lru(LIMIT)
"""By tenant and names: when it was looked up, and what was found."""


async def with_listing(store: EventStore, tenant_id: UUID, enquiry: Enquiry) -> Enquiry:
    """*enquiry* with the listing that it is about, if there is one. Raises Unavailable."""
    return replace(enquiry, listing=await listing_of(store, tenant_id, enquiry.listing_id, enquiry.page))


async def listing_of(store: EventStore, tenant_id: UUID, listing_id: str | None, page: str) -> Listing | None:
    """The one property that *listing_id* or a part of *page* names, as its mlsId or slug; None if that is none, or
    more than one. Raises Unavailable."""
    names = tuple(name for name in (listing_id, *page_parts(page)) if name)
    if not names:
        return None
    key = (tenant_id, names)
    kept, now = known.find(key), time.monotonic()
    if kept is not None and now - kept[0] < SECONDS:
        return kept[1]
    rows = await store.database.tenant_rows(tenant_id, property_list.NAMED, {"tenant": tenant_id, "names": list(names)})
    found = listing(orjson.loads(rows[0][0])) if len(rows) == 1 else None
    known.keep(key, (now, found))
    return found


def listing(doc: dict[str, object]) -> Listing:
    """A property of the Aureum API as routing reads it."""

    def text(name: str) -> str:
        value = doc.get(name)
        return "" if value is None else str(value)

    return Listing(text("title"), text("propertyType"), text("city"), text("price") or None, text("mlsId") or None)
