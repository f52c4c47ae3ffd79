"""A list as it was at a moment: the whole log of one tenant, folded by the same step that makes the live rows, with the
events up to that moment. Memory does not grow with the log."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.domain.aggregate import events_of
from aureum.projections.document_list import DocumentList, Row, is_erased
from aureum.store.cipher import TenantKeys
from aureum.store.event_log import EventLog, open_tenant_key

HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"

BATCH_EVENTS = 2_000


async def rows_as_of(
    connection: AsyncConnection[Any], keys: TenantKeys, tenant_id: UUID, model: DocumentList, moment: datetime
) -> AsyncGenerator[Row, None]:
    """The rows of *model* at *moment*, that moment included, in the order of their ids, which is that of creation.

    What had been merged into another by then is left out, as in the live list. The connection is the owner's. Close it
    with ``aclosing``. Raises WrongMasterKey.
    """
    events = events_of(model.aggregate)
    key = await open_tenant_key(connection, keys, tenant_id)
    log = EventLog(connection, tenant_id, tuple(event.TOPIC for event in events), key)
    cursor = await connection.execute(HEAD, {"tenant": tenant_id})
    until = next(iter(await cursor.fetchall()), (0,))[0]
    row: Row | None = None
    async with aclosing(log.by_stream(until, BATCH_EVENTS)) as batches:
        async for batch in batches:
            for event, _ in batch:
                if row is not None and event.originator_id != row[model.id]:
                    if stands(model, row):
                        yield row
                    row = None
                if event.timestamp <= moment:
                    row = model.step(row, event)
    if row is not None and stands(model, row):
        yield row


def stands(model: DocumentList, row: Row) -> bool:
    """Whether the resource was in the list: it had not gone into another, and its person was not erased."""
    return (not model.moved or row[model.moved] is None) and not is_erased(row)
