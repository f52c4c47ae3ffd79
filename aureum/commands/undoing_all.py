"""Undoes what one user or key did between two moments, over all resources of a brokerage: each by events of its own,
as far as nothing else has changed since what was changed. Rehearsed, it only says what would go back."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.commands.conflicts import deciding_again
from aureum.commands.undoing import CANNOT, ERASED, PERSONAL, Undo, is_undone, saves_of, still_there
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.contact import Contact
from aureum.domain.errors import DomainError
from aureum.domain.setting_back import set_back
from aureum.domain.undoing import PARTS, back_already, may_be_undone, plan
from aureum.store.event_store import EventStore, Stream
from aureum.store.metadata import Actor, Origin

POSITIONS = 20_000
"""Of the log, in one statement."""

HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"

DONE_BY = """
SELECT stream_id, version FROM events
 WHERE tenant_id = %(tenant)s AND position > %(after)s AND position <= %(until)s
   AND convert_from(metadata, 'UTF8')::json -> 'actor' ->> 'type' = %(kind)s
   AND convert_from(metadata, 'UTF8')::json -> 'actor' ->> 'id' = %(id)s
   AND convert_from(metadata, 'UTF8')::json ->> 'command' <> 'UndoAll'
 ORDER BY position
"""
"""But for what undid changes this way: to run it again must not restore them."""

EARLIER = """
SELECT recorded_at < %(moment)s OR (recorded_at = %(moment)s AND %(including)s) FROM events
 WHERE tenant_id = %(tenant)s AND position = %(position)s
"""

KEY = "SELECT key_id FROM api_keys WHERE tenant_id = %(tenant)s AND key_id = %(key)s"

COMMAND = "UndoAll"
"""What the events name that undo changes this way."""

AT_ONCE = 50
"""Resources that one request undoes."""

NOT_HERE = "Changes of users, keys, webhooks and settings are not undone this way."
CREATED = "It was created then, and a resource stays created."
REMOVED_SINCE = "The import that had added it was undone since."
MERGED_SINCE = "It was merged into another contact since. Undo the merge first."
SINCE = "It has changed since."


@dataclass(frozen=True, kw_only=True)
class UndoAll:
    """Undo what *actor* did from *since* to *before*, both included; None: without a bound."""

    tenant_id: UUID
    actor: Actor
    since: datetime | None
    before: datetime | None


@dataclass(frozen=True)
class Undone:
    """What became of one resource: the parts that went back, and the parts that were left alone, with the reason."""

    kind: str
    stream_id: UUID
    back: Sequence[str]
    left: Sequence[str] = ()
    why: str = ""


@dataclass(frozen=True)
class Stretch:
    """Some of the resources that an actor changed: what became of them, and how many to pass over next time; None
    after the last."""

    outcomes: Sequence[Undone]
    next: int | None


async def undo_stretch(
    store: EventStore, undo: UndoAll, origin: Origin, *, rehearsed: bool, after: int, most: int = AT_ONCE
) -> Stretch:
    """The same as ``undo_all`` does, of *most* resources behind the first *after*: so much fits into one request."""
    changed = list((await done_by(store, undo)).items())
    outcomes = [
        await undo_in(store, undo, stream_id, versions, origin, rehearsed=rehearsed)
        for stream_id, versions in changed[after : after + most]
    ]
    end = after + most
    return Stretch([one for one in outcomes if is_worth_telling(one)], end if end < len(changed) else None)


async def key_there(store: EventStore, tenant_id: UUID, key_id: UUID | None) -> bool:
    """Whether the brokerage has this API key, revoked or not. Raises Unavailable."""
    about = {"tenant": tenant_id, "key": key_id}
    return key_id is not None and bool(await store.database.rows(KEY, about))


async def undo_all(store: EventStore, undo: UndoAll, origin: Origin, *, rehearsed: bool) -> AsyncIterator[Undone]:
    """An outcome for each resource that the actor changed, in the order of the first change. Run again, it goes on
    where it was stopped: what is undone is not undone twice. Raises Unavailable, and what ``EventStore.append`` does.
    """
    for stream_id, versions in (await done_by(store, undo)).items():
        yield await undo_in(store, undo, stream_id, versions, origin, rehearsed=rehearsed)


async def done_by(store: EventStore, undo: UndoAll) -> dict[UUID, set[int]]:
    """The versions that the actor's commands made, by stream."""
    rows = await store.database.tenant_rows(undo.tenant_id, HEAD, {"tenant": undo.tenant_id})
    head = rows[0][0] if rows else 0
    begin = 0 if undo.since is None else await until_moment(store, undo.tenant_id, head, undo.since, including=False)
    end = head if undo.before is None else await until_moment(store, undo.tenant_id, head, undo.before, including=True)
    found: defaultdict[UUID, set[int]] = defaultdict(set)
    for after in range(begin, end, POSITIONS):
        named: dict[str, Any] = {
            "tenant": undo.tenant_id,
            "after": after,
            "until": min(after + POSITIONS, end),
            "kind": undo.actor.kind,
            "id": undo.actor.id,
        }
        for stream_id, version in await store.database.tenant_rows(undo.tenant_id, DONE_BY, named):
            found[stream_id].add(version)
    return dict(found)


