"""Appends as small as can be, and other sessions beside them, for tests of ``append_events`` and of the writer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from aureum.store.append import Append, Remember
from aureum.store.chain import Verified, verify
from aureum.store.postgres.connection import Connection
from tests.store.recorder import recorded


def an_append(
    tenant_id: UUID, stream_id: UUID | None = None, expected: int = 0, events: int = 1, **more: Any
) -> Append:
    """Some events of no particular type; *more* are fields of Append."""
    stream_id = stream_id or uuid4()
    versions = range(expected + 1, expected + 1 + events)
    return Append(
        tenant_id=tenant_id,
        stream_id=stream_id,
        expected_version=expected,
        events=[StoredEvent(stream_id, version, "test.happened", b"{}") for version in versions],
        metadata=recorded(events),
        **{"rows": {}} | more,
    )


def remember(key: str, request: str = "request", answer: str = "answer") -> Remember:
    """An idempotency key with what belongs to it."""
    return Remember(key.encode(), request.encode(), answer.encode())


async def new_tenants(connection: Connection, count: int) -> list[UUID]:
    """Tenants with nothing but a head, in the order in which their heads are locked."""
    made = sorted(uuid4() for _ in range(count))
    await connection.cursor().executemany("INSERT INTO heads (tenant_id) VALUES (%s)", [[one] for one in made])
    return made


async def log_of(connection: Connection, tenant_id: UUID) -> list[tuple[int, UUID, int]]:
    """(position, stream, version) of every event in order; the chain has been verified, so there is no gap."""
    query = "SELECT position, stream_id, version FROM events WHERE tenant_id = %s ORDER BY position"
    rows = await (await connection.execute(query, [tenant_id])).fetchall()
    assert await verify(connection, tenant_id) == Verified(len(rows))
    return rows


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Another session, in autocommit."""
    async with await Connection.connect(url, autocommit=True) as connection:
        yield connection


@asynccontextmanager
async def held(url: str, *tenants: UUID) -> AsyncIterator[None]:
    """Another session holds the heads of *tenants*."""
    async with connected(url) as holder, holder.transaction():
        await holder.execute("SELECT FROM heads WHERE tenant_id = ANY (%s) FOR UPDATE", [list(tenants)])
        yield


async def until_somebody_waits_for_a_lock(connection: Connection) -> int:
    """The process id of a session that waits for a lock, as soon as there is one; thirty seconds at most."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(30):
        while True:
            row = await (await connection.execute(query)).fetchone()
            if row is not None:
                return int(row[0])
