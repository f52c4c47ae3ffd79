"""Merges contacts, and undoes a merge: both contacts, and the leads, tasks and envelopes that name them, in one append.

The contact that is merged into another one keeps its events, and its id answers as the other one. Leads and tasks go
along by events of their own, so that their lists, histories and webhooks show it. Those that another request gives the
old contact at the same moment follow right after. Undoing is the same the other way.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from aureum.commands.changes import deciding
from aureum.commands.conflicts import deciding_again
from aureum.commands.contacts import NO_CONTACT
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.contact import Contact
from aureum.domain.envelope import Envelope
from aureum.domain.errors import Invalid, NotFound, WrongState
from aureum.domain.ids import to_wire
from aureum.domain.lead import Lead
from aureum.domain.task import Task
from aureum.domain.unmerging import card_without
from aureum.projections.contact_list import NAMED_BY
from aureum.store.event_store import Appended, EventStore, Idempotency, Stream
from aureum.store.metadata import Origin
from aureum.store.one_at_a_time import alone

AT_ONCE = 200
"""Leads and tasks that go along in one append. The rest follows in appends of their own."""

LOADS = 8
"""Streams that are read at the same time."""

MERGED = "{one} was merged into {into}. Name that contact instead."
ERASED = "This person was erased, so there is nothing to merge or to separate."
MERGED_BEFORE = (
    "{other} was merged into {into} before that contact was merged into this one. Undo the later merge first."
)
NOT_MERGED = "{other} is not merged into this contact."

Beside = list[tuple[Aggregate, Stream]]
Found = TypeVar("Found", bound=Aggregate)


@dataclass(frozen=True, slots=True)
class Merge:
    """A contact, and the other one that is merged into it or stands for itself again."""

    tenant_id: UUID
    contact_id: UUID
    other_id: UUID


async def merge_contacts(
    store: EventStore, merge: Merge, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Contact, Appended]:
    """The contact after the merge. Merging the same two again changes nothing.

    Raises Invalid for the contact itself, NotFound, WrongState for one that was merged into another contact or erased,
    Conflict, and what ``EventStore.append`` raises.
    """
    if merge.contact_id == merge.other_id:
        raise Invalid("with", "with must be another contact than the one in the path.")

    async def once() -> tuple[Contact, Appended]:
        (contact, stream), (other, of_other) = await both(store, merge)
        beside: Beside = []
        if other.merged_into != contact.id:
            check_standing(contact)
            check_standing(other)
            if stream.subject_key is None or of_other.subject_key is None:
                raise WrongState(ERASED)
            at = moment((contact, other))
            contact.absorb(other, at)
            other.merge_into(contact.id, at)
            beside.append((other, of_other))
            beside += await moved(store, merge.tenant_id, other.merged_with, contact.id, at)
            beside += await along(store, merge, other.id, contact.id, AT_ONCE)
        return contact, await append(
            store, merge.tenant_id, contact, stream, "MergeContacts", origin, idempotency, beside
        )

    async with locked(merge):
        contact, appended = await deciding_again(once)
        await follow(store, merge, merge.other_id, contact.id, "MergeContacts", origin)
    return contact, appended


async def unmerge_contacts(
    store: EventStore, merge: Merge, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Contact, Appended]:
    """The contact without what only the merge gave it. The other contact stands for itself again, and the leads and
    tasks that came along with it go back. Undoing it again changes nothing.

    Raises Invalid for the contact itself, NotFound, WrongState where the other one is not merged into the contact, or
    not directly, or the person was erased, Conflict, and what ``EventStore.append`` raises.
    """

    if merge.contact_id == merge.other_id:
        raise Invalid("merge", "merge must be another contact than the one in the path.")

    async def once() -> tuple[Contact, Appended]:
        (contact, stream), (other, of_other) = await both(store, merge)
        beside: Beside = []
        if contact.erased or other.erased:
            raise WrongState(ERASED)
        check_standing(contact)
        if other.id in contact.merges:
            at = moment((contact, other))
            wanted = card_without((recorded.event for recorded in stream.events), other.id)
            beside += await moved(store, merge.tenant_id, contact.merges[other.id], other.id, at)
            contact.release(other.id, wanted, at)
            other.separate(at)
            beside.append((other, of_other))
            beside += await along(store, merge, contact.id, other.id, AT_ONCE)
        else:
            check_undone(contact, other, stream)
        return contact, await append(
            store, merge.tenant_id, contact, stream, "UnmergeContacts", origin, idempotency, beside
        )

    async with locked(merge):
        contact, appended = await deciding_again(once)
        await follow(store, merge, contact.id, merge.other_id, "UnmergeContacts", origin)
    return contact, appended


def check_standing(contact: Contact) -> None:
    """Raises WrongState for a contact that was merged into another one."""
    if contact.merged_into is not None:
        raise WrongState(MERGED.format(one=to_wire(contact.id), into=to_wire(contact.merged_into)))


def check_undone(contact: Contact, other: Contact, stream: Stream) -> None:
    """Raises WrongState unless the merge of *other* was undone."""
    for via, others in contact.merges.items():
        if other.id in others:
            raise WrongState(MERGED_BEFORE.format(other=to_wire(other.id), into=to_wire(via)))
    undone = {one.event.other for one in stream.events if isinstance(one.event, Contact.Unmerged)}
    if other.merged_into is not None or other.id not in undone:
        raise WrongState(NOT_MERGED.format(other=to_wire(other.id)))


async def both(store: EventStore, merge: Merge) -> tuple[tuple[Contact, Stream], tuple[Contact, Stream]]:
    """The two contacts with their streams. Raises NotFound."""
    (one, other) = await loaded(store, merge.tenant_id, (merge.contact_id, merge.other_id), Contact)
    return one, other


async def loaded(
    store: EventStore, tenant_id: UUID, streams: Sequence[UUID], kind: type[Found]
) -> list[tuple[Found, Stream]]:
    """Aggregates of this *kind* with their streams. Raises NotFound."""
    found: list[tuple[Found, Stream]] = []
    for start in range(0, len(streams), LOADS):
        read = await asyncio.gather(*(store.load(tenant_id, one) for one in streams[start : start + LOADS]))
        for stream in read:
            aggregate = stream.aggregate()
            if not isinstance(aggregate, kind):
                raise NotFound(NO_CONTACT)
            found.append((aggregate, stream))
    return found


def moment(aggregates: Iterable[Aggregate]) -> datetime:
    """Now, and not before the last event of any of them."""
    return max(ids.now(), *(one.modified_on for one in aggregates))


async def moved(store: EventStore, tenant_id: UUID, others: Sequence[UUID], into: UUID, at: datetime) -> Beside:
    """The contacts *others*, which answer as *into* from now on."""
    beside: Beside = []
    for other, stream in await loaded(store, tenant_id, others, Contact):
        other.merge_into(into, max(at, other.modified_on))
        beside.append((other, stream))
    return beside


async def along(store: EventStore, merge: Merge, before: UUID, after: UUID, limit: int) -> Beside:
    """The leads and tasks that go from one contact to the other, at most *limit*. Only those that came from the merged
    contact go back to it."""
    back = after == merge.other_id
    rows = await store.database.tenant_rows(merge.tenant_id, NAMED_BY, {"tenant": merge.tenant_id, "contact": before})
    beside: Beside = []
    named = [stream_id for (stream_id,) in rows]
    for start in range(0, len(named), LOADS):
        for one, stream in await loaded(store, merge.tenant_id, named[start : start + LOADS], Aggregate):
            assert isinstance(one, Lead | Task | Envelope)
            if one.contact_id == before and (not back or one.moved_from[-1:] == (after,)):
                one.change_contact(after, moment((one,)))
                beside.append((one, stream))
                if len(beside) == limit:
                    return beside
    return beside


async def follow(store: EventStore, merge: Merge, before: UUID, after: UUID, command: str, origin: Origin) -> None:
    """Take along the leads and tasks that the append of the merge did not. Raises Conflict, and what
    ``EventStore.append`` raises."""

    async def once() -> bool:
        rest = await along(store, merge, before, after, AT_ONCE)
        if rest:
            (first, stream), *others = rest
            await append(store, merge.tenant_id, first, stream, command, origin, None, others)
        return bool(rest)

    while await deciding_again(once):
        pass


async def append(
    store: EventStore,
    tenant_id: UUID,
    one: Aggregate,
    stream: Stream,
    command: str,
    origin: Origin,
    idempotency: Idempotency | None,
    beside: Beside,
) -> Appended:
    """What was decided, all or nothing. Raises what ``EventStore.append`` raises."""
    return await store.append(
        tenant_id, one, stream, command=command, origin=origin, idempotency=idempotency, beside=beside
    )


@asynccontextmanager
async def locked(merge: Merge) -> AsyncIterator[None]:
    """One decision at a time about either contact in this process. Raises Busy."""
    first, second = (deciding.setdefault(one, asyncio.Lock()) for one in sorted((merge.contact_id, merge.other_id)))
    async with alone(first), alone(second):
        yield
