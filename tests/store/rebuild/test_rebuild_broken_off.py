"""A rebuild that is killed, refused or overtaken changes nothing that people read. The next one goes on with what a
killed one has made; a cancelled one leaves nothing behind."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import AsyncConnection

from aureum.domain import ids
from aureum.domain.errors import Busy, Invalid, NotFound, Unavailable
from aureum.store.event_store import EventStore
from aureum.store.rebuild import list as rebuild_list
from aureum.store.rebuild import rebuild as rebuilding
from aureum.store.rebuild.rebuild import REBUILDABLE, rebuild
from aureum.store.rebuild.verifying import verify_read_model
from tests.store.read_models import change, live, shown, until, versions
from tests.stores import capture, open_brokerage, opened_store

NAMES = [model.NAME for model in REBUILDABLE[:2]]
FIRST = {"lead_list": 1, "lead_counts": 1}

HOLD = "SELECT FROM heads WHERE tenant_id = %(tenant)s FOR UPDATE"
LEASE = "SELECT lease_until FROM rebuilds WHERE tenant_id = %(tenant)s AND owner IS NOT NULL"
CLAIMS = "SELECT read_model, read_version, owner FROM rebuilds WHERE tenant_id = %(tenant)s"
OVERTAKE = "UPDATE rebuilds SET owner = %(owner)s WHERE tenant_id = %(tenant)s"
EXPIRE = "UPDATE rebuilds SET lease_until = now() - interval '1 second' WHERE tenant_id = %(tenant)s"
TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'aureum' AND query LIKE %(query)s
"""

Told = Callable[[int, int], None]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few events make several transactions, and a rebuild can be stopped between two of them."""
    monkeypatch.setattr(rebuild_list, "BATCH_EVENTS", 4)
    monkeypatch.setattr(rebuild_list, "BATCH_ROWS", 2)
    monkeypatch.setattr(rebuilding, "FOLLOW_POSITIONS", 4)


@asynccontextmanager
async def brokerage(url: str) -> AsyncIterator[tuple[EventStore, UUID]]:
    """A tenant with ten leads, each changed once."""
    async with opened_store(url) as store:
        tenant_id = await open_brokerage(store)
        for _ in range(10):
            lead = await capture(store, tenant_id)
            await change(store, tenant_id, lead.id, lambda lead: lead.change_status("lost", ids.now()))
        yield store, tenant_id


async def rebuilt(store: EventStore, name: str, tenant_id: UUID, **options: Any) -> Any:
    """A rebuild that waits for no readers."""
    return await rebuild(store.database.url, store.keys, name, tenant_id, **options)


@asynccontextmanager
async def held(url: str, tenant_id: UUID) -> AsyncIterator[None]:
    """Another session holds the tenant's head row."""
    async with await AsyncConnection.connect(url) as connection:
        await connection.execute(HOLD, {"tenant": tenant_id})
        yield


async def assert_only_the_live_one_remains(store: EventStore, tenant_id: UUID, name: str, before: Any) -> None:
    """One more rebuild works at once, reads the same, and leaves rows of one version."""
    leftovers = (await versions(store, tenant_id))[name]
    await rebuilt(store, name, tenant_id)
    version = (await live(store, tenant_id))[name]
    assert version >= max(leftovers)
    assert (await versions(store, tenant_id))[name] == {version}
    assert await shown(store, tenant_id) == before


def cancelled(url: str) -> Told:
    """Cancels the rebuild itself."""

    def cancel(_: int, __: int) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    return cancel


def terminated(url: str) -> Told:
    """Ends the sessions of the rebuild, as a restart of the database does."""

    def terminate(_: int, __: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            assert connection.execute(TERMINATE, {"query": "%"}).fetchall()

    return terminate


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("kill", "error"), [(cancelled, asyncio.CancelledError), (terminated, Unavailable)])
def test_a_killed_rebuild_changes_nothing(
    database_url: str, name: str, kill: Callable[[str], Told], error: type[BaseException]
) -> None:
    async def scenario() -> None:
        async with brokerage(database_url) as (store, tenant_id):
            before = await shown(store, tenant_id)
        left = {1} if kill is cancelled else {1, 2}
        for _ in range(2):
            async with opened_store(database_url) as store:
                with pytest.raises(error):
                    await rebuilt(store, name, tenant_id, progress=kill(database_url))
            async with opened_store(database_url) as store:
                assert await live(store, tenant_id) == FIRST
                assert await shown(store, tenant_id) == before
                # The second goes on with what the first one had written, so that leftovers never pile up.
                assert (await versions(store, tenant_id))[name] == left
        async with opened_store(database_url) as store:
            await assert_only_the_live_one_remains(store, tenant_id, name, before)

    asyncio.run(scenario())


