"""Times of a log never go back within a tenant, whatever the clocks of processes and of the database say; neither does
what lists are filtered by."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.lead import Lead
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.rebuild.rebuild import rebuild
from tests.examples import examples
from tests.store.appends import connected, log_of
from tests.stores import capture, open_brokerage, opened_store

RECORDED = "SELECT recorded_at, type FROM events WHERE tenant_id = %(tenant)s ORDER BY position"

CHANGED = """
SELECT l.updated_at, e.recorded_at FROM lead_list l
  JOIN events e ON e.tenant_id = l.tenant_id AND e.stream_id = l.lead_id AND e.version = l.stream_version
  JOIN heads h ON h.tenant_id = l.tenant_id AND h.lead_list_version = l.read_version
 WHERE l.tenant_id = %(tenant)s ORDER BY e.position
"""

AHEAD = "UPDATE heads SET recorded_at = recorded_at + %(ahead)s * interval '1 second' WHERE tenant_id = %(tenant)s"
"""As if the database's clock had gone back by so much since the last append."""


async def change(store: EventStore, tenant_id: UUID, lead_id: UUID, at: datetime) -> None:
    before = await store.load(tenant_id, lead_id)
    lead: Lead = before.aggregate()
    lead.change_status("lost" if lead.status == "new" else "new", at)
    await store.append(tenant_id, lead, before, command="Change", origin=Origin(COMMAND_LINE))


def test_recorded_at_never_goes_back(module_database_url: str) -> None:
    """Appends of one tenant or of two at once, by processes whose clocks are hours apart, on a database whose clock is
    set back now and then."""
    acts = st.lists(
        st.tuples(st.sampled_from(["capture", "change", "back", "both"]), st.integers(-10_800, 7_200)), max_size=12
    )

    @settings(max_examples=examples(20), deadline=None)
    @given(acts)
    def holds(wished: list[tuple[str, int]]) -> None:
        async def scenario() -> None:
            async with opened_store(module_database_url) as store, connected(module_database_url) as connection:
                tenant_id, other = [await open_brokerage(store) for _ in range(2)]
                lead = await capture(store, tenant_id)
                for what, seconds in wished:
                    at = ids.now() + timedelta(seconds=seconds)
                    if what == "back":
                        await store.database.rows(AHEAD, {"tenant": tenant_id, "ahead": abs(seconds)})
                    elif what == "change":
                        await change(store, tenant_id, lead.id, at)
                    else:
                        tenants = (tenant_id, other) if what == "both" else (tenant_id, tenant_id)
                        await asyncio.gather(*(capture(store, one, at=at) for one in tenants))
                for one in (tenant_id, other):
                    await log_of(connection, one)
                    found = [moment for moment, _ in await store.database.rows(RECORDED, {"tenant": one})]
                    assert found == sorted(found)

        asyncio.run(scenario())

    holds()


def test_one_tenants_clock_does_not_touch_anothers(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            ahead, other = [await open_brokerage(store) for _ in range(2)]
            await capture(store, ahead)
            await store.database.rows(AHEAD, {"tenant": ahead, "ahead": 3_600})
            await asyncio.gather(*(capture(store, one) for one in (ahead, other, ahead)))
            ((now,),) = await store.database.rows("SELECT clock_timestamp()")
            moments = {one: await store.database.rows(RECORDED, {"tenant": one}) for one in (ahead, other)}
            assert all(moment <= now for moment, _ in moments[other])
            assert [moment > now for moment, _ in moments[ahead]] == [False, True, True]

    asyncio.run(scenario())


async def polled(store: EventStore, tenant_id: UUID) -> list[tuple[Any, Any]]:
    return [tuple(row) for row in await store.database.rows(CHANGED, {"tenant": tenant_id})]


def test_what_is_filtered_by_lies_between_two_appends_and_a_rebuild_makes_the_same(module_database_url: str) -> None:
    """So a client that goes on from a moment that a resource has shown misses nothing that was appended after it."""

    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            leads = []
            for seconds in (0, -10_800, -1, 0, -7_200):
                leads.append(await capture(store, tenant_id, at=ids.now() + timedelta(seconds=seconds)))
                await change(store, tenant_id, leads[0].id, ids.now())
            found = await polled(store, tenant_id)
            assert len(found) == 5
            moments = [moment for pair in found for moment in pair]
            assert moments == sorted(moments), "each behind the append before it, and not behind its own"
            await rebuild(store.database.url, store.keys, "lead_list", tenant_id)
            assert await polled(store, tenant_id) == found

    asyncio.run(scenario())
