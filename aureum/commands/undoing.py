"""Undoes a save of one resource, by events of its own, as far as nothing has changed since what it changed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from aureum.commands.changes import deciding, visible
from aureum.commands.conflicts import deciding_again
from aureum.commands.merging import Merge, check_standing, unmerge_contacts
from aureum.commands.references import answering, check_links, check_user
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.contact import Contact
from aureum.domain.errors import ChangedSince, Invalid, NotFound, WrongState
from aureum.domain.lead import Lead
from aureum.domain.setting_back import set_back
from aureum.domain.task import LINKS
from aureum.domain.tour import Tour
from aureum.domain.undoing import Undoing, may_be_undone, plan
from aureum.store.event_store import Appended, EventStore, Idempotency, Stream
from aureum.store.metadata import Origin
from aureum.store.one_at_a_time import alone

NO_VERSION = "There is no version {version} yet, the latest is {latest}. Take a version from the resource's history."
CANNOT = (
    "This change cannot be undone: a resource stays created, a spam check stays decided, and merges are undone apart."
)
ERASED = "This person was erased, so nothing can be set back."
CHANGED = "Nothing was undone, because {parts} changed since, or cannot be set back."

PERSONAL = (Lead, Contact, Tour)
"""Whose streams have a key of their own, until the person is erased."""

Tell = Callable[[Sequence[str], Sequence[str]], None]


@dataclass(frozen=True, kw_only=True)
class Undo:
    """Undo the save that *version* of a stream belongs to. ``kind`` is what the stream must be, ``missing`` is said if
    it is not. ``visible_to`` is the agent who asks."""

    tenant_id: UUID
    stream_id: UUID
    kind: type[Aggregate]
    missing: str
    version: int
    visible_to: UUID | None = None


async def undo_save(
    store: EventStore, undo: Undo, origin: Origin, *, tell: Tell, idempotency: Idempotency | None = None
) -> tuple[Aggregate, Appended]:
    """The resource as it is afterwards. *tell* is given the parts that go back, and those that are left alone, before
    anything is appended. Undoing again what was undone changes nothing.

    Raises NotFound, WrongState for what cannot be undone, ChangedSince if nothing of it is as the save left
    it, NotAllowed, AlreadyTaken, Conflict, and what ``EventStore.append`` raises.
    """
    origin = replace(origin, undoes=undo.version)

    _, stream = await found(store, undo)
    merge = stream.events[undo.version - 1].event
    if isinstance(merge, Contact.Merged):
        tell(["merged_with"], [])
        asked = Merge(undo.tenant_id, undo.stream_id, merge.other)
        return await unmerge_contacts(store, asked, origin, idempotency=idempotency)

    async def once() -> tuple[Aggregate, Appended]:
        aggregate, stream = await found(store, undo)
        if isinstance(aggregate, Contact):
            check_standing(aggregate)
        events = [recorded.event for recorded in stream.events]
        versions = saved_with(stream, undo.version)
        if not may_be_undone(events, versions):
            raise WrongState(CANNOT)
        undoing = Undoing({}, ()) if is_undone(stream, versions) else plan(events, versions)
        if undoing.back and isinstance(aggregate, PERSONAL) and stream.subject_key is None:
            raise WrongState(ERASED)
        undoing = await still_there(store, undo, undoing)
        if undoing.left and not undoing.back:
            raise ChangedSince(CHANGED.format(parts=", ".join(part.replace("_", " ") for part in undoing.left)))
        tell([*undoing.back], [*undoing.left])
        set_back(aggregate, undoing.back, max(ids.now(), aggregate.modified_on), undo.visible_to)
        appended = await store.append(
            undo.tenant_id, aggregate, stream, command="Undo", origin=origin, idempotency=idempotency
        )
        return aggregate, appended

    async with alone(deciding.setdefault(undo.stream_id, asyncio.Lock())):
        return await deciding_again(once)


async def found(store: EventStore, undo: Undo) -> tuple[Aggregate, Stream]:
    """The resource with its stream. Raises NotFound, and WrongState for a version that it does not have yet."""
    stream = await store.load(undo.tenant_id, undo.stream_id)
    aggregate = stream.aggregate()
    if not isinstance(aggregate, undo.kind) or not visible(aggregate, undo.visible_to):
        raise NotFound(undo.missing)
    if undo.version > aggregate.version:
        raise WrongState(NO_VERSION.format(version=undo.version, latest=aggregate.version))
    return aggregate, stream


def saved_with(stream: Stream, version: int) -> frozenset[int]:
    """The versions of the save that *version* belongs to."""
    return frozenset(saves_of(stream)[version])


def saves_of(stream: Stream) -> dict[int, range]:
    """The versions that were saved together, by each of them."""
    saves = {}
    for recorded in stream.events:
        version: int = recorded.event.originator_version
        match recorded.metadata.get("append"):
            case [int(place), int(of)]:
                saves[version] = range(version - place + 1, version - place + 1 + of)
            case _:
                saves[version] = range(version, version + 1)
    return saves


def is_undone(stream: Stream, versions: frozenset[int]) -> bool:
    """Whether a later event has undone one of these *versions*."""
    return any(recorded.metadata.get("undoes") in versions for recorded in stream.events)


async def still_there(store: EventStore, undo: Undo, undoing: Undoing) -> Undoing:
    """The same, less what would name a user or a resource that cannot be named now. A contact that was merged since is
    named by the one that answers for it."""
    back: dict[str, Any] = dict(undoing.back)
    left = list(undoing.left)
    for part in [one for one in back if one == "assigned_to" or one in LINKS]:
        (value,) = back[part]
        try:
            await named(store, undo, {part: value})
        except Invalid:
            del back[part]
            left.append(part)
            continue
        if part == "contact_id":
            back[part] = (await answering(store, undo.tenant_id, value),)
    return Undoing(back, left)


async def named(store: EventStore, undo: Undo, link: Mapping[str, UUID | None]) -> None:
    """Raises Invalid unless *link* names a user or a resource of the brokerage, or none."""
    if "assigned_to" in link:
        await check_user(store, undo.tenant_id, link["assigned_to"])
    else:
        await check_links(store, undo.tenant_id, link, undo.visible_to)