@pytest.mark.parametrize("name", NAMES)
def test_killed_at_any_step_the_next_one_goes_on(database_url: str, name: str) -> None:
    async def made() -> tuple[UUID, Any]:
        async with brokerage(database_url) as (store, tenant_id):
            return tenant_id, await shown(store, tenant_id)

    async def now(tenant_id: UUID, *, whole: bool = False) -> tuple[Any, set[int], int]:
        async with opened_store(database_url) as store:
            await store.database.rows(EXPIRE, {"tenant": tenant_id})
            found = await verify_read_model(database_url, store.keys, name, tenant_id) if whole else None
            differences = 0 if found is None else found.differences
            return await shown(store, tenant_id), (await versions(store, tenant_id))[name], differences

    def process(at: int) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "tests.store.rebuild.killed_process"]
        command = [*program, database_url, str(tenant_id), name, str(at)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    tenant_id, before = asyncio.run(made())
    for at in (1, 2, 2):
        assert process(at).returncode == -signal.SIGKILL
        assert asyncio.run(now(tenant_id)) == (before, {1, 2}, 0)
    done = process(0)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) < 20, "some of the twenty events were folded before"
    assert asyncio.run(now(tenant_id, whole=True)) == (before, {2}, 0)


def test_what_a_verification_has_made_is_not_gone_on_with(database_url: str) -> None:
    async def scenario() -> None:
        async with brokerage(database_url) as (store, tenant_id):
            before = await shown(store, tenant_id)
            assert (await verify_read_model(database_url, store.keys, "lead_list", tenant_id)).differences == 0
            assert (await rebuilt(store, "lead_list", tenant_id)).rows == 10
            assert await shown(store, tenant_id) == before

    asyncio.run(scenario())


def test_the_second_of_two_rebuilds_is_refused(database_url: str) -> None:
    async def scenario() -> None:
        async with brokerage(database_url) as (store, tenant_id):
            neighbour = await open_brokerage(store)
            before = await shown(store, tenant_id)

            async def claimed() -> bool:
                return len(await store.database.rows(LEASE, {"tenant": tenant_id})) == 1

            async with held(database_url, tenant_id):
                first = asyncio.create_task(rebuilt(store, "lead_list", tenant_id))
                await until(claimed)
                with pytest.raises(Busy, match="Another process is rebuilding lead_list"):
                    await rebuilt(store, "lead_list", tenant_id)
                # Neither another brokerage nor another read model is meant.
                assert (await rebuilt(store, "lead_list", neighbour)).rows == 0
                counts = asyncio.create_task(rebuilt(store, "lead_counts", tenant_id))
            assert (await first).rows == 10
            await counts
            assert await shown(store, tenant_id) == before

    asyncio.run(scenario())


def test_the_claim_of_a_killed_process_ends_with_its_lease(database_url: str) -> None:
    """A process that is killed releases nothing; the next one waits for the lease to end."""

    async def scenario() -> None:
        async with brokerage(database_url) as (store, tenant_id):
            before = await shown(store, tenant_id)
            await rebuilt(store, "lead_list", tenant_id)
            parameters = {"tenant": tenant_id, "owner": uuid4()}
            await store.database.rows(OVERTAKE, parameters)
            with pytest.raises(Busy, match="Another process is rebuilding"):
                await rebuilt(store, "lead_list", tenant_id)
            await store.database.rows(EXPIRE, parameters)
            await assert_only_the_live_one_remains(store, tenant_id, "lead_list", before)

    asyncio.run(scenario())


@pytest.mark.parametrize("name", NAMES)
def test_a_rebuild_that_lost_the_claim_writes_nothing_more(database_url: str, name: str) -> None:
    async def scenario() -> None:
        async with brokerage(database_url) as (store, tenant_id):
            before = await shown(store, tenant_id)
            told: list[int] = []

            def overtake(events: int, _: int) -> None:
                told.append(events)
                with psycopg.connect(database_url, autocommit=True) as connection:
                    connection.execute(OVERTAKE, {"tenant": tenant_id, "owner": uuid4()})

            with pytest.raises(Busy, match="Another process has taken over"):
                await rebuilt(store, name, tenant_id, progress=overtake)
            assert len(told) == 1
            assert await live(store, tenant_id) == FIRST
            assert await shown(store, tenant_id) == before
            (claim,) = await store.database.rows(CLAIMS, {"tenant": tenant_id})
            assert claim[2] is not None, "the claim belongs to the other one and stays"

    asyncio.run(scenario())


def test_a_held_head_row_is_tried_again_then_given_up(database_url: str) -> None:
    async def scenario() -> None:
        async with brokerage(database_url) as (store, tenant_id):
            before = await shown(store, tenant_id)
            async with held(database_url, tenant_id):
                with pytest.raises(Busy, match="nothing has changed"):
                    await rebuilt(store, "lead_list", tenant_id, lock_timeout="20ms", tries=2)
                assert await live(store, tenant_id) == FIRST
                assert await shown(store, tenant_id) == before
            async with held(database_url, tenant_id):
                task = asyncio.create_task(rebuilt(store, "lead_list", tenant_id, lock_timeout="20ms", tries=1_000))
                leases = set()

                async def tried_often() -> bool:
                    leases.update(await store.database.rows(LEASE, {"tenant": tenant_id}))
                    return len(leases) > 8

                await until(tried_often)
                assert not task.done()
            await task
            await assert_only_the_live_one_remains(store, tenant_id, "lead_list", before)

    asyncio.run(scenario())


def test_what_cannot_be_rebuilt_is_refused(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            with pytest.raises(Invalid, match="must be one of: lead_list, lead_counts"):
                await rebuilt(store, "brokerages", await open_brokerage(store))
            nobody = uuid4()
            with pytest.raises(NotFound, match="no such brokerage"):
                await rebuilt(store, "lead_list", nobody)
            assert await store.database.rows(CLAIMS, {"tenant": nobody}) == []

    asyncio.run(scenario())
