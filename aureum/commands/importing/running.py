"""Goes on with an import, a batch of rows at a time. Each batch is one append; after it the row of the import moves.
What comes between the two is found again by the ids of the rows (``batches``)."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO
from uuid import UUID
from zoneinfo import ZoneInfo

from aureum.commands.importing import headings
from aureum.commands.importing.batches import Numbered, Outcome, Work, place_rows
from aureum.commands.importing.claiming import give_back, others_wait
from aureum.commands.importing.csv_file import Row, rows_of
from aureum.commands.importing.fields import About
from aureum.commands.importing.imports import Import
from aureum.commands.importing.keeping import add_refused, file_of, forget_file
from aureum.commands.importing.known_leads import NOTE, note_leads
from aureum.commands.importing.placing import KINDS, Place
from aureum.commands.importing.reading import reader
from aureum.commands.importing.routing import model_of
from aureum.commands.importing.values import plain
from aureum.domain import ids
from aureum.settings import NO_MODEL
from aureum.store.event_store import EventStore

BATCH = 100

SLICE_SECONDS = 10.0
"""How long a worker stays with one import while others wait."""

COUNTED_AT = (500, 5_000, 50_000)
"""Rows after which the planner is told how many there are. A table that was nearly empty has plans of an empty table
until PostgreSQL looks by itself, about a minute later: with those each row of an import would read all before it."""

ANALYZE = {
    "contacts": "ANALYZE events, subject_keys, contact_list",
    "leads": "ANALYZE events, subject_keys, lead_list, import_keys",
    "properties": "ANALYZE events, taken_names, property_list",
}

MOVE = """
UPDATE imports
   SET done = %(done)s, made = made + %(made)s, updated = updated + %(updated)s, skipped = skipped + %(skipped)s,
       refused = refused + %(refused)s, failures = 0,
       held_until = CASE WHEN stored THEN clock.in_a_minute ELSE clock.soon END
  FROM (
           SELECT statement_timestamp() + interval '60 seconds' AS in_a_minute,
                  statement_timestamp() + interval '5 seconds' AS soon OFFSET 0
       ) AS clock
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state = %(state)s AND done = %(before)s
   AND began_at = %(began)s
RETURNING 1
"""
"""Nothing, if it was cancelled, begun again, or another worker has moved it."""

END = """
UPDATE imports SET state = %(ended)s, ended_at = CASE WHEN %(ended)s <> 'checked' THEN clock.now END
  FROM (SELECT statement_timestamp() AS now OFFSET 0) AS clock
 WHERE tenant_id = %(tenant)s AND import_id = %(import)s AND state = %(state)s AND began_at = %(began)s
RETURNING 1
"""

BROKERAGE = "SELECT time_zone, country FROM brokerages WHERE tenant_id = %(tenant)s"

USERS = "SELECT user_id, name, shown_email FROM users WHERE tenant_id = %(tenant)s AND NOT disabled"


async def go_on(store: EventStore, job: Import, model: str = NO_MODEL, seconds: float = SLICE_SECONDS) -> None:
    """*job* to its end, or a slice of it if others wait. Raises Unavailable, WrongMasterKey, NotFound, Invalid."""
    with await file_of(store, job) as file:
        held = await run(store, job, file, model, seconds=seconds)
    if held:
        await give_back(store.database, job)


async def run(
    store: EventStore,
    job: Import,
    file: BinaryIO,
    model: str = NO_MODEL,
    *,
    seconds: float | None = None,
    told: Callable[[int], None] | None = None,
) -> bool:
    """The rows of *file* that are not done; whether the job is still this process's. Without *seconds* all of them.
    *told* is given how many are done, and *model* takes part in routing. Raises what ``go_on`` raises."""
    async with model_of(store, job, model):
        return await run_rows(store, job, file, seconds, told)


async def run_rows(
    store: EventStore, job: Import, file: BinaryIO, seconds: float | None, told: Callable[[int], None] | None
) -> bool:
    """The same while the model is there."""
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
            if await others_wait(store.database):
                return True
            until = time.monotonic() + seconds
    about = {"tenant": job.tenant_id, "import": job.import_id, "state": job.state, "began": job.began_at}
    ended = "checked" if work.dry else "completed"
    if await store.database.rows(END, about | {"ended": ended}) and not work.dry:
        await forget_file(store, about)
    return True


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


async def move(store: EventStore, work: Work, before: int, done: int, outcome: Outcome) -> bool:
    """Say what has become of a batch; whether the import is still this process's."""
    job = work.job
    about: dict[str, Any] = {
        "tenant": job.tenant_id,
        "import": job.import_id,
        "state": job.state,
        "began": job.began_at,
    }
    async with store.database.transaction(job.tenant_id) as connection:
        moved = await connection.execute(MOVE, about | {"before": before, "done": done} | outcome.counts())
        if await moved.fetchone() is None:
            return False
        if outcome.refused:
            await add_refused(store, connection, job, outcome.refused)
        if outcome.noted and (work.dry or job.resource == "leads"):
            keys = {"keys": list(outcome.noted), "streams": list(outcome.noted.values())}
            await connection.execute(NOTE, about | keys)
    return True
