"""Brokerages: opened by the operator, moved between plans, shut out and let in again."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands import changes
from aureum.commands.conflicts import deciding_again
from aureum.domain import ids
from aureum.domain.brokerage import Brokerage
from aureum.domain.errors import NotFound
from aureum.domain.images import picture
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

NUMBER = "SELECT nextval('brokerage_numbers')"

NO_BROKERAGE = "There is no such brokerage."


STORE_LOGO = """
INSERT INTO brokerage_logos (tenant_id, digest, image)
SELECT tenant_id, %(digest)s, %(image)s FROM brokerages WHERE tenant_id = %(tenant)s
ON CONFLICT (tenant_id, digest) DO UPDATE SET stored_at = excluded.stored_at
RETURNING 1
"""

FORGET_LOGOS = """
DELETE FROM brokerage_logos l
 USING brokerages b
 WHERE b.tenant_id = %(tenant)s AND l.tenant_id = b.tenant_id AND l.digest IS DISTINCT FROM b.logo
   AND l.stored_at < now() - interval '1 minute'
RETURNING 1
"""
"""Not those of the last minute: another request may be about to name them."""


class OpenBrokerage(BaseModel):
    """A brokerage joins the installation. ``domains`` are normalised host names."""

    model_config = ConfigDict(frozen=True)

    name: str
    slug: str
    domains: tuple[str, ...]
    plan: str
    time_zone: str = "America/Boise"
    country: str = "US"
    public_lead_count: bool = True


async def open_brokerage(store: EventStore, command: OpenBrokerage, origin: Origin) -> Brokerage:
    """The new brokerage; its id is the tenant's. Raises Invalid, AlreadyTaken."""
    brokerage, _ = await open_brokerage_once(store, command, origin, None)
    return brokerage


async def open_brokerage_once(
    store: EventStore, command: OpenBrokerage, origin: Origin, idempotency: Idempotency | None
) -> tuple[Brokerage, Appended]:
    """The same for a request that may come twice."""
    brokerage = Brokerage.open(ids.new_id(), ids.now(), number=await store.next_number(NUMBER), **command.model_dump())
    appended = await store.append(
        ids.PLATFORM, brokerage, NO_STREAM, command="OpenBrokerage", origin=origin, idempotency=idempotency
    )
    return brokerage, appended


class ChangeBrokerage(BaseModel):
    """Only what is set changes. ``settings`` are by the names of ``aureum.domain.brokerage.SETTINGS``."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    name: str | None = None
    domains: tuple[str, ...] | None = None
    plan: str | None = None
    settings: dict[str, Any] = {}
    disabled: bool | None = None
    expected_versions: frozenset[int] | None = None


async def change_brokerage(store: EventStore, command: ChangeBrokerage, origin: Origin) -> Brokerage:
    """The brokerage as it is afterwards. Raises NotFound, StaleVersion, Invalid, AlreadyTaken, Conflict."""

    def decide(brokerage: Brokerage, at: datetime) -> None:
        if command.name is not None:
            brokerage.rename(command.name, at)
        if command.domains is not None:
            brokerage.change_domains(command.domains, at)
        if command.plan is not None:
            brokerage.change_plan(command.plan, at)
        brokerage.change_settings(command.settings, at)
        if command.disabled is not None:
            (brokerage.disable if command.disabled else brokerage.enable)(at)

    changed, _ = await changes.change(
        store,
        ids.PLATFORM,
        command.tenant_id,
        Brokerage,
        decide,
        command="ChangeBrokerage",
        origin=origin,
        missing=NO_BROKERAGE,
        expected_versions=command.expected_versions,
    )
    return changed


async def change_logo(
    store: EventStore,
    tenant_id: UUID,
    image: bytes | None,
    origin: Origin,
    expected_versions: frozenset[int] | None = None,
) -> Brokerage:
    """The brokerage, whose public pages show *image*; None for none. The bytes are stored before the event that names
    them, and those of before are removed after it.

    Raises NotFound, StaleVersion, Invalid for what is no picture, Conflict.
    """
    digest, media = None, None
    if image is not None:
        digest, media = hashlib.sha256(image).hexdigest(), picture(image).media
        about = {"tenant": tenant_id, "digest": digest, "image": image}
        if not await store.database.rows(STORE_LOGO, about):
            raise NotFound(NO_BROKERAGE)

    changed, _ = await changes.change(
        store,
        ids.PLATFORM,
        tenant_id,
        Brokerage,
        lambda brokerage, at: brokerage.change_logo(digest, media, at),
        command="ChangeLogo",
        origin=origin,
        missing=NO_BROKERAGE,
        expected_versions=expected_versions,
    )
    await store.database.rows(FORGET_LOGOS, {"tenant": tenant_id})
    return changed


async def change_plan(store: EventStore, tenant_id: UUID, plan: str, origin: Origin) -> Brokerage:
    """Raises NotFound, Invalid."""
    return await change(store, tenant_id, "ChangePlan", lambda b: b.change_plan(plan, ids.now()), origin)


async def disable_brokerage(store: EventStore, tenant_id: UUID, origin: Origin) -> Brokerage:
    """Shut out at once: forms 404, keys 401, webhooks wait. Raises NotFound."""
    return await change(store, tenant_id, "DisableBrokerage", lambda b: b.disable(ids.now()), origin)


async def enable_brokerage(store: EventStore, tenant_id: UUID, origin: Origin) -> Brokerage:
    """Everything goes on where it stopped. Raises NotFound."""
    return await change(store, tenant_id, "EnableBrokerage", lambda b: b.enable(ids.now()), origin)


async def change(
    store: EventStore, tenant_id: UUID, command: str, decide: Callable[[Brokerage], None], origin: Origin
) -> Brokerage:
    """Load, *decide*, append; decide again on a conflict."""

    async def once() -> Brokerage:
        stream = await store.load(ids.PLATFORM, tenant_id)
        brokerage = stream.aggregate()
        if not isinstance(brokerage, Brokerage):
            raise NotFound(NO_BROKERAGE)
        decide(brokerage)
        await store.append(ids.PLATFORM, brokerage, stream, command=command, origin=origin)
        return brokerage

    return await deciding_again(once)
