"""Rebuilds a read model of one tenant from its events, beside the live one, while requests go on.

    claim      one process at a time; a version number that no row has, or that of a rebuild which was killed
    copy       the log up to its present end, in short transactions
    follow     what was appended meanwhile, in rounds that get shorter, until hardly anything is left
    swap       lock the head row, apply the rest, name the new version on the head row, commit
    remove     the rows of the old version, in batches: a reader asks for the live version in the same snapshot

No event can be missed: positions have no gaps, and the lock of the swap is the lock under which appends read the
version. Why rows of two versions share a table: docs/decisions/read-model-versions.md.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

import psycopg
from psycopg import sql

from aureum.domain.errors import Busy, Invalid, Unavailable
from aureum.projections.document_list import DocumentList
from aureum.registry import VERSIONED
from aureum.store.cipher import TenantKeys
from aureum.store.event_log import EventLog, Logged, open_tenant_key, rows_on
from aureum.store.postgres.database import AWAY, connect, unavailable
from aureum.store.postgres.watch import LONG_SECONDS, Watch
from aureum.store.rebuild import lead_counts as rebuild_lead_counts
from aureum.store.rebuild.claim import Progress as Made
from aureum.store.rebuild.claim import RebuildClaim, claim, forget_progress, release
from aureum.store.rebuild.list import ListRebuild


class Rebuildable(Protocol):
    """What a module in ``REBUILDABLE`` offers."""

    NAME: str
    TYPES: tuple[str, ...]
    PERSONAL: bool
    STEP_VERSION: int
    NEXT_VERSION: str
    FLIP: str
    COUNT: str
    DIGESTS: str
    ONE: str

    async def copy(self, log: EventLog, claim: RebuildClaim, until: int, folded: Callable[[int], None]) -> int: ...

    async def apply(self, claim: RebuildClaim, events: Sequence[Logged]) -> None: ...

    async def remove(self, claim: RebuildClaim, *keep: int) -> None: ...


REBUILDABLE: tuple[Rebuildable, ...] = tuple(
    ListRebuild(model) if isinstance(model, DocumentList) else rebuild_lead_counts for model in VERSIONED
)
"""The read models that can be rebuilt; their versions stand on the head row."""

Progress = Callable[[int, int], None]

FOLLOW_POSITIONS = 2_000
FEW = 10
"""So many positions are left to the swap, if following can get so near: appends wait while it applies them."""

NEAR = 20
"""Positions that the first try of the swap applies under the lock at most. The second accepts four times as many, the
third nine times, up to a hundred times: where appends are as fast as following is, one of the tries is the last."""

MOST_TIMES = 10

TRIES = 20
LOCK_TIMEOUT = "1s"
PAUSE_SECONDS = 0.1
SWAP_SETTINGS = (
    sql.SQL("SET LOCAL lock_timeout = {}"),
    sql.SQL("SET LOCAL statement_timeout = '5s'"),
    sql.SQL("SET LOCAL idle_in_transaction_session_timeout = '5s'"),
)
"""The head row is not held for longer, even if this process stands still."""

HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"
LIVE = "SELECT {name}_version FROM heads WHERE tenant_id = %(tenant)s"
LOCK_HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s FOR NO KEY UPDATE"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Events that were folded, rows of the new version, and the seconds from the claim to the swap; and how long the
    head row was held at the longest, for which the tenant's appends wait, and for how many events."""

    events: int
    rows: int
    seconds: float
    held_seconds: float
    held_events: int


async def rebuild(
    url: str,
    keys: TenantKeys,
    name: str,
    tenant_id: UUID,
    progress: Progress | None = None,
    *,
    lock_timeout: str = LOCK_TIMEOUT,
    tries: int = TRIES,
    prepared: bool | None = None,
    watch: Watch | None = None,
) -> Rebuilt:
    """Rebuild the read model *name* of *tenant_id* and put it in the place of the live one.

    *url* is the owner role's. *progress* hears how many events were folded and how long the log is. *lock_timeout* (as
    PostgreSQL writes it) is how long each of *tries* waits for the head row. Until the swap no reader notices anything.
    A rebuild that was killed is gone on with by the next one; one that is cancelled removes what it has made.

    Raises Invalid (no such read model), NotFound (no such tenant), Busy (another process rebuilds the same, or the head
    row could not be had), Unavailable, WrongMasterKey.
    """
    model = rebuildable(name)
    started = time.monotonic()
    watch = watch or Watch(LONG_SECONDS)
    try:
        async with (
            await connect(url, prepared=prepared, watch=watch) as reading,
            await connect(url, prepared=prepared, watch=watch) as writing,
        ):
            given = await claim(writing, tenant_id, model.NAME, model.NEXT_VERSION, model.STEP_VERSION)
            try:
                await model.remove(given, given.live, given.version)
                key = await open_tenant_key(reading, keys, tenant_id) if model.PERSONAL else None
                work = Work(model, given, EventLog(rows_on(reading), tenant_id, model.TYPES, key), progress)
                await work.copy()
                await work.swap(lock_timeout, tries)
                seconds = time.monotonic() - started
                cursor = await writing.execute(model.COUNT, given.parameters())
                ((rows,),) = await cursor.fetchall()
                await model.remove(given, given.version)
            except asyncio.CancelledError:
                await clear_up(url, model, given)
                raise
            finally:
                await give_back(url, given)
    except AWAY as error:
        raise unavailable(error, watch) from error
    return Rebuilt(work.events, rows, seconds, work.held_seconds, work.held_events)


