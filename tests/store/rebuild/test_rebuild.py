"""A rebuilt read model is the inline one, byte for byte, also where it is followed and swapped while others write."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.lead import STATUSES, Lead
from aureum.store.event_store import EventStore
from aureum.store.rebuild import list as rebuild_list
from aureum.store.rebuild import rebuild as rebuilding
from aureum.store.rebuild.claim import RebuildClaim
from aureum.store.rebuild.rebuild import REBUILDABLE, Rebuilt, rebuild
from tests.examples import examples
from tests.store.read_models import change, folded, live, page, shown, until, versions
from tests.stores import capture, open_brokerage, opened_store

OF_LEADS: tuple[Any, ...] = REBUILDABLE[:2]
LEAD_LIST = OF_LEADS[0]

AGENTS = (ids.new_id(), ids.new_id(), None)
WAITING_FOR_A_LOCK = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
changes = st.one_of(
    st.sampled_from(STATUSES).map(lambda status: lambda lead: lead.change_status(status, ids.now())),
    st.sampled_from(AGENTS).map(lambda agent: lambda lead: lead.assign(agent, ids.now())),
    st.dictionaries(st.sampled_from(("first_name", "message", "notes")), texts).map(
        lambda details: lambda lead: lead.change_details(details, ids.now())
    ),
)
several = st.lists(changes, max_size=3).map(lambda some: lambda lead: [decide(lead) for decide in some])
commands = st.tuples(
    st.integers(0, 1), st.none() | st.tuples(st.integers(0, 5), several), st.sampled_from(STATUSES), texts
)


def lose(lead: Lead) -> None:
    lead.change_status("lost", ids.now())


async def rebuilt(store: EventStore, name: str, tenant_id: UUID, **options: Any) -> Rebuilt:
    """A rebuild as the command line makes it."""
    return await rebuild(store.database.url, store.keys, name, tenant_id, **options)


async def obey(store: EventStore, tenants: list[UUID], given: list[Any]) -> None:
    """Capture leads of two brokerages and change some of them."""
    leads: list[list[UUID]] = [[], []]
    for place, change_of, status, name in given:
        tenant_id, own = tenants[place], leads[place]
        if change_of is None or not own:
            own.append((await capture(store, tenant_id, status=status, first_name=name)).id)
        else:
            number, decide = change_of
            await change(store, tenant_id, own[number % len(own)], decide)


@given(st.lists(commands, max_size=20), st.integers(1, 5), st.integers(1, 5), st.integers(0, 40))
@settings(max_examples=examples(20), deadline=None)
def test_rebuilt_rows_are_the_inline_rows(
    module_database_url: str, given: list[Any], batch: int, follow: int, cut: int
) -> None:
    """Whatever was commanded, in batches of any size, copied up to any position and followed from there."""

    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenants = [await open_brokerage(store) for _ in range(2)]
            await obey(store, tenants, given)
            for tenant_id in tenants:
                inline = await shown(store, tenant_id)
                assert inline == await folded(store, tenant_id)
                for model in OF_LEADS:
                    before = await live(store, tenant_id)
                    made = await rebuilt(store, model.NAME, tenant_id)
                    after = await live(store, tenant_id)
                    assert after[model.NAME] > before[model.NAME]
                    assert (await versions(store, tenant_id))[model.NAME] <= {after[model.NAME]}
                    if model is LEAD_LIST:
                        assert made.rows == len(inline[0])
                        assert made.events == sum(row[2] for row in inline[0]), "every event of a lead, once"
                assert await shown(store, tenant_id) == inline

    async def copy_to_cut(log: Any, claim: Any, until: int, told: Callable[[int], None]) -> int:
        done: int = await copy(log, claim, min(cut, until), told)
        return done

    with pytest.MonkeyPatch.context() as patch:
        copy = LEAD_LIST.copy
        patch.setattr(LEAD_LIST, "copy", copy_to_cut)
        patch.setattr(rebuild_list, "BATCH_EVENTS", batch)
        patch.setattr(rebuild_list, "BATCH_ROWS", batch)
        patch.setattr(rebuilding, "FOLLOW_POSITIONS", follow)
        patch.setattr(rebuilding, "NEAR", follow)
        asyncio.run(scenario())


@dataclass
class Traffic:
    """Writers that go on until they are told to stop, and readers that expect every lead that was acknowledged."""

    store: EventStore
    tenant_id: UUID
    leads: list[UUID] = field(default_factory=list)
    written: int = 0
    reads: int = 0
    stopped: bool = False

    async def write(self, seed: int) -> None:
        dice = random.Random(seed)
        own: list[UUID] = []
        while not self.stopped:
            if not own or (len(own) < 60 and dice.random() < 0.4):
                own.append((await capture(self.store, self.tenant_id)).id)
                self.leads.append(own[-1])
            else:
                await change(self.store, self.tenant_id, dice.choice(own), self.any_change(dice))
            self.written += 1

    def any_change(self, dice: random.Random) -> Callable[[Lead], None]:
        if dice.random() < 0.7:
            return lambda lead: lead.change_status(dice.choice([s for s in STATUSES if s != lead.status]), ids.now())
        return lambda lead: lead.change_details({"message": f"{dice.random()}"}, ids.now())

    async def read(self) -> None:
        while not self.stopped:
            acknowledged = set(self.leads)
            missing = acknowledged - await page(self.store, self.tenant_id)
            assert not missing, f"{len(missing)} of {len(acknowledged)} leads are missing"
            self.reads += 1


def test_nothing_is_lost_and_no_reader_notices_while_others_write(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild_list, "BATCH_EVENTS", 20)
    monkeypatch.setattr(rebuilding, "FOLLOW_POSITIONS", 20)
    monkeypatch.setattr(rebuilding, "NEAR", 5)

    async def rebuild_often(store: EventStore, traffic: Traffic) -> None:
        for _ in range(3):
            before = traffic.written
            await asyncio.gather(*(rebuilt(store, model.NAME, traffic.tenant_id) for model in REBUILDABLE))
            assert traffic.written > before and traffic.reads > 0
        traffic.stopped = True

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenants = [await open_brokerage(store) for _ in range(2)]
            all_traffic = [Traffic(store, tenant_id) for tenant_id in tenants]
            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                for traffic in all_traffic:
                    for seed in range(3):
                        group.create_task(traffic.write(seed))
                    group.create_task(traffic.read())
                    group.create_task(rebuild_often(store, traffic))
            for tenant_id in tenants:
                assert await live(store, tenant_id) == {"lead_list": 4, "lead_counts": 4}
                assert await versions(store, tenant_id) == {"lead_list": {4}, "lead_counts": {4}}
                assert await shown(store, tenant_id) == await folded(store, tenant_id)

    asyncio.run(scenario())


def test_an_append_that_waits_for_the_swap_goes_into_the_new_version(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the head row is locked for the swap, the tenant's appends wait, and other tenants' do not."""

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id, neighbour = [await open_brokerage(store) for _ in range(2)]
            first = await capture(store, tenant_id)
            waiting: list[asyncio.Task[Any]] = []

            async def apply_while_others_append(claim: Any, events: Any) -> None:
                waiting.append(asyncio.create_task(capture(store, tenant_id)))
                waiting.append(asyncio.create_task(change(store, tenant_id, first.id, lose)))
                await until(is_waiting)
                async with asyncio.timeout(30):
                    await capture(store, neighbour)
                assert not any(task.done() for task in waiting)
                await apply(claim, events)

            async def is_waiting() -> bool:
                ((backends,),) = await store.database.rows(WAITING_FOR_A_LOCK)
                return bool(backends)

            apply = LEAD_LIST.apply
            monkeypatch.setattr(LEAD_LIST, "apply", apply_while_others_append)
            made = await rebuilt(store, "lead_list", tenant_id)
            await asyncio.gather(*waiting)
            assert made.rows >= 1
            rows, counts = await shown(store, tenant_id)
            assert len(rows) == 2 and counts["lost"] == 1
            assert (rows, counts) == await folded(store, tenant_id)

    asyncio.run(scenario())


