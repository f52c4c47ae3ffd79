"""Lists as they were at a moment (``asOf``). The rows of that moment are folded from the log in this process, and the
database filters and orders them as it does those of today (``aureum.projections.list_past``).

Folding costs time in proportion to the resources that there were. So a list of the past is made of a bounded number of
them, one at a time in each process, and a client who pages through it has it folded once. What is kept belongs to a
position of the log: an append, such as that which erases a person, makes it worthless.

The ETag is that of the list of today, whose words are the address: an answer of the past changes too when a person is
erased, and it is made of other rows after a rebuild.
"""

import asyncio
from contextlib import aclosing
from datetime import datetime
from functools import partial
from uuid import UUID

import orjson

from aureum.domain.ids import aureum_time
from aureum.http.access.gate import Caller
from aureum.http.contract.at_head import tenant_rows_at_head
from aureum.http.contract.endpoint import Context
from aureum.http.wire.errors import HttpError
from aureum.http.wire.validation import refused
from aureum.lru import ReadThrough
from aureum.projections.document_list import ABOVE_ALL, DocumentList
from aureum.store.event_store import EventStore, Read
from aureum.store.lists_as_of import rows_as_of
from aureum.store.one_at_a_time import alone
from aureum.store.postgres.database import Database

MOST = 10_000
"""Resources that a list of the past is made of, before any filter."""

MOST_EVENTS = 10 * MOST
MOST_BYTES = 64_000_000

KEPT_BYTES = 64_000_000

SLACK_MS = 60_000
"""What an id may be later than the first event of its stream."""

IDS_END = (1 << 48) - 1
"""The latest millisecond that an id can name."""

AS_OF = (
    "Returns the list as it was at this moment, inclusive, with the same filters, and as the caller could see it then. "
    f"If the list had more than {MOST:,} resources before any filter, the response is 400, and names the command that "
    "prints the list. Cannot be combined with `changedAfter`."
)

TOO_MUCH = (
    "At that moment the list was too long for one response. A past list can have at most {most:,} resources, before "
    "any filter."
)
JOB = " The operator prints it with: aureum audit list {resource} --brokerage {slug} --as-of {moment}"

RESOURCES = {
    "lead_list": "leads",
    "contact_list": "contacts",
    "property_list": "properties",
    "task_list": "tasks",
    "tour_list": "showings",
    "subscriber_list": "subscribers",
}
"""What the command line calls each list."""

Key = tuple[UUID, str, datetime, int]


class Pasts(ReadThrough[Key, bytes]):
    """The rows of lists at moments, as JSON, by tenant, list, moment and the position of the log. One a process."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        super().__init__(limit, len)
        self.folding = asyncio.Lock()


async def rows_at(context: Context, model: DocumentList, moment: datetime) -> str:
    """The rows of *model* at *moment*, as JSON. Raises HttpError 400 if there are too many, Busy, Unavailable."""
    app, caller = context.app, context.caller
    key = (caller.tenant_id, model.table, moment, caller.head)

    async def folded() -> bytes:
        async with alone(app.pasts.folding):
            return await fold(app.store, partial(tenant_rows_at_head, context), caller, model, moment)

    return (await app.pasts.get(key, folded)).decode()


def check_past(as_of: datetime | None, changed_after: bytes | None) -> None:
    """Raises InvalidRequest for changes of the past."""
    if as_of is not None and changed_after is not None:
        raise refused("query", "changedAfter", "changes_of_past")


async def fold(store: EventStore, read: Read, caller: Caller, model: DocumentList, moment: datetime) -> bytes:
    """As ``rows_at``, without looking for what is kept. *read* runs statements."""
    rows: list[bytes] = []
    size = 0
    key = await store.tenant_key(caller.tenant_id)
    last = last_id(moment) if model.in_time else ABOVE_ALL
    async with aclosing(rows_as_of(read, key, model, moment, last)) as found:
        async for row, events in found:
            rows.append(orjson.dumps(model.stored(row)))
            size += len(rows[-1])
            check_bounds(len(rows), events, size, job_for(caller, model, moment))
    return b"[" + b",".join(rows) + b"]"


def reading(database: Database, tenant_id: UUID) -> Read:
    """Statements that see only that tenant."""
    return partial(database.tenant_rows, tenant_id)


def check_bounds(resources: int, events: int, size: int, job: str = "") -> None:
    """Raises HttpError 400 if so many *resources*, made of so many *events*, are too much for one response. *job* says
    what to do."""
    if resources > MOST or events > MOST_EVENTS or size > MOST_BYTES:
        raise HttpError("past_too_long", TOO_MUCH.format(most=MOST) + job)


def job_for(caller: Caller, model: DocumentList, moment: datetime) -> str:
    """How the operator gets the whole list."""
    if model.table not in RESOURCES:
        return ""
    return JOB.format(resource=RESOURCES[model.table], slug=caller.slug, moment=aureum_time(moment))


def last_id(moment: datetime) -> UUID:
    """No stream that began at *moment* or before has an id above this one."""
    milliseconds = int(moment.timestamp() * 1000) + SLACK_MS
    return UUID(int=(min(max(milliseconds, 0), IDS_END) + 1 << 80) - 1)
