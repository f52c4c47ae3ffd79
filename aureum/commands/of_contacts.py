"""How a command changes what stands around a contact in streams of its own (``aureum.domain.of_contact``).

What is written goes to the stream of the contact that stands, never to that of one which was merged into it. What was
written before a merge stays in its own stream, and all of them are read together. So undoing a merge parts them again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from aureum.commands.changes import deciding
from aureum.commands.conflicts import deciding_again
from aureum.commands.contacts import NO_CONTACT
from aureum.domain import ids
from aureum.domain.contact import Contact
from aureum.domain.errors import NotFound, StaleVersion
from aureum.domain.of_contact import OfContact
from aureum.store.event_store import NO_STREAM, Appended, Decided, EventStore, Idempotency, Stream
from aureum.store.metadata import Origin
from aureum.store.one_at_a_time import alone

Kept = TypeVar("Kept", bound=OfContact)

A_CONTACT = 10_000
"""What one version of the contact counts in the version of what stands around it: more than its streams have events."""


@dataclass(frozen=True)
class Around(Generic[Kept]):
    """A contact that stands, and what its streams of one kind hold: its own first, then those of the contacts that were
    merged into it. Those that have not begun are not there."""

    contact: Contact
    kind: type[Kept]
    kept: Sequence[Kept]

    @property
    def version(self) -> int:
        """Grows with every event of these streams, and with every merge of the contact."""
        return self.contact.version * A_CONTACT + sum(one.version for one in self.kept)

    @property
    def own(self) -> Kept | None:
        """That of the contact itself."""
        stream_id = self.kind.stream_of(self.contact.id)
        return next((one for one in self.kept if one.id == stream_id), None)


async def standing(
    store: EventStore, tenant_id: UUID, contact_id: UUID, until: datetime | None = None
) -> tuple[Contact, Stream]:
    """The contact that answers for this id, with its stream; *until* as it was at that moment. Raises NotFound, also
    for a person who was erased."""
    stream = await store.load(tenant_id, contact_id)
    contact = stream.aggregate()
    while isinstance(contact, Contact) and (into := moved(stream, until)) is not None:
        stream = await store.load(tenant_id, into)
        contact = stream.aggregate()
    was = stream.aggregate(until)
    if not isinstance(contact, Contact) or contact.erased or not isinstance(was, Contact):
        raise NotFound(NO_CONTACT)
    return was, stream


def moved(stream: Stream, until: datetime | None) -> UUID | None:
    """The contact that the one of *stream* is, or was then, merged into."""
    contact = stream.aggregate(until)
    return contact.merged_into if isinstance(contact, Contact) else None


async def around(
    store: EventStore, tenant_id: UUID, contact_id: UUID, kind: type[Kept], until: datetime | None = None
) -> Around[Kept]:
    """What stands around a contact; *until* as it stood at that moment. Raises NotFound."""
    contact, _ = await standing(store, tenant_id, contact_id, until)
    return around_of(contact, kind, await streams_of(store, tenant_id, contact, kind), until)


async def streams_of(store: EventStore, tenant_id: UUID, contact: Contact, kind: type[OfContact]) -> dict[UUID, Stream]:
    """The streams of one kind of a contact and of those that were merged into it, as far as they have begun."""
    return await store.load_all(tenant_id, [kind.stream_of(one) for one in (contact.id, *contact.merged_with)])


def around_of(
    contact: Contact, kind: type[Kept], streams: dict[UUID, Stream], until: datetime | None = None
) -> Around[Kept]:
    """The same, of streams that were read."""
    found = [streams[one] for one in map(kind.stream_of, (contact.id, *contact.merged_with)) if one in streams]
    made = [stream.aggregate(until) for stream in found]
    return Around(contact, kind, [one for one in made if isinstance(one, kind) and not one.erased])


async def change_around(
    store: EventStore,
    tenant_id: UUID,
    contact_id: UUID,
    kind: type[Kept],
    decide: Callable[[Around[Kept], Kept, datetime], None],
    *,
    by: str,
    command: str,
    origin: Origin,
    expected_versions: frozenset[int] | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[Around[Kept], Appended]:
    """What stands around the contact afterwards. *decide* gets what there is, the contact's own of this *kind*, which
    is new if there was none, and the moment. It may change any of them. *by* is the side that asks.

    The append holds only if the contact is neither merged nor erased meanwhile: the contact goes first, without an
    event of its own. Raises NotFound, StaleVersion, Conflict, what *decide* raises, and what ``EventStore.append_all``
    raises.
    """

    async def once() -> tuple[Around[Kept], Appended]:
        contact, of_contact = await standing(store, tenant_id, contact_id)
        streams = await streams_of(store, tenant_id, contact, kind)
        before = around_of(contact, kind, streams)
        if expected_versions is not None and before.version not in expected_versions:
            raise StaleVersion
        if before.own is None and kind.stream_of(contact.id) in streams:
            # It was erased, and the contact is about to be.
            raise NotFound(NO_CONTACT)
        at = max(ids.now(), contact.modified_on, *(one.modified_on for one in before.kept))
        own = before.own or kind.begin(contact.id, at, by)
        decide(before, own, at)
        after = (
            before
            if before.own is not None or len(own.pending_events) == 1
            else replace(before, kept=[own, *before.kept])
        )
        changed = [one for one in after.kept if one.pending_events]
        if not changed and idempotency is None:
            return after, Appended(None)
        decided = [Decided(one, streams.get(one.id, NO_STREAM)) for one in changed]
        appended = await store.append_all(
            tenant_id,
            [Decided(contact, of_contact), *decided],
            command=command,
            origin=origin,
            idempotency=idempotency,
            made=after,
        )
        return after, appended

    lock = deciding.setdefault(contact_id, asyncio.Lock())
    async with alone(lock):
        return await deciding_again(once)
