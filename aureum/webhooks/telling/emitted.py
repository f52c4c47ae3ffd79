"""What a tenant's log has emitted from a position on, made again: the same bytes as are delivered, for clients that
pull.

Nothing of the queue is read, only the log: so it reaches back to the first event, and works with no endpoint at all.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aureum.background.reading import EARLIER_EVENTS, POSITION, STREAM, VERSION
from aureum.store.event_store import EventStore
from aureum.webhooks.queue.message import Message
from aureum.webhooks.telling.messages import SOURCE_OF
from aureum.webhooks.telling.reading import emitted_by

BATCH = 500
FAR = 50_000
"""Positions that one statement passes at most, where hardly any event tells something."""

SECONDS = 3.0
"""How long one call looks for what may be rare; then it says how far it came."""

NEXT = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.position > %(after)s AND e.position <= %(last)s AND e.type = ANY (%(types)s)
 ORDER BY e.position
 LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Emitted:
    """Messages, oldest first; all up to the position ``until`` was looked at, and whether there may be ``more``."""

    messages: Sequence[Message]
    until: int
    more: bool


async def emitted_since(
    store: EventStore,
    tenant_id: UUID,
    after: int,
    events: Collection[str],
    *,
    head: int,
    limit: int,
    seconds: float = SECONDS,
) -> Emitted:
    """Up to *limit* messages of *events* at positions above *after*, up to *head*, which is the tenant's last one.
    Saves of which no message can be made are not among them.

    Raises Unavailable, WrongMasterKey.
    """
    wanted = set(events)
    types = [name for name, source in SOURCE_OF.items() if wanted & set(source.names.values())]
    found: list[Message] = []
    until, batch, end = after, min(BATCH, 2 * limit + 20), time.monotonic() + seconds
    while True:
        last = min(until + FAR, head)
        about = {"tenant": tenant_id, "after": until, "last": last, "types": types, "limit": batch}
        rows = await store.database.tenant_rows(tenant_id, NEXT, about)
        until = rows[-1][POSITION] if len(rows) == batch else max(until, last)
        more = until < head
        if rows:
            messages = await messages_of(store, tenant_id, rows)
            found += sorted((m for m in messages if m.event in wanted), key=lambda m: m.position)
        if len(found) > limit:
            return Emitted(found[:limit], found[limit - 1].position, more=True)
        if not more or len(found) == limit or time.monotonic() > end:
            return Emitted(found, until, more)


async def messages_of(store: EventStore, tenant_id: UUID, rows: Sequence[Any]) -> list[Message]:
    """The messages of the appends that end in *rows*, stream by stream. One that goes on behind them is emitted with
    its last event, by the next read from here."""
    new: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        new[row[STREAM]].append(row)
    tenant_key, after = await store.tenant_key(tenant_id), rows[0][POSITION] - 1
    before: list[Any] = []
    if begun_earlier := [stream_id for stream_id, own in new.items() if own[0][VERSION] > 1]:
        about = {"tenant": tenant_id, "streams": begun_earlier, "after": after}
        before = await store.database.tenant_rows(tenant_id, EARLIER_EVENTS, about)
    messages = await emitted_by(tenant_key, new, before, after)
    return [message for message in messages if isinstance(message, Message)]
