"""A connection whose every wait has a bound, and how one is made."""

import asyncio
import math
import os
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection, pq
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.waiting import wait, wait_async

from aureum.store.postgres.arrays import packed
from aureum.store.postgres.watch import Session, Watch

CONNECT_TIMEOUT_SECONDS = 5

SERVER_SHARE = 0.8
"""The server ends a statement a little earlier than we give its connection up: then nothing is in doubt."""

IDLE_SHARE = 2.0
"""How long, in bounds, a transaction may stand still before the server ends it, with its locks."""

LEAVE_SECONDS = 1.0
"""How long a statement whose caller has gone may take, before its connection is given up."""

CLOCK_SECONDS = 60.0
"""How long what is known of the database's clock is good for."""

ABOUT = """
SELECT pid, backend_start, extract(epoch FROM clock_timestamp())::float8, coalesce((
           SELECT NOT pg_has_role(current_user, c.relowner, 'MEMBER') FROM pg_class c WHERE c.oid = to_regclass('heads')
       ), false), EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')
  FROM pg_stat_get_activity(pg_backend_pid())
"""

END = """
SELECT pg_terminate_backend(a.pid)
  FROM pg_stat_activity a
  JOIN unnest(%b::integer[], %b::timestamptz[]) AS g (pid, began) ON g.pid = a.pid AND g.began = a.backend_start
"""

HAS_TRANSACTION_TIMEOUT = 170_000
"""The version of the server. Before it, one that waits in the middle of a pipeline waits without a bound."""

log = structlog.get_logger()


class NoAnswer(psycopg.OperationalError):
    """The database did not answer in time."""


