"""The database says nothing to the worker: it goes on delivering on other connections, each delivery once, and it ends
when it is told to."""

import asyncio
import time

from aureum.store.postgres.watch import Watch
from aureum.webhooks.queue.message import message_id
from tests.freezer import freezer
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.receiver import receiving, text
from tests.webhooks.tenants import attempts, register
from tests.webhooks.waiting import run, until
from tests.webhooks.worker.workers import after, arrived, nothing_left, received_ids, working

OK = text("200 OK")
TIMEOUT = 1.0


def test_it_goes_on_delivering_on_other_connections(database_url: str) -> None:
    async def scenario() -> None:
        with freezer(database_url) as proxy:
            async with opened_store(database_url) as store, receiving(after(0.2, OK)) as receiver:
                tenant = await open_brokerage(store)
                await register(store, tenant, receiver.url)
                async with working(proxy.url, database_timeout=TIMEOUT):
                    await capture(store, tenant)
                    await until(lambda: arrived(receiver, 1))
                    for answers_only in (False, True):
                        # In the middle of whatever it is doing.
                        await capture(store, tenant)
                        assert proxy.freeze(answers_only=answers_only) >= 3
                        await capture(store, tenant)
                        await nothing_left(store, tenant)
                    proxy.thaw()
                    await asyncio.sleep(TIMEOUT)
                    await capture(store, tenant)
                    await nothing_left(store, tenant)
                assert set(received_ids(receiver)) == {message_id(tenant, position) for position in range(2, 8)}
                delivered = [outcome for _, _, outcome, *_ in await attempts(store, tenant)].count("delivered")
                assert delivered == 6

    run(scenario())


def test_what_an_attempt_came_to_is_written_once(database_url: str) -> None:
    async def scenario() -> None:
        with freezer(database_url) as proxy:
            async with opened_store(database_url) as store, receiving(after(0.3, OK)) as receiver:
                tenant = await open_brokerage(store)
                await register(store, tenant, receiver.url)
                for _ in range(6):
                    await capture(store, tenant)
                async with working(proxy.url, database_timeout=TIMEOUT):
                    await until(lambda: arrived(receiver, 6))
                    # The answers of the receiver are on their way.
                    proxy.freeze()
                    await nothing_left(store, tenant)
                    proxy.thaw()
                    await asyncio.sleep(TIMEOUT)
                assert received_ids(receiver) == {message_id(tenant, position): 1 for position in range(2, 8)}
                assert [outcome for _, _, outcome, *_ in await attempts(store, tenant)] == ["delivered"] * 6

    run(scenario())


def test_it_ends_when_it_is_told_to(database_url: str) -> None:
    async def scenario() -> None:
        with freezer(database_url) as proxy:
            async with opened_store(database_url) as store, receiving(OK) as receiver:
                tenant = await open_brokerage(store)
                await register(store, tenant, receiver.url)
                async with working(proxy.url, database_timeout=5.0):
                    await capture(store, tenant)
                    await nothing_left(store, tenant)
                    proxy.freeze()
                    proxy.refuses = True
                    await capture(store, tenant)
                    await asyncio.sleep(0.5)
                    started = time.monotonic()
                assert time.monotonic() - started < 10

    run(scenario())


def test_connections_of_before_a_silence_are_not_trusted() -> None:
    heard: list[str] = []
    watch = Watch(1.0, lambda: heard.append("counted"))
    watch.on_silence.append(lambda new: heard.append("new" if new else "the same"))
    made = time.monotonic()
    assert watch.trusts(made)
    watch.gave_up(made, 1.0)
    # The second one of the same silence changes nothing.
    watch.gave_up(made, 1.0)
    assert heard == ["counted", "new", "counted", "the same"]
    assert not watch.trusts(made) and watch.trusts(time.monotonic())
