"""The worker as a whole: real receivers on loopback, a real database, real kills."""

import asyncio
import hmac
import os
import signal
from collections import Counter
from functools import partial

import orjson
import psycopg
import pytest
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from aureum.store.event_store import EventStore
from aureum.store.postgres.notify import Notifier
from aureum.webhooks.queue.message import message_id
from aureum.webhooks.worker.worker_settings import WorkerSettings
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.receiver import receiving, text
from tests.webhooks.tenants import SECRET, attempts, change, register
from tests.webhooks.waiting import run, until
from tests.webhooks.worker.workers import (
    SOON,
    after,
    arrived,
    never,
    nothing_left,
    received_ids,
    worker_process,
    working,
)


def test_a_lead_arrives_signed_for_both_kinds_of_consumers(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("200 OK", "thanks")) as receiver:
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            await capture(store, tenant)
            async with working(database_url) as counters:
                await nothing_left(store, tenant)
            (request,) = receiver.requests
            assert request.line == "POST /hooks HTTP/1.1"
            # The official library checks the signature and that the time is now.
            payload = Webhook(SECRET).verify(request.body, request.headers)
            assert payload["data"]["email"] == "jane@example.com"
            expected = hmac.new(SECRET.encode(), request.body, "sha256").hexdigest()
            assert request.headers["x-aureum-signature"] == expected
            assert request.headers["x-aureum-event"] == payload["event"] == "lead.created"
            assert request.headers["webhook-id"] == payload["id"] == message_id(tenant, 2)
            assert request.headers["content-type"] == "application/json"
            assert list(map(tuple, await attempts(store, tenant))) == [(2, 1, "delivered", 200, None)]
            ((answer,),) = await store.database.rows("SELECT answer FROM webhook_attempts")
            assert answer == b"thanks"
            assert (counters.delivered, counters.failed, counters.in_flight) == (1, 0, 0)
            assert counters.first_attempts == 1
            assert 0 < counters.lag_seconds < 20

    run(scenario())


def test_what_failed_is_sent_again_byte_for_byte(database_url: str) -> None:
    async def scenario() -> None:
        answers = [text("500 Oops"), text("302 Found\nLocation: http://127.0.0.1:9/"), text("204 No Content")]

        async def next_answer(writer: asyncio.StreamWriter) -> None:
            await answers.pop(0)(writer)

        async with opened_store(database_url) as store, receiving(next_answer) as receiver:
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            lead = await capture(store, tenant)
            async with working(database_url) as counters:
                await until(lambda: len(receiver.requests) == 1)
                # What the lead becomes meanwhile changes nothing of what is told of its beginning.
                await store.database.rows("DELETE FROM subject_keys WHERE subject_id = %(lead)s", {"lead": lead.id})
                await nothing_left(store, tenant)
            assert len(receiver.requests) == 3
            assert received_ids(receiver) == {message_id(tenant, 2): 3}
            for request in receiver.requests:
                Webhook(SECRET).verify(request.body, request.headers)
            assert [tuple(row) for row in await attempts(store, tenant)] == [
                (2, 1, "failed", 500, "http_5xx"),
                (2, 2, "failed", 302, "http_3xx"),
                (2, 3, "delivered", 204, None),
            ]
            assert (counters.delivered, counters.failed, counters.first_attempts) == (1, 2, 1)

    run(scenario())


def test_a_delivery_whose_last_attempt_fails_is_given_up_and_logged(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("400 Bad Request")) as receiver:
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            await capture(store, tenant)
            async with working(database_url, pause_after=lambda attempt, _: SOON if attempt < 3 else None):
                await nothing_left(store, tenant)
            assert [outcome for _, _, outcome, _, _ in await attempts(store, tenant)] == [
                "failed",
                "failed",
                "exhausted",
            ]

    run(scenario())


