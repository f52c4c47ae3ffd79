"""Timers: what sets them, and that each fires once, also if a worker dies, two race, or one fails."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from aureum.background.follower import follow
from aureum.commands.leads import ChangeLead, change_lead
from aureum.commands.users import ChangeUser, change_user
from aureum.domain.ids import to_wire
from aureum.domain.routing.settings import Routing
from aureum.store.metadata import Actor, Origin
from aureum.timers.firing import TAKE, fire, take
from aureum.timers.setting import TIMERS
from tests.commands.office import OPERATOR, Office, opened
from tests.stores import opened_store
from tests.webhooks.killing import killed, make_mortal
from tests.webhooks.waiting import run
from tests.webhooks.worker.eventually import eventually
from tests.webhooks.worker.workers import worker_process, working

ALL = "SELECT lead_id, due_at, version, failures FROM timers WHERE tenant_id = %(tenant)s ORDER BY due_at"
SET = "SELECT 1 WHERE (SELECT count(*) FROM timers WHERE tenant_id = %(tenant)s AND due_at > now()) = %(count)s"
TAKEN = "SELECT 1 FROM timers WHERE tenant_id = %(tenant)s AND failures = %(failures)s"
MOVE = "UPDATE timers SET due_at = due_at - make_interval(mins => %(minutes)s) WHERE tenant_id = %(tenant)s RETURNING 1"
PASSED = """
SELECT 1 WHERE (
           SELECT count(*) FROM events WHERE tenant_id = %(tenant)s AND type = 'lead.passed_on'
       ) = %(count)s
"""
AGAIN = """
INSERT INTO timers (tenant_id, lead_id, due_at, version) VALUES (%(tenant)s, %(lead)s, now(), 1) RETURNING 1
"""
MANY = """
INSERT INTO timers (tenant_id, lead_id, due_at, version)
SELECT %(tenant)s, gen_random_uuid(), now() + interval '1 day', 1 FROM generate_series(1, 3000)
RETURNING 1
"""
SLACK = timedelta(seconds=5)


def scenario(
    url: str, test: Callable[[Office], Awaitable[None]], names: tuple[str, ...] = ("Ana", "Ben", "Cora")
) -> None:
    """Runs *test* in a new brokerage."""

    async def whole() -> None:
        async with opened_store(url) as store:
            await test(await opened(store, "Ana", "Ben", "Cora"))

    run(whole())


async def timers(office: Office) -> dict[UUID, tuple[datetime, int, int]]:
    rows = await office.store.database.rows(ALL, {"tenant": office.tenant_id})
    return {lead_id: (due, version, failures) for lead_id, due, version, failures in rows}


async def followed(office: Office) -> dict[UUID, tuple[datetime, int, int]]:
    """The timers, once all of the log is followed."""
    while await follow(office.store, TIMERS, office.tenant_id):
        pass
    return await timers(office)


async def time_passes(office: Office, minutes: int) -> None:
    """As if the database's clock had jumped."""
    await office.minutes_pass(minutes)
    await office.store.database.rows(MOVE, {"tenant": office.tenant_id, "minutes": minutes})


async def passed(office: Office, count: int) -> bool:
    return bool(await eventually(office.store, PASSED, tenant=office.tenant_id, count=count))


async def steps(office: Office, leads: list[UUID]) -> list[list[str]]:
    return [(await office.history(lead_id))[1:] for lead_id in leads]


