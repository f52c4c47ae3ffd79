"""Workers that are killed at each stage, paused, cut off, or out of files: nothing is lost, and late news is none."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from aureum.store.event_store import EventStore
from aureum.webhooks.queue.message import message_id
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.cable import cable
from tests.webhooks.queue.queued import enqueue
from tests.webhooks.receiver import Answer, Receiver, receiving, text
from tests.webhooks.tenants import attempts, register
from tests.webhooks.waiting import run, until
from tests.webhooks.worker.workers import after, never, nothing_left, received_ids, worker_process, working

LEASE, ATTEMPT = 2.0, 1.0
OK = text("200 OK")

PARTITIONS = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'webhook_attempts'::regclass"
WAIT_FOR_LOCKS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%webhook_deliveries%'
"""
END_WAITERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


IMPATIENT = """
import datetime, sys, uvloop
from aureum.webhooks.worker import dispatcher
from tests.webhooks.worker_process import main
dispatcher.OWN_FAULT_PAUSE = datetime.timedelta(seconds=0.3)
uvloop.run(main(sys.argv[1], 20, 10))
"""
"""A worker that waits a shorter time after a fault of its own."""


async def counted(store: EventStore, query: str, enough: int, seconds: float = 50) -> None:
    """Wait until *query* counts *enough*."""
    number = 0
    async with asyncio.timeout(seconds):
        while number < enough:
            await asyncio.sleep(0.01)
            ((number,),) = await store.database.rows(query)


def once_then(first: Answer, then: Answer) -> Answer:
    """*first* to the first request, *then* to those that follow."""
    answers = [first]

    async def answer(writer: asyncio.StreamWriter) -> None:
        await (answers.pop() if answers else then)(writer)

    return answer


