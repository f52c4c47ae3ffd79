"""What is archived is read as before, by everything that reads the log, and appends go on beside it."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.errors import Busy, Conflict
from aureum.domain.lead import STATUSES, Lead
from aureum.store import archive, chain, log_file
from aureum.store.chain import Broken, Verified
from aureum.store.event_log import EventLog, rows_on
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.mapper import REGISTRY
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres import service_role
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import connect
from aureum.store.rebuild.rebuild import REBUILDABLE, rebuild
from aureum.store.rebuild.verifying import verify_read_model
from tests.examples import examples
from tests.store.appends import connected
from tests.store.read_models import change, folded, page, shown
from tests.stores import LEAD_NUMBERS, capture, new_lead, open_brokerage, opened_store

STREAMS = "SELECT DISTINCT stream_id FROM events WHERE tenant_id = %(tenant)s ORDER BY stream_id"
RECORDED = "SELECT recorded_at FROM events WHERE tenant_id = %(tenant)s AND position = %(position)s"
HEAD = "SELECT position FROM heads WHERE tenant_id = %(tenant)s"
WHERE = """
SELECT (SELECT count(*) FROM ONLY events WHERE tenant_id = %(tenant)s),
       (SELECT count(*) FROM archived_events WHERE tenant_id = %(tenant)s)
