"""Reads at replicas, as far as these have come; otherwise at the primary.

A task for each replica looks at it once a second: whether it answers, still follows the primary, has the same data, and
how late it is. Requests use those that do well. A replica at which a read fails is left alone until its task has found
it well again, so a dead one costs the requests that were under way one bounded wait, and later ones nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

import psycopg
import structlog
from psycopg import sql

from aureum.domain.errors import Unavailable
from aureum.domain.ids import PLATFORM
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import AWAY, SET_TENANT, Database, connect
from aureum.store.postgres.reading import Reader, Told
from aureum.store.postgres.replica import AtReplica, Behind, Replica

Result = TypeVar("Result")

PROBE_SECONDS = 1.0
"""Between two looks at a replica."""

LONGEST_PAUSE = 30.0
"""Between two looks at one that does not answer."""

MOST_LAG = 2.0
"""Seconds that a replica may be late. Of a later one hardly anything would be new enough: it is not even asked."""

MOST_SAMPLES = 1_000

WRITTEN = """
SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_current_wal_lsn() - '0/0'::pg_lsn)::int8 END
"""
"""How far the primary has written."""

REPLAYED = """
SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::int8 END
"""
"""How far the replica shows it; NULL if it follows no server."""

KEY = "SELECT wrapped FROM tenant_keys WHERE tenant_id = %(tenant)s"
"""The platform's, by which an installation is known again."""

ITS_OWN_FAULT = ("57014", "40001", "40P01")
"""A statement that was too slow, or held up the replay: it says nothing about the replica."""

log = structlog.get_logger()


class NoReplica(Exception):
    """The server is none of this primary's replicas: the message says why."""


class Measured(Protocol):
    """What hears of reads and of replicas (``aureum/metrics.py``)."""

    def read_at(self, server: str) -> None: ...

    def not_read_at(self, replica: str, why: str) -> None: ...

    def replica_found(self, replica: str, lag: float, used: bool) -> None: ...


class Standing:
    """How one replica does."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.well = False
        self.why: str | None = None
        """What was told of it last, if it is not well."""
        self.samples: list[tuple[float, int]] = []
        """How far the primary had written, and when; of what the replica does not show yet."""

    def lag(self) -> float:
        """For how many seconds something has been written that the replica does not show."""
        return time.monotonic() - self.samples[0][0] if self.samples else 0.0

    def sample(self, at: float, written: int) -> None:
        """The primary had written so far."""
        self.samples.append((at, written))
        if len(self.samples) > MOST_SAMPLES:
            # The first one stays.
            self.samples = self.samples[::2]

    def shows(self, replayed: int) -> None:
        """The replica shows so much."""
        self.samples = [one for one in self.samples if one[1] > replayed]

    def away(self, why: str) -> None:
        """Leave it alone."""
        if self.why != why:
            log.warning("replica_left_alone", replica=self.replica.name, reason=why, then="the primary is asked")
        self.well, self.why = False, why


class Replicas:
    """One a process. Open it with ``async with``."""

    def __init__(
        self,
        primary: Database,
        urls: Sequence[str],
        measured: Measured,
        *,
        pool_size: int,
        prepared: bool | None,
        seconds: float,
    ) -> None:
        self.primary = primary
        self.measured = measured
        self.prepared = prepared
        self.standings = [
            Standing(Replica(url, pool_size=pool_size, prepared=prepared, seconds=seconds)) for url in urls
        ]
        self.turn = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.opened = AsyncExitStack()

    async def __aenter__(self) -> "Replicas":
        for standing in self.standings:
            await self.opened.enter_async_context(standing.replica.database)
            self.tasks.append(asyncio.create_task(self._look_after(standing)))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.opened.aclose()

    async def read(self, told: Told, work: Callable[[Reader], Awaitable[Result]]) -> Result:
        """Do *work*, which only reads of one tenant, and which may be done twice. Raises what *work* raises."""
        standing = self._next()
        if standing is not None:
            name = standing.replica.name
            try:
                result = await work(AtReplica(standing.replica, told))
            except Behind:
                self.measured.not_read_at(name, "behind")
            except Unavailable as error:
                self.measured.not_read_at(name, "failed")
                cause = error.__cause__
                if getattr(cause, "sqlstate", None) not in ITS_OWN_FAULT:
                    standing.away(f"a read failed: {type(cause or error).__name__}")
            else:
                self.measured.read_at(name)
                return result
        result = await work(self.primary)
        self.measured.read_at("primary")
        return result

    def _next(self) -> Standing | None:
        """The replica whose turn it is, of those that do well."""
        for _ in self.standings:
            self.turn = (self.turn + 1) % len(self.standings)
            if self.standings[self.turn].well:
                return self.standings[self.turn]
        return None

    async def _look_after(self, standing: Standing) -> None:
        """Look at one replica until the process ends."""
        pause = PROBE_SECONDS
        while True:
            why = "it does not answer"
            try:
                async with await connect(
                    standing.replica.url, prepared=self.prepared, watch=standing.replica.watch
                ) as connection:
                    await check_same(self.primary, connection)
                    while True:
                        await self._look(standing, connection)
                        pause = PROBE_SECONDS
                        await asyncio.sleep(PROBE_SECONDS)
            except NoReplica as error:
                why = str(error)
            except (Unavailable, *AWAY) as error:
                why = f"{why}: {type(error.__cause__ or error).__name__}"
            except psycopg.Error as error:
                why = f"it refuses: {type(error).__name__}"
            standing.away(why)
            await self._sample(standing)
            self.measured.replica_found(standing.replica.name, standing.lag(), False)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _look(self, standing: Standing, connection: Connection) -> None:
        """How the replica does at the moment. Raises NoReplica, Unavailable, the driver's errors."""
        await self._sample(standing)
        standing.shows(await replayed(connection))
        lag = standing.lag()
        if lag > MOST_LAG:
            standing.away("it is late")
        elif not standing.well:
            # Its connections may have broken unseen.
            await standing.replica.database.pool.drain()
            if standing.why is not None:
                log.info("replica_is_well", replica=standing.replica.name)
            standing.well, standing.why = True, None
        self.measured.replica_found(standing.replica.name, lag, standing.well)

    async def _sample(self, standing: Standing) -> None:
        """Note how far the primary has written, if it answers."""
        try:
            position = await written(self.primary)
        except (Unavailable, psycopg.Error) as error:
            log.debug("primary_not_asked", error=type(error).__name__)
            return
        if position is not None:
            standing.sample(time.monotonic(), position)


async def written(primary: Database) -> int | None:
    """How far the primary has written; None if the server is none at the moment. Raises Unavailable."""
    ((position,),) = await primary.rows(WRITTEN)
    return None if position is None else int(position)


async def replayed(connection: Connection) -> int:
    """How far the replica shows it. Raises NoReplica, the driver's errors."""
    row = await (await connection.execute(REPLAYED)).fetchone()
    if row is None or row[0] is None:
        raise NoReplica("it follows no server: it was promoted, or never was a replica")
    return int(row[0])


async def check_same(primary: Database, connection: Connection) -> None:
    """Raises NoReplica, Unavailable, the driver's errors."""
    about = {"tenant": PLATFORM}
    async with connection.transaction():
        await connection.execute(SET_TENANT.format(sql.Literal(str(PLATFORM))))
        theirs = await (await connection.execute(KEY, about)).fetchall()
    if theirs != await primary.tenant_rows(PLATFORM, KEY, about):
        raise NoReplica("it has the data of another installation")
