"""A batch of rows: what becomes of each, decided by what there is now, and one append for all of them.

A row is done once. The id of its resource is made of the import and the row's place, so that a batch that was appended
before its worker was killed is found again.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from aureum.commands.conflicts import deciding_again
from aureum.commands.importing.csv_file import Row
from aureum.commands.importing.imports import Import
from aureum.commands.importing.making import Maker
from aureum.commands.importing.placing import REFUSALS, Found, Kind, Place, find
from aureum.commands.importing.reading import Refused, Values
from aureum.commands.importing.routing import router_for
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.errors import AlreadyTaken, Conflict, DomainError
from aureum.store.event_store import NO_STREAM, Decided, EventStore, Stream
from aureum.store.guards import Guard

ROWS_A_MILLISECOND = 10
"""The rows of a file keep their order in lists: their ids and times go on by a millisecond for so many. No import is
as fast as that, so no time is in the future."""

COMMAND = "ImportRows"
"""What the events of an import name as their command."""

BEGUN = """
SELECT e.stream_id FROM events e
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(streams)s::uuid[]) AND e.version = 1
"""


@dataclass
class Outcome:
    """What became of a batch: how many rows, and which were refused, with the reasons."""

    made: int = 0
    updated: int = 0
    skipped: int = 0
    refused: list[tuple[int, Sequence[str], str]] = field(default_factory=list)
    noted: dict[UUID, UUID] = field(default_factory=dict)
    """What later rows are duplicates of, if no read model will say so."""

    def counts(self) -> dict[str, int]:
        """For ``MOVE``."""
        return {name: getattr(self, name) for name in ("made", "updated", "skipped")} | {"refused": len(self.refused)}


@dataclass(frozen=True)
class Work:
    """An import that goes on: what reads its rows, and where they go."""

    job: Import
    kind: Kind
    place: Place
    read: Callable[[Sequence[str]], Values]

    @property
    def dry(self) -> bool:
        return self.job.state == "checking"


Numbered = tuple[int, Row]
"""A row with its place among the rows of the file, from 1."""


async def place_rows(store: EventStore, work: Work, batch: Sequence[Numbered], *, again: bool) -> Outcome:
    """What becomes of the rows. *again*: some may be done already, by a process that was killed. If another append
    keeps them from being appended together, each is tried by itself.

    Raises Unavailable, Busy.
    """
    try:
        return await deciding_again(lambda: once(store, work, batch, again=again))
    except Conflict as error:
        if len(batch) == 1:
            ((_, row),) = batch
            return Outcome(refused=[(row.number, row.cells, str(error.__cause__ or error))])
    whole = Outcome()
    for one in batch:
        part = await place_rows(store, work, [one], again=True)
        whole.made += part.made
        whole.updated += part.updated
        whole.skipped += part.skipped
        whole.refused += part.refused
        whole.noted |= part.noted
    return whole


async def once(store: EventStore, work: Work, batch: Sequence[Numbered], *, again: bool) -> Outcome:
    """The same, decided by what there is now. Raises Conflict."""
    outcome = Outcome()
    rows: list[tuple[Numbered, Values]] = []
    for numbered in batch:
        try:
            rows.append((numbered, work.read(numbered[1].cells)))
        except Refused as error:
            outcome.refused.append((numbered[1].number, numbered[1].cells, str(error)))
    said = [values for _, values in rows]
    found = await find(store, work.job.resource, work.place, said, noted=work.dry)
    done = await done_before(store, work, [place for (place, _), _ in rows], said) if again and not work.dry else set()
    streams = await streams_of(store, work, found, said)
    router = await router_for(store, work.job.tenant_id, said) if work.job.routed and not work.dry else None
    maker = Maker(store, work.job.resource, work.place, said, router)
    fresh: dict[UUID, tuple[Aggregate, Stream, tuple[Guard, ...]]] = {}
    for (place, row), values in rows:
        stream_id, at = row_id(work.job, place, values)
        keys = work.kind.keys(values)
        duplicate = next((found[key] for key in keys if key in found), None)
        if stream_id in done:
            outcome.made += 1
        elif duplicate is not None and work.job.duplicates == "skip":
            outcome.skipped += 1
            continue
        elif duplicate is not None and work.job.duplicates == "update":
            await change(work, outcome, row, values, duplicate, streams, fresh)
            continue
        else:
            try:
                aggregate, guards = await maker.make(values, stream_id, at)
            except REFUSALS as error:
                outcome.refused.append((row.number, row.cells, str(error)))
                continue
            fresh[stream_id] = (aggregate, NO_STREAM, guards)
            outcome.made += 1
        found |= dict.fromkeys(keys, stream_id)
        outcome.noted |= dict.fromkeys(keys, stream_id)
    if not work.dry:
        await append(store, work, [Decided(*one) for one in fresh.values() if one[0].pending_events])
    outcome.refused.sort()
    return outcome


async def change(
    work: Work,
    outcome: Outcome,
    row: Row,
    values: Values,
    duplicate: UUID,
    streams: dict[UUID, Stream],
    fresh: dict[UUID, tuple[Aggregate, Stream, tuple[Guard, ...]]],
) -> None:
    """Change the resource that a row is a duplicate of."""
    if duplicate not in fresh:
        stream = streams.get(duplicate)
        if stream is None:
            # Only a dry run would have made it.
            outcome.updated += 1
            return
        aggregate = stream.aggregate()
        if aggregate.gone:
            # Since it was found. Who looks again does not find it.
            raise Conflict
        fresh[duplicate] = (aggregate, stream, ())
    aggregate, stream, _ = fresh[duplicate]
    before = len(aggregate.pending_events)
    try:
        work.kind.change(aggregate, values, max(ids.now(), aggregate.modified_on), work.place)
    except DomainError as error:
        outcome.refused.append((row.number, row.cells, str(error)))
        return
    already = any(one.metadata.get("correlation") == work.job.origin.correlation_id for one in stream.events)
    if len(aggregate.pending_events) > before or already:
        outcome.updated += 1
    else:
        outcome.skipped += 1


async def streams_of(store: EventStore, work: Work, found: Found, rows: Sequence[Values]) -> dict[UUID, Stream]:
    """The resources that rows may change."""
    if work.job.duplicates != "update":
        return {}
    keys = {key for values in rows for key in work.kind.keys(values)}
    wanted = list({stream_id for key, stream_id in found.items() if key in keys})
    return await store.load_all(work.job.tenant_id, wanted)


async def done_before(store: EventStore, work: Work, places: Sequence[int], rows: Sequence[Values]) -> set[UUID]:
    """Which of the rows have been made already."""
    streams = [row_id(work.job, place, values)[0] for place, values in zip(places, rows, strict=True)]
    about = {"tenant": work.job.tenant_id, "streams": streams}
    return {stream_id for (stream_id,) in await store.database.tenant_rows(work.job.tenant_id, BEGUN, about)}


async def append(store: EventStore, work: Work, decided: Sequence[Decided]) -> None:
    """Raises Conflict, Busy, Unavailable."""
    try:
        await store.append_all(work.job.tenant_id, decided, command=COMMAND, origin=work.job.origin)
    except AlreadyTaken as error:
        raise Conflict from error


def row_id(job: Import, place: int, values: Values) -> tuple[UUID, datetime]:
    """The id of what is made of a row, the same each time, and when it was made: the row says it, or it is when the
    import began."""
    began = job.began_at or job.requested_at
    at = values.get("createdAt") or began + timedelta(milliseconds=place // ROWS_A_MILLISECOND)
    milliseconds = int(at.timestamp() * 1000)
    mixed = hashlib.blake2b(job.import_id.bytes + place.to_bytes(4, "big"), digest_size=8).digest()
    tail = place % ROWS_A_MILLISECOND << 58 | int.from_bytes(mixed, "big") >> 6
    number = milliseconds << 80 | 7 << 76 | (place >> 4 & 0xFFF) << 64 | 2 << 62 | tail & ((1 << 62) - 1)
    return UUID(int=number), at
