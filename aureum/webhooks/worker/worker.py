"""The worker: follows the logs, delivers, and tidies up, until it is told to stop.

    listen ──wakes──▶ project ──hints──▶ dispatch ──▶ attempts ──▶ complete
                      reap, feed ───────────┘                maintenance

Each part is a loop of its own with one rule for failures: log it, wait a little, go on. So a database that goes away
and comes back needs no operator. Notifications make it quick; polling twice a second is what makes it correct.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import psycopg
import structlog

from aureum.domain.errors import Unavailable
from aureum.log import places
from aureum.store.cipher import TenantKeys
from aureum.store.event_store import EventStore
from aureum.store.postgres.connection import IDLE_SHARE
from aureum.store.postgres.database import Database, connect
from aureum.store.postgres.notify import CHANNEL
from aureum.store.postgres.watch import Watch
from aureum.store.writer import AppendWriter
from aureum.webhooks.queue import leases
from aureum.webhooks.sending.sender import Sender
from aureum.webhooks.telling.projector import project, tenants_behind
from aureum.webhooks.worker.counters import Counters
from aureum.webhooks.worker.dispatcher import WRITE_SECONDS, Dispatcher
from aureum.webhooks.worker.endpoints import Endpoints
from aureum.webhooks.worker.feeder import Feeder
from aureum.webhooks.worker.maintenance import maintenance
from aureum.webhooks.worker.rehearser import rehearsal_round
from aureum.webhooks.worker.waiting import all_of, wait_for
from aureum.webhooks.worker.worker_settings import WorkerSettings

log = structlog.get_logger()

REAP_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0

FINISH_SECONDS = 1.0
"""To end a claim when the worker is told to stop: besides the time limit of an attempt, and what writing takes."""

CHORE_SECONDS = 60.0
CHORES_AT_ONCE = 2

LISTEN_SECONDS = 2.0
"""How long to listen before asking whether the database is there at all."""

STANDSTILL_SECONDS = 20.0
"""A worker that is paused in the middle of a transaction holds locks that others wait for: no longer than this, so that
what it held goes out again in time."""

TENANTS_A_ROUND = 100

AT_ONCE = 3
"""Tenants that are projected at the same moment: most of the time goes in waiting for answers."""

ASIDE_SECONDS = 30.0
"""How long a tenant is left alone whose log cannot be projected."""


async def run_worker(
    url: str,
    keys: TenantKeys,
    stop: asyncio.Event,
    *,
    settings: WorkerSettings | None = None,
    counters: Counters | None = None,
    watch: Watch | None = None,
) -> None:
    """Project and deliver until *stop* is set; then finish what is under way, in 19 s at most.

    *url* is the owner role's. A database that cannot be reached, or does not answer, is waited for. *watch* is what
    knows how it does; without it the worker has one of its own.
    """
    settings = settings or WorkerSettings()
    watch = watch or Watch(settings.database_timeout)
    prepared = settings.prepared
    # What is done beside deliveries may take its time, and must not be cut short because these may not.
    slowly = Watch(max(CHORE_SECONDS, watch.seconds), watch.counted)
    standstill = min(STANDSTILL_SECONDS, IDLE_SHARE * watch.seconds)
    async with (
        Database(
            url, pool_size=settings.pool_size, prepared=prepared, idle_seconds=standstill, watch=watch
        ) as database,
        Database(url, pool_size=CHORES_AT_ONCE, prepared=prepared, watch=slowly) as unhurried,
        AppendWriter(url, prepared=prepared, watch=watch) as writer,
        Sender(settings.allow_networks, timeout=settings.timeout_seconds) as sender,
    ):
        store = EventStore(database, writer, keys)
        unhurried_store = EventStore(unhurried, writer, keys)
        counters = counters or Counters()
        dispatcher = Dispatcher(database, Endpoints(store), sender, settings, counters)
        follower = Follower(store, dispatcher, settings.poll_seconds)
        feeder = Feeder(store, dispatcher.hint, settings.poll_seconds, follower.asked)
        drained = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                completing = group.create_task(persevere("complete", dispatcher.completer.round, drained))
                listening = group.create_task(persevere("listen", lambda: listen(url, follower.wake, watch), stop))
                following = group.create_task(persevere("project", follower.round, stop))
                dispatching = group.create_task(persevere("dispatch", dispatcher.round, stop))
                reaping = group.create_task(persevere("reap", lambda: reap(dispatcher, stop), stop))
                feeding = group.create_task(persevere("feed", feeder.round, stop))
                rehearsing = group.create_task(
                    persevere("rehearse", lambda: rehearsal_round(unhurried_store, settings.routing_model, stop), stop)
                )
                others = [
                    group.create_task(persevere(part, work, stop))
                    for part, work in maintenance(unhurried, counters, dispatcher.hint, stop).items()
                ]
                await stop.wait()
                for task in (listening, reaping, feeding, rehearsing, *others):
                    task.cancel()
                dispatcher.stop()
                follower.wake.set()
                # Not cancelled at once: what a claim under way has leased is to be given back.
                await asyncio.wait((following, dispatching), timeout=FINISH_SECONDS)
                for hurried in (watch, slowly):
                    hurried.hurry(WRITE_SECONDS)
                await dispatcher.finish(settings.timeout_seconds)
                drained.set()
                for task in (following, dispatching, completing):
                    task.cancel()
        finally:
            # Of a worker that was not told to stop, but cancelled.
            await dispatcher.finish(0, 0)


async def persevere(part: str, work: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Do *work* again and again until *stop* is set; after a failure wait, longer each time, and by chance."""
    failures = 0
    while not stop.is_set():
        try:
            await work()
            failures = 0
        except Exception as error:
            longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**failures)
            pause = longest * random.uniform(0.5, 1)  # noqa: S311  it spreads load
            failures = min(failures + 1, 10)
            # That the database is away is no riddle; anything else is told with its place in the code.
            trace = {} if isinstance(error, (Unavailable, psycopg.OperationalError)) else {"trace": places(error)}
            log.warning("worker_pauses", part=part, error=type(error).__name__, seconds=round(pause, 2), **trace)
            await wait_for(stop, pause)