def test_a_private_address_is_not_called_unless_the_operator_allows_it(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("200 OK")) as receiver:
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            await capture(store, tenant)
            async with working(database_url, allow_networks=(), pause_after=lambda *_: None):
                await nothing_left(store, tenant)
            assert [tuple(row) for row in await attempts(store, tenant)] == [
                (2, 1, "exhausted", None, "blocked_address")
            ]
            assert receiver.connections == 0

    run(scenario())


def test_one_endpoint_that_hangs_delays_no_other(database_url: str) -> None:
    async def scenario() -> None:
        async with (
            opened_store(database_url) as store,
            receiving(never) as hanging,
            receiving(text("200 OK")) as healthy,
        ):
            tenant, neighbour = await open_brokerage(store), await open_brokerage(store)
            await register(store, tenant, hanging.url)
            await register(store, tenant, healthy.url)
            await register(store, neighbour, healthy.url)
            for _ in range(20):
                await capture(store, tenant)
                await capture(store, neighbour)
            # Sixteen slots: two are the most that one endpoint may have.
            async with working(database_url, slots=16, timeout_seconds=3.0, lease_seconds=8.0):
                await until(lambda: len(hanging.requests) == 2, 5)
                await until(lambda: len(healthy.requests) == 40, 2.9)
                assert len(hanging.requests) == 2
                # After the time-out it holds one slot.
                await until(lambda: len(hanging.requests) == 3, 5)
                ((slots,),) = await store.database.rows("SELECT min(slots) FROM webhook_lanes")
                assert slots == 1

    run(scenario())


