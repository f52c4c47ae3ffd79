"""The tours of a client: those with the client's address, which is proved. What was taken for spam is left out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from aureum.domain.emails import one_form
from aureum.domain.errors import NotFound
from aureum.domain.ids import from_wire
from aureum.http.portal.catalogue import later
from aureum.http.portal.enquiries import names
from aureum.http.portal.homes import homes_of
from aureum.http.portal.visit import PortalVisit
from aureum.projections.search import ascii_only, escaped, fold
from aureum.store.postgres.database import Database

MOST = 200

NO_TOUR = "There is no such tour."

OF_ADDRESS = """
SELECT tour_id, stream_version, doc, assigned_to, created_by
  FROM tours_of_address(%(tenant)s, %(words)s, %(limit)s)
"""

STATES = {
    "pending": later("Requested"),
    "confirmed": later("Confirmed"),
    "completed": later("Took place"),
    "cancelled": later("Cancelled"),
}


class Found(NamedTuple):
    """A tour as the Aureum API shows it, and its version."""

    tour_id: UUID
    version: int
    doc: Mapping[str, Any]


class ClientTour(NamedTuple):
    """All that a client sees of a tour. ``wished`` is the date that the client asked for, as it was typed."""

    id: str
    at: datetime | None
    wished: str | None
    place: str | None
    state: str
    agent: str | None
    open: bool
    dated: bool


async def tours_of_address(
    database: Database, tenant_id: UUID, address: str, visible_to: UUID | None = None
) -> list[Found]:
    """The tours with this address in its one form, newest first. Raises Unavailable."""
    pattern = f"%{escaped(ascii_only(fold(address)))} %"
    words = orjson.dumps([{"likes": [pattern], "near": [], "typo": None}]).decode()
    rows = await database.rows(OF_ADDRESS, {"tenant": tenant_id, "words": words, "limit": MOST})
    found = []
    for tour_id, version, text, *seen_by in rows:
        doc = orjson.loads(text)
        own = doc["email"] is not None and one_form(doc["email"]) == address and not doc.get("suspect")
        if own and (visible_to is None or visible_to in seen_by):
            found.append(Found(tour_id, version, doc))
    return found


async def found_tours(visit: PortalVisit) -> list[Found]:
    """Those of the client. Raises Unavailable."""
    client = visit.client
    return await tours_of_address(visit.app.database, client.tenant_id, client.address, visit.visible_to)


async def tour_of(visit: PortalVisit, wire: str) -> Found:
    """The client's tour with this id. Raises NotFound, Unavailable."""
    for one in await found_tours(visit):
        if one.doc["id"] == wire:
            return one
    raise NotFound(NO_TOUR)


async def shown(visit: PortalVisit, found: Sequence[Found]) -> list[ClientTour]:
    """As the client sees them. Raises Unavailable."""
    homes = await homes_of(visit, properties(one.doc for one in found))
    agents = await names(visit, [one.doc["assignedToId"] for one in found])
    tours = []
    for one in found:
        doc = one.doc
        home = homes.get(from_wire(doc["propertyId"] or "") or UUID(int=0))
        wished = " ".join(part for part in (doc["preferredDate"], doc["preferredTime"]) if part)
        tours.append(
            ClientTour(
                id=doc["id"],
                at=None if doc["startsAt"] is None else datetime.fromisoformat(doc["startsAt"]),
                wished=wished or None,
                place=doc["listingId"] and f"MLS {doc['listingId']}" if home is None else home.address,
                state=visit.gettext(STATES[doc["status"]]),
                agent=agents.get(doc["assignedToId"]),
                open=doc["status"] in ("pending", "confirmed"),
                dated=doc["startsAt"] is not None or doc["preferredDate"] is not None,
            )
        )
    return tours


def properties(docs: Iterable[Mapping[str, Any]]) -> list[UUID]:
    """The properties that *docs* name."""
    named = (from_wire(doc["propertyId"]) for doc in docs if doc["propertyId"] is not None)
    return [one for one in named if one is not None]
