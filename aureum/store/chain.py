"""Verifies a tenant's chain: the SHA-256 that every append continues over the bytes it stores (append.sql).

It finds what was changed, removed, added or moved behind the store's back. By itself it proves corruption, not
honesty: a user that may write to the tables can cut off the end, or make a whole new chain. Checkpoints that were
signed and have left the machine find that, too (``signed_checkpoints.py``). Where a part of the log was archived
(``archive.py``), the chain must also have the hash there that was written down then.
"""

import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aureum.store.postgres.connection import Connection
from aureum.store.signed_checkpoints import SignedCheckpoint

CHUNK = 2_000
"""Events that are in memory at once."""

TENANTS = """
SELECT tenant_id FROM heads UNION SELECT tenant_id FROM brokerages UNION SELECT tenant_id FROM events ORDER BY tenant_id
"""
"""Also those whose head row is gone."""

# One statement, so one snapshot: an append changes both or neither.
HEAD = """
SELECT h.position, h.hash, l.position
  FROM (SELECT max(e.position) AS position FROM events e WHERE e.tenant_id = %(tenant)s) l
  LEFT JOIN heads h ON h.tenant_id = %(tenant)s
"""

# The time as bytes, since a falsified one may be none that Python knows. Ids and types too: nothing is made of them.
EVENTS = """
SELECT position, uuid_send(stream_id), version, convert_to(type, 'UTF8'), schema_version, data, metadata,
       timestamptz_send(recorded_at), hash
  FROM events
 WHERE tenant_id = %(tenant)s AND position BETWEEN %(first)s AND %(last)s
 ORDER BY position
 LIMIT %(limit)s
"""

ARCHIVES = """
SELECT first_position, last_position, hash FROM archives WHERE tenant_id = %(tenant)s ORDER BY last_position
"""
"""The parts of the log that were archived, and the hash of the chain at the end of each."""

Read = Callable[[str, Mapping[str, Any]], Awaitable[list[Any]]]
"""Runs a statement and fetches its rows, in binary."""

LOWEST = -(2**63)
"""A log begins at 1, but a row that was added by hand may have any position."""

START = struct.Struct(">16s16siqh")
LENGTH = struct.Struct(">i")