class Follower:
    """Follows the logs of all tenants and tells the dispatcher whose deliveries it made."""

    def __init__(self, store: EventStore, dispatcher: Dispatcher, poll_seconds: float) -> None:
        self.store = store
        self.dispatcher = dispatcher
        self.poll_seconds = poll_seconds
        self.aside: dict[UUID, float] = {}
        self.wake = asyncio.Event()
        self.asked = asyncio.Event()
        """Something was asked for, perhaps a replay."""

    async def round(self) -> None:
        """One batch of each tenant that is behind; if none is, wait for something to happen. Raises Unavailable."""
        self.wake.clear()
        behind = await tenants_behind(self.store)
        # By chance, so that no tenant is always last.
        random.shuffle(behind)
        events = 0
        for start in range(0, min(len(behind), TENANTS_A_ROUND), AT_ONCE):
            events += sum(await all_of(self._project(tenant_id) for tenant_id in behind[start : start + AT_ONCE]))
        if not events and not self.wake.is_set():
            await wait_for(self.wake, self.poll_seconds)

    async def _project(self, tenant_id: UUID) -> int:
        """One batch of a tenant; the number of its events. What is wrong with one tenant holds up no other."""
        if time.monotonic() < self.aside.get(tenant_id, 0.0):
            return 0
        try:
            projected = await project(self.store, tenant_id)
        except Unavailable:
            raise
        except Exception as error:
            self.aside[tenant_id] = time.monotonic() + ASIDE_SECONDS
            log.error(
                "webhook_projection_failed", tenant=str(tenant_id), error=type(error).__name__, trace=places(error)
            )
            return 0
        self.aside.pop(tenant_id, None)
        if projected.deliveries or projected.requests:
            self.dispatcher.hint(tenant_id)
        if projected.requests:
            self.asked.set()
        return projected.events


async def listen(url: str, wake: asyncio.Event, watch: Watch) -> None:
    """Set *wake* whenever something was appended. Raises what the driver raises when the connection is lost."""
    async with await connect(url, watch=watch) as connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        while True:
            async for _ in connection.notifies(timeout=LISTEN_SECONDS):
                wake.set()
            # Silence may be the line's.
            await connection.execute("SELECT 1")


async def reap(dispatcher: Dispatcher, stop: asyncio.Event) -> None:
    """Make due again what a dead or paused worker held, once a second."""
    for tenant_id in await leases.reap(dispatcher.database):
        dispatcher.hint(tenant_id)
    await wait_for(stop, REAP_SECONDS)
