"""One call of ``append_events`` (append.sql): what several commands decided, as arrays, and what became of each."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent
from psycopg import AsyncConnection

from aureum.domain.clock import CLOCK
from aureum.store.mapper import split_topic
from aureum.store.postgres.arrays import packed

GROUP_LIMIT = 64
"""Appends in one call."""

NOBODY = UUID(int=0)
"""A writer that is never given up."""

TOO_LATE = "AU001"
"""The SQLSTATE of a call that came when nobody waited for it any more. Nothing of it was done."""

CALL = """
SELECT item, outcome, position, version, answer, retry_at, told_at FROM append_events(
    %b::uuid[], %b::uuid[], %b::integer[], %b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[], %b, %b::integer[],
    %b::integer[], %b::integer[], %b::text[], %b::integer[], %b::bytea[], %b::bytea[],
    %b::integer[], %b::text[], %b::integer[], %b::bytea[], %s::integer,
    %b::integer[], %b::text[],
    %b::text[], %s::json, %s::uuid, %s::float8, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Remember:
    """An idempotency key, what was asked under it (both hashed), and the answer to keep (encrypted)."""

    key: bytes
    request: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """The events that one command decided for one stream, ready to be stored.

    ``site_version`` is what is known of the brokerage and must still hold (0: nothing); ``client`` is the address whose
    form limit counts ('': nobody's). ``also`` are events of other streams of the tenant: all are appended or none.
    ``slug`` must be free in the tenant ('': the stream has none). ``digest`` is of who sent a form and what it says:
    the same within ten minutes is not appended (b'': it may be sent twice).
    """

    tenant_id: UUID
    stream_id: UUID
    expected_version: int
    events: Sequence[StoredEvent]
    metadata: Sequence[bytes]
    rows: dict[str, list[dict[str, Any]]]
    subject_key: bytes = b""
    remember: Remember | None = None
    site_version: int = 0
    client: str = ""
    also: tuple["Append", ...] = ()
    slug: str = ""
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an append; the words are explained in append.sql."""

    outcome: str
    position: int | None
    version: int | None
    answer: bytes | None
    retry_at: datetime | None = None
    told_at: datetime | None = None


def arguments(
    leaders: Sequence[Append],
    lock_timeout: str,
    skip_locked: bool,
    form_limit: int = 0,
    writer: UUID = NOBODY,
    until: float = math.inf,
) -> list[Any]:
    """The arguments of ``append_events``. Arrays are sent in binary: as text they cost five times as much."""
    item: list[int] = []
    first: list[int] = []
    version: list[int] = []
    types: list[str] = []
    schema: list[int] = []
    data: list[bytes] = []
    metadata: list[bytes] = []
    rows: dict[str, list[dict[str, Any]]] = {}
    together: list[int] = []
    appends: list[Append] = []
    for leader in leaders:
        appends += (leader, *leader.also)
        together += [0] + [len(appends) - len(leader.also)] * len(leader.also)
    remembered = [a.remember for a in appends]
    digests = [a.digest for a in appends]
    for number, append in enumerate(appends, start=1):
        first.append(len(item) + 1)
        for stored, about in zip(append.events, append.metadata, strict=True):
            name, schema_version = split_topic(stored.topic)
            item.append(number)
            version.append(stored.originator_version)
            types.append(name)
            schema.append(schema_version)
            data.append(stored.state)
            metadata.append(about)
        for model, made in append.rows.items():
            into = rows.setdefault(model, [])
            into.extend(row | {"item": number} for row in made)
    return [
        packed(UUID, [a.tenant_id for a in appends]),
        packed(UUID, [a.stream_id for a in appends]),
        packed(int, [a.expected_version for a in appends]),
        packed(bytes, [r.key if r else b"" for r in remembered]),
        packed(bytes, [r.request if r else b"" for r in remembered]),
        packed(bytes, [r.answer if r else b"" for r in remembered]),
        packed(bytes, [a.subject_key for a in appends]),
        any(remembered),
        packed(int, [*first, len(item) + 1]),
        packed(int, item),
        packed(int, version),
        packed(str, types),
        packed(int, schema),
        packed(bytes, data),
        packed(bytes, metadata),
        packed(int, [a.site_version for a in appends]),
        packed(str, [a.client for a in appends]),
        packed(int, turns(appends)),
        packed(bytes, digests if any(digests) else []),
        form_limit,
        packed(int, together),
        packed(str, [a.slug for a in appends]),
        packed(str, list(rows)),
        orjson.dumps(rows).decode(),
        writer,
        until,
        lock_timeout,
        skip_locked,
    ]


def turns(appends: Sequence[Append]) -> list[int]:
    """How many of the same client there are up to each; the limit grants them in this order."""
    counts: Counter[tuple[UUID, str]] = Counter()
    made = []
    for append in appends:
        counts[append.tenant_id, append.client] += 1
        made.append(counts[append.tenant_id, append.client])
    return made


async def call(
    connection: AsyncConnection[Any],
    appends: Sequence[Append],
    lock_timeout: str,
    *,
    skip_locked: bool = False,
    form_limit: int = 0,
    writer: UUID = NOBODY,
    until: float = math.inf,
) -> list[Outcome]:
    """Append, in one round trip; one outcome for each, in order. *writer* names the connection; nothing is appended
    after *until* on the database's clock (seconds since 1970), or once the writer was given up.

    Raises the driver's errors.
    """
    cursor = connection.cursor(binary=True)
    parameters, asked = arguments(appends, lock_timeout, skip_locked, form_limit, writer, until), time.monotonic()
    await cursor.execute(CALL, parameters)
    rows = await cursor.fetchall()
    if rows and rows[0][-1] is not None:
        CLOCK.heard(rows[0][-1], asked, time.monotonic())
    outcomes = {item: Outcome(*outcome) for item, *outcome in rows}
    items = accumulate((1 + len(append.also) for append in appends[:-1]), initial=1)
    return [outcomes[item] for item in items]
