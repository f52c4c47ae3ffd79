"""Verifies a read model of one tenant: builds it again beside the live one, and compares both, row by row.

    claim      as for a rebuild, so that no rebuild comes between
    copy       the log up to its present end
    snapshot   of the live rows, and of the position that they stand at
    follow     up to that position exactly
    compare    both in the order of their keys: what is missing, what is too much, what is different
    remove     what was built

Nothing that people read changes, no append waits, and memory does not grow with the rows.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from psycopg import AsyncConnection, IsolationLevel

from aureum.store.cipher import TenantKeys
from aureum.store.event_log import EventLog, open_tenant_key, rows_on
from aureum.store.postgres.database import AWAY, connect, unavailable
from aureum.store.postgres.watch import LONG_SECONDS, Watch
from aureum.store.rebuild.claim import RebuildClaim, claim, forget_progress
from aureum.store.rebuild.rebuild import FOLLOW_POSITIONS, Progress, Rebuildable, Work, clear_up, give_back, rebuildable

SNAPSHOT = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"

NAMED_ROWS = 100
"""So many rows are named; all are counted."""

What = Literal["missing", "extra", "different"]

ABSENT: tuple[Any, str] | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that the log does not say: *missing* among the live ones, *extra* there, or *different* in *columns*."""

    key: Any
    what: What
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Compared:
    """Rows that were compared, how many of them differ, and the first of those."""

    rows: int = 0
    differences: int = 0
    named: list[Difference] = field(default_factory=list)

    def differs(self, key: Any, what: What) -> None:
        self.differences += 1
        if len(self.named) < NAMED_ROWS:
            self.named.append(Difference(key, what))


async def verify_read_model(
    url: str,
    keys: TenantKeys,
    name: str,
    tenant_id: UUID,
    progress: Progress | None = None,
    *,
    prepared: bool | None = None,
    watch: Watch | None = None,
) -> Compared:
    """Compare the read model *name* of *tenant_id* with what its events make of it now. *url* is the owner role's.

    Raises Invalid (no such read model), NotFound (no such tenant), Busy (another process rebuilds the same),
    Unavailable, WrongMasterKey.
    """
    model = rebuildable(name)
    watch = watch or Watch(LONG_SECONDS)
    try:
        async with (
            await connect(url, prepared=prepared, watch=watch) as reading,
            await connect(url, prepared=prepared, watch=watch) as writing,
            await connect(url, prepared=prepared, watch=watch) as standing,
        ):
            given = await claim(writing, tenant_id, model.NAME, model.NEXT_VERSION)
            try:
                await model.remove(given, given.live)
                key = await open_tenant_key(reading, keys, tenant_id) if model.PERSONAL else None
                work = Work(model, given, EventLog(rows_on(reading), tenant_id, model.TYPES, key), progress)
                await work.copy()
                await work.follow()
                await standing.set_isolation_level(IsolationLevel.REPEATABLE_READ)
                async with standing.transaction():
                    cursor = await standing.execute(SNAPSHOT, given.parameters())
                    ((position,),) = await cursor.fetchall()
                    await follow_to(work, position)
                    compared = await compare(model, given, standing, reading)
                    await name_columns(model, given, standing, reading, compared)
                # First: no rebuild may go on with rows that are half removed.
                await forget_progress(given)
                await model.remove(given, given.live)
            except asyncio.CancelledError:
                await clear_up(url, model, given)
                raise
            finally:
                await give_back(url, given)
    except AWAY as error:
        raise unavailable(error, watch) from error
    return compared


async def follow_to(work: Work, position: int) -> None:
    """Bring what was built to *position* exactly: what is appended after it is not in the snapshot either."""
    while work.done < position:
        until = min(work.done + FOLLOW_POSITIONS, position)
        events = await work.log.by_position(work.done, until)
        async with work.claim.transaction():
            await work.model.apply(work.claim, events)
        work.done = until
        work.folded(len(events))


async def compare(
    model: Rebuildable, given: RebuildClaim, standing: AsyncConnection[Any], reading: AsyncConnection[Any]
) -> Compared:
    """Both in the order of their keys, a row of each at a time."""
    compared = Compared()
    async with (
        aclosing(rows_of(model, given, standing, given.live)) as live_rows,
        aclosing(rows_of(model, given, reading, given.version)) as built_rows,
    ):
        live, built = await anext(live_rows, ABSENT), await anext(built_rows, ABSENT)
        while live is not None or built is not None:
            compared.rows += 1
            if built is None or (live is not None and live[0] < built[0]):
                assert live is not None
                compared.differs(live[0], "extra")
                live = await anext(live_rows, ABSENT)
            elif live is None or built[0] < live[0]:
                compared.differs(built[0], "missing")
                built = await anext(built_rows, ABSENT)
            else:
                if live[1] != built[1]:
                    compared.differs(live[0], "different")
                live, built = await anext(live_rows, ABSENT), await anext(built_rows, ABSENT)
    return compared


async def rows_of(
    model: Rebuildable, given: RebuildClaim, connection: AsyncConnection[Any], version: int
) -> AsyncGenerator[tuple[Any, str]]:
    """(key, digest) of each row of *version*."""
    async with connection.cursor(binary=True) as cursor:
        async for row in cursor.stream(model.DIGESTS, given.parameters() | {"version": version}):
            yield row[0], row[1]


async def name_columns(
    model: Rebuildable,
    given: RebuildClaim,
    standing: AsyncConnection[Any],
    reading: AsyncConnection[Any],
    compared: Compared,
) -> None:
    """Say of the rows that are named in which columns they differ; never what stands there, which may be personal."""
    for place, one in enumerate(compared.named):
        if one.what != "different":
            continue
        named = given.parameters() | {"key": one.key}
        (live,) = await (await standing.execute(model.ONE, named | {"version": given.live})).fetchone() or ({},)
        (built,) = await (await reading.execute(model.ONE, named | {"version": given.version})).fetchone() or ({},)
        columns = tuple(sorted(name for name in live.keys() | built.keys() if live.get(name) != built.get(name)))
        compared.named[place] = Difference(one.key, one.what, columns)