async def until_moment(store: EventStore, tenant_id: UUID, head: int, moment: datetime, *, including: bool) -> int:
    """The position of the last event before *moment*, or at it if that is *including*; 0 if there is none. Times go on
    as positions do, so a few events of a long log tell it."""
    low, high = 0, head
    while low < high:
        middle = (low + high + 1) // 2
        about = {"tenant": tenant_id, "position": middle, "moment": moment, "including": including}
        ((earlier,),) = await store.database.tenant_rows(tenant_id, EARLIER, about)
        low, high = (middle, high) if earlier else (low, middle - 1)
    return low


async def undo_in(
    store: EventStore, undo: UndoAll, stream_id: UUID, made: set[int], origin: Origin, *, rehearsed: bool
) -> Undone:
    """Undo the versions that were *made* of one stream. What a rule of the resource forbids is left alone."""

    async def once() -> Undone:
        stream = await store.load(undo.tenant_id, stream_id)
        aggregate = stream.aggregate()
        kind = type(aggregate).__name__.lower()
        versions, why = undoable_of(stream, aggregate, made)
        if not versions:
            return Undone(kind, stream_id, (), (), why)
        events = [recorded.event for recorded in stream.events]
        resource = Undo(
            tenant_id=undo.tenant_id, stream_id=stream_id, kind=type(aggregate), missing="", version=max(versions)
        )
        planned = await still_there(store, resource, plan(events, versions))
        settled = back_already(events, versions)
        left = tuple(part for part in planned.left if part not in settled)
        try:
            set_back(aggregate, planned.back, max(ids.now(), aggregate.modified_on), None)
        except DomainError as error:
            return Undone(kind, stream_id, (), (*planned.back, *left), str(error))
        if not rehearsed and planned.back:
            about = Origin(origin.actor, origin.request_id, undoes=max(versions))
            await store.append(undo.tenant_id, aggregate, stream, command=COMMAND, origin=about)
        return Undone(kind, stream_id, tuple(planned.back), left, (SINCE if left else "") or why)

    return await deciding_again(once)


def undoable_of(stream: Stream, aggregate: Aggregate, made: set[int]) -> tuple[frozenset[int], str]:
    """The versions that can be undone together, whole saves each; and why others cannot."""
    if type(aggregate) not in PARTS:
        return frozenset(), NOT_HERE
    if aggregate.erased or (isinstance(aggregate, PERSONAL) and stream.subject_key is None):
        return frozenset(), ERASED
    if aggregate.removed:
        return frozenset(), REMOVED_SINCE
    if isinstance(aggregate, Contact) and aggregate.merged_into is not None:
        return frozenset(), MERGED_SINCE
    saves, events = saves_of(stream), [recorded.event for recorded in stream.events]
    chosen: set[int] = set()
    why = ""
    for version in sorted(made):
        save = frozenset(saves[version])
        if is_undone(stream, save):
            continue
        if may_be_undone(events, save):
            chosen |= save
        else:
            why = CREATED if 1 in save else CANNOT
    return frozenset(chosen), why


def is_worth_telling(one: Undone) -> bool:
    """Whether anything of it went back, or had to be left alone."""
    return bool(one.back or one.left or one.why)