def test_what_sets_a_timer_and_what_ends_it(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        # Agents need not answer in time: only offers wait.
        await office.route(office.offering())
        offered, assigned = await office.sent(subject="sell"), await office.sent()
        found = await followed(office)
        assert found.keys() == {offered} and found[offered][1] == 1
        offer_ends = (await office.lead(offered)).created_on + timedelta(minutes=15)
        assert abs(found[offered][0] - offer_ends) < SLACK
        # From now on they must; what came before goes on as it was, until something happens to it.
        await office.route(office.offering(answer_within_minutes=60))
        await office.profile("Ana", 'hours = \'{"mon": ["00:00", "00:01"]}\'')
        leads = [await office.sent() for _ in range(3)]
        found = await followed(office)
        assert found.keys() == {offered, *leads} and assigned not in found
        slow = [lead_id for lead_id in leads if await office.agent(lead_id) == "Ana"]
        for lead_id in leads:
            wait = found[lead_id][0] - (await office.lead(lead_id)).created_on
            assert wait > timedelta(days=13) if lead_id in slow else abs(wait - timedelta(hours=1)) < SLACK
        assert len(slow) == 1
        # A first contact ends it, and so does a claim that comes with one.
        ana = Origin(Actor("user", to_wire(office.agents["Ana"])))
        for lead_id, status in ((leads[0], "contacted"), (offered, "lost")):
            command = ChangeLead(tenant_id=office.tenant_id, country="US", lead_id=lead_id, status=status)
            await change_lead(office.store, command, ana)
        assert (await followed(office)).keys() == set(leads[1:])
        # What came before agents had to answer is not overtaken by something else that happens to it.
        mended: dict[str, str | None] = {"email": "mended@example.com"}
        await change_lead(
            office.store, ChangeLead(tenant_id=office.tenant_id, country="US", lead_id=assigned, details=mended), ana
        )
        assert (await followed(office)).keys() == set(leads[1:])
        # Read again from the beginning, it says the same.
        await office.store.database.rows(
            "UPDATE checkpoints SET position = 0 WHERE consumer = 'timers' AND tenant_id = %(tenant)s RETURNING 1",
            {"tenant": office.tenant_id},
        )
        again = await followed(office)
        assert again.keys() == {*leads[1:], assigned} and again[leads[1]] == found[leads[1]]

    scenario(module_database_url, test)


@pytest.mark.parametrize("changes", [{"profile": {"away_from": None}}, {"disabled": True}], ids=["back", "disabled"])
def test_an_agents_clock_that_changes_is_looked_at_again(module_database_url: str, changes: dict[str, Any]) -> None:
    async def test(office: Office) -> None:
        async def change(**changes: Any) -> None:
            command = ChangeUser(tenant_id=office.tenant_id, user_id=office.agents["Ana"], **changes)
            await change_user(office.store, command, OPERATOR, check=lambda _: None)

        await office.route(Routing(mode="round_robin", answer_within_minutes=60))
        leads = {await office.agent(lead_id): lead_id for lead_id in [await office.sent() for _ in range(3)]}
        # Ana is away, and has not said until when.
        await change(profile={"away_from": "2020-01-01T00:00:00.000Z"})
        before = await followed(office)
        for timer in await take(office.store.database, 60):
            await fire(office.store, timer, {})
        away = await timers(office)
        assert away[leads["Ana"]][0] - before[leads["Ben"]][0] > timedelta(days=13)

        await change(**changes)
        (due, *_), *_ = (await followed(office)).values()
        for timer in await take(office.store.database, 60):
            await fire(office.store, timer, {})

        again = await timers(office)
        assert due < before[leads["Ben"]][0]
        assert abs(again[leads["Ana"]][0] - before[leads["Ben"]][0]) < SLACK
        assert {name: again[leads[name]] for name in ("Ben", "Cora")} == {
            name: before[leads[name]] for name in ("Ben", "Cora")
        }

    scenario(module_database_url, test)


def test_a_worker_passes_leads_on_step_by_step(database_url: str) -> None:
    async def test(office: Office) -> None:
        await office.route(office.offering(answer_within_minutes=30))
        leads = [await office.sent(subject="sell") for _ in range(3)]
        async with working(database_url):
            for step, minutes in enumerate((15, 10, 30), 1):
                assert await eventually(office.store, SET, tenant=office.tenant_id, count=3)
                await time_passes(office, minutes)
                assert await passed(office, 3 * step)
            # On and on, until all three agents had them.
            assert await eventually(office.store, SET, tenant=office.tenant_id, count=3)
        assert await steps(office, leads) == [["lead.passed_on"] * 3] * 3
        assert not [failures for _, _, failures in (await timers(office)).values() if failures]

    scenario(database_url, test)


def test_a_worker_that_is_killed_between_due_and_firing(database_url: str) -> None:
    """Its append hangs at a lock when it is killed: whether the database still makes it or not, it happens once, though
    two workers go on where it was."""

    async def test(office: Office) -> None:
        await office.route(office.offering())
        leads = [await office.sent(subject="sell") for _ in range(6)]
        await followed(office)
        await time_passes(office, 15)
        async with await psycopg.AsyncConnection.connect(database_url) as holder:
            held = "SELECT 1 FROM heads WHERE tenant_id = %s FOR UPDATE"
            await holder.execute(held, [office.tenant_id])
            async with worker_process(database_url, 2, 1) as worker:
                assert await eventually(office.store, TAKEN, tenant=office.tenant_id, failures=1)
                await asyncio.sleep(0.2)
                worker.send_signal(signal.SIGKILL)
                await worker.wait()
            await holder.rollback()
        settings = {"lease_seconds": 2, "timeout_seconds": 1}
        async with worker_process(database_url, 2, 1), working(database_url, **settings):
            assert await passed(office, 6)
            assert await eventually(office.store, SET, tenant=office.tenant_id, count=6)
        assert await steps(office, leads) == [["lead.passed_on"]] * 6

    scenario(database_url, test)


def test_a_connection_that_is_lost_before_any_statement(module_database_url: str) -> None:
    """Setting and firing: what was lost is done by the next round, and done once."""

    async def test(office: Office) -> None:
        await office.route(office.offering(answer_within_minutes=30))
        async with opened_store(module_database_url) as victim:
            await make_mortal(victim)
            statement, came_to_that = 0, True
            while came_to_that:
                statement += 1
                lead_id = await office.sent(subject="sell")
                came_to_that = await killed(
                    victim, office.tenant_id, statement, follow(victim, TIMERS, office.tenant_id)
                )
                assert lead_id in await followed(office)
            assert statement > 5
            statement, came_to_that = 0, True
            while came_to_that:
                statement += 1
                lead_id = await office.sent(subject="sell")
                await followed(office)
                await time_passes(office, 15)
                due = {one.lead_id: one for one in await take(office.store.database, 0)}
                came_to_that = await killed(victim, office.tenant_id, statement, fire(victim, due[lead_id], {}))
                await fire(office.store, due[lead_id], {})
                assert (await office.history(lead_id))[1:] == ["lead.passed_on"]
            assert statement > 5

    scenario(module_database_url, test)


def test_a_clock_that_goes_back_fires_nothing_twice(module_database_url: str) -> None:
    async def test(office: Office) -> None:
        await office.route(office.offering())
        lead_id = await office.sent(subject="sell")
        await followed(office)
        await time_passes(office, 15)
        (first,) = [one for one in await take(office.store.database, 60) if one.lead_id == lead_id]
        await fire(office.store, first, {})
        # The same timer once more, as if it had not been: then it waits for the next offer's end.
        await office.store.database.rows(AGAIN, {"tenant": office.tenant_id, "lead": lead_id})
        await fire(office.store, first, {})
        assert (await office.history(lead_id))[1:] == ["lead.passed_on"]
        again = (await timers(office))[lead_id][0] - (await office.lead(lead_id)).modified_on
        assert abs(again - timedelta(minutes=10)) < SLACK

    scenario(module_database_url, test)


def test_what_fails_is_tried_again_and_holds_up_no_other(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def test(office: Office) -> None:
        await office.route(Routing("round_robin", answer_within_minutes=30))
        broken, *leads = [await office.sent() for _ in range(4)]
        await followed(office)
        await time_passes(office, 30)
        spoil = "UPDATE events SET type = %(type)s WHERE stream_id = %(lead)s RETURNING 1"
        assert await office.store.database.rows(spoil, {"type": "lead.unheard_of", "lead": broken})
        async with working(database_url, lease_seconds=0.3, timeout_seconds=0.2):
            assert await passed(office, 3)
            assert await eventually(office.store, TAKEN, tenant=office.tenant_id, failures=2)
            assert await office.store.database.rows(spoil, {"type": "lead.captured", "lead": broken})
            assert await passed(office, 4)
        assert await steps(office, [broken, *leads]) == [["lead.passed_on"]] * 4
        assert "timer_failed" in capsys.readouterr().out

    scenario(database_url, test)


def test_what_is_not_due_is_not_read(module_database_url: str) -> None:
    """However many timers are open: by the index alone."""

    async def test(office: Office) -> None:
        await office.store.database.rows(MANY, {"tenant": office.tenant_id})
        plan = await office.store.database.rows("EXPLAIN " + TAKE.statement, {"pause": 60, "limit": 30})
        assert "Index Cond: (due_at <= now())" in "\n".join(line for (line,) in plan)
        assert await take(office.store.database, 60) == []

    scenario(module_database_url, test)
