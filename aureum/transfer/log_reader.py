"""Reads the log of a brokerage for an export: in short statements, with the keys that open what is personal."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.lru import Lru
from aureum.store.cipher import TenantKey
from aureum.store.mapper import ERASING, ONCE_IN_CLEAR
from aureum.store.postgres.connection import Connection
from aureum.transfer.lines import Broken, LineWriter

TIME = """to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

EVENTS = f"""
SELECT e.stream_id, e.version, e.position, e.type, e.schema_version, e.data, e.metadata, {TIME}, k.wrapped,
       e.type = ANY (%(clear)s) AND k.wrapped IS NULL AND EXISTS (
           SELECT FROM events x
            WHERE x.tenant_id = e.tenant_id AND x.stream_id = e.stream_id AND x.type = ANY (%(erasing)s)
       )
  FROM events e
  LEFT JOIN subject_keys k ON k.tenant_id = e.tenant_id AND k.subject_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.position > %(after)s AND e.position <= %(until)s
 ORDER BY e.position
"""  # noqa: S608  # of constants

CHUNK = 2_000
"""Events that are in memory at once, and as many again that are read ahead."""

KEYS_KEPT = 20_000


async def chunks(connection: Connection, tenant_id: UUID, head: int) -> AsyncGenerator[list[Any]]:
    """The rows of the log up to *head*. The database looks for the next ones while the caller works on these.

    Raises Broken where one is missing.
    """

    async def fetch(after: int) -> list[Any]:
        cursor = connection.cursor(binary=True)
        named = {"tenant": tenant_id, "after": after, "until": min(after + CHUNK, head)}
        named |= {"clear": list(ONCE_IN_CLEAR), "erasing": list(ERASING)}
        await cursor.execute(EVENTS.encode(), named)
        return await cursor.fetchall()

    ahead = asyncio.create_task(fetch(0))
    try:
        for after in range(0, head, CHUNK):
            rows = await ahead
            if len(rows) != min(CHUNK, head - after):
                raise Broken(f"Events are missing after position {after}. Run 'aureum audit verify' to find them.")
            ahead = asyncio.create_task(fetch(after + CHUNK))
            # So that the statement is on its way before the work on these rows begins.
            await asyncio.sleep(0)
            yield rows
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)


class OpenedKeys:
    """Opens the keys of subjects, and keeps those that were used last."""

    def __init__(self, key: TenantKey) -> None:
        self.key = key
        self.opened: Lru[int, AESGCM] = Lru(KEYS_KEPT)

    def line(self, writer: LineWriter, row: Any) -> bytes:
        """The line of a row of ``EVENTS``. Raises Broken."""
        stream_id, version, position, name, schema_version, data, metadata, time, wrapped, gone = row
        key = None
        if wrapped is not None:
            key = self.opened.find(stream_id.int)
            if key is None:
                try:
                    key = self.key.open_subject_key(stream_id, wrapped)
                except InvalidTag as error:
                    raise Broken(f"The key of the event at position {position} is damaged.") from error
                self.opened.keep(stream_id.int, key)
        return writer.line(
            stream_id=stream_id,
            version=version,
            position=position,
            name=name,
            schema_version=schema_version,
            data=data,
            metadata=metadata,
            time=time,
            key=key,
            gone=gone,
        )
