"""Which rows are duplicates of what is there, and how they change it. What is new is made in ``making``.

A duplicate has the same e-mail address; a property the same MLS listing id, or the same title and street address. A
change takes what the row says and clears nothing: blank cells say nothing, and tags are added.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson

from aureum.commands.importing.reading import Values
from aureum.commands.properties import slug_of
from aureum.domain.aggregate import Aggregate
from aureum.domain.contact import Contact
from aureum.domain.errors import AlreadyTaken, Invalid
from aureum.domain.lead import Lead
from aureum.domain.people import digest, email_key
from aureum.domain.phones import e164
from aureum.domain.property import Property
from aureum.projections import property_list
from aureum.store.event_store import EventStore

Policy = Literal["skip", "update", "make"]
POLICIES: tuple[Policy, ...] = ("skip", "update", "make")
"""What is done with a duplicate. By itself it is skipped."""

OF_ADDRESSES = """
SELECT DISTINCT ON (x.email_key) x.email_key, coalesce(x.merged_into, x.contact_id) FROM contact_list x
 WHERE x.tenant_id = %(tenant)s AND x.email_key = ANY (%(keys)s::uuid[])
   AND x.read_version = (SELECT h.contact_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = x.tenant_id AND k.subject_id = x.contact_id)
 ORDER BY x.email_key, x.contact_id
"""
"""The contacts with these addresses; of several the one that the brokerage has had longest."""

OF_IMPORT = """
SELECT key, stream_id FROM import_keys
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND key = ANY (%(keys)s::uuid[])
"""


@dataclass(frozen=True)
class Place:
    """Where rows go: the brokerage, its country, the import, and the user who asked for it."""

    tenant_id: UUID
    import_id: UUID
    country: str
    created_by: UUID | None


Found = dict[UUID, UUID]
"""Streams by what duplicates are found by."""


@dataclass(frozen=True)
class Kind:
    """How a resource is imported. *keys* are what a duplicate of a row is found by, the strongest first."""

    aggregate: type[Aggregate]
    keys: Callable[[Values], list[UUID]]
    change: Callable[[Any, Values, datetime, Place], None]


def keys_of_person(values: Values) -> list[UUID]:
    """By the address."""
    key = email_key(values.get("email"))
    return [] if key is None else [key]


def keys_of_property(values: Mapping[str, Any]) -> list[UUID]:
    """By the listing's id in its MLS, or by title and address."""
    words = (str(values["title"]).casefold(), str(values["address"]).casefold())
    keys = [digest("address", *(" ".join(one.split()) for one in words))]
    if values.get("mlsId"):
        keys.insert(0, digest("mls", values.get("mls") or "", values["mlsId"]))
    return keys


def change_contact(contact: Contact, values: Values, at: datetime, place: Place) -> None:
    """Raises Invalid."""
    contact.change_details(details_of(values, place), at)
    tags = values.get("tags")
    contact.classify(
        at,
        type=values.get("type"),
        tags=None if tags is None else (*contact.tags, *(one for one in tags if one not in contact.tags)),
        score=values.get("score"),
    )


def change_lead(lead: Lead, values: Values, at: datetime, place: Place) -> None:
    """Raises Invalid, WrongState."""
    if "status" in values:
        lead.change_status(values["status"], at)
    if values.get("lostReason") and lead.status == "lost":
        lead.give_lost_reason({"reason": values["lostReason"]}, at)
    if "assignedToId" in values:
        lead.assign(values["assignedToId"], at)
    more = {name: values[name] for name in ("subject", "message", "notes") if name in values}
    lead.change_details(details_of(values, place) | more, at)


DETAILS_OF_PROPERTY = {
    "title": "title",
    "address": "address",
    "city": "city",
    "state": "state",
    "zip": "zip_code",
    "price": "price",
    "bedrooms": "bedrooms",
    "bathrooms": "bathrooms",
    "sqft": "sqft",
    "propertyType": "property_type",
    "isFeatured": "is_featured",
    "description": "description",
    "mls": "mls",
    "mlsId": "mls_id",
}


def change_property(listed: Property, values: Values, at: datetime, place: Place) -> None:
    """Raises Invalid."""
    if "status" in values:
        listed.change_status(values["status"], at)
    details = {own: values[name] for name, own in DETAILS_OF_PROPERTY.items() if name in values}
    listed.change_details(details, at)
    if "photos" in values:
        # What a picture shows is not in the file.
        told = {photo["url"]: photo["alt"] for photo in listed.photos or ()}
        listed.change_photos([photo | {"alt": told.get(photo["url"], "")} for photo in values["photos"]], at)


def details_of(values: Values, place: Place) -> dict[str, str | None]:
    """The details of a person that a row says."""
    names = {"firstName": "first_name", "lastName": "last_name", "email": "email", "phone": "phone"}
    details: dict[str, str | None] = {own: values[name] for name, own in names.items() if name in values}
    if "phone" in details:
        details["phone_e164"] = e164(details["phone"], place.country)
    return details


KINDS: Mapping[str, Kind] = {
    "contacts": Kind(Contact, keys_of_person, change_contact),
    "leads": Kind(Lead, keys_of_person, change_lead),
    "properties": Kind(Property, keys_of_property, change_property),
}


async def find(store: EventStore, resource: str, place: Place, rows: Sequence[Values], *, noted: bool) -> Found:
    """The streams of which rows may be duplicates. *noted*: the import has noted what it would have made."""
    keys = [key for values in rows for key in KINDS[resource].keys(values)]
    about: dict[str, Any] = {"tenant": place.tenant_id, "import": place.import_id, "keys": keys}
    found: Found = {}
    if not keys:
        return found
    if noted or resource == "leads":
        found |= dict(await store.database.tenant_rows(place.tenant_id, OF_IMPORT, about))
    if resource == "contacts":
        found |= dict(await store.database.tenant_rows(place.tenant_id, OF_ADDRESSES, about))
    if resource == "properties":
        names = {slug_of(values["title"]) for values in rows} | {
            values["mlsId"] for values in rows if "mlsId" in values
        }
        named = {"tenant": place.tenant_id, "names": sorted(names), "most": 10_000}
        for property_id, _, _, doc in await store.database.tenant_rows(place.tenant_id, property_list.NAMED, named):
            found |= {key: property_id for key in keys_of_property(orjson.loads(doc)) if key in keys}
    return found


REFUSALS = (Invalid, AlreadyTaken)
"""What a row may be refused for while its resource is made or changed."""
