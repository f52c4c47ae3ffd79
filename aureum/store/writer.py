"""The writer: what several commands of this process decided goes to the database together.

Appends that wait at the same moment share one call of ``append_events``, one call at a time. A lone append goes alone
and waits for no timer; where appends have come one by one for a while, it does not even wait for the writer's task. A
tenant whose head row another session holds gets a lane of its own, so that it delays no other.
Why: docs/decisions/group-append.md.

On Citus a call has one tenant's appends and goes to that tenant's node. So there are several writers, each with a
connection and the tenants that fall to it: docs/decisions/citus.md.

Where a call is not answered (the connection was lost, or the database silent), what became of it is asked for on
another connection before any caller is answered: docs/decisions/appends-in-doubt.md.
"""

import asyncio
import time
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Self
from uuid import UUID, uuid4

import psycopg
import structlog

from aureum.domain.errors import Busy, Unavailable
from aureum.store import in_doubt
from aureum.store.append import GROUP_LIMIT, TOO_LATE, Append, Outcome, call
from aureum.store.groups import Waiting, of_one_tenant, take, tenant_of
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import AWAY, connect, node_was_lost, unavailable
from aureum.store.postgres.watch import WRITES, Watch

LANE_LIMIT = 4
GROUP_LOCK_TIMEOUT = "200ms"
LANE_LOCK_TIMEOUT = "2s"
MOVE_LOCK_TIMEOUT = "1s"
"""On Citus, where a call delays few others: at the end of a move to another node, rows are held for a moment."""
SKIP_LIMIT = 10

ALONE = 3
"""After so many calls in a row with one append each, the next append is probably alone, too: it does not wait to see
which others come at the same moment."""

DOUBTS_LIMIT = 2
"""How often an append is done again that was on a connection which was lost, and is known not to be in the log."""

ASK_AGAIN_SECONDS = 0.2

NODE_SECONDS = 1.0
"""How long it is asked again while a node of Citus is away. What is in its log is known when it is back, and the
callers come again."""

ENDING = "57P"
"""How the SQLSTATE of a server begins that ends, or has ended, the session."""

COMPANY_TURNS = 4
"""Turns of the event loop that a group waits for more."""

COMPANY = 16
"""Appends that are company enough."""

HALVED = 20
"""Where so many appends or fewer are made at a time, half of them go, and the others while the answers to the first go
out: process and database work at the same moment. More keep both busy anyway, and cost less each in one group."""

SMALLEST_HALF = 4

WRITERS_ON_CITUS = 8
"""Calls at a time. Each waits for two machines, and those of several tenants do not wait for each other."""

log = structlog.get_logger()


class InDoubt(Exception):
    """A call was not answered: whether its appends are in the log is not known."""

    def __init__(self, writer: UUID, error: psycopg.Error) -> None:
        super().__init__()
        self.writer = writer
        self.error = error


@dataclass(slots=True)
class Line:
    """A connection to append on, and its name."""

    connection: Connection
    name: UUID = field(default_factory=uuid4)


@dataclass(slots=True)
class Lane:
    """What waits for one tenant whose head row another session holds."""

    waiting: list[Waiting] = field(default_factory=list)


