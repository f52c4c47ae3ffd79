"""Goes on with an import, a batch of rows at a time. Each batch is one append; after it the row of the import moves.
What comes between the two is found again by the ids of the rows."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO
from uuid import UUID
from zoneinfo import ZoneInfo

from aureum.commands.conflicts import deciding_again
from aureum.commands.importing import headings
from aureum.commands.importing.csv_file import Row, rows_of
from aureum.commands.importing.fields import About
from aureum.commands.importing.imports import Import, add_refused, file_of, forget_file, get_import
from aureum.commands.importing.placing import KINDS, REFUSALS, Found, Kind, Maker, Place, find
from aureum.commands.importing.reading import Refused, Values, reader
from aureum.commands.importing.values import plain
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.errors import AlreadyTaken, Conflict, DomainError
from aureum.domain.people import email_key
from aureum.store.event_store import NO_STREAM, Decided, EventStore, Stream
from aureum.store.guards import Guard
from aureum.store.postgres.database import Database

BATCH = 100
SLICE_SECONDS = 10.0
"""How long a worker stays with one import while others wait."""

ROWS_A_MILLISECOND = 10
"""The rows of a file keep their order in lists: their ids and times go on by a millisecond for so many. No import is
as fast as that, so no time is in the future."""

CLAIM = """
UPDATE imports i
   SET held_until = clock_timestamp() + interval '60 seconds'
  FROM (
           SELECT tenant_id, import_id FROM imports
            WHERE state IN ('checking', 'running', 'undoing') AND (stored OR state = 'undoing')
              AND (held_until IS NULL OR held_until < clock_timestamp())
            ORDER BY held_until NULLS FIRST, import_id
            LIMIT 1
              FOR UPDATE SKIP LOCKED
       ) AS n
 WHERE i.tenant_id = n.tenant_id AND i.import_id = n.import_id
RETURNING i.tenant_id, i.import_id
"""
"""The one that was left alone longest."""

WAITING = """
SELECT 1 FROM imports
 WHERE state IN ('checking', 'running', 'undoing') AND stored
   AND (held_until IS NULL OR held_until < clock_timestamp())
 LIMIT 1
"""

MOVE = """
UPDATE imports
   SET done = %(done)s, made = made + %(made)s, updated = updated + %(updated)s, skipped = skipped + %(skipped)s,
       refused = refused + %(refused)s, failures = 0,
       held_until = clock_timestamp() + CASE WHEN stored THEN interval '60 seconds' ELSE interval '5 seconds' END
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state = %(state)s AND done = %(before)s
   AND began_at = %(began)s
RETURNING 1
"""
"""Nothing, if it was cancelled, begun again, or another worker has moved it."""

END = """
UPDATE imports SET state = %(ended)s, ended_at = CASE WHEN %(ended)s <> 'checked' THEN clock_timestamp() END
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state = %(state)s AND began_at = %(began)s
RETURNING 1
"""

GIVE_BACK = """
UPDATE imports SET held_until = clock_timestamp()
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state IN ('checking', 'running', 'undoing')
"""

BROKEN = """
UPDATE imports
   SET failures = failures + 1, held_until = clock_timestamp() + interval '10 seconds', problem = %(problem)s,
       state = CASE WHEN failures >= 2 OR %(final)s THEN 'failed' ELSE state END,
       ended_at = CASE WHEN failures >= 2 OR %(final)s THEN clock_timestamp() END
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state IN ('checking', 'running', 'undoing')
"""

BROKERAGE = "SELECT time_zone, country FROM brokerages WHERE tenant_id = %(tenant)s"
USERS = "SELECT user_id, name, shown_email FROM users WHERE tenant_id = %(tenant)s AND NOT disabled"

BEGUN = """
SELECT e.stream_id FROM events e
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(streams)s::uuid[]) AND e.version = 1
"""

NOTE = """
INSERT INTO import_keys (tenant_id, import_id, key, stream_id)
SELECT %(tenant)s, %(import)s, n.key, n.stream_id
  FROM unnest(%(keys)s::uuid[], %(streams)s::uuid[]) AS n (key, stream_id)
ON CONFLICT DO NOTHING
"""

LEADS = """
SELECT l.lead_id, l.doc::json ->> 'email' FROM lead_list l
 WHERE l.tenant_id = %(tenant)s AND l.lead_id < %(before)s
   AND l.read_version = (SELECT h.lead_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
   AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = l.tenant_id AND k.subject_id = l.lead_id)
 ORDER BY l.lead_id DESC LIMIT %(limit)s
