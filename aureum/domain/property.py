"""A property: a home or a piece of land that the brokerage offers, from coming soon to sold."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import ClassVar
from uuid import UUID
from zoneinfo import available_timezones

from aureum.domain.aggregate import Aggregate, Created, ResourceRemoved
from aureum.domain.errors import Invalid
from aureum.domain.photos import Photo, read_photos

TYPES = ("SINGLE_FAMILY", "CONDO", "TOWNHOUSE", "LAND", "COMMERCIAL")
STATUSES = ("ACTIVE", "PENDING", "SOLD", "COMING_SOON")
"""Of the Aureum API document; any change between them is legal, since a sale may fall through."""

STANDARD_STATUS = {"ACTIVE": "Active", "PENDING": "Pending", "SOLD": "Closed", "COMING_SOON": "Coming Soon"}
"""The same in the words of RESO's StandardStatus."""

REQUIRED = ("title", "address", "city", "state")
NUMBERS = ("price", "bedrooms", "bathrooms", "sqft")
DETAILS = (
    *REQUIRED,
    "zip_code",
    *NUMBERS,
    "property_type",
    "is_featured",
    "description",
    "mls",
    "mls_id",
    "time_zone",
)
"""What staff may correct later."""

EXACT = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")


@dataclass(frozen=True, kw_only=True)
class PropertyFields:
    """What a property is entered with, besides its slug; each caller says all of it. ``created_by`` is None for a
    key."""

    title: str
    address: str
    city: str
    state: str
    zip_code: str | None
    price: str | None
    bedrooms: str | None
    bathrooms: str | None
    sqft: str | None
    property_type: str | None
    status: str
    is_featured: bool
    description: str | None
    mls: str | None
    mls_id: str | None
    time_zone: str | None
    created_by: UUID | None


class Property(Aggregate):
    """The aggregate. ``NUMBERS`` are exact decimals as text without needless zeros, the price in dollars.

    ``mls_id`` is a string, since leading zeros matter; it means something only together with ``mls``.
    """

    slug: str
    title: str
    address: str
    city: str
    state: str
    zip_code: str | None
    price: str | None
    bedrooms: str | None
    bathrooms: str | None
    sqft: str | None
    property_type: str | None
    status: str
    is_featured: bool
    description: str | None
    mls: str | None
    mls_id: str | None
    time_zone: str | None
    created_by: UUID | None
    photos: list[Photo] | None
    """None for a property that never had any."""

    def __init__(self) -> None:
        """Listed.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a property's events."""

    class Listed(Event, Created):
        """The brokerage offers it. ``created_by`` is the user who entered it, None for a key."""

        TOPIC: ClassVar[str] = "property.listed"

        slug: str
        title: str
        address: str
        city: str
        state: str
        zip_code: str | None
        price: str | None
        bedrooms: str | None
        bathrooms: str | None
        sqft: str | None
        property_type: str | None
        status: str
        is_featured: bool
        description: str | None
        mls: str | None
        mls_id: str | None
        time_zone: str | None
        created_by: UUID | None

        def apply(self, aggregate: "Property") -> None:
            aggregate.slug = self.slug
            aggregate.title = self.title
            aggregate.address = self.address
            aggregate.city = self.city
            aggregate.state = self.state
            aggregate.zip_code = self.zip_code
            aggregate.price = self.price
            aggregate.bedrooms = self.bedrooms
            aggregate.bathrooms = self.bathrooms
            aggregate.sqft = self.sqft
            aggregate.property_type = self.property_type
            aggregate.status = self.status
            aggregate.is_featured = self.is_featured
            aggregate.description = self.description
            aggregate.mls = self.mls
            aggregate.mls_id = self.mls_id
            aggregate.time_zone = self.time_zone
            aggregate.created_by = self.created_by
            aggregate.photos = None

    class StatusChanged(Event):
        """It is for sale, under contract, sold, or not yet for sale."""

        TOPIC: ClassVar[str] = "property.status_changed"

        previous: str
        status: str

        def apply(self, aggregate: "Property") -> None:
            aggregate.status = self.status

    class DetailsChanged(Event):
        """Some of ``DETAILS`` were corrected; ``details`` holds only those that changed."""

        TOPIC: ClassVar[str] = "property.details_changed"

        details: dict[str, str | bool | None]

        def apply(self, aggregate: "Property") -> None:
            for name, value in self.details.items():
                setattr(aggregate, name, value)

    class PhotosChanged(Event):
        """It has other photos, or in another order; ``photos`` are all of them from now on."""

        TOPIC: ClassVar[str] = "property.photos_changed"

        photos: list[dict[str, str]]

        def apply(self, aggregate: "Property") -> None:
            aggregate.photos = self.photos

    class Removed(Event, ResourceRemoved):
        """The import that had added it was undone."""

        TOPIC: ClassVar[str] = "property.removed"

    @classmethod
    def enter(
        cls, property_id: UUID, at: datetime, slug: str, fields: PropertyFields, photos: Sequence[Photo] = ()
    ) -> "Property":
        """A new property; *slug* is unique already. Raises Invalid."""
        check_status(fields.status)
        check_details(vars(fields))
        entered: Property = cls._create(cls.Listed, id=property_id, timestamp=at, slug=slug, **vars(fields))
        entered.change_photos(photos, at)
        return entered

    def change_status(self, status: str, at: datetime) -> None:
        """Any change is legal; a status that already holds records nothing. Raises Invalid."""
        check_status(status)
        if status != self.status:
            self.trigger_event(self.StatusChanged, timestamp=at, previous=self.status, status=status)

    def change_details(self, details: Mapping[str, str | bool | None], at: datetime) -> None:
        """Correct some of ``DETAILS``. Raises Invalid."""
        changed = {name: value for name, value in details.items() if value != getattr(self, name)}
        if not changed:
            return
        check_details(changed)
        self.trigger_event(self.DetailsChanged, timestamp=at, details=changed)

    def change_photos(self, photos: Sequence[Photo], at: datetime) -> None:
        """All photos from now on, in their order. Those that it has already record nothing. Raises Invalid."""
        read = read_photos(photos)
        if read != (self.photos or []):
            self.trigger_event(self.PhotosChanged, timestamp=at, photos=read)

    def remove(self, at: datetime) -> None:
        """It is taken back; once."""
        if not self.removed:
            self.trigger_event(self.Removed, timestamp=at)


def check_status(status: str) -> None:
    """Raises Invalid for a status that a property cannot have."""
    if status not in STATUSES:
        raise Invalid("status", f"status must be one of: {', '.join(STATUSES)}.")


def check_details(details: Mapping[str, str | bool | None]) -> None:
    """Raises Invalid for the first of ``DETAILS`` that breaks a rule; those that are not there break none."""
    for name in REQUIRED:
        if name in details and not str(details[name] or "").strip():
            raise Invalid(name, f"{name} must not be blank.")
    for name in NUMBERS:
        number = details.get(name)
        if number is not None and not EXACT.fullmatch(str(number)):
            raise Invalid(name, f"{name} must be a number that is not negative.")
    kind = details.get("property_type")
    if kind is not None and kind not in TYPES:
        raise Invalid("propertyType", f"propertyType must be one of: {', '.join(TYPES)}.")
    zone = details.get("time_zone")
    if zone is not None and zone not in time_zones():
        raise Invalid("timeZone", "timeZone must be an IANA name such as America/Boise.")


@cache
def time_zones() -> frozenset[str]:
    """The names that this machine knows. Reading them from the disk takes longer than all other checks."""
    return frozenset(available_timezones())
