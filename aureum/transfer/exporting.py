"""Writes a brokerage's whole log, as it is at one position, line by line.

    snapshot   one transaction: the position, the brokerage's own events, a hash of what people read
    lines      the log up to that position, in short statements: what stands there never changes
    links      by which people unsubscribe from newsletters that they have
    documents  their bytes, chunk by chunk
    end        how many lines there are, and their hash

Others go on writing meanwhile. Memory does not grow with the log. The connections are the owner's.
"""

import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import IsolationLevel

from aureum import __version__
from aureum.domain.ids import PLATFORM, to_wire
from aureum.store.blobs import BlobStore
from aureum.store.cipher import TenantKey
from aureum.store.mapper import ERASING
from aureum.store.postgres.connection import Connection
from aureum.transfer import numbers
from aureum.transfer.documents import document_lines
from aureum.transfer.lines import BEGUN, ENDED, LINKS, Broken, LineWriter, special
from aureum.transfer.log_reader import TIME, OpenedKeys, chunks
from aureum.transfer.sealing import LineSeal
from aureum.transfer.state import as_document, state_of

FORMAT = 1
"""The version of the file. A reader refuses a higher one."""

HEAD = """
SELECT h.position, b.slug, b.name, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  FROM heads h
  JOIN brokerages b ON b.tenant_id = h.tenant_id
 WHERE h.tenant_id = %(tenant)s
"""

OWN_EVENTS = f"""
SELECT e.stream_id, e.version, e.type, e.schema_version, e.data, e.metadata, {TIME}
  FROM events e
 WHERE e.tenant_id = %(platform)s AND e.stream_id = %(tenant)s
 ORDER BY e.version
"""  # noqa: S608  # of constants

ERASED_MEANWHILE = """
SELECT EXISTS (
    SELECT FROM events e WHERE e.tenant_id = %(tenant)s AND e.position > %(head)s AND e.type = ANY (%(erasing)s)
)
"""

TURNS = """
SELECT s.name, s.position, s.window_name, s.times FROM turns s WHERE s.tenant_id = %(tenant)s ORDER BY s.name
"""

REPLAYS = """
SELECT r.replay_id, r.state, r.cursor, r.queued, r.ended_at FROM webhook_replays r
 WHERE r.tenant_id = %(tenant)s AND r.state <> 'running'
 ORDER BY r.replay_id
"""

LOGO = """
SELECT l.digest, l.image FROM brokerage_logos l JOIN brokerages b ON b.tenant_id = l.tenant_id AND b.logo = l.digest
 WHERE l.tenant_id = %(tenant)s
"""

LINK_PAGE = """
SELECT t.token_hash, t.subscriber_id FROM unsubscribe_tokens t
 WHERE t.tenant_id = %(tenant)s AND t.token_hash > %(after)s
 ORDER BY t.token_hash LIMIT %(limit)s
"""

LINKS_A_LINE = 1_000


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: *events* of the log, the *hash* of the file's lines, and that of what people read."""

    events: int
    hash: str
    state: str


