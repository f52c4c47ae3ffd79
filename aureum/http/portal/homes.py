"""What a client sees of a property: what stands in any advertisement of it, and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from aureum.domain.ids import from_wire
from aureum.domain.photos import is_https
from aureum.http.portal.catalogue import later
from aureum.http.portal.visit import PortalVisit
from aureum.projections.search import ascii_only, escaped, fold

MOST = 50

STATES = {
    "ACTIVE": later("For sale"),
    "COMING_SOON": later("Coming soon"),
    "PENDING": later("Under contract"),
    "SOLD": later("Sold"),
}

PUBLIC = ("ACTIVE", "COMING_SOON")
"""What a client may find without being sent it."""

PROPERTIES = """
SELECT x.property_id, x.doc FROM property_list x
 WHERE x.tenant_id = %(tenant)s AND x.property_id = ANY (%(properties)s::uuid[])
   AND x.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""

ON_THE_MARKET = """
SELECT x.property_id, x.doc FROM property_list x
 WHERE x.tenant_id = %(tenant)s AND x.status = ANY (%(statuses)s) AND x.search LIKE ALL (%(words)s::text[])
   AND x.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 ORDER BY x.property_id DESC LIMIT %(limit)s
"""


class Home(NamedTuple):
    """All that a client sees of a property. ``photos`` are links, which pages do not load."""

    id: str
    title: str
    address: str
    price: float | int | None
    state: str
    bedrooms: float | int | None
    bathrooms: float | int | None
    sqft: float | int | None
    description: str | None
    photos: Sequence[Mapping[str, str]]


def home(visit: PortalVisit, doc: Mapping[str, Any]) -> Home:
    """Of a property's document. An address that is none of the web is no link."""
    place = " ".join(part for part in (doc["state"], doc["zip"]) if part)
    return Home(
        id=doc["id"],
        title=doc["title"],
        address=", ".join(part for part in (doc["address"], doc["city"], place) if part),
        price=doc["price"],
        state=visit.gettext(STATES[doc["status"]]),
        bedrooms=doc["bedrooms"],
        bathrooms=doc["bathrooms"],
        sqft=doc["sqft"],
        description=doc["description"],
        photos=[photo for photo in doc.get("photos") or () if is_https(photo["url"])],
    )


async def homes_of(visit: PortalVisit, properties: Iterable[UUID]) -> dict[UUID, Home]:
    """Those of *properties* that there are. Raises Unavailable."""
    about = {"tenant": visit.client.tenant_id, "properties": list(properties)}
    if not about["properties"]:
        return {}
    rows = await visit.app.database.tenant_rows(visit.client.tenant_id, PROPERTIES, about)
    return {property_id: home(visit, orjson.loads(doc)) for property_id, doc in rows}


async def on_the_market(visit: PortalVisit, words: str, most: int = MOST) -> list[Home]:
    """The newest that are for sale, or will be, in which all *words* stand. Raises Unavailable."""
    about = {
        "tenant": visit.client.tenant_id,
        "statuses": list(PUBLIC),
        "words": [f"%{escaped(ascii_only(fold(word)))}%" for word in words.split()[:10]],
        "limit": most,
    }
    rows = await visit.app.database.tenant_rows(visit.client.tenant_id, ON_THE_MARKET, about)
    return [home(visit, orjson.loads(doc)) for _, doc in rows]


async def is_public(visit: PortalVisit, wire: str) -> UUID | None:
    """The property of this wire id, if a client may find it. Raises Unavailable."""
    property_id = from_wire(wire)
    if property_id is None:
        return None
    about = {"tenant": visit.client.tenant_id, "properties": [property_id]}
    rows = await visit.app.database.tenant_rows(visit.client.tenant_id, PROPERTIES, about)
    return property_id if any(orjson.loads(doc)["status"] in PUBLIC for _, doc in rows) else None
