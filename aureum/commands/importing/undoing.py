"""Undoes an import. What it changed gets its previous values, unless it was changed again since. The people
whom it added are erased, and the properties removed, as if the file had never come: lists, webhooks and clients that
catch up are told. What staff have worked with since stays."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from aureum.commands.conflicts import deciding_again
from aureum.commands.erasing_streams import erase_streams
from aureum.commands.importing.imports import Import
from aureum.commands.importing.removing import REMOVED, References, remove_properties
from aureum.commands.undoing_all import HEAD, POSITIONS, SINCE, UndoAll, Undone, undo_in
from aureum.domain import ids
from aureum.domain.property import Property
from aureum.store.event_store import EventStore, Stream
from aureum.store.metadata import Origin

AT_ONCE = 100
"""Streams that are undone together."""

DONE_BY = """
SELECT stream_id, version FROM events
 WHERE tenant_id = %(tenant)s AND position > %(after)s AND position <= %(until)s
   AND convert_from(metadata, 'UTF8')::json ->> 'correlation' = %(import)s
 ORDER BY position
"""

USED = """
SELECT t.contact_id FROM task_list t
 WHERE t.tenant_id = %(tenant)s AND t.contact_id = ANY (%(streams)s::uuid[])
   AND t.read_version = (SELECT h.task_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 UNION
SELECT t.lead_id FROM task_list t
 WHERE t.tenant_id = %(tenant)s AND t.lead_id = ANY (%(streams)s::uuid[])
   AND t.read_version = (SELECT h.task_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
 UNION
SELECT l.contact_id FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.contact_id = ANY (%(streams)s::uuid[])
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""
"""The contacts and leads that a task or another lead names."""

IN_USE = "A task or a lead refers to it."

COUNT = """
UPDATE imports
   SET undone = undone + %(undone)s, kept = kept + %(kept)s, failures = 0,
       held_until = statement_timestamp() + interval '60 seconds'
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state = 'undoing'
RETURNING 1
"""

BEGIN = "UPDATE imports SET kept = 0 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state = 'undoing'"

END = """
UPDATE imports SET state = 'undone', ended_at = statement_timestamp()
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state <> 'undone'
"""


async def undo_rows(
    store: EventStore, tenant_id: UUID, import_id: UUID, origin: Origin, *, since: int = 0, rehearsed: bool
) -> AsyncIterator[Undone]:
    """An outcome for each resource that the import made or changed. *since* is the position behind which its events
    stand. Run again, it goes on where it was stopped. Raises Unavailable, Conflict, Busy."""
    found = list((await done_by(store, tenant_id, import_id, since)).items())
    references = References(tenant_id)
    for start in range(0, len(found), AT_ONCE):
        chunk = dict(found[start : start + AT_ONCE])
        for one in await deciding_again(partial(undo_chunk, store, chunk, references, origin, rehearsed=rehearsed)):
            yield one


async def done_by(store: EventStore, tenant_id: UUID, import_id: UUID, since: int) -> dict[UUID, set[int]]:
    """The versions that the import made, by stream."""
    rows = await store.database.tenant_rows(tenant_id, HEAD, {"tenant": tenant_id})
    found: defaultdict[UUID, set[int]] = defaultdict(set)
    for after in range(since, rows[0][0] if rows else 0, POSITIONS):
        named = {
            "tenant": tenant_id,
            "after": after,
            "until": after + POSITIONS,
            "import": ids.to_wire(import_id),
        }
        for stream_id, version in await store.database.tenant_rows(tenant_id, DONE_BY, named):
            found[stream_id].add(version)
    return dict(found)


async def undo_chunk(
    store: EventStore, made: Mapping[UUID, set[int]], references: References, origin: Origin, *, rehearsed: bool
) -> list[Undone]:
    """Some of them. Raises Conflict if one has changed meanwhile."""
    tenant_id = references.tenant_id
    streams = await store.load_all(tenant_id, list(made))
    about = {"tenant": tenant_id, "streams": list(made)}
    used = {stream_id for (stream_id,) in await store.database.tenant_rows(tenant_id, USED, about)}
    outcomes: list[Undone] = []
    gone: list[UUID] = []
    properties: dict[UUID, set[int]] = {}
    for stream_id, versions in made.items():
        stream = streams[stream_id]
        aggregate: Any = stream.aggregate()
        if aggregate.gone:
            continue
        kind = type(aggregate).__name__.lower()
        if 1 not in versions:
            undo = UndoAll(tenant_id=tenant_id, actor=origin.actor, since=None, before=None)
            outcomes.append(await undo_in(store, undo, stream_id, versions, origin, rehearsed=rehearsed))
        elif isinstance(aggregate, Property):
            properties[stream_id] = versions
        elif why := why_left(stream, aggregate, versions, used):
            outcomes.append(Undone(kind, stream_id, (), (), why))
        else:
            gone.append(stream_id)
            outcomes.append(Undone(kind, stream_id, (REMOVED,)))
    if gone and not rehearsed:
        await erase_streams(store, tenant_id, gone, origin)
    return outcomes + await remove_properties(store, properties, references, origin, rehearsed=rehearsed)


def why_left(stream: Stream, aggregate: Any, versions: set[int], used: set[UUID]) -> str:
    """Why a person whom the import added stays; nothing if the person goes."""
    if any(recorded.event.originator_version not in versions for recorded in stream.events):
        return SINCE
    return IN_USE if aggregate.id in used else ""


async def undo_job(store: EventStore, job: Import) -> None:
    """Undo an import that the worker holds, to its end. Raises what ``undo_rows`` raises."""
    about: dict[str, Any] = {"tenant": job.tenant_id, "import": job.import_id}
    await store.database.rows(BEGIN, about)
    origin = Origin(job.actor, job.request_id)
    waiting: list[Undone] = []
    async for one in undo_rows(store, job.tenant_id, job.import_id, origin, since=job.since, rehearsed=False):
        waiting.append(one)
        if len(waiting) >= AT_ONCE:
            await count(store, about, waiting)
            waiting = []
    await count(store, about, waiting)
    await store.database.rows(END, about)


async def count(store: EventStore, about: Mapping[str, Any], outcomes: Sequence[Undone]) -> None:
    """Add these to the counts of the import."""
    undone = sum(bool(one.back) for one in outcomes)
    kept = sum(bool(one.left or (one.why and not one.back)) for one in outcomes)
    await store.database.rows(COUNT, {**about, "undone": undone, "kept": kept})