@asynccontextmanager
async def locked(url: str, *statements: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A session that holds locks until the end."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        for statement in statements:
            await connection.execute(statement)
        yield connection
        await connection.rollback()


async def kill(process: asyncio.subprocess.Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


async def killed_before_the_request(url: str, store: EventStore, _: Receiver) -> None:
    # What an attempt needs to know of its endpoint stands in the log, which cannot be read now.
    async with locked(url, "LOCK TABLE events IN ACCESS EXCLUSIVE MODE"), worker_process(url, LEASE, ATTEMPT) as victim:
        await counted(store, "SELECT count(*) FROM webhook_deliveries WHERE state = 'leased'", 1)
        await kill(victim)


async def killed_during_the_request(url: str, _: EventStore, receiver: Receiver) -> None:
    async with worker_process(url, LEASE, ATTEMPT) as victim:
        await until(lambda: len(receiver.requests) == 1)
        await kill(victim)


async def killed_after_the_answer(url: str, store: EventStore, receiver: Receiver) -> None:
    # Its session dies with it, before anything is written.
    async with worker_process(url, LEASE, ATTEMPT) as victim:
        await until(lambda: len(receiver.requests) == 1)
        async with locked(url, "SELECT FROM webhook_deliveries FOR UPDATE"):
            await counted(store, WAIT_FOR_LOCKS, 1)
            await kill(victim)
            await store.database.rows(END_WAITERS)


async def killed_while_the_outcome_is_written(url: str, store: EventStore, receiver: Receiver) -> None:
    # The database has it all and may still commit.
    async with worker_process(url, LEASE, ATTEMPT) as victim:
        await until(lambda: len(receiver.requests) == 1)
        async with locked(url, "SELECT FROM webhook_deliveries FOR UPDATE"):
            await counted(store, WAIT_FOR_LOCKS, 1)
            await kill(victim)


@pytest.mark.parametrize(
    ("stage", "first", "requests"),
    [
        (killed_before_the_request, OK, {1}),
        (killed_during_the_request, never, {2}),
        (killed_after_the_answer, after(0.3, OK), {2}),
        (killed_while_the_outcome_is_written, after(0.3, OK), {1, 2}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_whenever_a_worker_is_killed_what_it_held_goes_out_again_under_its_id(
    database_url: str, stage: Any, first: Answer, requests: set[int]
) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(once_then(first, OK)) as receiver:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant, receiver.url)
            await enqueue(store, tenant, endpoint, [1])
            await stage(database_url, store, receiver)
            async with working(database_url):
                await nothing_left(store, tenant)
            ((identifier, number),) = received_ids(receiver).items()
            assert identifier == "msg_1" and number in requests
            # What it held does not count against the lane for ever: the leases are what is counted.
            assert [outcome for _, _, outcome, _, _ in await attempts(store, tenant)] == ["delivered"]

    run(scenario())


@asynccontextmanager
async def taken_over(url: str, worker_url: str, disturb: Any) -> AsyncIterator[tuple[EventStore, Receiver, Any]]:
    """A worker that *disturb* stops after its request was sent; another one delivers meanwhile. Then what was
    disturbed goes on."""
    answered = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await answered.wait()
        await OK(writer)

    async with opened_store(url) as store, receiving(once_then(late, OK)) as receiver:
        tenant = await open_brokerage(store)
        await register(store, tenant, receiver.url)
        await capture(store, tenant)
        async with worker_process(worker_url, LEASE, ATTEMPT) as worker:
            await until(lambda: len(receiver.requests) == 1)
            # What it does at its start is over: it is in no transaction that others have to wait for.
            await counted(store, PARTITIONS, 4)
            go_on = disturb(worker)
            answered.set()
            async with working(url):
                await nothing_left(store, tenant)
                assert received_ids(receiver) == {message_id(tenant, 2): 2}
            go_on()
            await counted(store, "SELECT count(*) FROM webhook_attempts", 2)
            # It works as before.
            await capture(store, tenant)
            await nothing_left(store, tenant)
            assert received_ids(receiver)[message_id(tenant, 3)] == 1
        outcomes = Counter(
            (position, attempt, outcome) for position, attempt, outcome, *_ in await attempts(store, tenant)
        )
        assert outcomes == {(2, 1, "superseded"): 1, (2, 2, "delivered"): 1, (3, 1, "delivered"): 1}
        yield store, receiver, tenant


def test_a_worker_that_was_paused_decides_nothing_any_more(database_url: str) -> None:
    def pause(worker: asyncio.subprocess.Process) -> Any:
        os.kill(worker.pid, signal.SIGSTOP)
        return lambda: os.kill(worker.pid, signal.SIGCONT)

    async def scenario() -> None:
        async with taken_over(database_url, database_url, pause):
            pass

    run(scenario())


def test_a_worker_that_was_cut_off_from_the_database_decides_nothing_any_more(database_url: str) -> None:
    async def scenario() -> None:
        async with cable(database_url) as wire:

            def pull(_: asyncio.subprocess.Process) -> Any:
                wire.whole.clear()
                return wire.mend

            async with taken_over(database_url, wire.url, pull):
                pass

    run(scenario())


def test_a_worker_that_is_out_of_files_sends_what_it_can_and_charges_no_endpoint(database_url: str) -> None:
    closing = after(0.3, text("200 OK\nConnection: close"))

    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(closing, host="0.0.0.0") as receiver:  # noqa: S104
            tenant = await open_brokerage(store)
            for place in range(28):
                endpoint = await register(store, tenant, f"http://127.0.1.{place + 1}:{receiver.port}/hooks")
                await enqueue(store, tenant, endpoint, [1])
            command = f"ulimit -n 40; exec {sys.executable} -c '{IMPATIENT}' '{database_url}'"
            process = await asyncio.create_subprocess_shell(command, stdout=asyncio.subprocess.PIPE)
            try:
                await nothing_left(store, tenant)
                process.terminate()
                said, _ = await asyncio.wait_for(process.communicate(), 20)
            finally:
                if process.returncode is None:
                    process.kill()
            assert process.returncode == 0
            assert b"webhook_own_fault" in said
            rows = await attempts(store, tenant)
            assert Counter((attempt, outcome) for _, attempt, outcome, *_ in rows) == {(1, "delivered"): 28}
            assert len(receiver.requests) == 28

    run(scenario())
