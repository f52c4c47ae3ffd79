"""The writer: what several commands of this process decided goes to the database together.

Appends that wait at the same moment share one call of ``append_events``, one call at a time; a lone append goes alone
and waits for no timer. A tenant whose head row another session holds gets a lane of its own, so that it delays nobody.
Why: docs/decisions/group-append.md.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

from aureum.domain.errors import Busy, Unavailable
from aureum.store.append import GROUP_LIMIT, Append, Outcome, call
from aureum.store.database import AWAY, connect, unavailable

LANE_LIMIT = 4
GROUP_LOCK_TIMEOUT = "200ms"
LANE_LOCK_TIMEOUT = "2s"
SKIP_LIMIT = 10


@dataclass(slots=True)
class Waiting:
    """An append and who waits for it; nobody does any more once the future is cancelled.

    ``skipped`` counts the calls that left it out, its tenant being held, when all lanes were in use.
    """

    append: Append
    future: asyncio.Future[Outcome]
    skipped: int = 0

    def resolve(self, outcome: Outcome) -> None:
        if not self.future.done():
            self.future.set_result(outcome)

    def refuse(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


def take(waiting: list[Waiting], limit: int) -> tuple[list[Waiting], list[Waiting]]:
    """The next group of at most *limit*, and what goes on waiting, both in order.

    A stream, a form, or an idempotency key, stands once in a group: whoever comes second must see what became of the
    first.
    """
    group: list[Waiting] = []
    rest: list[Waiting] = []
    taken: set[object] = set()
    for one in waiting:
        append = one.append
        names: tuple[object, ...] = ((append.tenant_id, append.stream_id),)
        if append.remember is not None:
            names += ((append.tenant_id, append.remember.key),)
        if append.digest:
            names += ((append.tenant_id, append.digest),)
        if len(group) < limit and taken.isdisjoint(names):
            group.append(one)
        else:
            rest.append(one)
        # Also of one that must wait: nobody overtakes it.
        taken.update(names)
    return group, rest


@dataclass(slots=True)
class Lane:
    """What waits for one tenant whose head row somebody else holds."""

    waiting: list[Waiting] = field(default_factory=list)


class AppendWriter:
    """The one writer of a process. Open it with ``async with``."""

    def __init__(self, url: str, *, prepared: bool = True, grouped: bool = True, form_limit: int = 0) -> None:
        self.url = url
        self.form_limit = form_limit
        self.prepared = prepared
        self.limit = GROUP_LIMIT if grouped else 1
        self.waiting: list[Waiting] = []
        self.lanes: dict[UUID, Lane] = {}
        self.wake = asyncio.Event()
        self.connection: AsyncConnection[Any] | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.closing = False

    async def __aenter__(self) -> "AppendWriter":
        self._start(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.closing = True
        self.wake.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.connection is not None:
            await self.connection.close()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def append(self, append: Append) -> Outcome:
        """Append and wait for the outcome, which is never ``held``. Raises Busy, Unavailable, the driver's errors."""
        if self.closing:
            raise Busy()
        waiting = Waiting(append, asyncio.get_running_loop().create_future())
        lane = self.lanes.get(append.tenant_id)
        if lane is not None:
            lane.waiting.append(waiting)
        else:
            self.waiting.append(waiting)
            self.wake.set()
        return await waiting.future

    async def _run(self) -> None:
        while True:
            if not self.waiting:
                if self.closing and not self.lanes:
                    return
                self.wake.clear()
                await self.wake.wait()
                continue
            group, self.waiting = take(self.waiting, self.limit)
            try:
                await self._write(group)
            except Exception as error:
                # Whatever it is, the writer goes on, and whoever waited hears of it.
                for waiting in group:
                    waiting.refuse(error)

    async def _write(self, group: list[Waiting]) -> None:
        """One call for *group*; those whose tenant is held move to a lane, or wait again while there is none."""
        try:
            outcomes = await self._call([waiting.append for waiting in group])
        except Exception as error:
            if len(group) == 1 or isinstance(error, Unavailable):
                raise
            # One of them took a name that is taken, or will be, which nothing but the index knows: each for itself.
            for waiting in group:
                try:
                    await self._write([waiting])
                except Exception as own:
                    waiting.refuse(own)
            return
        for waiting, outcome in zip(group, outcomes, strict=True):
            if outcome.outcome == "held":
                self._to_lane(waiting)
            else:
                waiting.resolve(outcome)

    async def _call(self, appends: list[Append]) -> list[Outcome]:
        """Raises Unavailable where the database is the reason; Busy, and the driver's errors, where an append is."""
        connection = await self._connected()
        try:
            try:
                return await call(connection, appends, GROUP_LOCK_TIMEOUT, form_limit=self.form_limit)
            except psycopg.errors.LockNotAvailable:
                return await call(connection, appends, GROUP_LOCK_TIMEOUT, skip_locked=True, form_limit=self.form_limit)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            raise Busy() from error
        except AWAY as error:
            if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                # The next connection may find whoever has taken over.
                await connection.close()
            raise unavailable(error) from error

    async def _connected(self) -> AsyncConnection[Any]:
        if self.connection is None or self.connection.closed:
            self.connection = await connect(self.url, prepared=self.prepared)
        return self.connection

    def _to_lane(self, waiting: Waiting) -> None:
        tenant_id = waiting.append.tenant_id
        lane = self.lanes.get(tenant_id)
        if lane is None:
            if len(self.lanes) >= LANE_LIMIT:
                # Most of those that are held are held by another process's group, for milliseconds.
                waiting.skipped += 1
                if waiting.skipped < SKIP_LIMIT:
                    self.waiting.append(waiting)
                else:
                    waiting.refuse(Busy())
                return
            lane = self.lanes[tenant_id] = Lane()
            self._start(self._run_lane(tenant_id, lane))
        lane.waiting.append(waiting)

    async def _run_lane(self, tenant_id: UUID, lane: Lane) -> None:
        """Wait for the tenant on a connection of its own; after the first success the rest goes the usual way."""
        try:
            async with await connect(self.url, prepared=self.prepared) as connection:
                while lane.waiting:
                    group, lane.waiting = take(lane.waiting, self.limit)
                    try:
                        outcomes = await call(
                            connection, [w.append for w in group], LANE_LOCK_TIMEOUT, form_limit=self.form_limit
                        )
                    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                        for waiting in group:
                            waiting.refuse(Busy())
                        continue
                    except AWAY as error:
                        for waiting in group:
                            waiting.refuse(unavailable(error))
                        return
                    except Exception:
                        # The head is free. Which of them cannot be appended is found out in the usual way.
                        lane.waiting = group + lane.waiting
                        return
                    for waiting, outcome in zip(group, outcomes, strict=True):
                        waiting.resolve(outcome)
                    return
        except Unavailable as error:
            for waiting in lane.waiting:
                waiting.refuse(error)
            lane.waiting = []
        finally:
            del self.lanes[tenant_id]
            self.waiting.extend(lane.waiting)
            self.wake.set()