def rebuildable(name: str) -> Rebuildable:
    """The read model of that name. Raises Invalid."""
    for model in REBUILDABLE:
        if name == model.NAME:
            return model
    raise Invalid("name", f"The read model must be one of: {', '.join(model.NAME for model in REBUILDABLE)}.")


async def clear_up(url: str, model: Rebuildable, given: RebuildClaim) -> None:
    """Remove what a rebuild that is cancelled has made, on a connection of its own. Where that fails, as when it is
    cancelled again, the next rebuild goes on with it or removes it."""
    with suppress(psycopg.Error, Unavailable, Busy):
        async with await connect(url) as connection:
            here = replace(given, connection=connection)
            await forget_progress(here)
            cursor = await connection.execute(LIVE.replace("{name}", model.NAME).encode(), here.parameters())
            ((live,),) = await cursor.fetchall()
            await model.remove(here, live)


async def give_back(url: str, given: RebuildClaim) -> None:
    """Release the claim. Where even that fails the lease ends by itself, and what failed first is what counts."""
    with suppress(psycopg.Error, Unavailable):
        await release(url, given)


@dataclass(slots=True)
class Work:
    """One rebuild under way: the new version holds what stands at position ``done`` and before."""

    model: Rebuildable
    claim: RebuildClaim
    log: EventLog
    progress: Progress | None
    done: int = 0
    head: int = 0
    events: int = 0
    held_seconds: float = 0.0
    held_events: int = 0

    def folded(self, events: int) -> None:
        """Count *events* and report the progress."""
        self.events += events
        if self.progress is not None:
            self.progress(self.events, self.head)

    async def look(self) -> None:
        """See how far the log has come: what stands there is committed and visible to every statement from now on."""
        ((self.head,),) = await self.log.read(HEAD, self.claim.parameters())

    async def copy(self) -> None:
        """The log up to its present end."""
        await self.look()
        resumed = self.claim.resumed
        if resumed is not None and resumed.done is not None:
            self.done = resumed.done
            return
        until = self.head if resumed is None or resumed.until is None else resumed.until
        self.done = await self.model.copy(self.log, self.claim, until, self.folded)

    async def follow(self) -> None:
        """What was appended meanwhile, up to the present end; then what was appended during that, and so on, as long as
        it gets less and is more than a few."""
        before = None
        while True:
            await self.look()
            behind = self.head - self.done
            if before is not None and (behind <= FEW or behind >= before):
                return
            before = behind
            while self.done < self.head:
                until = min(self.done + FOLLOW_POSITIONS, self.head)
                events = await self.log.by_position(self.done, until)
                async with self.claim.transaction(self.model.STEP_VERSION, Made(done=until)):
                    await self.model.apply(self.claim, events)
                self.done = until
                self.folded(len(events))

    async def swap(self, lock_timeout: str, tries: int) -> None:
        """Raises Busy if the head row is held by another session all the time."""
        for number in range(1, tries + 1):
            await self.claim.renew()
            await self.follow()
            try:
                if await self.swapped(lock_timeout, NEAR * min(number, MOST_TIMES) ** 2):
                    return
            except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
                await asyncio.sleep(PAUSE_SECONDS)
        raise Busy(
            message=f"The rebuild of {self.claim.read_model} is ready, but the brokerage's log was busy all the time: "
            "nothing has changed. Try again when less is written, or see which session holds the brokerage's row in "
            "the table heads."
        )

    async def swapped(self, lock_timeout: str, limit: int) -> bool:
        """Lock, apply the rest, flip, commit. Without flipping False, if the rest is more than *limit* positions."""
        connection, held_since = self.claim.connection, None
        try:
            async with connection.transaction():
                for setting in SWAP_SETTINGS:
                    await connection.execute(setting.format(sql.Literal(lock_timeout)))
                await self.claim.renew()
                cursor = await connection.execute(LOCK_HEAD, self.claim.parameters())
                held_since = time.monotonic()
                ((head,),) = await cursor.fetchall()
                if head - self.done > limit:
                    return False
                events = await self.log.by_position(self.done, head)
                await self.model.apply(self.claim, events)
                await connection.execute(self.model.FLIP, self.claim.parameters())
        finally:
            if held_since is not None:
                self.held_seconds = max(self.held_seconds, time.monotonic() - held_since)
        self.held_events = head - self.done
        self.done = self.head = head
        self.folded(len(events))
        return True
