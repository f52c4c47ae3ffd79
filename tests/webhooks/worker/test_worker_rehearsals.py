"""Rehearsals of routing, carried out by a real worker, with a routing model of their own."""

from typing import Any
from uuid import UUID

import pytest

from aureum.commands.leads import CaptureLead, capture_lead
from aureum.commands.rehearsal_model import model_for
from aureum.commands.rehearsing import begun, rehearse, rehearsed_team
from aureum.commands.routed import team_of
from aureum.commands.routing_rehearsals import (
    MOST_LEADS,
    Job,
    RequestRehearsal,
    claim,
    go_on,
    move,
    prune_rehearsals,
    request_rehearsal,
)
from aureum.commands.users import CreateUser, create_user
from aureum.domain import ids
from aureum.domain.lead import LeadFields
from aureum.domain.routing.rehearsal import Rehearsal, Rehearsed
from aureum.domain.routing.settings import Routing
from aureum.store.event_store import EventStore
from aureum.store.metadata import COMMAND_LINE, VISITOR, Origin
from tests.stores import open_brokerage, opened_store
from tests.webhooks.waiting import run
from tests.webhooks.worker.eventually import eventually
from tests.webhooks.worker.workers import working

MODEL = "tests.routing.other_model:counting"
OPERATOR = Origin(COMMAND_LINE)

ENDED = """
SELECT state, (rehearsal ->> 'leads')::integer FROM routing_rehearsals
 WHERE rehearsal_id = %(id)s AND state <> 'running'
"""
LEADS = "SELECT count(*) FROM routing_rehearsal_leads WHERE rehearsal_id = %(id)s"
AGE = "UPDATE routing_rehearsals SET ended_at = ended_at - interval '8 days' WHERE rehearsal_id = %(id)s RETURNING 1"
BREAK = "UPDATE routing_rehearsals SET held_until = NULL, settings = '{}' WHERE rehearsal_id = %(id)s RETURNING 1"
FREE = """
UPDATE routing_rehearsals SET held_until = NULL
 WHERE rehearsal_id = %(id)s AND failures = %(failures)s
RETURNING 1
"""


async def operator(store: EventStore, messages: list[str]) -> UUID:
    """A brokerage of two agents, whose leads said *messages*."""
    tenant_id = await open_brokerage(store)
    for name, specialty in (("Ana", "farm"), ("Ben", "condo")):
        email = f"{name}@{tenant_id}.example.com"
        command = CreateUser(tenant_id=tenant_id, email=email, name=name, role="agent", specialties=(specialty,))
        await create_user(store, command, OPERATOR)
    team = await team_of(store, tenant_id)
    for number, message in enumerate(messages):
        fields: dict[str, Any] = dict.fromkeys(LeadFields.__dataclass_fields__)
        said = {"first_name": "Jane", "last_name": "Doe", "email": f"j{number}@example.com", "source": "website"}
        lead = LeadFields(**(fields | said | {"message": message}))
        await capture_lead(
            store, CaptureLead(tenant_id=tenant_id, country="US", fields=lead), Origin(VISITOR), team=team
        )
    return tenant_id


async def requested(store: EventStore, tenant_id: UUID, routing: Routing) -> UUID:
    command = RequestRehearsal(tenant_id=tenant_id, routing=routing, since=ids.now().replace(year=2001))
    rehearsal, _ = await request_rehearsal(store, command, OPERATOR)
    return rehearsal.id


def test_a_worker_does_what_was_asked_for(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await operator(store, ["A farm", "A loft with a view of the river", "?"])
            async with working(database_url, routing_model=MODEL):
                for routing in (Routing("round_robin"), Routing("semantic")):
                    job = await requested(store, tenant_id, routing)
                    assert await eventually(store, ENDED, id=job) == [("completed", 3)]
                    assert await store.database.rows(LEADS, {"id": job}) == [(3,)]

    run(scenario())


def test_rankings_ask_a_model_of_their_own(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await operator(store, ["A loft with a view of the river", "Something for cattle"])
            team = await rehearsed_team(store, tenant_id, await team_of(store, tenant_id), Routing("semantic"))
            models = []
            for model in (MODEL, "none"):
                rehearsal = await begun(store, tenant_id, team, 1, ids.now())
                async with model_for(team.routing, model):
                    async for _, found in rehearse(store, tenant_id, team, rehearsal, 0, 100):
                        models += [one.routing["ranking"]["model"] for one in found if one.routing is not None]
            assert "counts letters 1" in models[:2] and models[2:] == [None, None]

    run(scenario())


def test_one_that_breaks_off_is_tried_again_and_given_up(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await operator(store, ["A farm"])
            job, other = [await requested(store, tenant_id, Routing("round_robin")) for _ in range(2)]
            async with working(database_url):
                assert await eventually(store, ENDED, id=other) == [("completed", 1)]
            # Settings that no version has written.
            broken = await requested(store, tenant_id, Routing("round_robin"))
            assert await store.database.rows(BREAK, {"id": broken})
            async with working(database_url):
                for failures in (1, 2):
                    assert await eventually(store, FREE, id=broken, failures=failures)
                assert await eventually(store, ENDED, id=broken) == [("failed", None)]
            assert await eventually(store, ENDED, id=job) == [("completed", 1)]

    run(scenario())


def test_leads_are_kept_for_a_week_and_of_the_newest_five(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await operator(store, ["A farm", "A condo"])
            jobs = []
            for _ in range(6):
                jobs.append(await requested(store, tenant_id, Routing("round_robin")))
                held = await claim(store.database)
                assert held is not None and held.id == jobs[-1]
                await go_on(store, held)
            assert await prune_rehearsals(store.database, 1) == 2
            kept = [await store.database.rows(LEADS, {"id": job}) for job in jobs]
            assert kept == [[(0,)], *[[(2,)]] * 5]
            assert await store.database.rows(AGE, {"id": jobs[3]})
            assert await prune_rehearsals(store.database) == 2
            assert await store.database.rows(LEADS, {"id": jobs[3]}) == [(0,)]
            assert await store.database.rows(ENDED, {"id": jobs[3]}) == [("completed", 2)]

    run(scenario())


def test_no_more_than_so_many_leads_are_kept(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await operator(store, [])
            job_id = await requested(store, tenant_id, Routing("round_robin"))
            held = await claim(store.database)
            assert isinstance(held, Job)
            rehearsal, leads = Rehearsal(leads=MOST_LEADS - 2), []
            for number in range(5):
                leads.append(Rehearsed("lead", ids.new_id(), number, ids.now(), None, None))
                rehearsal.count(leads[-1])
            assert await move(store.database, held, held.cursor, held.until, rehearsal, leads)
            assert await store.database.rows(LEADS, {"id": job_id}) == [(2,)]
            assert await store.database.rows(ENDED, {"id": job_id}) == [("completed", MOST_LEADS + 3)]

    run(scenario())
