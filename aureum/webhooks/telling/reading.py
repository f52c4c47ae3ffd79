"""Makes the messages of a tenant's log, stream by stream, of rows that were read out of it."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.background.reading import STREAM, WRAPPED, read
from aureum.store.cipher import TenantKey
from aureum.webhooks.queue.message import Message, Parked
from aureum.webhooks.telling.messages import messages

SLICE = 50
"""Streams that are worked through in one go; then the process's other tasks have their turn."""

STREAMS = """
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, e.recorded_at, k.wrapped
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.stream_id = ANY (%(streams)s) AND e.position <= %(until)s
 ORDER BY e.stream_id, e.version
"""


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
