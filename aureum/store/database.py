"""Connections, and the one way in which the service reads: as a role that sees a single tenant.

Every connection is in autocommit; a transaction is where it is written out. Errors of the driver that mean "the
database is not there" become ``Unavailable`` here, once.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from aureum.domain.errors import Unavailable
from aureum.store.together import Together

CONNECT_TIMEOUT_SECONDS = 5

AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
)
"""What means that the database is not there, that it is a standby which somebody has yet to promote, or that it has
ended a session of ours which stood still."""

SET_TENANT = sql.SQL("SET LOCAL aureum.tenant_id = {}")
"""SET, not set_config: on Citus only SET reaches the workers."""


async def connect(url: str, *, prepared: bool = True) -> AsyncConnection[Any]:
    """A connection of one's own, in autocommit. Raises Unavailable."""
    try:
        connection = await AsyncConnection.connect(
            url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS, application_name="aureum"
        )
    except psycopg.OperationalError as error:
        raise Unavailable from error
    connection.prepare_threshold = 5 if prepared else None
    return connection


def unavailable(error: psycopg.Error) -> Unavailable:
    """What an operator should know of *error*: a full disk is told plainly, everything else is "not there"."""
    if isinstance(error, psycopg.errors.DiskFull):
        return Unavailable("The database's disk is full: nothing can be stored until its operator makes room.")
    return Unavailable()


class Database:
    """The pool of readers of one process. Open it with ``async with``.

    *idle_seconds*: how long a transaction may stand still before the server ends it, with its locks (unset: what the
    role has). Behind a pooler that does not keep prepared statements it is left alone: no session there is ours.
    """

    def __init__(
        self, url: str, *, pool_size: int = 4, prepared: bool = True, idle_seconds: float | None = None
    ) -> None:
        self.url = url
        self.prepared = prepared
        self.idle_seconds = idle_seconds
        self.together = Together(self.rows)
        self.pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            url,
            kwargs={"autocommit": True, "connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "aureum"},
            min_size=1,
            max_size=pool_size,
            timeout=CONNECT_TIMEOUT_SECONDS,
            configure=self._configure,
            reconnect_timeout=10,
            open=False,
        )

    async def _configure(self, connection: AsyncConnection[Any]) -> None:
        connection.prepare_threshold = 5 if self.prepared else None
        if self.idle_seconds is not None and self.prepared:
            await connection.execute(f"SET idle_in_transaction_session_timeout = {round(self.idle_seconds * 1000)}")

    async def __aenter__(self) -> "Database":
        await self.pool.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection of the pool, as the owner role. Raises Unavailable."""
        try:
            async with self.pool.connection() as connection:
                try:
                    yield connection
                except psycopg.errors.ReadOnlySqlTransaction:
                    # The next connection may find whoever has taken over.
                    await connection.close()
                    raise
        except AWAY as error:
            raise unavailable(error) from error

    async def rows(self, query: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> list[Any]:
        """Run one statement as the owner and fetch its rows: directories, sweeps, functions. Raises Unavailable."""
        async with self.connection() as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def tenant_rows(self, tenant_id: UUID, query: str, parameters: Mapping[str, Any]) -> list[Any]:
        """Run one statement that sees only *tenant_id*, in one round trip. Raises Unavailable.

        The query names its tenant too; row level security is the second wall.
        """
        (result,) = await self.tenant_results(tenant_id, [(query, parameters)])
        return result

    async def tenant_results(
        self, tenant_id: UUID, queries: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> list[list[Any]]:
        """Like ``tenant_rows`` for several statements of one snapshot-free transaction."""
        set_tenant = SET_TENANT.format(sql.Literal(str(tenant_id)))
        async with self.connection() as connection:
            cursors = [connection.cursor(binary=True) for _ in queries]
            async with connection.pipeline():
                await connection.execute("BEGIN READ ONLY")
                await connection.execute("SET LOCAL ROLE aureum_service")
                await connection.execute(set_tenant, prepare=False)
                for cursor, (query, parameters) in zip(cursors, queries, strict=True):
                    await cursor.execute(query, parameters)
                await connection.execute("COMMIT")
            return [await cursor.fetchall() for cursor in cursors]
