"""Endpoints that are dead by the hundred, slow, flooded or moody."""

import asyncio
import random
import socket
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook

from aureum.background import breaker, hosts
from aureum.store.event_store import EventStore
from aureum.webhooks.sending.results import Failure
from aureum.webhooks.sending.sender import Sender
from aureum.webhooks.worker.worker_settings import pause_after
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.conftest import Run
from tests.webhooks.queue.queued import enqueue
from tests.webhooks.receiver import receiving, text
from tests.webhooks.sending.test_sender_tls import Certificate, sender
from tests.webhooks.tenants import SECRET, attempts, register
from tests.webhooks.waiting import run, until
from tests.webhooks.worker.workers import after, nothing_left, received_ids, working
from tests.webhooks.worker_process import LOOPBACK

OK = text("200 OK")
OOPS = text("500 Oops")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_who_takes_connections_and_says_nothing_costs_the_time_limit(run: Run, scheme: str) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
            async with Sender(LOOPBACK, timeout=0.3) as sending:
                result = await sending.send(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/", {}, b"{}")
        assert (result.status, result.error) == (None, Failure.TIMEOUT)
        assert 290 <= result.duration_ms < 2000

    run(scenario())


def test_who_does_not_even_take_connections_costs_the_time_limit(run: Run) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
            address = silent.getsockname()
            # What fills its queue; the next one is not answered at all.
            filling = [socket.socket() for _ in range(8)]
            try:
                for one in filling:
                    one.setblocking(False)
                    one.connect_ex(address)
                async with Sender(LOOPBACK, timeout=0.3) as sending:
                    result = await sending.send(f"http://127.0.0.1:{address[1]}/", {}, b"{}")
            finally:
                for one in filling:
                    one.close()
        assert (result.status, result.error) == (None, Failure.TIMEOUT)

    run(scenario())


def test_a_certificate_that_changes_is_looked_at_again(run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        known = Certificate(tmp_path, "hook.example")
        async with sender(known.client()) as sending:
            async with receiving(OK, tls=known.server()) as receiver:
                url = f"https://hook.example:{receiver.port}/"
                assert (await sending.send(url, {}, b"{}")).error is None
            other = Certificate(tmp_path, "hook.example")
            async with receiving(OK, tls=other.server(), port=receiver.port) as imposter:
                result = await sending.send(url, {}, b"{}")
                if result.error == Failure.RESET:
                    # The kept connection had ended without a word.
                    result = await sending.send(url, {}, b"{}")
                assert result.error == Failure.TLS
                assert imposter.requests == []

    run(scenario())


def test_a_hundred_endpoints_of_a_dead_host_cost_one_probe_a_period(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Periods of half a second, one, two …, instead of five seconds and so on.
    monkeypatch.setattr(breaker, "FIRST_OPEN", timedelta(seconds=0.5))
    monkeypatch.setattr(hosts, "PROBE_AGAIN_SECONDS", 0.5)
    slots = 16

    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        under_way = most = 0

        async def answer(writer: asyncio.StreamWriter) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.02)
            under_way -= 1
            await OK(writer)

        async with opened_store(database_url) as store, receiving(OK) as healthy:
            tenants = [await open_brokerage(store) for _ in range(3)]
            for tenant in tenants:
                for endpoint in await asyncio.gather(
                    *(register(store, tenant, f"http://127.0.0.1:{port}/{place}") for place in range(40))
                ):
                    await enqueue(store, tenant, endpoint, [1])
                await enqueue(store, tenant, await register(store, tenant, healthy.url), range(1, 21))
            async with working(database_url, slots=slots, pause_after=lambda *_: timedelta(seconds=1)) as counters:
                await until(lambda: len(healthy.requests) == 60, 5)
                await until(lambda: counters.open_hosts == 1, 5)
                before = counters.failed
                assert before <= slots
                await asyncio.sleep(2)
                assert 1 <= counters.failed - before <= 4
                # It is back: everything arrives, and not all at once.
                async with receiving(answer, port=port) as back:
                    await until(lambda: len(back.requests) == 120, 20)
                    await nothing_left(store, *tenants)
                assert most <= slots // 2
                assert Counter(request.line for request in back.requests).most_common(1)[0][1] == 3

    run(scenario())


def test_one_endpoint_with_a_huge_backlog_delays_no_other(database_url: str) -> None:
    async def scenario() -> None:
        async with (
            opened_store(database_url) as store,
            receiving(after(0.05, OK)) as slow,
            receiving(OK) as healthy,
        ):
            tenant, neighbour = await open_brokerage(store), await open_brokerage(store)
            behind = await register(store, tenant, slow.url)
            await enqueue(store, tenant, behind, range(1, 20_001))
            for one in (tenant, neighbour):
                await enqueue(store, one, await register(store, one, healthy.url), range(1, 101))
            async with working(database_url):
                await until(lambda: len(healthy.requests) == 200, 5)
            # It had its share, and no more.
            assert 8 <= len(slow.requests) < 2_000
            assert set(received_ids(healthy).values()) == {2}

    run(scenario())


def test_one_tenant_that_floods_delays_no_other(database_url: str) -> None:
    async def scenario() -> None:
        async with (
            opened_store(database_url) as store,
            receiving(after(0.005, OK)) as flooded,
            receiving(OK) as healthy,
        ):
            greedy, modest = await open_brokerage(store), await open_brokerage(store)
            for _ in range(3):
                await register(store, greedy, flooded.url)
            await register(store, modest, healthy.url)
            async with working(database_url):
                flood = asyncio.create_task(pour(store, greedy, 1_000))
                await until(lambda: len(flooded.requests) > 50)
                waits = []
                for number in range(1, 16):
                    started = time.monotonic()
                    await capture(store, modest)
                    await until(lambda: len(healthy.requests) == number)  # noqa: B023  it is awaited in this round
                    waits.append(time.monotonic() - started)
                assert len(flooded.requests) < 3_000, "it went on all the time"
                await flood
            assert sorted(waits)[-2] < 2, waits

    run(scenario())


async def pour(store: EventStore, tenant: UUID, leads: int) -> None:
    """Append so many, fifty at a time."""
    for _ in range(leads // 50):
        await asyncio.gather(*(capture(store, tenant) for _ in range(50)))


def test_an_endpoint_that_answers_every_other_time_gets_everything(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_OPEN", timedelta(seconds=0.1))
    dice = random.Random(5)

    async def moody(writer: asyncio.StreamWriter) -> None:
        await (OK if dice.random() < 0.5 else OOPS)(writer)

    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(moody) as receiver:
            tenant = await open_brokerage(store)
            await enqueue(store, tenant, await register(store, tenant, receiver.url), range(1, 51))
            async with working(database_url):
                await nothing_left(store, tenant)
            assert set(received_ids(receiver)) == {f"msg_{place}" for place in range(1, 51)}
            assert Counter(outcome for _, _, outcome, *_ in await attempts(store, tenant))["delivered"] == 50
            assert max(attempt for _, attempt, *_ in await attempts(store, tenant)) < 20

    run(scenario())


def test_a_body_of_five_megabytes_arrives_whole_and_delays_no_other(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(OK) as receiver:
            tenant, neighbour = await open_brokerage(store), await open_brokerage(store)
            for one in (tenant, neighbour):
                await register(store, one, receiver.url)
            async with working(database_url):
                await capture(store, tenant, message="\u00e9" * 2_500_000)
                await capture(store, neighbour)
                await until(lambda: len(receiver.requests) == 2, 10)
            large = max((request.body for request in receiver.requests), key=len)
            assert len(large) > 5_000_000
            for request in receiver.requests:
                Webhook(SECRET).verify(request.body, request.headers)

    run(scenario())


def http_date(from_now: timedelta) -> str:
    return format_datetime(datetime.now(UTC) + from_now, usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("120", 118, 120),
        ("1", 3, 6),
        (timedelta(hours=1), 3_500, 3_600),
        (timedelta(hours=-1), 3, 6),
        ("1000000000", 86_390, 86_400),
        (timedelta(seconds=10**9), 86_390, 86_400),
        ("9" * 5_000, 86_390, 86_400),
        ("soon", 3, 6),
        ("-5", 3, 6),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86_390, 86_400),
    ],
    ids=["seconds", "one", "date", "past", "10^9", "far date", "digits", "garbage", "negative", "last day"],
)
def test_retry_after_of_all_sorts(
    module_database_url: str, retry_after: str | timedelta, least: int, most: int
) -> None:
    async def scenario() -> None:
        asked = http_date(retry_after) if isinstance(retry_after, timedelta) else retry_after
        busy = text(f"429 Too Many Requests\nRetry-After: {asked}")
        async with opened_store(module_database_url) as store, receiving(busy) as receiver:
            tenant = await open_brokerage(store)
            await enqueue(store, tenant, await register(store, tenant, receiver.url), [1])
            rows: Any = []
            async with working(module_database_url, pause_after=pause_after), asyncio.timeout(40):
                while not rows:
                    await asyncio.sleep(0.01)
                    rows = await store.database.rows(
                        "SELECT extract(epoch FROM d.due_at - now())::float8 FROM webhook_deliveries d"
                        " WHERE d.tenant_id = %(tenant)s AND d.state = 'due' AND d.attempt = 1",
                        {"tenant": tenant},
                    )
            ((pause,),) = rows
            assert least <= pause <= most
            # Of no interest to the other tests of this database.
            await store.database.rows("DELETE FROM webhook_deliveries WHERE tenant_id = %(tenant)s", {"tenant": tenant})

    run(scenario())
