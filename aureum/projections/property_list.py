"""The property list: a row a property, with the property as the Aureum API shows it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.property import STANDARD_STATUS, Property
from aureum.projections.document_list import DocumentList, Row, View, removed
from aureum.projections.emits import A_PROPERTY, TIMES, Emits
from aureum.projections.list_filters import UPDATED_SINCE, Filter, Index, status_of
from aureum.projections.search import found_by

TAKEN = {
    "property_list_mls": "Another property already has this mlsId. Change that property, or use another mls.",
}

SHOWN_DETAILS = {
    "title": "title",
    "address": "address",
    "city": "city",
    "state": "state",
    "zip_code": "zip",
    "price": "price",
    "bedrooms": "bedrooms",
    "bathrooms": "bathrooms",
    "sqft": "sqft",
    "property_type": "propertyType",
    "is_featured": "isFeatured",
    "description": "description",
    "mls": "mls",
    "mls_id": "mlsId",
    "time_zone": "timeZone",
}
"""Which details stand in ``doc``, and how they are called there."""

NUMBERS = ("price", "bedrooms", "bathrooms", "sqft")


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a property's row; events of other aggregates leave it as it is."""
    match event:
        case Property.Listed():
            doc = document(event, event.originator_id, event.timestamp, event.timestamp)
            return {
                "property_id": event.originator_id,
                "stream_version": event.originator_version,
                "slug": event.slug,
                "status": event.status,
                "is_featured": event.is_featured,
                "mls": event.mls or "",
                "mls_id": event.mls_id,
                "search": searched(doc),
                "updated_at": event.timestamp,
                "doc": doc,
            }
        case Property.StatusChanged() | Property.DetailsChanged() | Property.PhotosChanged() if row is not None:
            return changed(row, event)
        case Property.Removed() if row is not None:
            return removed(row, event)
    return row


def document(listed: Property | Property.Listed, property_id: UUID, created_at: datetime, updated_at: datetime) -> Row:
    """A property as the Aureum API shows it, of the aggregate or of the event that began it."""
    return {
        "id": to_wire(property_id),
        "title": listed.title,
        "slug": listed.slug,
        "address": listed.address,
        "city": listed.city,
        "state": listed.state,
        "zip": listed.zip_code,
        "price": number(listed.price),
        "status": listed.status,
        "standardStatus": STANDARD_STATUS[listed.status],
        "propertyType": listed.property_type,
        "bedrooms": number(listed.bedrooms),
        "bathrooms": number(listed.bathrooms),
        "sqft": number(listed.sqft),
        "isFeatured": listed.is_featured,
        "description": listed.description,
        "mls": listed.mls,
        "mlsId": listed.mls_id,
        "timeZone": listed.time_zone,
        "createdAt": aureum_time(created_at),
        "updatedAt": aureum_time(updated_at),
    } | said_of_some(listed)


def said_of_some(listed: Property | Property.Listed) -> Row:
    """What stands in ``doc`` only where it is: photos, once a property has had some; that it was taken back."""
    if isinstance(listed, Property.Listed):
        return {}
    photos = {} if listed.photos is None else {"photos": listed.photos}
    return photos | ({"removed": True} if listed.removed else {})


def changed(row: Row, event: Any) -> Row:
    """A new row with what *event* says; the old one stays as it was."""
    doc = row["doc"] | {"updatedAt": aureum_time(event.timestamp)}
    columns: Row = {"stream_version": event.originator_version, "updated_at": event.timestamp, "doc": doc}
    match event:
        case Property.StatusChanged():
            columns["status"] = doc["status"] = event.status
            doc["standardStatus"] = STANDARD_STATUS[event.status]
        case Property.DetailsChanged():
            doc |= {
                SHOWN_DETAILS[name]: number(value) if name in NUMBERS and isinstance(value, str) else value
                for name, value in event.details.items()
            }
            columns |= {"is_featured": doc["isFeatured"], "mls": doc["mls"] or "", "mls_id": doc["mlsId"]}
            columns["search"] = searched(doc)
        case Property.PhotosChanged():
            doc["photos"] = event.photos
    return row | columns


def searched(doc: Row) -> str:
    """What a property is found by."""
    return found_by(doc[name] for name in ("title", "address", "city", "state", "zip", "mlsId"))


def number(text: str | None) -> int | float | None:
    """A decimal as JSON has it, without needless zeros. Exact: no decimal here has more than 15 digits."""
    if text is None:
        return None
    return float(text) if "." in text else int(text)


PROPERTIES = View(
    "property",
    (
        status_of("property.status_changed"),
        Filter(
            "featured",
            "boolean",
            "x.is_featured = {value}",
            (Index("is_featured, {id}"),),
            ("property.details_changed",),
            "convert_from(v.data, 'UTF8')::json -> 'details' ->> 'is_featured' IS NOT NULL",
        ),
        UPDATED_SINCE,
    ),
)

EMITS = Emits(
    {
        "property.listed": "property.created",
        "property.status_changed": "property.updated",
        "property.details_changed": "property.updated",
        "property.photos_changed": "property.updated",
        "property.removed": "property.updated",
    },
    {
        "id": A_PROPERTY,
        "title": "Modern Villa in Beverly Hills",
        "slug": "modern-villa-in-beverly-hills",
        "address": "123 Palm Dr",
        "city": "Beverly Hills",
        "state": "CA",
        "zip": "90210",
        "price": 4500000,
        "status": "ACTIVE",
        "standardStatus": STANDARD_STATUS["ACTIVE"],
        "propertyType": "SINGLE_FAMILY",
        "bedrooms": 5,
        "bathrooms": 4,
        "sqft": 4200,
        "isFeatured": True,
        "description": None,
        "mls": None,
        "mlsId": None,
        "timeZone": "America/Los_Angeles",
        **TIMES,
    },
    {"property.updated": {"status": "PENDING", "standardStatus": STANDARD_STATUS["PENDING"]}},
)

LIST = DocumentList(
    "property_list",
    "property",
    {
        "property_id": "uuid",
        "stream_version": "int4",
        "slug": "text",
        "status": "text",
        "is_featured": "bool",
        "mls": "text",
        "mls_id": "text",
        "search": "text",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    Property,
    step,
    step_version=2,
    emits=EMITS,
    views=(PROPERTIES,),
    taken=TAKEN,
)

NAMED = """
SELECT p.property_id, p.slug, p.mls_id, p.doc FROM property_list p
  JOIN heads h ON h.tenant_id = p.tenant_id AND h.property_list_version = p.read_version
 WHERE p.tenant_id = %(tenant)s AND (p.slug = ANY(%(names)s) OR p.mls_id = ANY(%(names)s))
 LIMIT %(most)s
"""
"""The properties that have one of these names as slug or mlsId."""

SLUGS = """
SELECT slug FROM property_list
 WHERE tenant_id = %(tenant)s
   AND read_version = (SELECT property_list_version FROM heads WHERE tenant_id = %(tenant)s)
   AND (slug = %(base)s OR slug LIKE %(base)s || '-%%')
"""
"""Taken slugs that begin like this one. A slug holds no character that LIKE would take for more than itself."""
