"""One replica: reads at it, each together with the question whether it has come as far as the gate has told.

The question goes first, on the same connection and in the same round trip. So the answer holds for the statement behind
it, also where a URL leads to several servers of which one is further behind than another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from aureum.store.postgres.arrays import Big, packed
from aureum.store.postgres.batched_reads import GROUP_LIMIT
from aureum.store.postgres.batches import Batches
from aureum.store.postgres.database import SET_TENANT, Database
from aureum.store.postgres.functions import named, read_version
from aureum.store.postgres.reading import Rows, Told, Values
from aureum.store.postgres.watch import Watch

REPLICA_SECONDS = 2.0
"""The bound of each wait for a replica: then the primary is asked."""

REACHED = """
SELECT h.position FROM heads h
 WHERE h.tenant_id = %(tenant_id)s AND h.position >= %(head)s AND {read version} >= %(read_version)s
   AND pg_is_in_recovery()
""".replace("{read version}", read_version())
"""A row, if the server follows another one and has come so far. One that was promoted goes its own way."""

REACHED_OF_SEVERAL = """
SELECT a.place
  FROM unnest(%b::uuid[], %b::bigint[], %b::integer[]) WITH ORDINALITY AS a (tenant_id, head, read_version, place)
  JOIN heads h ON h.tenant_id = a.tenant_id
 WHERE h.position >= a.head AND {read version} >= a.read_version AND pg_is_in_recovery()
""".replace("{read version}", read_version())


class Behind(Exception):
    """The replica has not come as far as the caller was told."""


class Replica:
    """A pool of readers at one replica, of one process. Open its ``database`` with ``async with``."""

    def __init__(self, url: str, *, pool_size: int, prepared: bool | None, seconds: float) -> None:
        self.url = url
        self.name = name_of(url)
        self.watch = Watch(min(seconds, REPLICA_SECONDS))
        self.database = Database(url, pool_size=pool_size, prepared=prepared, watch=self.watch)
        self.batches: dict[str, Batches[tuple[Told, Values], Rows | None]] = {}

    async def results(
        self, told: Told, queries: Sequence[tuple[str, Mapping[str, Any]]], *, as_service: bool
    ) -> list[Rows]:
        """The rows of several statements, one after the other. Raises Behind, Unavailable."""
        async with self.database.connection() as connection:
            reached, *cursors = (connection.cursor(binary=True) for _ in range(len(queries) + 1))
            async with connection.pipeline():
                await connection.execute("BEGIN READ ONLY")
                if as_service:
                    await connection.execute("SET LOCAL ROLE aureum_service")
                await connection.execute(SET_TENANT.format(sql.Literal(str(told.tenant_id))), prepare=False)
                await reached.execute(REACHED, told._asdict())
                for cursor, (query, parameters) in zip(cursors, queries, strict=True):
                    await cursor.execute(named(query), parameters)
                await connection.execute("COMMIT")
            if await reached.fetchone() is None:
                raise Behind
            return [await cursor.fetchall() for cursor in cursors]

    async def ask(self, told: Told, statement: str, values: Values) -> Rows:
        """Like ``BatchedReads.ask``. Raises Behind, Unavailable."""
        batches = self.batches.get(statement)
        if batches is None:
            batches = self.batches[statement] = Batches(partial(self._read, statement), GROUP_LIMIT)
        found = await batches.ask((told, values))
        if found is None:
            raise Behind
        return found

    async def _read(self, statement: str, asked: Sequence[tuple[Told, Values]]) -> Sequence[Rows | None]:
        """Of each its rows; None where the replica is behind."""
        tolds, values = zip(*asked, strict=True)
        heads = [packed(kind, column) for kind, column in zip((UUID, Big, int), zip(*tolds, strict=True), strict=True)]
        arrays = [packed(type(column[0]), column) for column in zip(*values, strict=True)]
        async with self.database.connection() as connection:
            reached, cursor = (connection.cursor(binary=True) for _ in range(2))
            async with connection.pipeline():
                await reached.execute(REACHED_OF_SEVERAL, heads)
                await cursor.execute(named(statement), arrays)
            found: list[Rows | None] = [None] * len(asked)
            for (place,) in await reached.fetchall():
                found[place - 1] = []
            for place, *row in await cursor.fetchall():
                if (rows := found[place - 1]) is not None:
                    rows.append(row)
        return found


@dataclass(frozen=True, slots=True)
class BatchedAtReplica:
    """``Reader.batched`` of a replica."""

    replica: Replica
    told: Told

    async def ask(self, statement: str, values: Values) -> Rows:
        """Raises Behind, Unavailable."""
        return await self.replica.ask(self.told, statement, values)


@dataclass(frozen=True, slots=True)
class AtReplica:
    """A ``Reader`` for one caller. Every method raises Behind, Unavailable."""

    replica: Replica
    told: Told

    @property
    def batched(self) -> BatchedAtReplica:
        return BatchedAtReplica(self.replica, self.told)

    async def rows(self, query: str, parameters: Mapping[str, Any]) -> Rows:
        (found,) = await self.replica.results(self.told, [(query, parameters)], as_service=False)
        return found

    async def tenant_rows(self, tenant_id: UUID, query: str, parameters: Mapping[str, Any]) -> Rows:
        (found,) = await self.tenant_results(tenant_id, [(query, parameters)])
        return found

    async def tenant_results(self, tenant_id: UUID, queries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Rows]:
        assert tenant_id == self.told.tenant_id, "of another tenant nothing was told"
        return await self.replica.results(self.told, queries, as_service=True)


def name_of(url: str) -> str:
    """What a replica is called in metrics and logs: host and port."""
    given = conninfo_to_dict(url)
    hosts = str(given.get("host") or "localhost").split(",")
    ports = str(given.get("port") or "5432").split(",")
    return ",".join(
        f"{host}:{ports[place] if len(ports) == len(hosts) else ports[0]}" for place, host in enumerate(hosts)
    )