"""
INDEXED = "SELECT indisunique, indisprimary, indkey::text FROM pg_index WHERE indrelid = %s::regclass"
BACK = """
WITH back AS (DELETE FROM archived_events WHERE tenant_id = %(tenant)s RETURNING *)
INSERT INTO events SELECT * FROM back
"""
NO_ARCHIVES = "DELETE FROM archives WHERE tenant_id = %(tenant)s"
"""Both make the twin that was never archived."""

status = st.sampled_from(STATUSES)
MODELS = [model.NAME for model in REBUILDABLE[:2]]
"""Those of leads."""

work = st.one_of(
    st.tuples(st.just("capture"), st.just(0), status),
    st.tuples(st.just("change"), st.integers(0, 9), status),
    st.tuples(st.just("archive"), st.integers(0, 40), st.integers(1, 7)),
    st.tuples(st.just("rebuild"), st.integers(0, len(MODELS) - 1), st.just(0)),
)


@asynccontextmanager
async def owner(url: str) -> AsyncIterator[Connection]:
    """A connection as the command line has it."""
    async with await connect(url) as connection:
        yield connection


async def archived(url: str, tenant_id: UUID, last: int, step: int = archive.STEP) -> None:
    """The log up to *last* is archived, as the command line does it."""
    async with owner(url) as connection:
        await archive.make_table(connection)
        async for _ in archive.move(connection, tenant_id, last, step):
            pass


def to_status(status: str) -> Callable[[Lead], None]:
    return lambda lead: lead.change_status(status, ids.now())


async def head_of(store: EventStore, tenant_id: UUID) -> int:
    ((position,),) = await store.database.rows(HEAD, {"tenant": tenant_id})
    return int(position)


async def reads(store: EventStore, tenant_id: UUID) -> dict[str, Any]:
    """What all kinds of readers see of the log."""
    streams = [stream for (stream,) in await store.database.rows(STREAMS, {"tenant": tenant_id})]
    head = await head_of(store, tenant_id)
    async with owner(store.database.url) as connection:
        log = EventLog(rows_on(connection), tenant_id, tuple(REGISTRY), await store.tenant_key(tenant_id), ahead=False)
        read: dict[str, Any] = {
            "file": b"".join([block async for block in log_file.copied(connection, tenant_id)]),
            "verified": await chain.verify(connection, tenant_id),
            "by position": [str(one) for one in await log.by_position(head // 2, head)],
            "by stream": [str(one) async for batch in log.by_stream(head, 3) for one in batch],
        }
    loaded = await store.load_all(tenant_id, streams)
    read["streams"] = {stream: [str(one) for one in loaded[stream].events] for stream in streams}
    read["one by one"] = {stream: [str(r) for r in (await store.load(tenant_id, stream)).events] for stream in streams}
    read["folded"] = await folded(store, tenant_id)
    read["list"] = (await shown(store, tenant_id), await page(store, tenant_id))
    read["models"] = [
        (await verify_read_model(store.database.url, store.keys, model, tenant_id)).named for model in MODELS
    ]
    assert read["streams"] == read["one by one"]
    return read


@given(st.lists(work, min_size=5, max_size=20))
@settings(max_examples=examples(8), deadline=None)
def test_every_read_is_that_of_a_log_that_was_never_archived(module_database_url: str, given: list[Any]) -> None:
    async def run() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id, leads = await open_brokerage(store), list[UUID]()
            for what, one, other in [("capture", 0, "new"), *given, ("archive", 20, 3)]:
                if what == "capture":
                    leads.append((await capture(store, tenant_id, status=other)).id)
                elif what == "change":
                    lead_id = leads[one % len(leads)]
                    await change(store, tenant_id, lead_id, to_status(other))
                elif what == "rebuild":
                    await rebuild(module_database_url, store.keys, MODELS[one], tenant_id)
                else:
                    last = min(one, await head_of(store, tenant_id))
                    await archived(module_database_url, tenant_id, last, other)
                    if last:
                        async with connected(module_database_url) as connection:
                            ((hot, cold),) = await (await connection.execute(WHERE, {"tenant": tenant_id})).fetchall()
                        assert cold >= last and hot + cold == await head_of(store, tenant_id)
            before = await reads(store, tenant_id)
            assert before["verified"] == Verified(await head_of(store, tenant_id))
            assert before["list"][0] == before["folded"] and not any(before["models"])
            with psycopg.connect(module_database_url) as connection:
                for statement in (BACK, NO_ARCHIVES):
                    connection.execute(statement, {"tenant": tenant_id})
            assert await reads(store, tenant_id) == before

    asyncio.run(run())


def test_what_is_older_than_a_moment(database_url: str) -> None:
    async def run() -> None:
        async with opened_store(database_url) as store:
            tenant_id, empty = await open_brokerage(store), await open_brokerage(store)
            for number in range(7):
                await capture(store, tenant_id, email=f"{number}@example.com")
            times = [
                (await store.database.rows(RECORDED, {"tenant": tenant_id, "position": n + 1}))[0][0] for n in range(7)
            ]
            async with owner(database_url) as connection:

                async def found(until: datetime) -> tuple[int, int]:
                    return await archive.older_part(connection, tenant_id, until)

                assert await archive.older_part(connection, empty, times[-1]) == (0, 0)
                assert await found(times[0]) == (0, 0)
                for until in {*times, times[-1] + timedelta(days=1)}:
                    assert await found(until) == (0, sum(at < until for at in times))
                await archived(database_url, tenant_id, 3, step=2)
                assert await found(times[0]) == (3, 3)
                assert await found(times[-1] + timedelta(days=1)) == (3, 7)

    asyncio.run(run())


def test_appends_go_on_at_the_same_time(database_url: str) -> None:
    async def run() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            lead = await capture(store, tenant_id)
            done = asyncio.Event()

            async def append() -> int:
                changes = 0
                while not done.is_set() or changes < 20:
                    await change(
                        store,
                        tenant_id,
                        lead.id,
                        lambda lead: lead.change_details({"notes": str(ids.new_id())}, ids.now()),
                    )
                    await capture(store, tenant_id)
                    changes += 1
                return changes

            async def move() -> None:
                try:
                    while await head_of(store, tenant_id) < 30:
                        await archived(database_url, tenant_id, await head_of(store, tenant_id), step=3)
                finally:
                    done.set()

            async with asyncio.TaskGroup() as group:
                appending = group.create_task(append())
                group.create_task(move())
            changes = appending.result()
            assert len((await store.load(tenant_id, lead.id)).events) == changes + 1
            async with owner(database_url) as connection:
                assert await chain.verify(connection, tenant_id) == Verified(2 * changes + 1)

    asyncio.run(run())


def test_a_stream_that_was_archived_cannot_begin_again(database_url: str) -> None:
    async def run() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            lead = await capture(store, tenant_id)
            await archived(database_url, tenant_id, 1)
            again = new_lead(await store.number_of(LEAD_NUMBERS), lead_id=lead.id)
            with pytest.raises(Conflict):
                await store.append(tenant_id, again, NO_STREAM, command="CaptureLead", origin=Origin(COMMAND_LINE))
            # One that was read before it had grown is refused as ever.
            stale = await store.load(tenant_id, lead.id)
            await change(store, tenant_id, lead.id, lambda lead: lead.change_status("lost", ids.now()))
            late: Lead = stale.aggregate()
            late.change_status("contacted", ids.now())
            with pytest.raises(Conflict):
                await store.append(tenant_id, late, stale, command="ChangeLead", origin=Origin(COMMAND_LINE))
            assert [one.event.originator_version for one in (await store.load(tenant_id, lead.id)).events] == [1, 2]

    asyncio.run(run())


@pytest.mark.parametrize("where", ["inside", "behind"])
def test_it_goes_on_where_a_killed_process_stopped(database_url: str, where: str) -> None:
    async def fill() -> UUID:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            for _ in range(9):
                await capture(store, tenant_id)
            return tenant_id

    tenant_id = asyncio.run(fill())
    arguments = [sys.executable, "-m", "tests.store.archiving_process", database_url, str(tenant_id), "9", where]
    killed = subprocess.run(arguments, timeout=60)
    assert killed.returncode == -signal.SIGKILL

    async def go_on() -> None:
        async with opened_store(database_url) as store, owner(database_url) as connection:
            # The session of the killed process may be about to end.
            await connection.execute("SELECT pg_advisory_lock(4851023118); SELECT pg_advisory_unlock(4851023118)")
            row = await (await connection.execute(WHERE, {"tenant": tenant_id})).fetchone()
            assert row == (5, 4) and await chain.verify(connection, tenant_id) == Verified(9)
            await archived(database_url, tenant_id, 9, step=2)
            assert await (await connection.execute(WHERE, {"tenant": tenant_id})).fetchone() == (0, 9)
            assert await chain.verify(connection, tenant_id) == Verified(9)
            assert len((await reads(store, tenant_id))["streams"]) == 9

    asyncio.run(go_on())


FLIP = "UPDATE archived_events SET {column} = set_byte({column}, 3, get_byte({column}, 3) # 1) WHERE position = 3"


@pytest.mark.parametrize(
    ("tampering", "position", "what"),
    [
        (FLIP.format(column="data"), 3, "those that were appended (in the archive of positions 3 to 4)"),
        (FLIP.format(column="hash"), 3, "those that were appended (in the archive of positions 3 to 4)"),
        ("DELETE FROM archived_events WHERE position = 4", 4, "is missing (in the archive of positions 3 to 4)"),
        (
            FLIP.format(column="hash").replace("archived_events", "archives").replace("position", "first_position"),
            4,
            "is not the one that was written down for the archive of positions 3 to 4",
        ),
        (
            "DELETE FROM events WHERE position > 3; UPDATE heads h SET position = 3, hash = e.hash FROM events e "
            "WHERE e.tenant_id = h.tenant_id AND e.position = 3",
            4,
            "the log ends at 3, but the archive of positions 3 to 4 was made of it",
        ),
    ],
)
def test_a_byte_that_was_changed_in_an_archive_is_found(
    database_url: str, tampering: str, position: int, what: str
) -> None:
    async def run() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            for _ in range(5):
                await capture(store, tenant_id)
        await archived(database_url, tenant_id, 4, step=2)
        async with owner(database_url) as connection:
            assert await chain.verify(connection, tenant_id) == Verified(5)
            await connection.execute(tampering.encode())
            found = await chain.verify(connection, tenant_id)
            assert isinstance(found, Broken) and found.position == position and what in found.what, found

    asyncio.run(run())


def test_a_log_that_is_broken_is_not_moved(database_url: str) -> None:
    async def run() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            for _ in range(5):
                await capture(store, tenant_id)
        async with owner(database_url) as connection:
            spoil = "UPDATE events SET data = set_byte(data, 3, 0) WHERE position = %s AND tenant_id = %s"
            await connection.execute(spoil, [4, tenant_id])
            with pytest.raises(archive.NotWhole, match="The log is broken at position 4: the stored bytes"):
                await archived(database_url, tenant_id, 5, step=2)
            assert await (await connection.execute(WHERE, {"tenant": tenant_id})).fetchone() == (3, 2)

    asyncio.run(run())


def test_the_table_is_made_once_nobody_reads_the_events(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup reads them for as long as it takes; until it ends, appends go on and nothing is archived."""
    monkeypatch.setattr(archive, "MAKE_TRIES", 2)

    async def run() -> None:
        async with opened_store(database_url) as store, connected(database_url) as backup:
            tenant_id = await open_brokerage(store)
            async with backup.transaction():
                await backup.execute("SELECT count(*) FROM events")
                with pytest.raises(Busy, match="Archive again when it has ended"):
                    await archived(database_url, tenant_id, 0)
                await capture(store, tenant_id)
            await archived(database_url, tenant_id, 1)
            await archived(database_url, tenant_id, 1)
            async with owner(database_url) as connection:
                assert await (await connection.execute(WHERE, {"tenant": tenant_id})).fetchone() == (0, 1)
                of_events, of_archive = [
                    sorted(await (await connection.execute(INDEXED, [name])).fetchall())
                    for name in ("events", "archived_events")
                ]
                assert of_events == of_archive and len(of_events) == 2

    asyncio.run(run())


def test_the_service_sees_its_own_events_and_no_archive(database_url: str) -> None:
    async def run() -> None:
        async with opened_store(database_url) as store:
            tenants = [await open_brokerage(store) for _ in range(2)]
            for tenant_id in tenants:
                await capture(store, tenant_id)
                await archived(database_url, tenant_id, 1)
            async with connected(database_url) as connection, connection.transaction(force_rollback=True):
                await connection.execute("SET LOCAL ROLE aureum_service")
                named = "SELECT set_config('aureum.tenant_id', %s, true)"
                for tenant_id in tenants:
                    await connection.execute(named, [str(tenant_id)])
                    for table in ("events", "archives"):
                        rows = await (await connection.execute(f"SELECT tenant_id FROM {table}".encode())).fetchall()
                        assert rows == [(tenant_id,)]
                # Nor does the login of processes that answer requests get any right to it.
                opened = await (await connection.execute(service_role.TABLES)).fetchall()
                assert ("events", True) in opened and "archived_events" not in dict(opened)
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    async with connection.transaction():
                        await connection.execute("SELECT FROM archived_events")

    asyncio.run(run())
