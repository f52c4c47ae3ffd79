"""How the lead list is made anew: copied stream by stream, then followed by position. See rebuild.py."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

import orjson

from aureum.domain.lead import Lead
from aureum.projections import lead_list
from aureum.store.event_log import EventLog
from aureum.store.event_types import AGGREGATES
from aureum.store.rebuild_claim import Claim

NAME = lead_list.NAME
TYPES: tuple[str, ...] = tuple(event.TOPIC for event in AGGREGATES[Lead])
PERSONAL = True

NEXT_VERSION = """
UPDATE rebuilds r SET read_version = greatest(r.read_version, h.lead_list_version) + 1
  FROM heads h
 WHERE r.tenant_id = %(tenant)s AND r.read_model = 'lead_list' AND h.tenant_id = r.tenant_id
RETURNING r.read_version, h.lead_list_version
"""

FLIP = "UPDATE heads SET lead_list_version = %(version)s WHERE tenant_id = %(tenant)s"

COUNT = "SELECT count(*) FROM lead_list WHERE tenant_id = %(tenant)s AND read_version = %(version)s"

COPY = """
COPY lead_list (tenant_id, read_version, lead_id, number, stream_version, status, source, assigned_to, updated_at, doc)
FROM STDIN (FORMAT BINARY)
"""
COPY_TYPES = ("uuid", "int4", "uuid", "int8", "int4", "text", "text", "uuid", "timestamptz", "text")

LOAD = """
SELECT lead_id, number, stream_version, status, source, assigned_to, updated_at, doc
  FROM lead_list
 WHERE tenant_id = %(tenant)s AND read_version = %(version)s AND lead_id = ANY (%(leads)s)
"""

STORE = """
INSERT INTO lead_list (tenant_id, read_version, lead_id, number, stream_version, status, source, assigned_to,
                       updated_at, doc)
SELECT %(tenant)s, %(version)s, r.lead_id, r.number, r.stream_version, r.status, r.source, r.assigned_to,
       r.updated_at, r.doc
  FROM json_to_recordset(%(rows)s::json) AS r (
           lead_id uuid, number bigint, stream_version integer, status text, source text,
           assigned_to uuid, updated_at timestamptz, doc text)
ON CONFLICT (tenant_id, read_version, lead_id) DO UPDATE SET
       stream_version = excluded.stream_version, status = excluded.status, source = excluded.source,
       assigned_to = excluded.assigned_to, updated_at = excluded.updated_at, doc = excluded.doc
"""

NEXT_OTHER = """
SELECT read_version FROM lead_list
 WHERE tenant_id = %(tenant)s AND read_version > %(after)s
 ORDER BY read_version LIMIT 1
"""

REMOVE_UP_TO = """
SELECT lead_id FROM lead_list
 WHERE tenant_id = %(tenant)s AND read_version = %(other)s AND lead_id > %(after)s
 ORDER BY lead_id OFFSET %(rows)s LIMIT 1
"""

REMOVE = """
DELETE FROM lead_list
 WHERE tenant_id = %(tenant)s AND read_version = %(other)s AND lead_id > %(after)s AND lead_id <= %(up_to)s
"""

BATCH_EVENTS = 2_000
BATCH_ROWS = 5_000


async def copy(log: EventLog, claim: Claim, until: int, folded: Callable[[int], None]) -> int:
    """Copy the leads as they stood at position *until*, each folded from its whole stream; returns *until*.

    Stream by stream a row is written once, whatever happened to the lead; only one unfinished row is held between two
    batches, however many leads there are.
    """
    row: lead_list.Row | None = None
    async with aclosing(log.by_stream(until, BATCH_EVENTS)) as batches:
        async for events in batches:
            finished: list[lead_list.Row] = []
            for event in events:
                if row is not None and event.originator_id != row["lead_id"]:
                    finished.append(row)
                    row = None
                row = lead_list.step(row, event)
            await write_new(claim, finished)
            folded(len(events))
    if row is not None:
        await write_new(claim, [row])
    return until


async def write_new(claim: Claim, rows: Sequence[lead_list.Row]) -> None:
    """COPY rows of leads that have none yet in the new version."""
    async with claim.transaction(), claim.connection.cursor() as cursor, cursor.copy(COPY) as target:
        target.set_types(COPY_TYPES)
        for row in rows:
            stored = lead_list.stored(row)
            await target.write_row((claim.tenant_id, claim.version, *(stored[column] for column in lead_list.COLUMNS)))


async def apply(claim: Claim, events: Sequence[Any]) -> None:
    """Step the rows of the leads that *events* belong to, in the caller's transaction; their number is bounded."""
    leads = list({event.originator_id for event in events})
    if not leads:
        return
    cursor = claim.connection.cursor(binary=True)
    await cursor.execute(LOAD, claim.parameters(leads=leads))
    rows: dict[UUID, lead_list.Row | None] = {}
    for found in await cursor.fetchall():
        row = dict(zip(lead_list.COLUMNS, found, strict=True))
        rows[row["lead_id"]] = row | {"doc": orjson.loads(row["doc"])}
    for event in events:
        rows[event.originator_id] = lead_list.step(rows.get(event.originator_id), event)
    changed = [lead_list.stored(row) for row in rows.values() if row is not None]
    await claim.connection.execute(STORE, claim.parameters(rows=orjson.dumps(changed).decode()))


async def remove(claim: Claim, keep: int) -> None:
    """Remove the rows of every version but *keep*, some thousands a transaction."""
    other = -1
    while True:
        cursor = await claim.connection.execute(NEXT_OTHER, claim.parameters(after=other))
        row = await cursor.fetchone()
        if row is None:
            return
        (other,) = row
        if other != keep:
            await remove_version(claim, other)


async def remove_version(claim: Claim, other: int) -> None:
    """Remove the rows of the version *other*."""
    after: UUID | None = UUID(int=0)
    while after is not None:
        named = claim.parameters(other=other, after=after)
        row = await (await claim.connection.execute(REMOVE_UP_TO, named | {"rows": BATCH_ROWS - 1})).fetchone()
        up_to = lead_list.ABOVE_ALL if row is None else row[0]
        async with claim.transaction():
            await claim.connection.execute(REMOVE, named | {"up_to": up_to})
        after = None if row is None else up_to
