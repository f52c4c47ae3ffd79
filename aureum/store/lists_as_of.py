"""A list as it was at a moment: the log of one tenant, folded by the same step that makes the live rows, with the
events up to that moment. Memory does not grow with the log.

Nothing of it is kept in the database. What was erased since reads as erased, at every moment.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from aureum.domain.aggregate import Aggregate, events_of
from aureum.projections.document_list import ABOVE_ALL, DocumentList, Row, is_gone
from aureum.store.cipher import TenantKey
from aureum.store.event_log import EventLog, Logged
from aureum.store.event_store import Read

HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"

BATCH_EVENTS = 2_000


class Part(NamedTuple):
    """The events of one stream up to a moment, and how many events of all streams have been read so far."""

    events: list[Logged]
    read: int


async def rows_as_of(
    read: Read, key: TenantKey, model: DocumentList, moment: datetime, last: UUID = ABOVE_ALL
) -> AsyncGenerator[tuple[Row, int], None]:
    """The rows of *model* at *moment*, that moment included, in the order of their ids, which is that of creation; each
    with how many events have been read so far. *last* bounds the ids.

    What had been merged into another by then is left out, as in the live list. Close it with ``aclosing``.
    """
    async with aclosing(streams_as_of(read, key, model.aggregate, moment, last)) as streams:
        async for part in streams:
            row: Row | None = None
            for event, before in part.events:
                row = model.step(row, event)
                row = None if row is None else model.counted(row, before)
            if row is not None and stands(model, row):
                yield row, part.read


def stands(model: DocumentList, row: Row) -> bool:
    """Whether the resource was in the list: it had not gone into another, was not taken back, and its person was not
    erased."""
    return (not model.moved or row[model.moved] is None) and not is_gone(row)


async def streams_as_of(
    read: Read, key: TenantKey, aggregate: type[Aggregate], moment: datetime, last: UUID = ABOVE_ALL
) -> AsyncGenerator[Part, None]:
    """The streams of *aggregate* that had begun at *moment*, in the order of their ids. Close it with ``aclosing``."""
    log = EventLog(read, key.tenant_id, tuple(event.TOPIC for event in events_of(aggregate)), key)
    until = next(iter(await read(HEAD, {"tenant": key.tenant_id})), (0,))[0]
    events: list[Logged] = []
    number = 0
    async with aclosing(log.by_stream(until, BATCH_EVENTS, last)) as batches:
        async for batch in batches:
            for one in batch:
                if events and events[0].event.originator_id != one.event.originator_id:
                    yield Part(events, number)
                    events = []
                number += 1
                if one.event.timestamp <= moment:
                    events.append(one)
    if events:
        yield Part(events, number)
