"""Connections, and the one way in which the service reads: as a role that sees a single tenant.

Every connection is in autocommit; a transaction is where it is written out. Errors of the driver that mean "the
database is not there", or is another version's, become ``Unavailable`` here, once.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import structlog
from psycopg import sql
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aureum.domain.clock import CLOCK
from aureum.domain.errors import NodeAway, Unavailable
from aureum.store.postgres.batched_reads import BatchedReads
from aureum.store.postgres.citus.by_tenant import Everywhere
from aureum.store.postgres.citus.nodes import Nodes
from aureum.store.postgres.connection import CONNECT_TIMEOUT_SECONDS, Connection, NoAnswer, parameters
from aureum.store.postgres.functions import named
from aureum.store.postgres.watch import POOLER, VERSION, WRITES, Watch

Result = TypeVar("Result")

log = structlog.get_logger()

CHANGED_RESULT = "cached plan must not change result type"
"""Of a statement that was prepared before another version changed what it returns."""

OTHER_VERSION = (
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedObject,
    psycopg.errors.UndefinedParameter,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.AmbiguousFunction,
    psycopg.errors.AmbiguousColumn,
    psycopg.errors.DatatypeMismatch,
    psycopg.errors.WrongObjectType,
    # A statement that was prepared returns something else by now.
    psycopg.errors.FeatureNotSupported,
)
"""What means that another version of Aureum has migrated the database, or that this one has not yet."""

STOPPED = ("57P01", "57P02")
"""What a server says of a session that it ends: an administrator did, or it crashed."""

NOT_PREPARED = (psycopg.errors.InvalidSqlStatementName, psycopg.errors.DuplicatePreparedStatement)
"""What a pooler means that gives each transaction another session, when statements are prepared all the same."""

NO_WRITING = (psycopg.errors.DiskFull, psycopg.errors.ReadOnlySqlTransaction)
"""What means that nothing can be stored, while reads go on."""

AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
    *OTHER_VERSION,
    *NOT_PREPARED,
)
"""What means that the database is not there, that it is a standby that is not promoted yet, that it has
ended a session of ours which stood still, or that it is not of this version."""

NODE_LOST = "08"
"""How the SQLSTATE begins with which a coordinator of Citus says that a node of its does not answer, or has died in the
middle. Its own connection to us goes on; where ours is lost there is no SQLSTATE."""

AMID_TRANSACTION = "failure on connection marked as essential"
"""What it says instead, as an internal error, of a node that was lost amid a transaction."""

FULL = "The database's disk is full. Nothing can be stored until the operator frees space."
ONLY_READS = "The database is read-only. Nothing can be stored until the operator allows writes."
NOT_THIS_VERSION = (
    "The database is not of this program's version: another version of Aureum has migrated it, or this one has not "
    "yet. Its operator restarts Aureum with the version that migrated last, or runs 'aureum migrate'."
)

NOT_ON_CITUS = (
    "Citus does not run a statement of this program as it is sent. Its operator runs 'aureum migrate' on the "
    "coordinator, which gives the servers what this version needs, and reports the statement if that does not help."
)

END_TRIES = 10

CLOSE_SECONDS = 1.0
"""How long a pool that is closed waits for connections that are just being made."""

PREPARED_BEHIND_POOLER = (
    "A connection pooler gives each transaction another session of the database, where prepared statements are not "
    "found. Its operator sets AUREUM_PREPARED_STATEMENTS=false, or unsets it."
)

SET_TENANT = sql.SQL("SET LOCAL aureum.tenant_id = {}")
"""SET, not set_config: on Citus only SET reaches the workers."""


async def connect(url: str, *, prepared: bool | None = None, watch: Watch | None = None) -> Connection:
    """A connection of one's own, in autocommit, made and waited for no longer than *watch* says. Raises Unavailable."""
    watch = watch or Watch()
    connection: Connection | None = None
    try:
        async with asyncio.timeout(min(watch.seconds, CONNECT_TIMEOUT_SECONDS)):
            connection = await Connection.connect(url, **parameters(url, watch.seconds))
            await connection.begin(watch, prepared)
    except BaseException as error:
        if connection is not None:
            await connection.close()
        if isinstance(error, (TimeoutError, psycopg.OperationalError)):
            raise Unavailable from error
        raise
    return connection


def tenant_of(parameters: Mapping[str, Any] | Sequence[Any] | None) -> UUID | None:
    """The tenant that a statement's parameters name."""
    tenant_id = parameters.get("tenant") if isinstance(parameters, Mapping) else None
    return tenant_id if isinstance(tenant_id, UUID) else None


