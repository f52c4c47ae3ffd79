"""A database that restarts, refuses, only reads, is full or keeps everything it ever saw: the worker waits for it by
itself, and what attempts came to is not forgotten meanwhile."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from aureum.domain.errors import Unavailable
from aureum.store.cipher import MasterKey
from aureum.store.postgres import embedded
from aureum.store.postgres.database import Database
from aureum.store.postgres.migrate import migrate
from aureum.webhooks.queue import lanes
from aureum.webhooks.queue.completions import write
from aureum.webhooks.queue.message import message_id
from tests.conftest import MASTER_KEY, execute
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.cable import cable
from tests.webhooks.crash import crash
from tests.webhooks.queue.queued import ONE, claim, completion, enqueue
from tests.webhooks.receiver import receiving, text
from tests.webhooks.tenants import attempts, register
from tests.webhooks.waiting import run, until
from tests.webhooks.worker.workers import after, arrived, nothing_left, received_ids, working

OK = text("200 OK")

FAILS = """
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'as the test wants it' USING ERRCODE = {code};
END
$$;
CREATE TRIGGER fails BEFORE INSERT ON webhook_attempts FOR EACH STATEMENT EXECUTE FUNCTION fails();
"""
FAILS_NO_MORE = sql.SQL("DROP TRIGGER fails ON webhook_attempts; DROP FUNCTION fails;")

END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture(scope="module")
def brought_down() -> Any:
    """A server of the module's own, which may be stopped."""
    with embedded.throwaway() as server:
        asyncio.run(migrate(server.url, MasterKey(MASTER_KEY)))
        yield server


def test_a_server_that_crashes_and_restarts_is_waited_for(brought_down: embedded.EmbeddedServer) -> None:
    async def scenario() -> None:
        url = brought_down.url
        async with opened_store(url) as store, receiving(after(0.02, OK)) as receiver:
            tenants = [await open_brokerage(store) for _ in range(3)]
            for tenant in tenants:
                await register(store, tenant, receiver.url)
                for _ in range(40):
                    await capture(store, tenant)
            async with working(url, lease_seconds=2.0, timeout_seconds=1.0):
                await until(lambda: arrived(receiver, 30))
                await asyncio.to_thread(crash, url)
                await asyncio.to_thread(brought_down.revive)
                await nothing_left(store, *tenants)
            expected = {message_id(tenant, position) for tenant in tenants for position in range(2, 42)}
            assert set(received_ids(receiver)) == expected

    run(scenario())


def test_what_attempts_came_to_is_kept_while_the_database_is_gone(database_url: str) -> None:
    async def scenario() -> None:
        async with (
            opened_store(database_url) as store,
            receiving(after(0.3, OK)) as receiver,
            cable(database_url) as wire,
        ):
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            for _ in range(6):
                await capture(store, tenant)
            async with working(wire.url):
                await until(lambda: arrived(receiver, 6))
                # No connection is left, and none is let in until all have been answered for long.
                wire.cut()
                await asyncio.sleep(1)
                assert len(await attempts(store, tenant)) == 0
                wire.mend()
                await nothing_left(store, tenant)
            assert received_ids(receiver) == {message_id(tenant, position): 1 for position in range(2, 8)}
            assert [outcome for _, _, outcome, *_ in await attempts(store, tenant)] == ["delivered"] * 6

    run(scenario())


@pytest.mark.parametrize("code", ["disk_full", "deadlock_detected", "serialization_failure", "out_of_memory"])
def test_what_attempts_came_to_is_kept_while_it_cannot_be_written(database_url: str, code: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(OK) as receiver:
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            execute(database_url, sql.SQL(FAILS).format(code=sql.Literal(code)))
            await capture(store, tenant)
            async with working(database_url):
                await until(lambda: arrived(receiver, 1))
                await asyncio.sleep(0.5)
                assert len(await attempts(store, tenant)) == 0
                execute(database_url, FAILS_NO_MORE.format())
                await nothing_left(store, tenant)
            assert received_ids(receiver) == {message_id(tenant, 2): 1}
            assert [outcome for _, _, outcome, *_ in await attempts(store, tenant)] == ["delivered"]

    run(scenario())


def test_a_database_that_only_reads_is_waited_for(database_url: str) -> None:
    async def scenario() -> None:
        name = sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]))
        async with (
            opened_store(database_url) as store,
            receiving(after(0.5, OK)) as receiver,
            await psycopg.AsyncConnection.connect(database_url, autocommit=True) as operator,
        ):
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            await capture(store, tenant)
            async with working(database_url):
                await until(lambda: arrived(receiver, 1))
                # A standby that took over and is not promoted yet.
                await operator.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
                await operator.execute(END_SESSIONS)
                await asyncio.sleep(1)
                store.writer.watch.hurry(2)
                for _ in range(2):
                    # The first may meet a connection that was ended: what became of it cannot be asked for long.
                    with pytest.raises(Unavailable):
                        await capture(store, tenant)
                await operator.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
                # Those sessions stay as they are: who has met a refusal looks for another.
                await nothing_left(store, tenant)
                await capture(store, tenant)
                await nothing_left(store, tenant)
            assert set(received_ids(receiver).values()) == {1}
            assert [outcome for _, _, outcome, *_ in await attempts(store, tenant)] == ["delivered"] * 2

    run(scenario())


