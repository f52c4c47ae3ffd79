"""The test no library has: a reader that follows a log by position sees every committed event once, and in order.

Writers pause between insert and commit, roll back, or lose their connection; a reader follows meanwhile. With positions
from a sequence, or without the head's lock, it would pass over events that are committed later than their successors.
"""

import asyncio
import random
import threading
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import ConnectionPool

from aureum.store.append import call
from tests.store.appends import an_append, connected, log_of, new_tenants
from tests.store.recorder import PollingSubscription, TenantRecorder

WRITERS = 10
TRANSACTIONS = 30
LONGEST_PAUSE = 0.01
PATIENCE = 30.0

ENDINGS = ("commit",) * 7 + ("rollback", "close", "terminate")


async def write(url: str, tenant_id: UUID, dice: random.Random) -> list[UUID]:
    """Append in TRANSACTIONS transactions that end in various ways; an entry for each event that was committed."""
    committed: list[UUID] = []
    connection = await AsyncConnection.connect(url, autocommit=True)
    async with connected(url) as executioner:
        for _ in range(TRANSACTIONS):
            if connection.closed:
                connection = await AsyncConnection.connect(url, autocommit=True)
            append = an_append(tenant_id, events=dice.randint(1, 3))
            await connection.execute("BEGIN")
            ((outcome),) = await call(connection, [append], "5s")
            assert outcome.outcome == "appended"
            await asyncio.sleep(dice.uniform(0, LONGEST_PAUSE))
            match dice.choice(ENDINGS):
                case "commit":
                    await connection.execute("COMMIT")
                    committed += [append.stream_id] * len(append.events)
                case "rollback":
                    await connection.execute("ROLLBACK")
                case "close":
                    await connection.close()
                case "terminate":
                    pid = connection.info.backend_pid
                    await executioner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
                    with suppress(psycopg.OperationalError):
                        await connection.execute("COMMIT")
    await connection.close()
    return committed


class Reader:
    """Follows a tenant's log in a thread of its own, and keeps what it has seen."""

    def __init__(self, pool: ConnectionPool[Any], tenant_id: UUID) -> None:
        self.subscription: PollingSubscription = TenantRecorder(pool, tenant_id).subscribe()
        self.seen: list[tuple[int, UUID, int]] = []
        self.moved = threading.Condition()
        self.following = asyncio.create_task(asyncio.to_thread(self._follow))

    def _follow(self) -> None:
        for one in self.subscription:
            with self.moved:
                self.seen.append((one.id, UUID(str(one.originator_id)), one.originator_version))
                self.moved.notify()

    def _wait(self, events: int) -> None:
        with self.moved:
            self.moved.wait_for(lambda: len(self.seen) >= events, PATIENCE)

    async def stop_after(self, events: int) -> None:
        """Let it see so many, for which it has PATIENCE seconds."""
        await asyncio.to_thread(self._wait, events)
        self.subscription.stop()
        await self.following


async def writers_and_readers(url: str, seed: int) -> None:
    async with connected(url) as connection:
        tenants = await new_tenants(connection, 2)
        with ConnectionPool[Any](url, min_size=2, max_size=2, open=True) as pool:
            readers = [Reader(pool, tenant_id) for tenant_id in tenants]
            writing = [write(url, tenants[n % 2], random.Random(seed + n)) for n in range(WRITERS)]
            committed = await asyncio.gather(*writing)
            for place, (tenant_id, reader) in enumerate(zip(tenants, readers, strict=True)):
                last = an_append(tenant_id)
                await call(connection, [last], "5s")
                streams = [stream_id for some in committed[place::2] for stream_id in some] + [last.stream_id]
                await reader.stop_after(len(streams))
                assert [position for position, _, _ in reader.seen] == list(range(1, len(streams) + 1))
                assert sorted(stream_id for _, stream_id, _ in reader.seen) == sorted(streams)
                assert reader.seen == await log_of(connection, tenant_id)


def test_a_reader_by_position_misses_nothing(module_database_url: str) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    asyncio.run(writers_and_readers(module_database_url, seed))
