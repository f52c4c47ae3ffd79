"""The listings of a client: sent by staff, saved and judged by the client, taken back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aureum.commands.of_contacts import Around, change_around
from aureum.commands.references import check_links
from aureum.domain.errors import NotFound
from aureum.domain.of_contact import CLIENT, STAFF
from aureum.domain.shortlist import NO_ENTRY, Shortlist
from aureum.store.event_store import Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

Decide = Callable[[Around[Shortlist], Shortlist, datetime], None]


@dataclass(frozen=True, kw_only=True)
class SendListing:
    """A listing for a client. ``sent_by`` is the user, None for a key."""

    tenant_id: UUID
    contact_id: UUID
    property_id: UUID
    note: str | None = None
    sent_by: UUID | None = None


async def send_listing(
    store: EventStore, command: SendListing, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Around[Shortlist], Appended]:
    """The client's list with this listing. Sending it again with the same note records nothing.

    Raises NotFound, Invalid, also for a property that is not of this brokerage, WrongState, Conflict, and what
    ``EventStore.append`` raises.
    """
    await check_links(store, command.tenant_id, {"property_id": command.property_id})

    def decide(lists: Around[Shortlist], own: Shortlist, at: datetime) -> None:
        with_it(lists, own, command.property_id).send(command.property_id, command.note, at, command.sent_by)

    return await changed(
        store, command.tenant_id, command.contact_id, decide, STAFF, "SendListing", origin, idempotency=idempotency
    )


async def save_listing(
    store: EventStore, tenant_id: UUID, contact_id: UUID, property_id: UUID, origin: Origin
) -> tuple[Around[Shortlist], Appended]:
    """The client saves a listing that the client may see. Raises what ``send_listing`` raises."""
    await check_links(store, tenant_id, {"property_id": property_id})

    def decide(lists: Around[Shortlist], own: Shortlist, at: datetime) -> None:
        with_it(lists, own, property_id).save(property_id, at)

    return await changed(store, tenant_id, contact_id, decide, CLIENT, "SaveListing", origin)


@dataclass(frozen=True, kw_only=True)
class React:
    """What the client says of a listing: all of it; None takes a reaction or comment back."""

    tenant_id: UUID
    contact_id: UUID
    property_id: UUID
    reaction: str | None
    comment: str | None


async def react(store: EventStore, command: React, origin: Origin) -> tuple[Around[Shortlist], Appended]:
    """The client's list afterwards. Raises NotFound, Invalid, Conflict, and what ``EventStore.append`` raises."""

    def decide(lists: Around[Shortlist], own: Shortlist, at: datetime) -> None:
        with_it(lists, own, command.property_id).react(command.property_id, command.reaction, command.comment, at)

    return await changed(store, command.tenant_id, command.contact_id, decide, CLIENT, "React", origin)


async def remove_listing(
    store: EventStore, tenant_id: UUID, contact_id: UUID, property_id: UUID, by: str, origin: Origin
) -> tuple[Around[Shortlist], Appended]:
    """A side removes what it put on the list. Raises NotFound, NotAllowed, Conflict, and what ``EventStore.append``
    raises."""

    def decide(lists: Around[Shortlist], _: Shortlist, at: datetime) -> None:
        having = [one for one in lists.kept if property_id in one.entries]
        if not having:
            raise NotFound(NO_ENTRY)
        for one in having:
            one.remove(property_id, by, at)

    return await changed(store, tenant_id, contact_id, decide, by, "RemoveListing", origin)


async def changed(
    store: EventStore,
    tenant_id: UUID,
    contact_id: UUID,
    decide: Decide,
    by: str,
    command: str,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> tuple[Around[Shortlist], Appended]:
    """``change_around`` of a shortlist."""
    return await change_around(
        store,
        tenant_id,
        contact_id,
        Shortlist,
        decide,
        by=by,
        command=command,
        origin=origin,
        idempotency=idempotency,
    )


def with_it(lists: Around[Shortlist], own: Shortlist, property_id: UUID) -> Shortlist:
    """The list that has the property already, or the contact's own."""
    return next((one for one in lists.kept if property_id in one.entries), own)
