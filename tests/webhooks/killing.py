"""Loses the connection of a worker in the middle of its work, before any of its statements."""

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg

from aureum.domain.errors import Unavailable
from aureum.store.event_store import EventStore


class KillingCursor(psycopg.AsyncCursor[Any]):
    """Before one of its connection's statements the server's side of the connection is killed."""

    statements = 0
    kill_at = 0

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        KillingCursor.statements += 1
        if KillingCursor.statements == KillingCursor.kill_at:
            async with await psycopg.AsyncConnection.connect(self.connection.info.dsn, autocommit=True) as killer:
                pid = self.connection.info.backend_pid
                await killer.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        return await super().execute(*arguments, **options)


async def make_mortal(victim: EventStore) -> None:
    """From now on the connections that *victim* makes can be killed; it has one at a time."""
    pool = victim.database.pool
    assert isinstance(pool.kwargs, dict)
    pool.kwargs["cursor_factory"] = KillingCursor
    await pool.resize(1, 1)


async def killed(victim: EventStore, tenant_id: UUID, statement: int, work: Coroutine[Any, Any, Any]) -> bool:
    """Do *work* of *victim* and kill its connection before the so manieth statement; whether it came to that. A read is
    asked again on a new connection, and the work goes on."""
    KillingCursor.kill_at = 0
    async with victim.database.pool.connection() as connection:
        # The pool makes another one, whatever became of this. It may not know yet that the server's side is gone.
        await connection.close()
    await victim.tenant_key(tenant_id)
    # Now there is one, and what opened it is not counted.
    await victim.database.rows("SELECT 1")
    KillingCursor.statements, KillingCursor.kill_at = 0, statement
    try:
        with suppress(Unavailable):
            await work
        return KillingCursor.statements >= statement
    finally:
        KillingCursor.kill_at = 0