class AppendWriter:
    """The one writer of a process. Open it with ``async with``."""

    def __init__(
        self,
        url: str,
        *,
        prepared: bool | None = None,
        grouped: bool = True,
        watch: Watch | None = None,
        parted: bool = False,
    ) -> None:
        self.url = url
        self.parted = parted
        """Whether this is one of several, or need not become so."""
        self.parts: list[AppendWriter] = []
        """On Citus: those between which the tenants are parted."""
        self.of_tenant: bool | None = None
        """Whether a call has one tenant's appends, as on Citus; None: not known yet."""
        self.watch = watch or Watch()
        self.prepared = prepared
        self.limit = GROUP_LIMIT if grouped else 1
        self.waiting: list[Waiting] = []
        self.lanes: dict[UUID, Lane] = {}
        self.wake = asyncio.Event()
        self.line: Line | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.busy = False
        self.alone = 0
        """How many calls in a row have had one append each."""
        self.last = 0
        """How many appends the last call had."""
        self.closing = False

    async def __aenter__(self) -> Self:
        self._start(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.closing = True
        self.wake.set()
        while self.tasks:
            await asyncio.wait(self.tasks)
        for part in self.parts:
            await part.__aexit__()
        if self.line is not None:
            await self.line.connection.close()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def append(self, append: Append) -> Outcome:
        """Append and wait for the outcome, which is never ``held``. Raises Busy, Unavailable, the driver's errors."""
        if self.closing:
            raise Busy()
        if self.parts:
            return await self.parts[append.tenant_id.int % len(self.parts)].append(append)
        waiting = Waiting(append, asyncio.get_running_loop().create_future())
        lane = self.lanes.get(append.tenant_id)
        if lane is not None:
            lane.waiting.append(waiting)
        elif self.alone >= ALONE and not self.busy and not self.waiting:
            await self._go([waiting])
        else:
            self.waiting.append(waiting)
            self.wake.set()
        return await waiting.future

    async def _run(self) -> None:
        while True:
            if self.busy or not self.waiting:
                if self.closing and not (self.busy or self.lanes):
                    return
                self.wake.clear()
                await self.wake.wait()
                continue
            await self._company()
            group, self.waiting = take(self.waiting, self._half() or self.limit)
            await self._go(group)

    async def _company(self) -> None:
        """Let the answers to the last group go out, and what they bring in come along: a larger group costs the process
        and the database less for each append. After a lone append there is no company to wait for."""
        for _ in range(COMPANY_TURNS):
            if self.alone or len(self.waiting) >= (self._half() or COMPANY):
                return
            await asyncio.sleep(0)

    def _half(self) -> int:
        """Half of those that append now, answered last or waiting; 0 if they are too many to be parted."""
        now = self.last + len(self.waiting)
        return max(SMALLEST_HALF, (now + 1) // 2) if now <= HALVED and self.limit > 1 else 0

    async def _go(self, group: list[Waiting]) -> None:
        """Write *group*, and nothing else meanwhile."""
        self.busy = True
        self.last = len(group)
        self.alone = self.alone + 1 if len(group) == 1 else 0
        try:
            if self.of_tenant is not False:
                group = await self._of_one_tenant(group)
            await self._write(group)
        except Exception as error:
            # After any error the writer goes on, and the callers hear of it.
            for waiting in group:
                waiting.refuse(error)
        finally:
            self.busy = False
            if self.waiting or self.closing:
                self.wake.set()

    async def _of_one_tenant(self, group: list[Waiting]) -> list[Waiting]:
        """Those of *group* that may go in one call; the others go next. Raises Unavailable."""
        if self.of_tenant is None:
            await self._connected()
        if not self.of_tenant:
            return group
        of_one, others = of_one_tenant(group)
        self.waiting = others + self.waiting
        return of_one

    async def _part(self) -> None:
        """Part the tenants between several writers."""
        more: dict[str, Any] = {
            "prepared": self.prepared,
            "grouped": self.limit > 1,
            "watch": self.watch,
            "parted": True,
        }
        parts = [AppendWriter(self.url, **more) for _ in range(WRITERS_ON_CITUS)]
        self.parts = [await part.__aenter__() for part in parts]

    async def _write(self, group: list[Waiting]) -> None:
        """One call for *group*; those whose tenant is held move to a lane, or wait again while there is none."""
        try:
            outcomes = await self._call([waiting.append for waiting in group])
        except InDoubt as doubt:
            # Beside the others: to settle it may take a while.
            self._start(self._settle(group, doubt))
            return
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
        """Raises Unavailable where the database is the reason; Busy, and the driver's errors, where an append is;
        InDoubt."""
        line = await self._connected()
        lock_timeout = MOVE_LOCK_TIMEOUT if self.of_tenant else GROUP_LOCK_TIMEOUT
        try:
            try:
                return await self._append(line, appends, lock_timeout)
            except psycopg.errors.LockNotAvailable:
                return await self._append(line, appends, lock_timeout, skip_locked=True)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            raise Busy() from error

    async def _append(
        self, line: Line, appends: list[Append], lock_timeout: str, *, skip_locked: bool = False
    ) -> list[Outcome]:
        """One call on *line*, which is void once no caller waits for it. Raises like ``_call``, and
        LockNotAvailable."""
        connection = line.connection
        try:
            clock = await connection.clock_now()
            outcomes = await call(
                connection,
                appends,
                lock_timeout,
                skip_locked=skip_locked,
                writer=line.name,
                until=clock + self.watch.seconds,
                of_tenant=connection.citus,
            )
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            raise
        except AWAY as error:
            if connection.closed or (error.sqlstate or "").startswith(ENDING) or self._lost_node(error):
                await connection.close()
                raise InDoubt(line.name, error) from error
            if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                # The next connection may find the server that has taken over.
                await connection.close()
            raise unavailable(error, self.watch) from error
        except psycopg.Error as error:
            if error.sqlstate != TOO_LATE and not self._lost_node(error):
                raise
            # If a caller still waits, the database's clock was set: the next connection looks at it again.
            await connection.close()
            raise InDoubt(line.name, error) from error
        self.watch.over(WRITES)
        return outcomes

    def _lost_node(self, error: BaseException) -> bool:
        return self.watch.citus and node_was_lost(error)

    async def _connected(self) -> Line:
        line = self.line
        if line is not None and (line.connection.closed or not self.watch.trusts(line.connection.made)):
            await line.connection.close()
            line = None
        if line is None:
            line = self.line = Line(await connect(self.url, prepared=self.prepared, watch=self.watch))
            self.of_tenant = line.connection.citus
            if self.of_tenant and not (self.parted or self.parts or self.closing):
                await self._part()
        return line

    async def _settle(self, group: list[Waiting], doubt: InDoubt) -> None:
        """Find out what became of *group*, tenant by tenant: what is in the log is answered, what is not and never will
        be goes again. Asks again and again for as long as a wait may take."""
        asked = time.monotonic()
        deadline = asked + self.watch.seconds
        left = [list(own) for _, own in groupby(sorted(group, key=tenant_of), key=tenant_of)]
        while left:
            try:
                async with await connect(self.url, prepared=self.prepared, watch=self.watch) as connection:
                    left = [own for own in left if not await self._settled(connection, own, doubt)]
            except (Unavailable, *AWAY) as error:
                log.warning("append_in_doubt", appends=sum(map(len, left)), error=type(error).__name__)
                if self._lost_node(error):
                    deadline = min(deadline, asked + NODE_SECONDS)
            except Exception as error:
                for waiting in (waiting for own in left for waiting in own):
                    waiting.refuse(error)
                return
            if left and (self.closing or time.monotonic() + ASK_AGAIN_SECONDS > deadline):
                for waiting in (waiting for own in left for waiting in own):
                    waiting.refuse(unavailable(doubt.error, self.watch))
                return
            await asyncio.sleep(ASK_AGAIN_SECONDS if left else 0)

    async def _settled(self, connection: Connection, group: list[Waiting], doubt: InDoubt) -> bool:
        """Whether it is known by now what became of *group*, all of one tenant: not while its head is held. Raises what
        the driver raises."""
        try:
            outcomes = await in_doubt.ask(connection, doubt.writer, [w.append for w in group], GROUP_LOCK_TIMEOUT)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            return False
        again = []
        for waiting, outcome in zip(group, outcomes, strict=True):
            waiting.doubts += 1
            if outcome is not None:
                waiting.resolve(outcome)
            elif waiting.doubts < DOUBTS_LIMIT and not self.closing:
                again.append(waiting)
            else:
                waiting.refuse(unavailable(doubt.error, self.watch))
        log.info("append_settled", stored=len(group) - outcomes.count(None), again=len(again))
        self.waiting = again + self.waiting
        self.wake.set()
        return True

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
            async with await connect(self.url, prepared=self.prepared, watch=self.watch) as connection:
                line = Line(connection)
                while lane.waiting:
                    group, lane.waiting = take(lane.waiting, self.limit)
                    try:
                        outcomes = await self._append(line, [w.append for w in group], LANE_LOCK_TIMEOUT)
                    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                        for waiting in group:
                            waiting.refuse(Busy())
                        continue
                    except InDoubt as doubt:
                        self._start(self._settle(group, doubt))
                        return
                    except Unavailable as error:
                        for waiting in group:
                            waiting.refuse(error)
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
