"""A worker that sends mail, against real servers that fail in every way: each mail once, none lost, none held up."""

import asyncio
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from aureum.mail.queue.schedule import LONGEST
from aureum.store.event_store import EventStore
from tests.mail.mail_server import dialogue, mail_server, peer
from tests.mail.queued import mailing, queue_mails, states, until_states
from tests.stores import open_brokerage, opened_store
from tests.webhooks.tenants import change_brokerage
from tests.webhooks.waiting import run, until
from tests.webhooks.worker.eventually import eventually

MAILS = 40


def names(count: int, domain: str = "example.com") -> list[str]:
    return [f"a{number}@{domain}" for number in range(count)]


async def ended(store: EventStore, *tenants: UUID) -> None:
    """Wait until all mails of *tenants* are sent or given up."""
    for tenant in tenants:
        await until_states(store, tenant, lambda rows: not {row[1] for row in rows} & {"due", "leased"})


def test_two_workers_send_each_mail_once(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenants = [await open_brokerage(store) for _ in range(3)]
            server.seconds = 0.01
            async with mailing(database_url, server.at(), tmp_path), mailing(database_url, server.at(), tmp_path):
                for number, tenant in enumerate(tenants):
                    await queue_mails(store, tenant, names(MAILS, f"{number}.example"))
                    # What is queued already is not queued again.
                    await queue_mails(store, tenant, names(MAILS, f"{number}.example"))
                await ended(store, *tenants)
            assert Counter(server.addresses) == Counter(a for n in range(3) for a in names(MAILS, f"{n}.example"))
            for tenant in tenants:
                assert {state for _, state, *_ in await states(store, tenant)} == {"sent"}
            # Connections are used again: two workers have eight each at most.
            assert server.connections <= 16

    run(scenario())


def test_a_worker_that_is_killed_loses_nothing(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenant = await open_brokerage(store)
            await queue_mails(store, tenant, names(6))
            server.seconds = 0.6
            arguments = ("-m", "tests.mail.worker_process", database_url, str(server.port), "2")
            process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
            try:
                # Some were accepted, and the worker could not write it down.
                await until(lambda: len(server.received) >= 1)
            finally:
                process.kill()
                await process.wait()
            server.seconds = 0
            async with mailing(database_url, server.at(), tmp_path):
                await ended(store, tenant)
            arrived: dict[str, set[str]] = {}
            for mail, address in zip(server.mails, server.addresses, strict=True):
                arrived.setdefault(address, set()).add(mail["Message-ID"])
            assert sorted(arrived) == names(6)
            # What came twice is the same mail.
            assert all(len(identifiers) == 1 for identifiers in arrived.values())
            contents = {address: content for _, address, content in server.received}
            assert all(contents[address] == content for _, address, content in server.received)

    run(scenario())


def test_connections_to_the_database_that_are_lost_send_nothing_twice(database_url: str, tmp_path: Path) -> None:
    ended_sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"

    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenant, waiting, free = await open_brokerage(store), asyncio.Event(), asyncio.Event()

            async def hold(address: str) -> None:
                waiting.set()
                await free.wait()

            server.hold = hold
            async with mailing(database_url, server.at(), tmp_path):
                await queue_mails(store, tenant, names(6))
                await waiting.wait()
                async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
                    await connection.execute(f"{ended_sessions} AND pid <> pg_backend_pid()")
                free.set()
                await until(lambda: len(server.received) == 6)
                async with opened_store(database_url) as looking:
                    await ended(looking, tenant)
            assert sorted(server.addresses) == names(6)

    run(scenario())


def test_a_slow_tenant_holds_up_no_other(database_url: str, tmp_path: Path) -> None:
    """Each of its mails takes longer than the test."""

    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            slow, quick = await open_brokerage(store), await open_brokerage(store)

            async def hold(address: str) -> None:
                await asyncio.sleep(30 if address.endswith("slow.example") else 0)

            server.hold = hold
            async with mailing(database_url, server.at(), tmp_path, timeout_seconds=2, lease_seconds=5):
                await queue_mails(store, slow, names(MAILS, "slow.example"))
                await asyncio.sleep(0.3)
                await queue_mails(store, quick, names(MAILS, "quick.example"))
                await until(lambda: len(server.received) == MAILS, 2)
                under_way = [state for _, state, *_ in await states(store, slow)].count("leased")
                assert under_way == 4  # half of eight

    run(scenario())


def test_what_is_deferred_comes_again_and_what_is_refused_does_not(database_url: str, tmp_path: Path) -> None:
    asked: Counter[str] = Counter()

    def answer(address: str) -> str | None:
        asked[address] += 1
        match address.partition("@")[0]:
            case "gone":
                return "550 5.1.1 no such user"
            case "grey" if asked[address] < 3:
                return "451 4.7.1 greylisted"
            case "always":
                return "450 4.2.2 mailbox full"
        return None

    def thrice(attempt: int, age: timedelta) -> timedelta | None:
        return timedelta(milliseconds=20) if attempt < 3 else None

    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenant, other = await open_brokerage(store), await open_brokerage(store)
            server.rcpt = answer
            to = ["fine@example.com", "grey@example.com", "gone@example.com", "always@example.com"]
            await queue_mails(store, tenant, to)
            async with mailing(database_url, server.at(), tmp_path, pause_after=thrice) as counters:
                await ended(store, tenant)
                assert await states(store, tenant) == [
                    (1, "sent", 1, None),
                    (2, "sent", 3, None),
                    (3, "failed", 1, "recipient_refused"),
                    (4, "failed", 3, "recipient_deferred"),
                ]
                assert counters.outcomes == {"sent": 2, "retried": 4, "bounced": 1, "failed": 1}
                bounced = await store.database.rows("SELECT tenant_id, times FROM mail_bounces")
                assert bounced == [(tenant, 1)]
                # The same address of another brokerage is asked for itself.
                await queue_mails(store, other, ["gone@example.com"])
                await ended(store, other)
                assert asked["gone@example.com"] == 2

    run(scenario())


def test_a_server_that_is_away_uses_up_no_attempt(database_url: str, tmp_path: Path) -> None:
    connections = 0

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await dialogue(b"421 4.3.2 closed for today\r\n")(reader, writer)

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            async with peer(busy) as server, mailing(database_url, server, tmp_path) as counters:
                await queue_mails(store, tenant, names(MAILS))
                await until(lambda: counters.outcomes["held"] >= 8)
                await asyncio.sleep(1.5)
                # The breaker is open: what was under way has ended, and nothing else is tried.
                assert connections < 20
                found = await states(store, tenant)
                assert all(row[1:3] == ("due", 0) for row in found)
                assert {row[3] for row in found} == {None, "server_refused"}
            later = "UPDATE mails SET due_at = now() + interval '1 hour' WHERE state = 'due' RETURNING 1"
            await store.database.rows(later)
            # An old one is given up, so that no one gets last week's news.
            await queue_mails(store, tenant, ["old@example.com"], first=100)
            old = "UPDATE mails SET queued_at = now() - %(longest)s WHERE position = 100 RETURNING 1"
            await store.database.rows(old, {"longest": LONGEST})
            async with peer(busy) as server, mailing(database_url, server, tmp_path):
                query = "SELECT attempt, error FROM mails WHERE state = 'failed'"
                assert await eventually(store, query) == [(1, "expired")]
            await store.database.rows("UPDATE mails SET due_at = now() WHERE state = 'due' RETURNING 1")
            async with mail_server() as healthy, mailing(database_url, healthy.at(), tmp_path):
                await ended(store, tenant)
                assert sorted(healthy.addresses) == sorted(names(MAILS))

    run(scenario())


def test_a_brokerage_that_is_disabled_waits(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, mail_server() as server:
            tenant, other = await open_brokerage(store), await open_brokerage(store)
            await change_brokerage(store, tenant, disabled=True)
            await queue_mails(store, tenant, ["ann@example.com"])
            async with mailing(database_url, server.at(), tmp_path):
                await queue_mails(store, other, ["bob@example.com"])
                await ended(store, other)
                assert server.addresses == ["bob@example.com"]
                await change_brokerage(store, tenant)
                await ended(store, tenant)
                assert server.addresses == ["bob@example.com", "ann@example.com"]

    run(scenario())
