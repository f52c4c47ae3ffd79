"""Reads streams out of a tenant's log, as those who tell endpoints of them need it: event by event, and what cannot be
read is marked, not passed over.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import StoredEvent
from psycopg import AsyncConnection

from aureum.store import metadata
from aureum.store.cipher import TenantKey
from aureum.store.event_store import Recorded
from aureum.store.mapper import EventMapper, join_topic
from aureum.webhooks.queue.message import Message, Parked
from aureum.webhooks.telling.messages import Unreadable, messages

STREAM, VERSION, POSITION, TYPE = range(4)
WRAPPED = 8
"""Where these stand in a row of the log. The last is the key of the stream's subject."""

SLICE = 50
"""Streams that are worked through in one go; then the process's other tasks have their turn."""

STREAMS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(streams)s) AND e.position <= %(until)s
 ORDER BY e.stream_id, e.version
"""


EARLIER_EVENTS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, NULL
  FROM events e
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(streams)s) AND e.position <= %(after)s
 ORDER BY e.stream_id, e.version
"""
"""What stands before the new events of streams that have begun earlier."""


async def emitted_by(
    tenant_key: TenantKey, streams: Mapping[UUID, Sequence[Any]], earlier: Sequence[Any], after: int
) -> list[Message | Parked]:
    """What is told of *streams*, whose new rows are all above the position *after*; *earlier* are the rows before them,
    as ``EARLIER_EVENTS`` finds them."""
    before: dict[UUID, list[Any]] = defaultdict(list)
    for row in earlier:
        before[row[STREAM]].append(row)
    told: list[Message | Parked] = []
    for place, (stream_id, own) in enumerate(streams.items()):
        if place % SLICE == 0:
            await asyncio.sleep(0)
        history = read(tenant_key, stream_id, own[0][WRAPPED], [*before[stream_id], *own])
        told += messages(tenant_key.tenant_id, stream_id, history, after)
    return told


async def made_again(
    connection: AsyncConnection[Any], tenant_key: TenantKey, streams: Sequence[UUID], after: int, until: int
) -> list[Message]:
    """The messages of *streams* whose positions are above *after*, up to *until*, as they were the first time.

    Saves of which no message can be made are left out: the projector has parked them.
    """
    if not streams:
        return []
    about = {"tenant": tenant_key.tenant_id, "streams": list(streams), "until": until}
    rows = await (await connection.execute(STREAMS, about, binary=True)).fetchall()
    told: list[Message] = []
    for place, (stream_id, group) in enumerate(groupby(rows, key=itemgetter(STREAM))):
        if place % SLICE == 0:
            await asyncio.sleep(0)
        own = list(group)
        history = read(tenant_key, stream_id, own[0][WRAPPED], own)
        of_stream = messages(tenant_key.tenant_id, stream_id, history, after)
        told += [message for message in of_stream if isinstance(message, Message)]
    return sorted(told, key=lambda message: message.position)


def read(tenant_key: TenantKey, stream_id: UUID, wrapped: bytes | None, rows: Sequence[Any]) -> Iterator[Recorded]:
    """The events of one stream; those whose bytes cannot be read as ``Unreadable``. No key: the person was erased."""
    opened: list[AESGCM | None] = []

    def subject_key(_: UUID) -> AESGCM | None:
        if not opened:
            opened.append(None if wrapped is None else tenant_key.open_subject_key(stream_id, wrapped))
        return opened[0]

    mapper = EventMapper(tenant_key.tenant_id, subject_key)
    for _, version, position, name, schema_version, data, about, recorded_at, _ in rows:
        try:
            event = mapper.to_domain_event(StoredEvent(stream_id, version, join_topic(name, schema_version), data))
        except Exception as error:
            # Bytes may be broken in any way; the tenant's other streams go on.
            event = Unreadable(type(error).__name__)
        yield Recorded(event, position, recorded_at, about_event(about))


def about_event(stored: bytes) -> dict[str, Any]:
    """An event's metadata, or nothing where it is broken."""
    try:
        found: Any = metadata.decode(stored)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
