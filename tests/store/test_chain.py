"""Whatever is changed behind the store's back is found, and the first bad position named."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg_pool import ConnectionPool

from aureum.domain import ids
from aureum.store import chain
from aureum.store.chain import Broken, Verified, tenants, verify
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.connection import Connection
from tests.examples import examples
from tests.store.recorder import TenantRecorder
from tests.store.test_recorder import stored
from tests.stores import capture, open_brokerage, opened_store

EVENTS = 12


def flipped(value: bytes, bit: int) -> bytes:
    """*value* with one bit the other way round; a byte more if it has none."""
    if not value:
        return b"\0"
    bit %= 8 * len(value)
    return value[: bit // 8] + bytes([value[bit // 8] ^ 1 << bit % 8]) + value[bit // 8 + 1 :]


def other_bytes(value: bytes) -> st.SearchStrategy[bytes]:
    """One bit flipped, cut short, or something else altogether."""
    bits = st.integers(0, 8 * len(value))
    changed = bits.map(lambda bit: flipped(value, bit)) | st.integers(0, len(value)).map(lambda n: value[:n])
    return changed | st.binary(max_size=40)


COLUMNS: dict[str, Callable[[Any], st.SearchStrategy[Any]]] = {
    "tenant_id": lambda _: st.uuids(),
    "stream_id": lambda _: st.uuids(),
    "version": lambda _: st.integers(-(2**31), 2**31 - 1) | st.integers(-2, EVENTS),
    "position": lambda _: st.integers(-(2**63), 2**63 - 1) | st.integers(-2, EVENTS + 2),
    "type": lambda name: st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.just(name + " "),
    "schema_version": lambda _: st.integers(-(2**15), 2**15 - 1),
    "data": other_bytes,
    "metadata": other_bytes,
    "recorded_at": lambda _: st.datetimes(timezones=st.just(UTC)) | st.just("infinity"),
    "hash": other_bytes,
}
"""What each column of an event may be falsified to."""


@asynccontextmanager
async def undone(connection: Connection) -> AsyncIterator[None]:
    """A transaction that is rolled back in any case."""
    async with connection.transaction(force_rollback=True):
        yield


class Log:
    """A tenant with EVENTS events of four leads, and a connection that tampers with them; a neighbour has some too."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.tenant_id = self.runner.run(self._fill(url))
        self.connection = self.runner.run(Connection.connect(url, autocommit=True))

    async def _fill(self, url: str) -> UUID:
        async with opened_store(url) as store:
            tenant_id, neighbour = [await open_brokerage(store) for _ in range(2)]
            await capture(store, neighbour)
            for _ in range(EVENTS // 3):
                lead_id = (await capture(store, tenant_id)).id
                before = await store.load(tenant_id, lead_id)
                lead = before.aggregate()
                lead.change_status("contacted", ids.now())
                lead.change_details({"notes": "Called back"}, ids.now())
                await store.append(tenant_id, lead, before, command="ChangeLead", origin=Origin(COMMAND_LINE))
            return tenant_id

    def close(self) -> None:
        self.runner.run(self.connection.close())
        self.runner.close()

    def verify(self) -> Verified | Broken:
        return self.runner.run(verify(self.connection, self.tenant_id))

    async def _after(self, *statements: tuple[Any, ...]) -> Verified | Broken:
        async with undone(self.connection):
            for statement, *parameters in statements:
                await self.connection.execute(statement, parameters)
            return await verify(self.connection, self.tenant_id)

    def after(self, *statements: tuple[Any, ...]) -> Verified | Broken:
        """What is found after *statements*, each with its parameters; they are undone."""
        return self.runner.run(self._after(*statements))

    def value(self, column: str, position: int) -> Any:
        """What stands there."""

        async def fetch() -> Any:
            query = sql.SQL("SELECT {} FROM events WHERE tenant_id = %s AND position = %s")
            cursor = await self.connection.execute(query.format(sql.Identifier(column)), [self.tenant_id, position])
            row = await cursor.fetchone()
            assert row is not None
            return row[0]

        return self.runner.run(fetch())


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[Log]:
    log = Log(module_database_url)
    yield log
    log.close()


@pytest.fixture
def log(filled: Log) -> Iterator[Log]:
    assert filled.verify() == Verified(EVENTS)
    yield filled
    assert filled.verify() == Verified(EVENTS), "the test has not undone what it did"


def test_any_column_of_any_event(log: Log) -> None:
    async def columns() -> set[str]:
        cursor = await log.connection.execute("SELECT * FROM events LIMIT 0")
        return {column.name for column in cursor.description or ()}

    assert set(COLUMNS) == log.runner.run(columns()), "the chain must cover every column"

    @settings(max_examples=examples(300), deadline=None)
    @given(st.sampled_from(sorted(COLUMNS)), st.integers(1, EVENTS), st.data())
    def is_found(column: str, position: int, data: st.DataObject) -> None:
        present = log.value(column, position)
        falsified = data.draw(COLUMNS[column](present).filter(lambda value: value != present))
        statement = sql.SQL("UPDATE events SET {} = %s WHERE tenant_id = %s AND position = %s")
        try:
            found = log.after((statement.format(sql.Identifier(column)), falsified, log.tenant_id, position))
        except psycopg.errors.UniqueViolation:
            return  # The database refuses it.
        assert isinstance(found, Broken)
        # A row that was moved before the log's beginning is met first.
        before_all = column == "position" and falsified < 1
        assert found.position == (falsified if before_all else position)

    is_found()


@pytest.mark.parametrize("position", [1, EVENTS // 2, EVENTS])
def test_a_deleted_event(log: Log, position: int) -> None:
    found = log.after(("DELETE FROM events WHERE tenant_id = %s AND position = %s", log.tenant_id, position))
    what = (
        f"the head says {EVENTS}, but the log ends at {EVENTS - 1}" if position == EVENTS else "position {} is missing"
    )
    assert found == Broken(position, what.format(position))


def test_all_events_deleted(log: Log) -> None:
    found = log.after(("DELETE FROM events WHERE tenant_id = %s", log.tenant_id))
    assert found == Broken(1, f"the head says {EVENTS}, but the log ends at 0")


@pytest.mark.parametrize(("a", "b"), [(1, 2), (3, 7), (EVENTS - 1, EVENTS)])
def test_a_swapped_pair(log: Log, a: int, b: int) -> None:
    move = "UPDATE events SET position = %s WHERE tenant_id = %s AND position = %s"
    steps = [(a, -1), (b, a), (-1, b)]
    found = log.after(*((move, to, log.tenant_id, place) for place, to in steps))
    assert isinstance(found, Broken)
    assert found.position == a
    assert "the stored bytes at position" in found.what


COPY = """
INSERT INTO events
SELECT tenant_id, %s, version, %s, type, schema_version, data, metadata, recorded_at, hash
  FROM events
 WHERE tenant_id = %s AND position = 1
"""


@pytest.mark.parametrize("position", [-(2**63), 0, EVENTS + 1, EVENTS + 5])
def test_an_inserted_event_at_either_end(log: Log, position: int) -> None:
    found = log.after((COPY, uuid4(), position, log.tenant_id))
    assert isinstance(found, Broken)
    assert found.position == min(position, EVENTS + 1)


@pytest.mark.parametrize("position", [1, 5, EVENTS])
def test_an_inserted_event_among_the_others(log: Log, position: int) -> None:
    make_room = "UPDATE events SET position = {} WHERE tenant_id = %s AND position {}"
    found = log.after(
        (make_room.format("-position - 1", ">= %s"), log.tenant_id, position),
        (make_room.format("-position", "< 0"), log.tenant_id),
        # The copy is of position 1, which stands at 2 now if it was moved.
        (COPY.replace("position = 1", f"position = {2 if position == 1 else 1}"), uuid4(), position, log.tenant_id),
        ("UPDATE heads SET position = position + 1 WHERE tenant_id = %s", log.tenant_id),
    )
    assert isinstance(found, Broken)
    assert found.position == position


@pytest.mark.parametrize(
    ("change", "position", "what"),
    [
        ("position = position + 2", EVENTS + 1, f"the head says {EVENTS + 2}, but the log ends at {EVENTS}"),
        ("position = position - 2", EVENTS - 1, f"the head says {EVENTS - 2}, but the log goes on to {EVENTS}"),
        ("hash = sha256(hash)", EVENTS, f"the head's hash is not that of position {EVENTS}"),
        ("hash = ''", EVENTS, f"the head's hash is not that of position {EVENTS}"),
        ("tenant_id = gen_random_uuid()", 0, "the tenant has no head"),
    ],
)
def test_a_changed_head(log: Log, change: str, position: int, what: str) -> None:
    assert log.after((f"UPDATE heads SET {change} WHERE tenant_id = %s", log.tenant_id)) == Broken(position, what)


def test_a_message_names_the_stream(log: Log) -> None:
    stream_id, version = (log.value(column, 5) for column in ("stream_id", "version"))
    found = log.after(("UPDATE events SET data = 'x' WHERE tenant_id = %s AND position = 5", log.tenant_id))
    what = f"the stored bytes at position 5 (stream {stream_id}, version {version}) are not those that were appended"
    assert found == Broken(5, what)


def test_everyone_is_listed(log: Log) -> None:
    every = log.runner.run(tenants(log.connection))
    assert {log.tenant_id, ids.PLATFORM} < set(every)
    assert len(every) == 3
    for tenant_id in every:
        assert isinstance(log.runner.run(verify(log.connection, tenant_id)), Verified)

    async def without_its_head() -> list[UUID]:
        async with undone(log.connection):
            await log.connection.execute("DELETE FROM heads WHERE tenant_id = %s", [log.tenant_id])
            await log.connection.execute("DELETE FROM brokerages WHERE tenant_id = %s", [log.tenant_id])
            return await tenants(log.connection)

    assert log.runner.run(without_its_head()) == every


def test_appends_meanwhile_do_not_disturb(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "CHUNK", 5)
    log = Log(database_url)
    told = []
    with ConnectionPool[Any](database_url, min_size=1, max_size=1, open=True) as pool:
        recorder = TenantRecorder(pool, log.tenant_id)

        def append_more(done: int, of: int) -> None:
            told.append((done, of))
            recorder.insert_events([stored(uuid4(), 1)])

        found = log.runner.run(verify(log.connection, log.tenant_id, append_more))
        assert found == Verified(EVENTS)
        assert told == [(5, EVENTS), (10, EVENTS), (EVENTS, EVENTS)]
        assert recorder.max_notification_id() == EVENTS + 3
    assert log.verify() == Verified(EVENTS + 3)
    log.close()