class Connection(AsyncConnection[Any]):
    """Gives itself up when the server says nothing for as long as ``watch`` says.

    A connection that was given up is closed without a word to the server: that could last as long again.
    """

    watch = Watch()
    bound: float | None = None
    """Another bound than ``watch`` has."""
    made = float("-inf")
    session: Session | None = None
    pooled = False
    """A pooler stands between: sessions are not ours, and nothing may be set in them."""

    citus = False
    """The database is a coordinator of Citus (``citus/__init__.py``)."""

    owns_nothing = False
    """The login neither owns the tables nor could become their owner."""

    in_thread = False
    """Answers are waited for in a thread (``large_answers``)."""

    clock = 0.0
    """What the database's clock showed at the zero of our monotonic one, as it was looked at last."""
    clock_read = float("-inf")

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109  the driver's own
    ) -> RV:
        """Go on with *gen* until it is done. Raises NoAnswer; with a *timeout* of the driver's own what that means."""
        bound = self.bound or self.watch.seconds
        waits = self._wait_in_thread if self.in_thread else wait_async
        try:
            return await waits(
                gen, self.pgconn.socket, interval=interval, timeout=bound if timeout is None else timeout
            )
        except psycopg.errors._WaitTimeout:
            if timeout is not None:
                raise
            self.pgconn.finish()
            self.watch.gave_up(self.made, bound, None if self.pooled else self.session)
            raise NoAnswer("the database did not answer in time") from None
        except (asyncio.CancelledError, KeyboardInterrupt):
            if self.pgconn.status == pq.ConnStatus.OK and self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
                await self._end_or_leave(gen, interval)
            raise

    @contextmanager
    def large_answers(self) -> Iterator[None]:
        """Meanwhile answers are waited for in a thread: their pieces, of eight kilobytes each, do not wake the event
        loop one by one."""
        self.in_thread = True
        try:
            yield
        finally:
            self.in_thread = False

    async def _wait_in_thread(self, gen: PQGen[RV], fileno: int, *, interval: float, timeout: float) -> RV:  # noqa: ASYNC109
        """``wait_async``, in a thread. When it returns or raises, the thread has ended."""
        with futures.ThreadPoolExecutor(1, "answers") as thread:
            waiting = thread.submit(wait, gen, fileno, interval, timeout)
            answer = asyncio.wrap_future(waiting)
            try:
                return await asyncio.shield(answer)
            except asyncio.CancelledError:
                await asyncio.wait({answer}, timeout=LEAVE_SECONDS)
                raise
            finally:
                if not waiting.done():
                    # The thread reads that the line is cut, and ends at once.
                    with socket.socket(fileno=os.dup(fileno)) as line:
                        line.shutdown(socket.SHUT_RDWR)
                if answer.done():
                    answer.exception()

    async def _end_or_leave(self, gen: PQGen[Any], interval: float) -> None:
        """Let a statement whose caller has gone end, if it does so in a moment: then the connection goes on."""
        try:
            await wait_async(gen, self.pgconn.socket, interval=interval, timeout=LEAVE_SECONDS)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
        except psycopg.Error:
            # The caller has gone and will not hear of it.
            return
        except BaseException:
            self.pgconn.finish()
            raise

    async def begin(self, watch: Watch, prepared: bool | None, idle_seconds: float | None = None) -> None:
        """Settle in: to be called once. *prepared*: whether statements may be prepared; None: unless there is a pooler.

        *idle_seconds* is how long a transaction may stand still.
        """
        self.watch, self.made = watch, time.monotonic()
        self.prepare_threshold = None
        self.session = await self._look()
        self.pooled = self.session[0] != self.info.backend_pid
        watch.citus = self.citus
        if prepared is None:
            prepared = not self.pooled
        if self.pooled:
            watch.behind_pooler(prepared)
        if prepared:
            self.prepare_threshold = 5
        # Without them there is probably a pooler that we do not recognize.
        if not self.pooled and prepared:
            idle = idle_seconds or watch.seconds * IDLE_SHARE
            settings = {"statement_timeout": watch.seconds * SERVER_SHARE, "idle_in_transaction_session_timeout": idle}
            if self.info.server_version >= HAS_TRANSACTION_TIMEOUT:
                settings["transaction_timeout"] = max(idle, watch.seconds * IDLE_SHARE)
            limits = [f"SET {name} = {milliseconds(most)}" for name, most in settings.items()]
            # To compile a statement takes longer than any of ours. Functions say so themselves, for poolers.
            await self.execute(";".join(["SET jit = off", *limits]))
        if self.citus:
            # What a transaction sets, its tenant above all, holds on the nodes of its rows too.
            await self.execute("SET citus.propagate_set_commands = 'local'")

    async def clock_now(self) -> float:
        """The time on the database's clock, in seconds since 1970, as far as is known without asking each time."""
        if time.monotonic() - self.clock_read > CLOCK_SECONDS:
            await self._look()
        return self.clock + time.monotonic()

    async def _look(self) -> Session:
        """Look at the database's clock; the session that this connection has there."""
        row = await (await self.execute(ABOUT, prepare=False)).fetchone()
        assert row is not None
        process, began, clock, self.owns_nothing, self.citus = row
        self.clock_read = time.monotonic()
        self.clock = clock - self.clock_read
        return process, began

    async def end(self, sessions: Sequence[Session]) -> None:
        """End other sessions of the same role: what they hold is let go."""
        pids, begun = zip(*sessions, strict=True)
        await self.execute(END, [packed(int, pids), packed(datetime, begun)])


def milliseconds(seconds: float) -> int:
    """As PostgreSQL counts; never 0, which would mean no bound."""
    return max(1, min(round(seconds * 1000), 2**31 - 1))


def parameters(url: str, seconds: float) -> dict[str, Any]:
    """What every connection is made with, beside what *url* says itself. *seconds* is the bound of a wait.

    A dead machine or a cut line is noticed by the operating system too: by what is not acknowledged, and by probes.
    """
    given = conninfo_to_dict(url)
    ours: dict[str, Any] = {
        "connect_timeout": max(2, math.ceil(min(seconds, CONNECT_TIMEOUT_SECONDS))),
        "application_name": "aureum",
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": milliseconds(max(seconds, CONNECT_TIMEOUT_SECONDS)),
    }
    return {"autocommit": True} | {name: value for name, value in ours.items() if name not in given}
