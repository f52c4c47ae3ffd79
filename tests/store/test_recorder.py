"""The library's own test classes, unmodified, against our recorders; and what they leave out."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing import persistence
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.persistence import StoredEvent, Tracking

# As a module: pytest would collect the abstract classes themselves if their names stood here.
from eventsourcing.tests import persistence as library
from psycopg_pool import ConnectionPool

from aureum.domain import ids
from aureum.domain.aggregate import ERASED
from aureum.domain.lead import Lead
from aureum.store import metadata
from aureum.store.cipher import MasterKey, TenantKeys, WrongMasterKey
from aureum.store.metadata import COMMAND_LINE, VISITOR, Origin
from tests.conftest import MASTER_KEY
from tests.store.recorder import Pool, TenantRecorder, TenantTrackingRecorder
from tests.store.repository import tenant_repository
from tests.stores import capture, open_brokerage, opened_store

CONNECTIONS = 13
"""The library's busiest test has ten writers, two readers and the test itself."""


def new_tenant(pool: Pool) -> UUID:
    tenant_id = uuid4()
    with pool.connection() as connection:
        connection.execute("INSERT INTO heads (tenant_id) VALUES (%s)", [tenant_id])
    return tenant_id


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    with ConnectionPool(database_url, min_size=1, max_size=CONNECTIONS, open=True) as opened:
        yield opened


class WithPool:
    """Gives a unittest class the fixture."""

    pool: Pool

    @pytest.fixture(autouse=True)
    def _with_pool(self, pool: Pool) -> None:
        self.pool = pool