def test_two_workers_share_the_work_and_send_nothing_twice(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(after(0.005, text("200 OK"))) as receiver:
            tenants = [await open_brokerage(store) for _ in range(3)]
            for tenant in tenants:
                await register(store, tenant, receiver.url)
            async with working(database_url) as one, working(database_url) as two:
                for _ in range(40):
                    await asyncio.gather(*(capture(store, tenant) for tenant in tenants))
                await nothing_left(store, *tenants)
            expected = {message_id(tenant, position) for tenant in tenants for position in range(2, 42)}
            assert received_ids(receiver) == dict.fromkeys(expected, 1)
            assert one.delivered + two.delivered == 120

    run(scenario())


def test_a_worker_that_is_killed_loses_nothing(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(after(0.1, text("200 OK"))) as receiver:
            tenants = [await open_brokerage(store) for _ in range(4)]
            for tenant in tenants:
                for _ in range(2):
                    await register(store, tenant, receiver.url)
                for _ in range(25):
                    lead = await capture(store, tenant)
                await change(store, tenant, lead.id, "contacted", "lost")
            async with worker_process(database_url, 3, 1) as victim:
                await until(lambda: len(receiver.requests) >= 60)
                os.kill(victim.pid, signal.SIGKILL)
                assert await victim.wait() == -signal.SIGKILL
            ((held,),) = await store.database.rows("SELECT count(*) FROM webhook_deliveries WHERE state = 'leased'")
            assert held > 0
            before = received_ids(receiver)
            async with working(database_url):
                await nothing_left(store, *tenants)
            ids = received_ids(receiver)
            # Each endpoint of the two has heard of every save, and only what was under way went out twice.
            expected = {message_id(tenant, p) for tenant in tenants for p in (*range(3, 28), 29)}
            assert set(ids) == expected
            assert all(number >= 2 for number in ids.values())
            assert sum(ids.values()) - 2 * len(expected) <= held
            assert set(before) < expected

    run(scenario())


def test_a_worker_that_is_told_to_stop_finishes_what_is_under_way(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(after(0.5, text("200 OK"))) as receiver:
            tenant = await open_brokerage(store)
            for _ in range(2):
                await register(store, tenant, receiver.url)
            for _ in range(30):
                await capture(store, tenant)
            async with worker_process(database_url, 40, 15) as process:
                await until(lambda: len(receiver.requests) >= 16)
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(40):
                    assert await process.wait() == 0
            sent = len(receiver.requests)
            assert 16 <= sent < 60
            outcomes = Counter(outcome for _, _, outcome, _, _ in await attempts(store, tenant))
            assert outcomes == {"delivered": sent}
            rows = await store.database.rows("SELECT state, attempt FROM webhook_deliveries")
            assert Counter(map(tuple, rows)) == {("due", 0): 60 - sent}

    run(scenario())


def test_lost_connections_to_the_database_are_survived(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(after(0.01, text("200 OK"))) as receiver:
            tenants = [await open_brokerage(store) for _ in range(3)]
            for tenant in tenants:
                await register(store, tenant, receiver.url)
                for _ in range(60):
                    await capture(store, tenant)
            killer = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
            async with killer, working(database_url, lease_seconds=2.0, timeout_seconds=1.0):
                for enough in range(15, 105, 15):
                    await until(partial(arrived, receiver, enough))
                    await killer.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                await nothing_left(store, *tenants)
            expected = {message_id(tenant, position) for tenant in tenants for position in range(2, 62)}
            assert set(received_ids(receiver)) == expected

    run(scenario())


def test_a_notification_makes_it_quick(database_url: str) -> None:
    async def scenario() -> None:
        async with (
            opened_store(database_url) as plain,
            Notifier(plain.database) as notifier,
            receiving(text("200 OK")) as receiver,
        ):
            store = EventStore(plain.database, plain.writer, plain.keys, notifier)
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            async with working(database_url, poll_seconds=30.0):
                for number in range(1, 6):
                    await capture(store, tenant)
                    await until(partial(arrived, receiver, number), 5)

    run(scenario())


def test_a_tenant_whose_key_does_not_open_holds_up_no_other(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("200 OK")) as receiver:
            broken, fine = await open_brokerage(store), await open_brokerage(store)
            for tenant in (broken, fine):
                await register(store, tenant, receiver.url)
                await capture(store, tenant)
            await store.database.rows(
                "UPDATE tenant_keys SET wrapped = 'of another installation' WHERE tenant_id = %(tenant)s",
                {"tenant": broken},
            )
            with capture_logs() as logs:
                async with working(database_url):
                    await nothing_left(store, fine)
                    await capture(store, fine)
                    await nothing_left(store, fine)
            assert set(received_ids(receiver)) == {message_id(fine, 2), message_id(fine, 3)}
            # It is left alone for a while by each who follows its log, and nothing else pauses.
            assert {(log["event"], log["error"]) for log in logs} == {("log_not_followed", "WrongMasterKey")}
            assert len(logs) == len({log["consumer"] for log in logs})

    run(scenario())


def test_an_endpoint_without_its_secret_is_not_called_unsigned(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("200 OK")) as receiver:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant, receiver.url)
            await capture(store, tenant)
            await store.database.rows("DELETE FROM subject_keys WHERE subject_id = %(e)s", {"e": endpoint})
            async with working(database_url, pause_after=lambda *_: None):
                await nothing_left(store, tenant)
            assert [tuple(row) for row in await attempts(store, tenant)] == [(2, 1, "exhausted", None, "internal")]
            assert receiver.connections == 0

    run(scenario())


def test_a_lease_must_outlast_an_attempt() -> None:
    with pytest.raises(ValueError, match="lease"):
        WorkerSettings(lease_seconds=15.0, timeout_seconds=15.0)


def test_bodies_are_json_that_any_consumer_can_read(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("200 OK")) as receiver:
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            lead = await capture(store, tenant, first_name="Zoë", message='"quoted" \u2028 \U0001f3e0')
            await change(store, tenant, lead.id, "contacted")
            async with working(database_url):
                await nothing_left(store, tenant)
            created, updated = sorted((orjson.loads(r.body) for r in receiver.requests), key=lambda b: b["sequence"])
            assert created["data"]["message"] == '"quoted" \u2028 \U0001f3e0'
            assert created["data"]["name"] == "Zoë Doe"
            assert updated["changes"] == {"status": {"from": "new", "to": "contacted"}}

    run(scenario())
