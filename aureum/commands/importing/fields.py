"""The fields of each resource that a file may have, by their names in the Aureum API, and how their cells are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from aureum.commands.importing import values
from aureum.domain.contact import HIGHEST_SCORE
from aureum.domain.contact import TYPES as CONTACT_TYPES
from aureum.domain.errors import Invalid
from aureum.domain.lead import STATUSES as LEAD_STATUSES
from aureum.domain.lead_events import LOST_REASONS
from aureum.domain.photos import Photo, read_photos
from aureum.domain.property import STATUSES as PROPERTY_STATUSES
from aureum.domain.property import TYPES as PROPERTY_TYPES

FORMER = "a former user"
"""What the panel's own files say of a user who is no longer there."""

NO_USER = (
    "{name} must be a user of this brokerage, by name or email address. Add the user, or leave this column out of the "
    "import."
)


@dataclass(frozen=True)
class About:
    """What reading a file needs to know of the brokerage: its clock, its country, its users by what they may be called;
    and the words that the program which wrote the file uses, by field."""

    zone: ZoneInfo
    country: str
    users: Mapping[str, UUID] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


Read = Callable[[str, str, About], Any]
"""A field's value, of its name, the cell's text, and what is known of the brokerage."""


@dataclass(frozen=True)
class Field:
    """A field: what it is called in the API and for a person."""

    name: str
    label: str
    read: Read


def texts(limit: int, *, lines: bool = False) -> Read:
    """A text."""
    return lambda name, said, _: values.text(name, said, limit, lines=lines)


def chosen(*known: str, **more: str) -> Read:
    """One of the words that are *known*, or what else may be said for one: in English, Spanish or by another
    program."""
    words = {values.plain(one): one for one in known} | {values.plain(said): one for said, one in more.items()}

    def read(name: str, said: str, about: About) -> str:
        return values.word(name, said, {**words, **about.words.get(name, {})})

    return read


def user(name: str, said: str, about: About) -> UUID | None:
    """A user, by name or address."""
    known = values.plain(said)
    if known in ("", FORMER, "unassigned", "none", "nobody", "sin asignar"):
        return None
    found = about.users.get(said.strip().casefold()) or about.users.get(known)
    if found is None:
        raise Invalid(name, NO_USER.format(name=name))
    return found


def photos(name: str, said: str, about: About) -> list[Photo]:
    """Addresses of pictures, parted by blanks or lines."""
    return read_photos([{"url": url, "alt": ""} for url in said.split()])


NAME = (
    Field("firstName", "First name", texts(200)),
    Field("lastName", "Last name", texts(200)),
    Field("name", "Full name", texts(401)),
)
REACHED = (
    Field("email", "Email", lambda name, said, _: values.email(name, said)),
    Field("phone", "Phone", lambda name, said, _: values.phone(name, said)),
)
CREATED = Field("createdAt", "Created", lambda name, said, about: values.moment(name, said, about.zone, about.country))

FIELDS: Mapping[str, tuple[Field, ...]] = {
    "contacts": (
        *NAME,
        *REACHED,
        Field(
            "type",
            "Type",
            chosen(
                *CONTACT_TYPES,
                comprador="BUYER",
                compradora="BUYER",
                vendedor="SELLER",
                vendedora="SELLER",
                inversor="INVESTOR",
                inversora="INVESTOR",
                inversionista="INVESTOR",
                proveedor="VENDOR",
                proveedora="VENDOR",
                otro="OTHER",
                otra="OTHER",
            ),
        ),
        Field("tags", "Tags", lambda name, said, _: values.tags(name, said)),
        Field("score", "Score", lambda name, said, _: values.whole(name, said, HIGHEST_SCORE)),
        CREATED,
    ),
    "leads": (
        *NAME,
        *REACHED,
        Field(
            "status",
            "Status",
            chosen(
                *LEAD_STATUSES,
                nuevo="new",
                nueva="new",
                contactado="contacted",
                contactada="contacted",
                calificado="qualified",
                calificada="qualified",
                visita="showing",
                oferta="offer",
                convertido="converted",
                convertida="converted",
                perdido="lost",
                perdida="lost",
            ),
        ),
        Field("lostReason", "Lost because", chosen(*LOST_REASONS)),
        Field("source", "Source", texts(100)),
        Field("assignedToId", "Assigned to", user),
        Field("subject", "Subject", texts(1_000)),
        Field("message", "Message", texts(20_000, lines=True)),
        Field("notes", "Notes", texts(20_000, lines=True)),
        Field("sourcePage", "Source page", texts(2_000)),
        CREATED,
    ),
    "properties": (
        Field("title", "Title", texts(1_000)),
        Field("address", "Street address", texts(1_000)),
        Field("city", "City", texts(200)),
        Field("state", "State", texts(200)),
        Field("zip", "ZIP code", texts(100)),
        Field("price", "Price", lambda name, said, _: values.price(name, said)),
        Field(
            "status",
            "Status",
            chosen(
                *PROPERTY_STATUSES,
                closed="SOLD",
                **{"for sale": "ACTIVE", "under contract": "PENDING", "active under contract": "PENDING"},
                activa="ACTIVE",
                activo="ACTIVE",
                pendiente="PENDING",
                vendida="SOLD",
                vendido="SOLD",
                proximamente="COMING_SOON",
            ),
        ),
        Field(
            "propertyType",
            "Property type",
            chosen(
                *PROPERTY_TYPES,
                house="SINGLE_FAMILY",
                residential="SINGLE_FAMILY",
                **{"single family home": "SINGLE_FAMILY", "single family residence": "SINGLE_FAMILY"},
                condominium="CONDO",
                apartment="CONDO",
                lot="LAND",
                casa="SINGLE_FAMILY",
                apartamento="CONDO",
                condominio="CONDO",
                terreno="LAND",
                comercial="COMMERCIAL",
            ),
        ),
        Field("bedrooms", "Bedrooms", lambda name, said, _: values.amount(name, said)),
        Field("bathrooms", "Bathrooms", lambda name, said, _: values.amount(name, said)),
        Field("sqft", "Square feet", lambda name, said, _: values.amount(name, said)),
        Field("isFeatured", "Featured", lambda name, said, _: values.tick(name, said)),
        Field("mls", "MLS", texts(100)),
        Field("mlsId", "MLS listing id", texts(100)),
        Field("description", "Description", texts(20_000, lines=True)),
        Field("photos", "Photos", photos),
        CREATED,
    ),
}
"""The resources that are imported, with their fields."""

RESOURCES = tuple(FIELDS)

NO_RESOURCE = f"resource must be one of: {', '.join(RESOURCES)}."


def fields_of(resource: str) -> Mapping[str, Field]:
    """By name. Raises Invalid for a resource that is not imported."""
    if resource not in FIELDS:
        raise Invalid("resource", NO_RESOURCE)
    return {one.name: one for one in FIELDS[resource]}