def was_lost(error: BaseException | None) -> bool:
    """Whether a connection had broken, or was ended by a server that stopped: the next one may do. A server that says
    nothing, or that lets no one in, is something else."""
    if not isinstance(error, psycopg.OperationalError) or isinstance(error, (NoAnswer, PoolTimeout)):
        return False
    return error.sqlstate in (None, *STOPPED)


def node_was_lost(error: BaseException | None) -> bool:
    """Whether a coordinator of Citus says that it has lost a node, or cannot reach it. A pooler uses the same code for
    troubles of its own, so ask only where the database is a coordinator."""
    if isinstance(error, psycopg.errors.InternalError_):
        return (error.diag.message_primary or "").startswith(AMID_TRANSACTION)
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or "").startswith(NODE_LOST)


def unavailable(error: psycopg.Error, watch: Watch, what: str = WRITES) -> Unavailable:
    """What an operator should know of *error*: a full disk is told plainly, and so is a database of another version;
    everything else is "not there". *watch* remembers what the next request will meet too, and that it was *what* could
    not be stored."""
    match error:
        case _ if watch.citus and node_was_lost(error):
            return NodeAway()
        case psycopg.errors.FeatureNotSupported() if watch.citus and CHANGED_RESULT not in str(error):
            log.error("statement_not_on_citus", sqlstate=error.sqlstate, reason=error.diag.message_primary)
            watch.note(VERSION, NOT_ON_CITUS)
            return Unavailable(NOT_ON_CITUS)
        case psycopg.errors.DiskFull():
            watch.note(what, FULL)
            return Unavailable(FULL)
        case psycopg.errors.ReadOnlySqlTransaction():
            watch.note(what, ONLY_READS)
            return Unavailable(ONLY_READS)
        case _ if isinstance(error, NOT_PREPARED):
            watch.note(POOLER, PREPARED_BEHIND_POOLER)
            return Unavailable(PREPARED_BEHIND_POOLER)
        case _ if isinstance(error, OTHER_VERSION):
            watch.note(VERSION, NOT_THIS_VERSION)
            return Unavailable(NOT_THIS_VERSION)
    return Unavailable()