def test_who_stands_still_in_a_transaction_loses_it_and_its_locks(database_url: str) -> None:
    async def scenario() -> None:
        async with (
            opened_store(database_url) as store,
            Database(database_url, idle_seconds=0.3) as paused,
        ):
            tenant = await open_brokerage(store)
            await enqueue(store, tenant, await register(store, tenant), [1])
            with pytest.raises(Unavailable):
                async with paused.connection() as connection:
                    await connection.execute("BEGIN")
                    await connection.execute("SELECT FROM webhook_lanes FOR UPDATE")
                    # Others wait for as long as that, and no longer.
                    await asyncio.wait_for(store.database.rows("UPDATE webhook_lanes SET next_due = now()"), 5)
                    await connection.execute("COMMIT")
            # The next connection is a good one.
            assert await paused.rows("SELECT 1") == [(1,)]

    run(scenario())


def test_one_connection_is_enough(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(OK) as receiver:
            tenants = [await open_brokerage(store) for _ in range(4)]
            for tenant in tenants:
                await register(store, tenant, receiver.url)
            async with working(database_url, pool_size=1):
                for _ in range(20):
                    await asyncio.gather(*(capture(store, tenant) for tenant in tenants))
                await nothing_left(store, *tenants)
            assert Counter(received_ids(receiver).values()) == {1: 80}

    run(scenario())


BLOCKS = """
SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::bigint
  FROM pg_statio_user_tables WHERE relname LIKE 'webhook%'
"""


async def blocks(database: Database) -> int:
    """How many blocks of our tables have been looked at so far."""
    await database.rows("SELECT pg_stat_force_next_flush()")
    ((number,),) = await database.rows(BLOCKS)
    return int(number)


async def cost_of_a_claim(database: Database, tenant: UUID) -> int:
    """In blocks; what was claimed is delivered."""
    before = await blocks(database)
    claims = await claim(database, ONE, tenant, limit=8, share=8)
    cost = await blocks(database) - before
    assert len(claims) == 8
    await write(database, ONE, [completion(one) for one in claims])
    return cost


async def cost_of_a_look(database: Database) -> int:
    before = await blocks(database)
    assert await lanes.due_tenants(database, 64)
    return await blocks(database) - before


def test_who_keeps_everything_alive_makes_a_busy_lane_dearer_and_no_other(database_url: str) -> None:
    async def scenario() -> None:
        async with (
            opened_store(database_url) as store,
            # One session, so that its own counts are complete.
            Database(database_url, pool_size=1) as database,
            await psycopg.AsyncConnection.connect(database_url) as old,
        ):
            for table in ("webhook_deliveries", "webhook_lanes"):
                await store.database.rows(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
            busy, quiet = await open_brokerage(store), await open_brokerage(store)
            for tenant in (busy, quiet):
                await enqueue(store, tenant, await register(store, tenant), range(1, 1_001))
            # An analysis that goes on for an hour: nothing that is deleted from now on can be cleared away.
            await old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await old.execute("SELECT FROM webhook_deliveries LIMIT 1")
            await cost_of_a_claim(database, quiet)
            look, neighbour = await cost_of_a_look(database), await cost_of_a_claim(database, quiet)
            for _ in range(100):
                await cost_of_a_claim(database, busy)
            # A claim leaves a dead entry of its lane behind, which the next look for due lanes passes by once.
            assert await cost_of_a_look(database) < look + 3 * 100
            assert await cost_of_a_claim(database, quiet) < 1.5 * neighbour
            await old.rollback()

    run(scenario())