class Lines:
    """Counts and hashes the lines that it hands to *write*."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write = write
        self.count = 0
        self.hashed = hashlib.sha256()

    def add(self, lines: Sequence[bytes]) -> None:
        """Write *lines*. Raises OSError."""
        block = b"".join(lines)
        self.count += len(lines)
        self.hashed.update(block)
        self.write(block)


async def export(
    connection: Connection,
    key: TenantKey,
    write: Callable[[bytes], object],
    blobs: BlobStore,
    seal: LineSeal | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write the log of the brokerage of *key*, and its documents, which are in *blobs*. *progress* is called with how
    many events of how many are written.

    Raises Broken for an event or a document that cannot be read, BucketUnavailable, OSError, and the driver's errors.
    """
    tenant_id = key.tenant_id
    source = f"/brokerages/{to_wire(tenant_id)}"
    writer = LineWriter(tenant_id, source, seal)
    lines = Lines(write)
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    async with connection.transaction():
        about, own, at = await snapshot(connection, key, seal)
    await connection.set_isolation_level(None)
    head: int = about["position"]
    lines.add([special(source, BEGUN, "begun", at, about)])
    lines.add(
        [
            writer.line(
                stream_id=stream_id,
                version=version,
                position=0,
                name=name,
                schema_version=schema_version,
                data=data,
                metadata=metadata,
                time=time,
                key=None,
            )
            for stream_id, version, name, schema_version, data, metadata, time in own
        ]
    )
    opened = OpenedKeys(key)
    with connection.large_answers():
        async with aclosing(chunks(connection, tenant_id, head)) as found:
            async for rows in found:
                lines.add([opened.line(writer, row) for row in rows])
                if progress is not None:
                    progress(rows[-1][2], head)
    async for links in link_pages(connection, tenant_id):
        lines.add([special(source, LINKS, f"links.{lines.count}", at, {"links": links})])
    async for line in document_lines(connection, blobs, key, seal, source, at):
        lines.add([line])
    await check_erased(connection, tenant_id, head)
    digest = lines.hashed.hexdigest()
    lines.add([special(source, ENDED, "ended", at, {"events": head, "lines": lines.count, "hash": digest})])
    return Exported(head, digest, about["state"]["hash"])


async def check_erased(connection: Connection, tenant_id: UUID, head: int) -> None:
    """Raises Broken if a person was erased since the log ended at *head*: lines may still have what was known."""
    named = {"tenant": tenant_id, "head": head, "erasing": list(ERASING)}
    ((erased,),) = await (await connection.execute(ERASED_MEANWHILE, named)).fetchall()
    if erased:
        raise Broken("A person was erased while the log was exported. Nothing was written. Export again.")


async def snapshot(
    connection: Connection, key: TenantKey, seal: LineSeal | None
) -> tuple[dict[str, Any], list[Any], str]:
    """What the first line says, the brokerage's own events, and when that was: all of one moment."""
    tenant_id = key.tenant_id
    named = {"tenant": tenant_id, "platform": PLATFORM}

    async def rows(query: str) -> list[Any]:
        cursor = connection.cursor(binary=True)
        await cursor.execute(query.encode(), named)
        return await cursor.fetchall()

    ((head, slug, name, at),) = await rows(HEAD)
    own = await rows(OWN_EVENTS)
    logo = [{"digest": digest, "image": b64encode(image).decode()} for digest, image in await rows(LOGO)]
    streams = b64encode(key.stream_key).decode()
    about = {
        "format": FORMAT,
        "aureum": __version__,
        "brokerage": {"id": to_wire(tenant_id), "slug": slug, "name": name},
        "position": head,
        "ownEvents": len(own),
        "sealing": None if seal is None else seal.description(),
        "streamKey": streams if seal is None else seal.seal(1, b"stream key", key.stream_key),
        "numbers": await numbers.used(connection, tenant_id),
        "state": as_document(await state_of(connection, tenant_id)),
        "turns": [[to_wire(agent), position, window, times] for agent, position, window, times in await rows(TURNS)],
        "replays": [
            [to_wire(replay), state, cursor, queued, None if ended is None else ended.isoformat()]
            for replay, state, cursor, queued, ended in await rows(REPLAYS)
        ],
        "logo": logo[0] if logo else None,
    }
    return about, own, at


async def link_pages(connection: Connection, tenant_id: UUID) -> AsyncIterator[list[list[str]]]:
    """The hashes of links with their subscribers, a thousand at a time."""
    cursor, after = connection.cursor(binary=True), b""
    while True:
        await cursor.execute(LINK_PAGE.encode(), {"tenant": tenant_id, "after": after, "limit": LINKS_A_LINE})
        rows = await cursor.fetchall()
        if rows:
            yield [[hashed.hex(), to_wire(subscriber)] for hashed, subscriber in rows]
        if len(rows) < LINKS_A_LINE:
            return
        after = rows[-1][0]
