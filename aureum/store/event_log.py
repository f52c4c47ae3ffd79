"""Reads a tenant's log in bounded batches, as events: by position, or stream by stream.

Every batch is a statement of its own; no snapshot is held between two. It reads on a connection of the owner role
(``rows_on``), or as the service does, which sees one tenant (``Database.tenant_rows``).
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import AsyncConnection

from aureum.projections.document_list import ABOVE_ALL
from aureum.store.cipher import TenantKey, TenantKeys
from aureum.store.event_store import NEW_TENANT_KEY, TENANT_KEY, Read
from aureum.store.mapper import EventMapper, SubjectKeys

BEFORE = """(
           SELECT b.recorded_at FROM events b WHERE b.tenant_id = e.tenant_id AND b.position = e.position - 1
       )"""

BY_POSITION = f"""
SELECT e.stream_id, e.version, e.type, e.schema_version, e.data, {BEFORE}
  FROM events e
 WHERE e.tenant_id = %(tenant)s AND e.position > %(after)s AND e.position <= %(until)s AND e.type = ANY (%(types)s)
 ORDER BY e.position
"""  # noqa: S608  # of constants

BY_STREAM = f"""
SELECT e.stream_id, e.version, e.type, e.schema_version, e.data, {BEFORE}
  FROM events e
 WHERE e.tenant_id = %(tenant)s AND (e.stream_id, e.version) > (%(stream)s, %(version)s) AND e.position <= %(until)s
   AND e.stream_id <= %(last)s AND e.type = ANY (%(types)s)
 ORDER BY e.stream_id, e.version
 LIMIT %(limit)s
"""  # noqa: S608  # of constants

SUBJECT_KEYS = """
SELECT subject_id, wrapped FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = ANY (%(subjects)s)
"""

LAST_VERSION = (1 << 31) - 1
"""No stream has more events."""

SLICE = 250
"""Events that are decoded in one go: a few milliseconds, then other tasks of the process have their turn."""


def rows_on(connection: AsyncConnection[Any]) -> Read:
    """Runs statements on *connection*."""

    async def read(query: str, parameters: Mapping[str, Any]) -> list[Any]:
        return await (await connection.cursor(binary=True).execute(query, parameters)).fetchall()

    return read


async def open_tenant_key(connection: AsyncConnection[Any], keys: TenantKeys, tenant_id: UUID) -> TenantKey:
    """The tenant's key, made if there is none yet: what is appended from now on may need it. Raises WrongMasterKey."""
    key = keys.get(tenant_id)
    if key is not None:
        return key
    wrapped = keys.master.new_tenant_key(tenant_id)
    await connection.execute(NEW_TENANT_KEY, {"tenant": tenant_id, "wrapped": wrapped})
    ((wrapped,),) = await (await connection.execute(TENANT_KEY, {"tenant": tenant_id}, binary=True)).fetchall()
    return keys.open(tenant_id, wrapped)


class Logged(NamedTuple):
    """An event, and when the one ahead of it in the tenant's log was recorded; None for the first."""

    event: Any
    before: datetime | None


class Fetched(NamedTuple):
    """A batch as it is stored, and the wrapped keys of the subjects in it: by number, which is hashed in a tenth of the
    time that a UUID takes."""

    rows: list[Any]
    wrapped_keys: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class EventLog:
    """The events of *types* in one tenant's log. Without a key nothing is decrypted: personal fields read as erased.

    *ahead*: whether the next batch is looked for while the caller works, who then must not use the connection.
    """

    read: Read
    tenant_id: UUID
    types: Sequence[str]
    key: TenantKey | None
    ahead: bool = True

    async def by_position(self, after: int, until: int) -> list[Logged]:
        """The events at the positions above *after*, up to *until*; their number is bounded by the distance."""
        return await self._decode(await self._fetch(BY_POSITION, {"after": after, "until": until}))

    async def by_stream(
        self, until: int, limit: int, last: UUID = ABOVE_ALL, behind: UUID | None = None
    ) -> AsyncGenerator[list[Logged], None]:
        """The events at *until* and before, in order of stream and version, *limit* at a time; of the streams
        behind *behind* up to *last*.

        Close it with ``aclosing``.
        """
        stream, version = (UUID(int=0), 0) if behind is None else (behind, LAST_VERSION)
        after = {"stream": stream, "version": version, "until": until, "limit": limit, "last": last}
        if not self.ahead:
            while True:
                fetched = await self._fetch(BY_STREAM, after)
                yield await self._decode(fetched)
                if len(fetched.rows) < limit:
                    return
                stream_id, version, *_ = fetched.rows[-1]
                after |= {"stream": stream_id, "version": version}
        ahead = asyncio.create_task(self._fetch(BY_STREAM, after))
        try:
            while True:
                fetched = await ahead
                more = len(fetched.rows) == limit
                if more:
                    stream_id, version, *_ = fetched.rows[-1]
                    after |= {"stream": stream_id, "version": version}
                    ahead = asyncio.create_task(self._fetch(BY_STREAM, dict(after)))
                yield await self._decode(fetched)
                if not more:
                    return
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _fetch(self, query: str, parameters: dict[str, Any]) -> Fetched:
        rows = await self.read(query, {"tenant": self.tenant_id, "types": list(self.types)} | parameters)
        if self.key is None:
            return Fetched(rows, {})
        subjects = list({row[0].int: row[0] for row in rows}.values())
        wrapped = await self.read(SUBJECT_KEYS, {"tenant": self.tenant_id, "subjects": subjects})
        return Fetched(rows, {subject_id.int: key for subject_id, key in wrapped})

    async def _decode(self, fetched: Fetched) -> list[Logged]:
        mapper = EventMapper(self.tenant_id, self._subject_keys(fetched.wrapped_keys))
        events = []
        for number, (stream_id, version, name, schema_version, data, before) in enumerate(fetched.rows):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            events.append(Logged(mapper.event(stream_id, version, name, schema_version, data), before))
        return events

    def _subject_keys(self, wrapped: dict[int, bytes]) -> SubjectKeys:
        """Each key is opened when it is first asked for, and kept while its batch is decoded."""
        opened: dict[int, AESGCM] = {}

        def subject_key(subject_id: UUID) -> AESGCM | None:
            number = subject_id.int
            key = opened.get(number)
            if key is None and self.key is not None and number in wrapped:
                key = opened[number] = self.key.open_subject_key(subject_id, wrapped[number])
            return key

        return subject_key
