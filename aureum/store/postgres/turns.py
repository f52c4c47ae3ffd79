"""One at a time, over all processes: for rare commands that count before they append.

What an append itself can check it checks (``append.sql``). This is for the rest, where a few milliseconds and a
connection of its own do not matter.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg

from aureum.domain.errors import Busy, Unavailable
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.watch import Watch

WAIT_SECONDS = 10.0

# Ends with its transaction: behind a pooler, too, and when the process is killed.
TAKE = "SELECT pg_advisory_xact_lock(hashtext(%(what)s), hashtext(%(tenant)s))"

in_this_process: WeakKeyDictionary[Database, asyncio.Lock] = WeakKeyDictionary()
"""Those of one process stand in line before they connect: they cost one connection together."""


@asynccontextmanager
async def turn(database: Database, tenant_id: UUID, what: str) -> AsyncIterator[None]:
    """No other process does *what* in this tenant meanwhile. Not from a pool: the work under the turn needs that as
    well.

    Raises Busy if it takes too long, Unavailable.
    """
    line = in_this_process.setdefault(database, asyncio.Lock())
    try:
        async with (
            asyncio.timeout(WAIT_SECONDS) as waiting,
            line,
            await connect(database.url, prepared=database.prepared, watch=Watch(WAIT_SECONDS)) as connection,
            connection.transaction(),
        ):
            await connection.execute(TAKE, {"what": what, "tenant": str(tenant_id)})
            waiting.reschedule(None)
            yield
    except TimeoutError as error:
        raise Busy from error
    except psycopg.OperationalError as error:
        raise Unavailable from error
