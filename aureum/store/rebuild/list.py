"""How a list read model is rebuilt: copied stream by stream, then followed by position. See rebuild.py."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from aureum.domain.aggregate import events_of
from aureum.projections.document_list import ABOVE_ALL, DocumentList, Row, is_gone
from aureum.store.event_log import EventLog, Logged
from aureum.store.rebuild.claim import Progress, RebuildClaim

NEXT_VERSION = """
UPDATE rebuilds r SET read_version = greatest(r.read_version, h.{table}_version) + 1
  FROM heads h
 WHERE r.tenant_id = %(tenant)s AND r.read_model = '{table}' AND h.tenant_id = r.tenant_id
RETURNING r.read_version, h.{table}_version
"""

FLIP = "UPDATE heads SET {table}_version = %(version)s, {table}_step = {step}{searched} WHERE tenant_id = %(tenant)s"

COUNT = "SELECT count(*) FROM {table} WHERE tenant_id = %(tenant)s AND read_version = %(version)s"

DIGESTS = """
SELECT {id}, md5((to_jsonb(x) - 'read_version')::text) FROM {table} x
 WHERE tenant_id = %(tenant)s AND read_version = %(version)s
 ORDER BY {id}
"""

ONE = """
SELECT to_jsonb(x) - 'read_version' FROM {table} x
 WHERE tenant_id = %(tenant)s AND read_version = %(version)s AND {id} = %(key)s
"""

COPY = "COPY {table} (tenant_id, read_version, {columns}) FROM STDIN (FORMAT BINARY)"

LOAD = """
SELECT {columns} FROM {table}
 WHERE tenant_id = %(tenant)s AND read_version = %(version)s AND {id} = ANY (%(ids)s)
"""

CLEAR = "DELETE FROM {table} WHERE tenant_id = %(tenant)s AND read_version = %(version)s AND {id} = ANY (%(ids)s)"

STORE = """
INSERT INTO {table} (tenant_id, read_version, {columns})
SELECT %(tenant)s, %(version)s, {columns} FROM json_to_recordset(%(rows)s::json) AS r ({typed})
"""

NEXT_OTHER = """
SELECT read_version FROM {table}
 WHERE tenant_id = %(tenant)s AND read_version > %(after)s
 ORDER BY read_version LIMIT 1
"""

REMOVE_UP_TO = """
SELECT {id} FROM {table}
 WHERE tenant_id = %(tenant)s AND read_version = %(other)s AND {id} > %(after)s
 ORDER BY {id} OFFSET %(rows)s LIMIT 1
"""

REMOVE = """
DELETE FROM {table}
 WHERE tenant_id = %(tenant)s AND read_version = %(other)s AND {id} > %(after)s AND {id} <= %(up_to)s
"""

BATCH_EVENTS = 2_000
BATCH_ROWS = 5_000


class ListRebuild:
    """Rebuilds the read model *model*."""

    def __init__(self, model: DocumentList) -> None:
        self.model = model
        events = events_of(model.aggregate)
        self.NAME = model.table
        self.TYPES = tuple(event.TOPIC for event in events)
        self.STEP_VERSION = model.step_version
        self.PERSONAL = any(event.PERSONAL for event in events)
        self.NEXT_VERSION = model.statement(NEXT_VERSION)
        self.FLIP = (
            model.statement(FLIP)
            .replace("{step}", str(model.step_version))
            .replace("{searched}", f", {model.table}_searched = DEFAULT" if model.searched else "")
        )
        self.COUNT = model.statement(COUNT)
        self.DIGESTS = model.statement(DIGESTS)
        self.ONE = model.statement(ONE)

    async def copy(self, log: EventLog, claim: RebuildClaim, until: int, folded: Callable[[int], None]) -> int:
        """Copy the resources as they stood at position *until*, each folded from its whole stream; returns *until*.

        Stream by stream a row is written once, however often the resource changed; only one unfinished row is held
        between two batches, however many there are.
        """
        row: Row | None = None
        stream: UUID | None = None
        number: int | None = None
        copied = None if claim.resumed is None else claim.resumed.copied
        async with aclosing(log.by_stream(until, BATCH_EVENTS, behind=copied)) as batches:
            async for events in batches:
                finished: list[Row] = []
                for event, before in events:
                    if event.originator_id.int != number:
                        if row is not None:
                            finished.append(row)
                        row, copied = None, stream or copied
                        stream = event.originator_id
                        number = stream.int
                    row = self.stepped(row, event, before)
                await self.write_new(claim, finished, Progress(until, copied))
                folded(len(events))
        await self.write_new(claim, [] if row is None else [row], Progress(done=until))
        return until

    def stepped(self, row: Row | None, event: Any, before: datetime | None) -> Row | None:
        """The row as the append of *event* made it."""
        row = self.model.step(row, event)
        return None if row is None or is_gone(row) else self.model.counted(row, before)

    async def write_new(self, claim: RebuildClaim, rows: Sequence[Row], progress: Progress) -> None:
        """COPY rows of resources that have none yet in the new version, which comes as far as *progress* says."""
        statement = self.model.statement(COPY)
        async with (
            claim.transaction(self.STEP_VERSION, progress),
            claim.connection.cursor() as cursor,
            cursor.copy(statement) as target,
        ):
            target.set_types(("uuid", "int4", *self.model.columns.values()))
            for row in rows:
                stored = self.model.stored(row)
                await target.write_row((claim.tenant_id, claim.version, *map(stored.__getitem__, self.model.columns)))

    async def apply(self, claim: RebuildClaim, events: Sequence[Logged]) -> None:
        """Step the rows that *events* belong to, in the caller's transaction; their number is bounded."""
        ids = list({event.originator_id for event, _ in events})
        if not ids:
            return
        cursor = claim.connection.cursor(binary=True)
        await cursor.execute(self.model.statement(LOAD), claim.parameters(ids=ids))
        loaded = [self.model.loaded(values) for values in await cursor.fetchall()]
        rows: dict[UUID, Row | None] = {row[self.model.id]: row for row in loaded}
        for event, before in events:
            rows[event.originator_id] = self.stepped(rows.get(event.originator_id), event, before)
        changed = [self.model.stored(row) for row in rows.values() if row is not None]
        # Not updated one by one: what must be unique may have gone from one of them to another.
        await claim.connection.execute(self.model.statement(CLEAR), claim.parameters(ids=ids))
        await claim.connection.execute(
            self.model.statement(STORE), claim.parameters(rows=orjson.dumps(changed).decode())
        )

    async def remove(self, claim: RebuildClaim, *keep: int) -> None:
        """Remove the rows of every version but those to *keep*, some thousands a transaction."""
        other = -1
        while True:
            cursor = await claim.connection.execute(self.model.statement(NEXT_OTHER), claim.parameters(after=other))
            row = await cursor.fetchone()
            if row is None:
                return
            (other,) = row
            if other not in keep:
                await self.remove_version(claim, other)

    async def remove_version(self, claim: RebuildClaim, other: int) -> None:
        """Remove the rows of the version *other*."""
        find, remove = self.model.statement(REMOVE_UP_TO), self.model.statement(REMOVE)
        after: UUID | None = UUID(int=0)
        while after is not None:
            named = claim.parameters(other=other, after=after)
            row = await (await claim.connection.execute(find, named | {"rows": BATCH_ROWS - 1})).fetchone()
            up_to = ABOVE_ALL if row is None else row[0]
            async with claim.transaction():
                await claim.connection.execute(remove, named | {"up_to": up_to})
            after = None if row is None else up_to