class TestTenantRecorder(WithPool, library.ApplicationRecorderTestCase[TenantRecorder]):
    def create_recorder(self) -> TenantRecorder:
        return TenantRecorder(self.pool, new_tenant(self.pool))

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleaving(WithPool, library.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> TenantRecorder:
        return TenantRecorder(self.pool, new_tenant(self.pool))


class TestTenantTrackingRecorder(WithPool, library.TrackingRecorderTestCase):
    def create_recorder(self) -> TenantTrackingRecorder:
        return TenantTrackingRecorder(self.pool, new_tenant(self.pool))


def stored(stream_id: UUID, version: int, topic: str = "topic", state: bytes = b"state") -> StoredEvent:
    return StoredEvent(stream_id, version, topic, state)


def test_parts_of_a_stream(pool: Pool) -> None:
    recorder = TenantRecorder(pool, new_tenant(pool))
    stream_id = uuid4()
    events = [stored(stream_id, version, f"topic:{version + 1}", b"%d" % version) for version in range(1, 6)]
    recorder.insert_events(events)
    assert recorder.select_events(stream_id) == events
    assert recorder.select_events(str(stream_id)) == events
    assert recorder.select_events(stream_id, gt=2) == events[2:]
    assert recorder.select_events(stream_id, gt=1, lte=3) == events[1:3]
    assert recorder.select_events(stream_id, limit=2) == events[:2]
    assert recorder.select_events(stream_id, desc=True, limit=2) == [events[4], events[3]]
    assert recorder.select_events(stream_id, desc=True, lte=3) == [events[2], events[1], events[0]]
    assert recorder.select_events(uuid4()) == []
    assert recorder.select_notifications(None, 9, topics=["topic:3", "topic"])[0].topic == "topic:3"


def test_events_of_several_streams_are_inserted_all_or_none(pool: Pool) -> None:
    recorder = TenantRecorder(pool, new_tenant(pool))
    a, b = uuid4(), uuid4()
    assert recorder.insert_events([stored(a, 1), stored(b, 1), stored(b, 2), stored(a, 2)]) == [1, 2, 3, 4]
    log = recorder.select_notifications(None, 10)
    assert [(n.id, n.originator_id, n.originator_version) for n in log] == [(1, a, 1), (2, b, 1), (3, b, 2), (4, a, 2)]
    with pytest.raises(persistence.IntegrityError, match="is at version 2, not 1"):
        recorder.insert_events([stored(uuid4(), 1), stored(a, 3), stored(b, 2)])
    assert recorder.max_notification_id() == 4
    assert len(recorder.select_events(a)) == 2
    assert recorder.insert_events([stored(a, 3)]) == [5], "the refused events have left no gap"
    assert recorder.insert_events([]) == []


def test_a_stream_has_no_gaps(pool: Pool) -> None:
    recorder = TenantRecorder(pool, new_tenant(pool))
    stream_id = uuid4()
    with pytest.raises(persistence.IntegrityError):
        recorder.insert_events([stored(stream_id, 5)])
    recorder.insert_events([stored(stream_id, 1)])
    with pytest.raises(persistence.IntegrityError):
        recorder.insert_events([stored(stream_id, 3)])


def test_tenants_do_not_see_each_other(pool: Pool) -> None:
    mine, theirs = (TenantRecorder(pool, new_tenant(pool)) for _ in range(2))
    stream_id = uuid4()
    assert mine.insert_events([stored(stream_id, 1, state=b"mine")]) == [1]
    assert theirs.insert_events([stored(stream_id, 1, state=b"theirs")]) == [1]
    assert [event.state for event in mine.select_events(stream_id)] == [b"mine"]
    assert [event.state for event in theirs.select_notifications(None, 10)] == [b"theirs"]
    TenantTrackingRecorder(pool, mine.tenant_id).insert_tracking(Tracking("consumer", 1))
    assert TenantTrackingRecorder(pool, theirs.tenant_id).max_tracking_id("consumer") is None


def test_metadata_of_inserted_events(pool: Pool) -> None:
    recorder = TenantRecorder(pool, new_tenant(pool))
    stream_id = uuid4()
    given = metadata.encode(Origin(VISITOR), "CaptureLead", 1, 1)
    recorder.insert_events([stored(stream_id, 1)], metadata=[given])
    recorder.insert_events([stored(stream_id, 2), stored(stream_id, 3)])
    with pytest.raises(ValueError):
        recorder.insert_events([stored(stream_id, 4)], metadata=[])
    with pytest.raises(TypeError, match="tracking"):
        recorder.insert_events([stored(stream_id, 4)], tracking=Tracking("consumer", 1))
    with pool.connection() as connection:
        query = "SELECT metadata FROM events WHERE tenant_id = %s ORDER BY position"
        first, second, third = (row[0] for row in connection.execute(query, [recorder.tenant_id]))
    assert first == given
    assert metadata.decode(second)["actor"] == {"type": "system", "id": "recorder"}
    assert [metadata.decode(row)["append"] for row in (second, third)] == [[1, 2], [2, 2]]


def test_an_unknown_tenant_is_refused(pool: Pool) -> None:
    with pytest.raises(persistence.ProgrammingError, match="There is no tenant"):
        TenantRecorder(pool, uuid4()).insert_events([stored(uuid4(), 1)])
    assert TenantRecorder(pool, uuid4()).max_notification_id() is None


def test_the_drivers_errors_become_the_librarys(pool: Pool, database_url: str) -> None:
    recorder = TenantRecorder(pool, new_tenant(pool))
    with pytest.raises(persistence.IntegrityError):
        recorder.insert_events([stored(uuid4(), 1), stored(stream_id := uuid4(), 1), stored(stream_id, 1)])
    with pytest.raises(persistence.DataError):
        recorder.select_notifications(None, -1)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE checkpoints RENAME TO elsewhere")
    with pytest.raises(persistence.ProgrammingError):
        TenantTrackingRecorder(pool, recorder.tenant_id).max_tracking_id("consumer")
    pool.close()
    with pytest.raises(persistence.OperationalError):
        recorder.max_notification_id()


async def a_lead_with_a_history(url: str) -> tuple[UUID, UUID]:
    """A lead of five events."""
    async with opened_store(url) as store:
        tenant_id = await open_brokerage(store)
        lead_id = (await capture(store, tenant_id)).id
        for change in range(2):
            before = await store.load(tenant_id, lead_id)
            lead: Lead = before.aggregate()
            lead.change_status(("contacted", "qualified")[change], ids.now())
            lead.change_details({"email": f"jane{change}@example.com"}, ids.now())
            await store.append(tenant_id, lead, before, command="ChangeLead", origin=Origin(COMMAND_LINE))
        return tenant_id, lead_id


def test_the_repository_gives_any_version(pool: Pool, database_url: str) -> None:
    tenant_id, lead_id = asyncio.run(a_lead_with_a_history(database_url))
    repository = tenant_repository(pool, tenant_id, TenantKeys(MasterKey(MASTER_KEY)))
    leads: list[Lead] = [repository.get(lead_id, version=version) for version in range(1, 6)]
    assert [lead.version for lead in leads] == [1, 2, 3, 4, 5]
    assert [lead.status for lead in leads] == ["new", "contacted", "contacted", "qualified", "qualified"]
    assert [lead.email for lead in leads] == [
        *("jane@example.com",) * 2,
        *("jane0@example.com",) * 2,
        "jane1@example.com",
    ]
    assert vars(repository.get(lead_id)) == vars(leads[-1])
    with pytest.raises(AggregateNotFoundError):
        repository.get(uuid4())
    with pytest.raises(AggregateNotFoundError):
        tenant_repository(pool, new_tenant(pool), TenantKeys(MasterKey(MASTER_KEY))).get(lead_id)


def test_the_repository_after_a_person_was_erased(pool: Pool, database_url: str) -> None:
    tenant_id, lead_id = asyncio.run(a_lead_with_a_history(database_url))
    repository = tenant_repository(pool, tenant_id, TenantKeys(MasterKey(MASTER_KEY)))
    assert repository.get(lead_id).first_name == "Jane"
    with pool.connection() as connection:
        erase = "DELETE FROM subject_keys WHERE tenant_id = %s AND subject_id = %s"
        connection.execute(erase, [tenant_id, lead_id])
    lead: Any = repository.get(lead_id)
    assert (lead.first_name, lead.email, lead.message) == (ERASED,) * 3
    assert (lead.status, lead.version, lead.notes) == ("qualified", 5, None)


def test_the_repository_with_the_wrong_master_key(pool: Pool, database_url: str) -> None:
    tenant_id, lead_id = asyncio.run(a_lead_with_a_history(database_url))
    with pytest.raises(WrongMasterKey, match="AUREUM_MASTER_KEY"):
        tenant_repository(pool, tenant_id, TenantKeys(MasterKey(b"another key, just as long as it!"))).get(lead_id)


def test_a_subscription_hears_of_other_sessions(pool: Pool) -> None:
    recorder = TenantRecorder(pool, new_tenant(pool))
    other = TenantRecorder(pool, recorder.tenant_id)
    stream_id = uuid4()
    with recorder.subscribe() as subscription:
        for version in range(1, 4):
            other.insert_events([stored(stream_id, version)])
            assert next(subscription).id == version
