"""What people ask of endpoints, with a real worker and a real receiver."""

import time

import orjson
import pytest

from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.control import cancel, disable, enable, ping, redeliver, replay
from tests.webhooks.receiver import receiving, text
from tests.webhooks.tenants import register
from tests.webhooks.waiting import run, until
from tests.webhooks.worker.eventually import eventually
from tests.webhooks.worker.workers import arrived, nothing_left, received_ids, worker_process, working

ENDED = """
SELECT state, cursor, until, queued FROM webhook_replays WHERE replay_id = %(id)s AND state <> 'running'
"""
EMPTY = "SELECT count(*) FROM webhook_deliveries HAVING count(*) = 0"


def test_a_replay_begins_soon_and_comes_to_its_end(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("204 No Content")) as receiver:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant, receiver.url)
            for _ in range(30):
                await capture(store, tenant)
            # No faster than by default.
            async with working(database_url, poll_seconds=0.5) as counters:
                await until(lambda: arrived(receiver, 30))
                await nothing_left(store, tenant)
                started = time.monotonic()
                job = await replay(store, tenant, endpoint)
                await until(lambda: arrived(receiver, 31))
                assert time.monotonic() - started < 10
                await until(lambda: arrived(receiver, 60))
                assert await eventually(store, ENDED, id=job) == [("completed", 31, 31, 30)]
                assert set(received_ids(receiver).values()) == {2}
                await redeliver(store, tenant, endpoint, 2)
                await until(lambda: arrived(receiver, 61))
                await ping(store, tenant, endpoint, "task.completed")
                await until(lambda: arrived(receiver, 62))
                assert counters.last is not None
            sample = orjson.loads(receiver.requests[-1].body)
            assert sample["event"] == receiver.requests[-1].headers["x-aureum-event"] == "task.completed"
            assert sample["id"] == receiver.requests[-1].headers["webhook-id"]
            assert sample["id"].startswith("test_")

    run(scenario())


def test_a_worker_that_is_killed_during_a_replay_loses_nothing(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("200 OK")) as receiver:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant, receiver.url)
            await disable(store, tenant, endpoint)
            for _ in range(700):
                await capture(store, tenant)
            await enable(store, tenant, endpoint)
            async with worker_process(database_url, 2, 1) as process:
                await until(lambda: arrived(receiver, 50))
                process.kill()
                await process.wait()
            async with working(database_url):
                await until(lambda: len(received_ids(receiver)) == 700, 40)
                await nothing_left(store, tenant)
            assert all(times <= 2 for times in received_ids(receiver).values())

    run(scenario())


def test_a_cancelled_replay_sends_no_more(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("503 Later")) as receiver:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant, receiver.url)
            await disable(store, tenant, endpoint)
            for _ in range(20):
                await capture(store, tenant)
            job = await enable(store, tenant, endpoint)
            async with working(database_url):
                await until(lambda: arrived(receiver, 5))
                await cancel(store, tenant, job)
                assert await eventually(store, EMPTY) == [(0,)]

    # Whatever was being sent, and failed, is taken back when the worker looks for it.
    monkeypatch.setattr("aureum.webhooks.worker.maintenance.MEND_SECONDS", 0.1)
    run(scenario())
