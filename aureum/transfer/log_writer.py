"""Writes the events of a file into the log of a new tenant: the positions, times and metadata that they had, with new
keys and a new chain of hashes."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import AsyncConnection

from aureum.lru import Lru
from aureum.store.chain import link
from aureum.store.cipher import TenantKey
from aureum.store.event_log import SUBJECT_KEYS
from aureum.transfer.lines import Broken, LoggedEvent, has_sealed, replaces_sealed, stored
from aureum.transfer.numbers import SEQUENCE_OF, Numbers, TooManyNumbers

COPY_EVENTS = """
COPY events (tenant_id, stream_id, version, position, type, schema_version, data, metadata, recorded_at, hash)
FROM STDIN (FORMAT BINARY)
"""
EVENT_TYPES = ("uuid", "uuid", "int4", "int8", "text", "int2", "bytea", "bytea", "timestamptz", "bytea")

COPY_KEYS = "COPY subject_keys (tenant_id, subject_id, wrapped) FROM STDIN (FORMAT BINARY)"
KEY_TYPES = ("uuid", "uuid", "bytea")

GAPS = """
SELECT e.stream_id FROM events e
 WHERE e.tenant_id = %(tenant)s
 GROUP BY e.stream_id
HAVING min(e.version) <> 1 OR max(e.version) <> count(*)
 LIMIT 1
"""

SET_HEAD = """
UPDATE heads SET position = %(position)s, hash = %(hash)s, recorded_at = coalesce(%(at)s, recorded_at)
 WHERE tenant_id = %(tenant)s
"""

POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EIGHT_BYTES = struct.Struct(">q")

KEYS_KEPT = 20_000

AHEAD = timedelta(days=1)
"""How far the clock of the other installation may have been ahead of ours."""


class LogWriter:
    """The log of one tenant, from its first event on, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection[Any], key: TenantKey, numbers: Numbers, now: datetime) -> None:
        self.connection = connection
        self.key = key
        self.numbers = numbers
        self.latest = now + AHEAD
        self.position = 0
        self.hash = b""
        self.recorded_at: datetime | None = None
        self.keys: Lru[UUID, AESGCM] = Lru(KEYS_KEPT)

    def check(self, event: LoggedEvent) -> None:
        """Raises Broken unless *event* follows the one before. For numbers that are not given out here its own."""
        self.position += 1
        if event.position != self.position:
            raise Broken(f"the event at position {self.position} is missing before it")
        if event.time > self.latest:
            raise Broken("its time is in the future")
        if self.recorded_at is not None and event.time < self.recorded_at:
            raise Broken("its time is before that of the previous event")
        self.recorded_at = event.time
        if event.name in SEQUENCE_OF:
            try:
                event.fields["number"] = self.numbers.number(event.name, event.fields.get("number"))
            except TooManyNumbers as error:
                raise Broken("its number is not among those in the first line") from error

    async def write(self, events: Sequence[LoggedEvent]) -> None:
        """Store *events*, each of which was checked. Raises Broken, and the driver's errors."""
        keys = await self.keys_of(events)
        async with self.connection.cursor() as cursor, cursor.copy(COPY_EVENTS) as target:
            target.set_types(EVENT_TYPES)
            for event in events:
                data = stored(event, self.key.tenant_id, keys.get(event.stream_id))
                self.hash = link(
                    self.hash,
                    self.key.tenant_id,
                    stream_id=event.stream_id,
                    version=event.version,
                    position=event.position,
                    schema_version=event.schema_version,
                    recorded_at=EIGHT_BYTES.pack((event.time - POSTGRES_EPOCH) // MICROSECOND),
                    name=event.name,
                    data=data,
                    metadata=event.metadata,
                )
                await target.write_row(
                    (
                        *(self.key.tenant_id, event.stream_id, event.version, event.position, event.name),
                        *(event.schema_version, data, event.metadata, event.time, self.hash),
                    )
                )

    async def keys_of(self, events: Sequence[LoggedEvent]) -> dict[UUID, AESGCM]:
        """The keys of the subjects of *events*; those of persons who begin there are made."""
        sealed = [event for event in events if has_sealed(event.kind, event.schema_version)]
        made = {event.stream_id for event in sealed if event.personal or begins_a_person(event)}
        wanted = made | {event.stream_id for event in events if replaces_sealed(event)}
        found = {}
        for subject_id in wanted:
            key = self.keys.find(subject_id)
            if key is not None:
                found[subject_id] = key
        missing = list(wanted - found.keys())
        if missing:
            cursor = self.connection.cursor(binary=True)
            await cursor.execute(SUBJECT_KEYS, {"tenant": self.key.tenant_id, "subjects": missing})
            for subject_id, wrapped in await cursor.fetchall():
                found[subject_id] = self.key.open_subject_key(subject_id, wrapped)
        new = [subject_id for subject_id in missing if subject_id in made and subject_id not in found]
        async with self.connection.cursor() as cursor, cursor.copy(COPY_KEYS) as target:
            target.set_types(KEY_TYPES)
            for subject_id in new:
                found[subject_id], wrapped = self.key.new_subject_key(subject_id)
                await target.write_row((self.key.tenant_id, subject_id, wrapped))
        for subject_id, key in found.items():
            self.keys.keep(subject_id, key)
        return found

    async def has_gaps(self) -> bool:
        """Whether a version of a stream is missing."""
        cursor = await self.connection.execute(GAPS, {"tenant": self.key.tenant_id})
        return await cursor.fetchone() is not None

    async def end(self) -> None:
        """Name the head of the log, which is whole."""
        named = {"position": self.position, "hash": self.hash, "at": self.recorded_at, "tenant": self.key.tenant_id}
        await self.connection.execute(SET_HEAD, named)


def begins_a_person(event: LoggedEvent) -> bool:
    """Whether the subject of its stream gets a key with *event*, in which something personal may be sealed."""
    return event.version == 1 and not event.erased
