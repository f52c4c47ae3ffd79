"""What becomes of rows: a new resource, a change of one that is there, or a duplicate that is left as it is.

A duplicate has the same e-mail address; a property the same MLS listing id, or the same title and street address. A
change takes what the row says and clears nothing: blank cells say nothing, and tags are added.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson

from aureum.commands.batches import Slugs, mls_taken
from aureum.commands.importing.reading import Values
from aureum.commands.leads import NUMBERS
from aureum.commands.properties import SLUG, slug_of
from aureum.domain.aggregate import Aggregate
from aureum.domain.contact import Contact
from aureum.domain.errors import AlreadyTaken, Invalid
from aureum.domain.lead import Lead, LeadFields
from aureum.domain.people import digest, email_key
from aureum.domain.phones import e164
from aureum.domain.property import Property, PropertyFields
from aureum.projections import property_list
from aureum.store.event_store import EventStore
from aureum.store.guards import Guard, Unique

Policy = Literal["skip", "update", "make"]
POLICIES: tuple[Policy, ...] = ("skip", "update", "make")
"""What is done with a duplicate. By itself it is skipped."""

SOURCE = "import"
"""The source of a lead whose row says none."""

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


class Maker:
    """Makes the resources of a batch of rows."""

    def __init__(self, store: EventStore, resource: str, place: Place, rows: Sequence[Values]) -> None:
        self.store = store
        self.resource = resource
        self.place = place
        self.rows = rows
        self.slugs: Slugs | None = None
        self.taken: set[tuple[str, str | None]] = set()

    async def make(self, values: Values, stream_id: UUID, at: datetime) -> tuple[Aggregate, tuple[Guard, ...]]:
        """A new resource, and what must hold for it. Raises Invalid, AlreadyTaken."""
        if self.resource == "contacts":
            return self.contact(values, stream_id, at), ()
        if self.resource == "leads":
            return await self.lead(values, stream_id, at), ()
        return await self.listed(values, stream_id, at)

    def contact(self, values: Values, stream_id: UUID, at: datetime) -> Contact:
        """A contact."""
        phone = values.get("phone")
        return Contact.add(
            stream_id,
            at,
            first_name=values.get("firstName", ""),
            last_name=values.get("lastName", ""),
            email=values.get("email"),
            phone=phone,
            phone_e164=e164(phone, self.place.country),
            type=values.get("type", "BUYER"),
            tags=values.get("tags", ()),
            score=values.get("score", 0),
            lead_id=None,
            created_by=self.place.created_by,
        )

    async def lead(self, values: Values, stream_id: UUID, at: datetime) -> Lead:
        """A lead, which is not routed."""
        fields = LeadFields(
            first_name=values.get("firstName", ""),
            last_name=values.get("lastName", ""),
            email=values.get("email"),
            phone=values.get("phone"),
            subject=values.get("subject"),
            message=values.get("message"),
            notes=values.get("notes"),
            source=values.get("source", SOURCE),
            source_domain=None,
            source_page=values.get("sourcePage"),
            utm_source=None,
            utm_medium=None,
            utm_campaign=None,
        )
        lead = Lead.capture(
            stream_id,
            at,
            fields,
            number=await self.store.number_of(NUMBERS),
            phone_e164=e164(fields.phone, self.place.country),
            status=values.get("status", "new"),
            assigned_to=values.get("assignedToId"),
            routing=None,
            because=None,
            contact_id=None,
            created_by=self.place.created_by,
            suspect=False,
        )
        if values.get("lostReason") and lead.status == "lost":
            lead.give_lost_reason({"reason": values["lostReason"]}, at)
        return lead

    async def listed(self, values: Values, stream_id: UUID, at: datetime) -> tuple[Property, tuple[Guard, ...]]:
        """A property under a slug of its own."""
        if self.slugs is None:
            bases = {slug_of(one["title"]) for one in self.rows}
            self.slugs = Slugs(self.store, self.place.tenant_id, bases)
            pairs = [(one.get("mls"), one["mlsId"]) for one in self.rows if "mlsId" in one]
            self.taken = await mls_taken(self.store, self.place.tenant_id, [mls_id for _, mls_id in pairs])
        mls = (values.get("mls") or "", values.get("mlsId"))
        if mls in self.taken:
            raise AlreadyTaken(property_list.TAKEN["property_list_mls"])
        own: dict[str, Any] = {own: values.get(name) for name, own in DETAILS_OF_PROPERTY.items()}
        more = {"is_featured": values.get("isFeatured", False), "status": values.get("status", "ACTIVE")}
        fields = PropertyFields(**(own | more), time_zone=None, created_by=self.place.created_by)
        slug = await self.slugs.free(slug_of(fields.title))
        listed = Property.enter(stream_id, at, slug, fields, values.get("photos", ()))
        self.slugs.take(slug)
        if fields.mls_id is not None:
            self.taken.add(mls)
        return listed, (Unique(SLUG, slug),)


REFUSALS = (Invalid, AlreadyTaken)
"""What a row may be refused for while its resource is made or changed."""
