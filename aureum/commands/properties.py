"""Properties: entered under a slug of their own, then changed."""

import asyncio
from datetime import datetime
from uuid import UUID
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict
from slugify import slugify

from aureum.commands.changes import change
from aureum.domain import ids
from aureum.domain.errors import NameTaken, SlugTaken
from aureum.domain.photos import Photo
from aureum.domain.property import Property, PropertyFields
from aureum.projections import property_list
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.guards import Unique
from aureum.store.metadata import Origin
from aureum.store.one_at_a_time import alone

NO_PROPERTY = "There is no such property."

SLUG = "property slug"
"""What the name is taken for: ``aureum.store.guards.Unique``."""

SLUG_LENGTH = 80
UNTITLED = "property"
"""The slug of a title without a letter that has a place in a slug."""

TRIES = 50
"""How many slugs are tried in a row when another process takes each of them in the same moment."""

deciding: WeakValueDictionary[tuple[UUID, str], asyncio.Lock] = WeakValueDictionary()
"""One creation at a time per tenant and slug in this process; another process finds the slug taken when it appends."""


class EnterProperty(BaseModel):
    """The brokerage offers a property."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    fields: PropertyFields
    photos: list[Photo] = []


async def enter_property(
    store: EventStore, command: EnterProperty, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Property, Appended]:
    """The property under the first free slug of its title: a taken slug is never an error.

    Raises Invalid, AlreadyTaken (its mlsId), and what ``EventStore.append`` raises.
    """
    base = slug_of(command.fields.title)
    lock = deciding.setdefault((command.tenant_id, base), asyncio.Lock())
    async with alone(lock):
        slug = base
        for _ in range(TRIES):
            entered = Property.enter(ids.new_id(), ids.now(), slug, command.fields, command.photos)
            try:
                appended = await store.append(
                    command.tenant_id,
                    entered,
                    NO_STREAM,
                    command="EnterProperty",
                    origin=origin,
                    idempotency=idempotency,
                    guards=(Unique(SLUG, slug),),
                )
            except NameTaken:
                slug = await free_slug(store, command.tenant_id, base)
                continue
            return entered, appended
    raise SlugTaken


def slug_of(title: str) -> str:
    """The slug that a property of this title gets if it is free."""
    return slugify(title, max_length=SLUG_LENGTH) or UNTITLED


async def free_slug(store: EventStore, tenant_id: UUID, base: str) -> str:
    """*base*, or *base* with the first number that is not taken: ``-2``, ``-3``, …"""
    rows = await store.database.tenant_rows(tenant_id, property_list.SLUGS, {"tenant": tenant_id, "base": base})
    taken = {slug for (slug,) in rows}
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


class ChangeProperty(BaseModel):
    """Only what is set changes. ``details`` are by the names of ``aureum.domain.property.DETAILS``; ``photos`` are all
    photos from then on."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    property_id: UUID
    status: str | None = None
    details: dict[str, str | bool | None] = {}
    photos: list[Photo] | None = None
    expected_versions: frozenset[int] | None = None


async def change_property(store: EventStore, command: ChangeProperty, origin: Origin) -> Property:
    """The property as it is afterwards; what holds already records nothing.

    Raises NotFound, StaleVersion, Invalid, AlreadyTaken (its mlsId), Conflict, and what ``EventStore.append`` raises.
    """

    def decide(listed: Property, at: datetime) -> None:
        if command.status is not None:
            listed.change_status(command.status, at)
        if command.details:
            listed.change_details(command.details, at)
        if command.photos is not None:
            listed.change_photos(command.photos, at)

    changed, _ = await change(
        store,
        command.tenant_id,
        command.property_id,
        Property,
        decide,
        command="ChangeProperty",
        origin=origin,
        missing=NO_PROPERTY,
        expected_versions=command.expected_versions,
    )
    return changed
