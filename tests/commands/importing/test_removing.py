"""Properties that an import added are taken back: none that something refers to, also if that came a moment ago, and
no process that is killed leaves half of it behind."""

import io
from collections.abc import Callable
from uuid import UUID

import pytest

from aureum.commands.importing.imports import Import, Wanted, get_import
from aureum.commands.importing.removing import REFERRED_TO, References, remove_properties
from aureum.commands.importing.requesting import request_import
from aureum.commands.importing.steering import undo_import
from aureum.commands.importing.undoing import done_by
from aureum.commands.undoing_all import SINCE
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.property import Property
from aureum.domain.shortlist import Shortlist
from aureum.store.chain import Verified, verify
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.postgres.database import connect
from aureum.store.rebuild.rebuild import rebuild
from aureum.store.rebuild.verifying import verify_read_model
from tests.commands.importing.test_killed import ORIGIN, work_and_be_killed
from tests.http.api.imports.test_imports import import_all
from tests.stores import new_lead, new_task, new_tour, open_brokerage, opened_store
from tests.webhooks.waiting import run

ROWS = """
SELECT count(*) FROM property_list WHERE tenant_id = %(tenant)s
"""
SLUGS = "SELECT name FROM taken_names WHERE tenant_id = %(tenant)s ORDER BY name"
EVENTS = "SELECT count(*) FROM events WHERE tenant_id = %(tenant)s AND type = 'property.removed'"


async def imported(store: EventStore, tenant_id: UUID, homes: int) -> Import:
    """An import of so many properties that has ended."""
    lines = "".join(f"{n} Oak St,Boise,ID,00{n}\n" for n in range(homes))
    file = io.BytesIO(f"Address,City,State,MLS #\n{lines}".encode())
    job = await request_import(store, Wanted(tenant_id, "properties"), file, ORIGIN, state="running")
    await import_all(store)
    done = await get_import(store, tenant_id, job.import_id)
    assert (done.state, done.made) == ("completed", homes)
    return done


def a_shortlist(listed: Property) -> Shortlist:
    """A client's list that has the property."""
    shortlist = Shortlist.begin(ids.new_id(), ids.now())
    shortlist.save(listed.id, ids.now())
    return shortlist


REFERRING: dict[str, Callable[[Property], Aggregate]] = {
    "a task": lambda listed: new_task(property_id=listed.id),
    "a showing": lambda listed: new_tour(property_id=listed.id, listing_id=None),
    "a showing of its listing": lambda listed: new_tour(listing_id=listed.mls_id),
    "a client's list": a_shortlist,
    "a lead from its page": lambda listed: new_lead(source_page=f"https://example.com/homes/{listed.slug}?utm=x#top"),
    "a lead from its listing": lambda listed: new_lead(source_page=f"/property/{listed.mls_id}"),
}


@pytest.mark.parametrize("name", REFERRING)
def test_what_is_referred_to_stays_whenever_that_was_appended(module_database_url: str, name: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            job = await imported(store, tenant_id, 3)
            added = await done_by(store, tenant_id, job.import_id, 0)
            before, since, gone = [(await store.load(tenant_id, one)).aggregate() for one in added]

            async def refer(listed: Property) -> None:
                await store.append(tenant_id, REFERRING[name](listed), NO_STREAM, command="Refer", origin=ORIGIN)

            await refer(before)
            references = References(tenant_id)
            rehearsed = await remove_properties(store, added, references, ORIGIN, rehearsed=True)
            assert [one.why for one in rehearsed] == [REFERRED_TO, "", ""]
            # Between the look at everything and the lock of the log.
            await refer(since)
            done = await remove_properties(store, added, references, ORIGIN, rehearsed=False)
            assert [(one.stream_id, one.why, one.back) for one in done] == [
                (before.id, REFERRED_TO, ()),
                (since.id, REFERRED_TO, ()),
                (gone.id, "", ("removed",)),
            ]
            again = await remove_properties(store, added, references, ORIGIN, rehearsed=False)
            assert [one.stream_id for one in again] == [before.id, since.id], "what is gone is not told twice"
            about = {"tenant": tenant_id}
            assert await store.database.rows(ROWS, about) == [(2,)]
            assert await store.database.rows(SLUGS, about) == [(before.slug,), (since.slug,)]

    run(scenario())


def test_what_was_changed_since_stays(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant_id = await open_brokerage(store)
            job = await imported(store, tenant_id, 2)
            added = await done_by(store, tenant_id, job.import_id, 0)
            changed, _ = added
            stream = await store.load(tenant_id, changed)
            listed: Property = stream.aggregate()
            listed.change_status("SOLD", ids.now())
            await store.append(tenant_id, listed, stream, command="Change", origin=ORIGIN)
            done = await remove_properties(store, added, References(tenant_id), ORIGIN, rehearsed=False)
            assert [one.why for one in done] == [SINCE, ""]

    run(scenario())


def test_a_worker_that_is_killed_leaves_nothing_half_removed(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            job = await imported(store, tenant_id, 101)
            await rebuild(database_url, store.keys, "property_list", tenant_id)
            await undo_import(store, tenant_id, job.import_id, ORIGIN)
            assert work_and_be_killed(database_url) > 2
            undone = await get_import(store, tenant_id, job.import_id)
            assert (undone.state, undone.kept) == ("undone", 0)
            about = {"tenant": tenant_id}
            assert await store.database.rows(ROWS, about) == [(0,)] and await store.database.rows(SLUGS, about) == []
            assert await store.database.rows(EVENTS, about) == [(101,)]
            assert (await verify_read_model(database_url, store.keys, "property_list", tenant_id)).differences == 0
            # The file comes in again as if it were new, under the same slugs.
            await imported(store, tenant_id, 3)
            assert await store.database.rows(SLUGS, about) == [("0-oak-st",), ("1-oak-st",), ("2-oak-st",)]
        async with await connect(database_url) as connection:
            assert isinstance(await verify(connection, tenant_id), Verified)

    run(scenario())