@dataclass(frozen=True, slots=True)
class Verified:
    """Every event of the tenant stands as it was appended."""

    events: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The first position where the log is not as it was appended, and what is wrong there."""

    position: int
    what: str


def link(
    before: bytes,
    tenant_id: UUID,
    *,
    stream_id: UUID,
    version: int,
    position: int,
    schema_version: int,
    recorded_at: bytes,
    name: str,
    data: bytes,
    metadata: bytes,
) -> bytes:
    """The hash of one event after *before*, the empty bytes for the first.

    The bytes are those of append.sql: integers big-endian, *recorded_at* eight bytes of microseconds since 2000, and
    the lengths of type and data, so that no byte can move from one to the next.
    """
    kind = name.encode()
    row = (version, position, schema_version, recorded_at, kind, data, metadata)
    return next_hash(before, tenant_id.bytes, stream_id.bytes, *row)


def next_hash(
    before: bytes,
    tenant: bytes,
    stream: bytes,
    version: int,
    position: int,
    schema_version: int,
    recorded_at: bytes,
    kind: bytes,
    data: bytes,
    metadata: bytes,
) -> bytes:
    """The same of bytes. A verification does this for each event, and little else."""
    return sha256(
        b"".join(
            (
                before,
                START.pack(tenant, stream, version, position, schema_version),
                recorded_at,
                LENGTH.pack(len(kind)),
                kind,
                LENGTH.pack(len(data)),
                data,
                metadata,
            )
        )
    ).digest()


async def tenants(connection: AsyncConnection[Any]) -> list[UUID]:
    """Everyone of whom there is anything to verify."""
    cursor = connection.cursor(binary=True)
    await cursor.execute(TENANTS)
    return [tenant_id for (tenant_id,) in await cursor.fetchall()]


class Archive(NamedTuple):
    """A part of a log that was archived, and the hash of the chain at its end."""

    first: int
    last: int
    hash: bytes

    def __str__(self) -> str:
        return f"the archive of positions {self.first} to {self.last}"


@dataclass(slots=True)
class Walk:
    """A walk along the log of a tenant from its first event: the last position, and its hash. At the positions that
    were *signed* the hash has to be that of the checkpoint, and at the end of each of the *archives* its own."""

    tenant_id: UUID
    signed: Mapping[int, Sequence[SignedCheckpoint]] = field(default_factory=dict)
    archives: Mapping[int, Archive] = field(default_factory=dict)
    position: int = 0
    hash: bytes = b""

    def over(self, rows: Iterable[Any]) -> Broken | None:
        """Over the next events: what is wrong with the first that is not as it was appended, if one is not.

        Millions of them are walked over, so what each needs stands in one place.
        """
        tenant, signed, archives = self.tenant_id.bytes, self.signed, self.archives
        for position, stream, version, kind, schema_version, data, metadata, recorded_at, stored in rows:
            if position != self.position + 1:
                return self.in_archive(self.out_of_order(position))
            made = next_hash(
                self.hash, tenant, stream, version, position, schema_version, recorded_at, kind, data, metadata
            )
            if made != stored:
                place = f"position {position} (stream {UUID(bytes=stream)}, version {version})"
                said = f"the stored bytes at {place} are not those that were appended"
                return self.in_archive(Broken(position, said))
            self.position, self.hash = position, made
            if (position in signed or position in archives) and (broken := self.rewritten()):
                return broken
        return None

    def out_of_order(self, position: int) -> Broken:
        """What it means that *position* comes next."""
        if position <= self.position:
            return Broken(position, f"there is no position {position} in a log: this row was added")
        return Broken(self.position + 1, f"position {self.position + 1} is missing")

    def rewritten(self) -> Broken | None:
        """Whether the hash here is another than one that was written down for an archive, or signed."""
        archive = self.archives.get(self.position)
        if archive is not None and archive.hash != self.hash:
            said = f"the hash at position {self.position} is not the one that was written down for {archive}"
            return Broken(self.position, f"the log was rewritten: {said}")
        for checkpoint in self.signed.get(self.position, ()):
            if checkpoint.hash != self.hash:
                said = (
                    f"position {self.position} is not as it was when a checkpoint of it was signed at {checkpoint.at}"
                )
                return Broken(self.position, f"the log was rewritten: {said}")
        return None

    def in_archive(self, broken: Broken) -> Broken:
        """The same, and in which archive that is."""
        for archive in self.archives.values():
            if archive.first <= broken.position <= archive.last:
                return Broken(broken.position, f"{broken.what} (in {archive})")
        return broken

    def end(self) -> Broken | None:
        """The log ends here: what is missing of what was archived, and of what was signed."""
        archived = max(self.archives, default=0)
        if archived > self.position:
            said = f"the log ends at {self.position}, but {self.archives[archived]} was made of it"
            return Broken(self.position + 1, f"the end was cut off: {said}")
        after = max(self.signed, default=0)
        if after <= self.position:
            return None
        at = self.signed[after][0].at
        said = f"the log ends at {self.position}, but a checkpoint of position {after} was signed at {at}"
        return Broken(self.position + 1, f"the end was cut off: {said}")


def verify_rows(walk: Walk, rows: Iterable[Any]) -> Verified | Broken:
    """Verify a log outside the database, whose rows come as ``EVENTS`` has them."""
    return walk.over(rows) or walk.end() or Verified(walk.position)


async def verify(
    connection: Connection,
    tenant_id: UUID,
    progress: Callable[[int, int], None] | None = None,
    signed: Mapping[int, Sequence[SignedCheckpoint]] | None = None,
) -> Verified | Broken:
    """``verify_log`` on a connection of the owner, in autocommit: no transaction stays open."""

    async def read(query: str, parameters: Mapping[str, Any]) -> list[Any]:
        cursor = connection.cursor(binary=True)
        await cursor.execute(query, parameters)
        return await cursor.fetchall()

    with connection.large_answers():
        return await verify_log(read, tenant_id, progress, signed)


async def verify_log(
    read: Read,
    tenant_id: UUID,
    progress: Callable[[int, int], None] | None = None,
    signed: Mapping[int, Sequence[SignedCheckpoint]] | None = None,
) -> Verified | Broken:
    """Verify the tenant's log as it is now, against the checkpoints that were *signed*; what is appended meanwhile does
    not disturb. *progress* is told, after every chunk, how many events of how many are done."""
    archives = {last: Archive(first, last, hash_) for first, last, hash_ in await read(ARCHIVES, {"tenant": tenant_id})}
    ((head, head_hash, last),) = await read(HEAD, {"tenant": tenant_id})
    if head is None:
        return Broken(0, "the tenant has no head")
    walk = Walk(tenant_id, signed or {}, archives)
    async with aclosing(chunks(read, tenant_id, head)) as found:
        async for rows in found:
            if broken := walk.over(rows):
                return broken
            if progress is not None:
                progress(walk.position, head)
    if walk.position < head:
        return walk.in_archive(Broken(walk.position + 1, f"the head says {head}, but the log ends at {walk.position}"))
    if last is not None and last > head:
        return Broken(head + 1, f"the head says {head}, but the log goes on to {last}")
    if walk.hash != head_hash:
        return Broken(head, f"the head's hash is not that of position {head}")
    return walk.end() or Verified(head)


async def chunks(read: Read, tenant_id: UUID, head: int) -> AsyncGenerator[list[Any]]:
    """The rows of the log up to *head*. The next ones are not read while the caller works on these: that takes as long
    as to wait for the interpreter."""
    first, more = LOWEST, True
    while more:
        rows = await read(EVENTS, {"tenant": tenant_id, "first": first, "last": head, "limit": CHUNK})
        more = len(rows) == CHUNK
        if more:
            first = rows[-1][0] + 1
        yield rows
