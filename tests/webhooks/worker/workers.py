"""Workers for tests: one in this process or as a process of its own, how receivers answer it, and when it is done."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from aureum.domain.errors import Unavailable
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.webhooks.sending.results import SendResult
from aureum.webhooks.worker.counters import Counters
from aureum.webhooks.worker.worker_settings import WorkerSettings
from aureum.worker.worker import run_worker
from tests.conftest import MASTER_KEY
from tests.webhooks.receiver import Answer, Receiver
from tests.webhooks.worker_process import LOOPBACK

SOON = timedelta(milliseconds=50)


def soon(attempt: int, result: SendResult) -> timedelta:
    """A schedule without end or patience."""
    return SOON


NOTHING_LEFT = """
SELECT NOT EXISTS (
           SELECT FROM heads h
             LEFT JOIN checkpoints c ON c.tenant_id = h.tenant_id AND c.consumer = 'webhooks'
            WHERE h.tenant_id = ANY (%(tenants)s) AND h.position IS DISTINCT FROM c.position
       ) AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.tenant_id = ANY (%(tenants)s))
"""


async def nothing_left(store: EventStore, *tenants: UUID) -> None:
    """Wait until all that happened in *tenants* is projected, and delivered or given up."""
    done = False
    async with asyncio.timeout(30):
        while not done:
            await asyncio.sleep(0.01)
            with suppress(Unavailable):
                ((done,),) = await store.database.rows(NOTHING_LEFT, {"tenants": list(tenants)})


@asynccontextmanager
async def working(url: str, **settings: Any) -> AsyncIterator[Counters]:
    """A worker in this process, stopped as it is stopped by SIGTERM."""
    stop, counters = asyncio.Event(), Counters()
    given: dict[str, Any] = {"allow_networks": LOOPBACK, "poll_seconds": 0.05, "pause_after": soon} | settings
    keys = TenantKeys(MasterKey(MASTER_KEY))
    worker = asyncio.create_task(run_worker(url, keys, stop, settings=WorkerSettings(**given), counters=counters))
    try:
        yield counters
    finally:
        stop.set()
        await asyncio.wait_for(worker, 20)


@asynccontextmanager
async def worker_process(url: str, lease: float, attempt: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker as a process of its own, with the seconds of a lease and of an attempt; dead at the end."""
    arguments = ("-m", "tests.webhooks.worker_process", url, str(lease), str(attempt))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def received_ids(receiver: Receiver) -> Counter[str]:
    """How often each message arrived; the same id has the same body each time."""
    bodies: dict[str, bytes] = {}
    for request in receiver.requests:
        assert bodies.setdefault(request.headers["webhook-id"], request.body) == request.body
    return Counter(request.headers["webhook-id"] for request in receiver.requests)


def arrived(receiver: Receiver, requests: int) -> bool:
    """Whether so many requests have come, or more."""
    return len(receiver.requests) >= requests


def after(seconds: float, answer: Answer) -> Answer:
    """The same answer, so much later."""

    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await answer(writer)

    return late


async def never(writer: asyncio.StreamWriter) -> None:
    """A system that hangs."""
    await asyncio.Event().wait()