"""
"""The newest leads first. No index has their addresses, because a form must not cost more for it."""

LEADS_AT_ONCE = 5_000
ABOVE_ALL = UUID(int=(1 << 128) - 1)


COUNTED_AT = (500, 5_000, 50_000)
"""Rows after which the planner is told how many there are. A table that was nearly empty has plans of an empty table
until PostgreSQL looks by itself, about a minute later: with those each row of an import would read all before it."""

ANALYZE = {
    "contacts": "ANALYZE events, subject_keys, contact_list",
    "leads": "ANALYZE events, subject_keys, lead_list, import_keys",
    "properties": "ANALYZE events, taken_names, property_list",
}


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


async def claim(store: EventStore) -> Import | None:
    """The next import, on which no other worker works meanwhile; None if there is none. Raises Unavailable."""
    rows = await store.database.rows(CLAIM)
    return await get_import(store, *rows[0]) if rows else None


async def go_on(store: EventStore, job: Import, seconds: float = SLICE_SECONDS) -> None:
    """*job* to its end, or a slice of it if others wait. Raises Unavailable, WrongMasterKey, NotFound, Invalid."""
    with await file_of(store, job) as file:
        held = await run(store, job, file, seconds=seconds)
    if held:
        await store.database.rows(GIVE_BACK, {"tenant": job.tenant_id, "import": job.import_id})


async def run(
    store: EventStore,
    job: Import,
    file: BinaryIO,
    *,
    seconds: float | None = None,
    told: Callable[[int], None] | None = None,
) -> bool:
    """The rows of *file* that are not done; whether the job is still this process's. Without *seconds* all of them.
    *told* is given how many are done. Raises what ``go_on`` raises."""
    work, until = await begun(store, job), time.monotonic() + (seconds or 0)
    done, again = job.done, True
    if job.resource == "leads" and done == 0:
        await note_leads(store, job)
    rows = islice(rows_of(file, job.layout), done, None)
    for batch in batches(rows, done):
        outcome = await place_rows(store, work, batch, again=again)
        if not await move(store, work, done, done + len(batch), outcome):
            return False
        if not work.dry and any(done < many <= done + len(batch) for many in COUNTED_AT):
            await store.database.rows(ANALYZE[job.resource])
        done, again = done + len(batch), False
        if told is not None:
            told(done)
        if seconds is not None and time.monotonic() > until:
            if await store.database.rows(WAITING):
                return True
            until = time.monotonic() + seconds
    about = {"tenant": job.tenant_id, "import": job.import_id, "state": job.state, "began": job.began_at}
    ended = "checked" if work.dry else "completed"
    if await store.database.rows(END, about | {"ended": ended}) and not work.dry:
        await forget_file(store, about)
    return True


Numbered = tuple[int, Row]
"""A row with its place among the rows of the file, from 1."""


def batches(rows: Iterator[Row], done: int) -> Iterator[list[Numbered]]:
    """The rows, so many at a time."""
    numbered = enumerate(rows, done + 1)
    while batch := list(islice(numbered, BATCH)):
        yield batch


async def begun(store: EventStore, job: Import) -> Work:
    """What is needed to go on. Raises Invalid, Unavailable."""
    headings.check(job.resource, job.mapping)
    about = {"tenant": job.tenant_id}
    ((zone, country),), users = await store.database.tenant_results(job.tenant_id, [(BROKERAGE, about), (USERS, about)])
    preset = headings.preset_of(job.resource, job.header)
    words = {} if preset is None else preset.words
    read = reader(job.resource, job.header, job.mapping, About(ZoneInfo(zone), country, called(users), words))
    created_by = ids.from_wire(job.actor.id or "") if job.actor.kind == "user" else None
    return Work(job, KINDS[job.resource], Place(job.tenant_id, job.import_id, country, created_by), read)


def called(users: Sequence[tuple[UUID, str, str | None]]) -> dict[str, UUID]:
    """Users by address, and by the names that only one of them has."""
    names: dict[str, set[UUID]] = {}
    for user_id, name, email in users:
        names.setdefault(plain(name), set()).add(user_id)
        if email:
            names.setdefault(email.casefold(), set()).add(user_id)
    return {name: next(iter(found)) for name, found in names.items() if len(found) == 1}


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
    maker = Maker(store, work.job.resource, work.place, said)
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
        fresh[duplicate] = (stream.aggregate(), stream, ())
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


COMMAND = "ImportRows"
"""What the events of an import name as their command."""


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


async def note_leads(store: EventStore, job: Import) -> None:
    """Note the addresses of the leads that are there, the newest lead of each. Raises Unavailable."""
    before = ABOVE_ALL
    while True:
        about = {"tenant": job.tenant_id, "import": job.import_id, "before": before, "limit": LEADS_AT_ONCE}
        rows = await store.database.tenant_rows(job.tenant_id, LEADS, about)
        keys: dict[UUID, UUID] = {}
        for lead_id, email in rows:
            if (key := email_key(email)) is not None:
                keys.setdefault(key, lead_id)
        if keys:
            await store.database.rows(NOTE, about | {"keys": list(keys), "streams": list(keys.values())})
        if len(rows) < LEADS_AT_ONCE:
            return
        before = rows[-1][0]


async def move(store: EventStore, work: Work, before: int, done: int, outcome: Outcome) -> bool:
    """Say what has become of a batch; whether the import is still this process's."""
    job = work.job
    about: dict[str, Any] = {
        "tenant": job.tenant_id,
        "import": job.import_id,
        "state": job.state,
        "began": job.began_at,
    }
    async with store.database.connection() as connection, connection.transaction():
        moved = await connection.execute(MOVE, about | {"before": before, "done": done} | outcome.counts())
        if await moved.fetchone() is None:
            return False
        if outcome.refused:
            await add_refused(store, connection, job, outcome.refused)
        if outcome.noted and (work.dry or job.resource == "leads"):
            keys = {"keys": list(outcome.noted), "streams": list(outcome.noted.values())}
            await connection.execute(NOTE, about | keys)
    return True


async def broke_off(database: Database, job: Import, problem: str, *, final: bool = False) -> None:
    """Something is wrong with *job*. It is tried twice more, unless that is *final*."""
    about = {"tenant": job.tenant_id, "import": job.import_id, "problem": problem, "final": final}
    await database.rows(BROKEN, about)