def test_the_head_row_is_not_locked_for_a_long_rest(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "NEAR", 1)
    swapped: list[bool] = []

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)

            async def follow_while_others_append(work: rebuilding.Work) -> None:
                await follow(work)
                if not swapped:
                    for _ in range(3):
                        await capture(store, tenant_id)

            async def swap(work: rebuilding.Work, lock_timeout: str, limit: int) -> bool:
                swapped.append(await swap_once(work, lock_timeout, limit))
                return swapped[-1]

            follow, swap_once = rebuilding.Work.follow, rebuilding.Work.swapped
            monkeypatch.setattr(rebuilding.Work, "follow", follow_while_others_append)
            monkeypatch.setattr(rebuilding.Work, "swapped", swap)
            made = await rebuilt(store, "lead_list", tenant_id)
            assert swapped == [False, True]
            assert (made.events, made.rows) == (3, 3)

    asyncio.run(scenario())


def test_readers_find_the_list_whole_while_old_rows_are_removed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the rebuild ends right after its swap: what it leaves behind, the next one removes."""
    removing, killed = asyncio.Event(), asyncio.Event()
    remove = LEAD_LIST.remove

    async def stall(claim: RebuildClaim, *keep: int) -> None:
        if keep == (claim.version,):
            removing.set()
            await killed.wait()
            raise ConnectionAbortedError
        await remove(claim, *keep)

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            leads = {(await capture(store, tenant_id)).id for _ in range(5)}
            with monkeypatch.context() as patched:
                patched.setattr(LEAD_LIST, "remove", stall)
                task = asyncio.create_task(rebuilt(store, "lead_list", tenant_id))
                async with asyncio.timeout(30):
                    await removing.wait()
                assert (await live(store, tenant_id))["lead_list"] == 2
                assert await page(store, tenant_id) == leads
                killed.set()
                with pytest.raises(ConnectionAbortedError):
                    await task
            assert (await versions(store, tenant_id))["lead_list"] == {1, 2}
            await rebuilt(store, "lead_list", tenant_id)
            assert (await versions(store, tenant_id))["lead_list"] == {3}
            assert await page(store, tenant_id) == leads

    asyncio.run(scenario())


def test_an_erased_person_stays_erased(database_url: str) -> None:
    erase = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(lead)s"

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            erased, other = [await capture(store, tenant_id, first_name="Erika") for _ in range(2)]
            await change(store, tenant_id, erased.id, lambda lead: lead.change_details({"notes": "x"}, ids.now()))
            await store.database.rows(erase, {"tenant": tenant_id, "lead": erased.id})
            for model in OF_LEADS:
                await rebuilt(store, model.NAME, tenant_id)
            rows, counts = await shown(store, tenant_id)
            docs = {row[0]: str(row) for row in rows}
            assert "Erika" not in docs[erased.id] and "[erased]" in docs[erased.id]
            assert "Erika" in docs[other.id]
            assert counts["total"] == 2

    asyncio.run(scenario())


def test_progress_is_reported(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild_list, "BATCH_EVENTS", 2)
    monkeypatch.setattr(rebuilding, "FOLLOW_POSITIONS", 2)
    told: list[tuple[int, int]] = []

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            for _ in range(5):
                await capture(store, tenant_id)
            for model in OF_LEADS:
                told.clear()
                made = await rebuilt(store, model.NAME, tenant_id, progress=lambda *heard: told.append(heard))
                assert told == sorted(told) and len(told) > 2
                assert told[-1] == (5, 5) and made.events == 5 and made.seconds > 0

    asyncio.run(scenario())