class Database:
    """The pool of readers of one process. Open it with ``async with``.

    *prepared*: whether statements may be prepared; None: unless there is a pooler. *idle_seconds*: how long a
    transaction may stand still before the server ends it, with its locks (unset: twice what *watch* allows a wait).
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 4,
        prepared: bool | None = None,
        idle_seconds: float | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.url = url
        self.prepared = prepared
        self.idle_seconds = idle_seconds
        self.watch = watch or Watch()
        self.batched = BatchedReads(self._rows_read)
        self.nodes = Nodes(self.rows)
        self.citus: bool | None = None
        """Whether the database is a coordinator of Citus; None until the first connection."""
        self.tasks: set[asyncio.Task[None]] = set()
        self.ending = False
        self.pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=Connection,
            kwargs=parameters(url, self.watch.seconds),
            min_size=1,
            max_size=pool_size,
            timeout=min(self.watch.seconds, CONNECT_TIMEOUT_SECONDS),
            configure=self._configure,
            reconnect_timeout=10,
            open=False,
        )

    async def _configure(self, connection: Connection) -> None:
        try:
            await connection.begin(self.watch, self.prepared, self.idle_seconds)
        except BaseException:
            await connection.close()
            raise
        self.citus = connection.citus
        if self.citus:
            self.batched.each_alone()

    async def __aenter__(self) -> "Database":
        await self.pool.open()
        self.watch.on_silence.append(self._renew)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.watch.on_silence.remove(self._renew)
        for task in self.tasks:
            task.cancel()
        await self.pool.close(CLOSE_SECONDS)

    def _renew(self, new: bool) -> None:
        """A connection was silent: end what it may still hold in the database, and replace all others."""
        works = [self.pool.drain()] if new else []
        if not self.ending:
            works.append(self._end_sessions())
        for work in works:
            task = asyncio.get_running_loop().create_task(work)
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _end_sessions(self) -> None:
        """End the sessions that were given up, so that no other session waits for their locks."""
        self.ending = True
        try:
            for number in range(END_TRIES):
                sessions = self.watch.sessions[:]
                if not sessions:
                    return
                try:
                    async with await connect(self.url, prepared=False, watch=self.watch) as connection:
                        await connection.end(sessions)
                    del self.watch.sessions[: len(sessions)]
                except (Unavailable, psycopg.Error):
                    await asyncio.sleep(number)
        finally:
            self.ending = False

    async def hear_the_time(self) -> None:
        """Set this process's clock by the database's, before anything is decided. Raises Unavailable."""
        asked = time.monotonic()
        ((told,),) = await self.rows("SELECT clock_timestamp()")
        CLOCK.heard(told, asked, time.monotonic())

    @asynccontextmanager
    async def connection(self, seconds: float | None = None) -> AsyncIterator[Connection]:
        """A connection of the pool, as the owner role; *seconds* is another bound for each wait. Raises Unavailable."""
        try:
            async with self.pool.connection(seconds) as connection:
                connection.bound = seconds
                try:
                    yield connection
                except psycopg.errors.ReadOnlySqlTransaction:
                    # The next connection may find the server that has taken over.
                    await connection.close()
                    raise
                finally:
                    connection.bound = None
        except AWAY as error:
            raise unavailable(error, self.watch) from error
        except psycopg.errors.InternalError_ as error:
            if self.watch.citus and node_was_lost(error):
                raise unavailable(error, self.watch) from error
            raise

    async def rows(
        self,
        query: str,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        seconds: float | None = None,
    ) -> list[Any]:
        """Run one statement and fetch its rows: directories, sweeps, functions. A login that owns nothing names the
        tenant of *parameters*, if there is one. Raises Unavailable."""
        async with self.connection(seconds) as connection:
            cursor = connection.cursor(binary=True)
            if connection.owns_nothing and (tenant_id := tenant_of(parameters)) is not None:
                async with connection.transaction():
                    await connection.execute(SET_TENANT.format(sql.Literal(str(tenant_id))), prepare=False)
                    await cursor.execute(named(query), parameters)
            else:
                await cursor.execute(named(query), parameters)
            return await cursor.fetchall() if cursor.description else []

    async def everywhere(self, asked: Everywhere, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """The rows of a statement about all tenants; on Citus of one tenant after the other, until there are as many as
        the parameters' ``limit``. Raises Unavailable."""
        about = dict(parameters or {})
        if not await self.on_citus():
            return await self.rows(asked.statement, about)
        found: list[Any] = []
        for (tenant_id,) in await self.look(asked.tenants, asked.alias, about):
            try:
                found += await self.rows(asked.of_tenant, about | {"tenant": tenant_id})
            except NodeAway:
                continue
            if len(found) >= about.get("limit", math.inf):
                break
        return found

    async def look(self, statement: str, alias: str, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """The rows of a statement that finds something among all tenants. Its first condition is about rows of *alias*.
        On Citus, where a node is away, the tenants of the others (``citus/nodes.py``). Raises Unavailable."""
        about = parameters or {}
        return await (
            self.nodes.look(statement, alias, about) if await self.on_citus() else self.rows(statement, about)
        )

    async def on_citus(self) -> bool:
        """Whether the database is a coordinator of Citus. Raises Unavailable."""
        if self.citus is None:
            async with self.connection():
                pass
        return bool(self.citus)

    @asynccontextmanager
    async def transaction(self, tenant_id: UUID) -> AsyncIterator[Connection]:
        """A connection in a transaction of one tenant; a login that owns nothing sees no other's rows in it. Raises
        Unavailable."""
        async with self.connection() as connection, connection.transaction():
            await connection.execute(SET_TENANT.format(sql.Literal(str(tenant_id))), prepare=False)
            yield connection

    async def _rows_read(self, query: str, parameters: Sequence[Any]) -> list[Any]:
        """``rows`` of a statement that only reads."""
        return await self._read(lambda: self.rows(query, parameters))

    async def _read(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do *work*, which only reads, once more if its connection had broken, as after a fail-over. The pool's others
        have probably broken with it, so all are replaced. Raises Unavailable."""
        try:
            return await work()
        except Unavailable as error:
            if not was_lost(error.__cause__):
                raise
        await self.pool.drain()
        return await work()

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
        return await self._read(lambda: self._tenant_results(tenant_id, queries))

    async def _tenant_results(
        self, tenant_id: UUID, queries: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> list[list[Any]]:
        set_tenant = SET_TENANT.format(sql.Literal(str(tenant_id)))
        async with self.connection() as connection:
            cursors = [connection.cursor(binary=True) for _ in queries]
            async with connection.pipeline():
                await connection.execute("BEGIN READ ONLY")
                await connection.execute("SET LOCAL ROLE aureum_service")
                await connection.execute(set_tenant, prepare=False)
                for cursor, (query, parameters) in zip(cursors, queries, strict=True):
                    await cursor.execute(named(query), parameters)
                await connection.execute("COMMIT")
            return [await cursor.fetchall() for cursor in cursors]
