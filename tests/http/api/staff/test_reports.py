"""The reports, held against what the lists and the histories of the API say, lead by lead, for many leads at random."""

import asyncio
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

import pytest

from aureum.domain.ids import aureum_time, from_wire, new_id, to_wire
from aureum.domain.lead import STATUSES
from aureum.domain.wall_time import midnight
from aureum.http.api.staff.reports import steps
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import Actor, Origin
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server
from tests.stores import LEAD_NUMBERS, new_lead

PATH = "/api/v1/admin/reports"
BOISE = "America/Boise"
SET_BACK = date(2025, 11, 2)
"""The day of 25 hours, on which clocks in Boise are set back."""

STAGES = [status for status in STATUSES if status != "lost"]


@pytest.fixture
def owner(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")


def report(server: Server, who: Staff, first: date, last: date) -> dict[str, Any]:
    answer = server.ask("GET", f"{PATH}?from={first}&to={last}", headers=who.bearer)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    assert found["behind"] == 0 and found["period"] == {"from": f"{first}", "to": f"{last}"}
    return found


async def lived(store: EventStore, tenant: Tenant, dice: random.Random, agents: list[Staff], at: datetime) -> None:
    """A lead that came at a moment, and what became of it."""
    agent: UUID | None = from_wire(dice.choice(agents).id) if dice.random() < 0.8 else None
    staff = dice.random() < 0.3
    lead = new_lead(
        await store.next_number(LEAD_NUMBERS),
        lead_id=new_id(at),
        at=at,
        source=dice.choice(("website", "api", "zillow")) if not staff else "manual",
        source_domain="admin-manual" if staff else "b1.example.com",
        assigned_to=agent,
        status=dice.choice(("new", "new", "new", "contacted")),
        suspect=dice.random() < 0.1,
    )
    if not lead.suspect:
        for _ in range(dice.randrange(3)):
            at += timedelta(minutes=dice.randrange(1, 600))
            lead.change_status(dice.choice(STATUSES), at)
    await store.append(tenant.id, lead, NO_STREAM, command="Test", origin=Origin(Actor("user", to_wire(new_id()))))


def filled(operator: Operator, tenant: Tenant, agents: list[Staff], seed: int, leads: int = 150) -> None:
    """Leads over some weeks around the day of 25 hours, some of them within a second of a midnight."""
    dice = random.Random(seed)
    begin = midnight(SET_BACK - timedelta(days=20), BOISE)

    def moment() -> datetime:
        if dice.random() < 0.5:
            day = midnight(SET_BACK + timedelta(days=dice.randrange(-20, 20)), BOISE)
            return day + timedelta(milliseconds=dice.choice((-1, 0, 1)))
        return begin + timedelta(seconds=dice.randrange(40 * 86_400))

    async def all_of_them(store: EventStore) -> None:
        await asyncio.gather(*(lived(store, tenant, dice, agents, moment()) for _ in range(leads)))

    operator.run(all_of_them)


def within(lead: dict[str, Any], first: date, last: date) -> bool:
    begins, ends = (aureum_time(midnight(day, BOISE)) for day in (first, last + timedelta(1)))
    return begins <= str(lead["createdAt"]) < ends


def furthest(server: Server, tenant: Tenant, lead: dict[str, Any]) -> tuple[int, float | None]:
    """How far a lead ever came, and the seconds to its first contact, as its history has them."""
    history = server.by_key(tenant, "GET", f"/api/leads/{lead['id']}/history").json
    had = [event["changes"]["status"]["to"] for event in history if "status" in event["changes"]]
    moved = [event["at"] for event in history if event["type"] == "lead.status_changed"]
    begun = datetime.fromisoformat(lead["createdAt"])
    seconds = (datetime.fromisoformat(moved[0]) - begun).total_seconds() if moved else None
    return max((STAGES.index(one) for one in had if one in STAGES), default=0), seconds


@pytest.mark.parametrize("seed", [1, 2])
def test_each_figure_is_that_of_the_lists(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, seed: int
) -> None:
    agents = [operator.staff(tenant.id, "agent", name) for name in ("Ana Agent", "Ben Agent")]
    filled(operator, tenant, agents, seed)
    everything = [one for one in server.leads(tenant) if not one.get("suspect")]
    entered = server.ask(
        "GET", "/api/v1/admin/leads?source_domain=admin-manual&page_size=100", headers=owner.bearer
    ).json
    assert entered["total"] >= sum(one["source"] == "manual" for one in everything) > 0
    ana = agents[0]
    for first, last in (
        (SET_BACK, SET_BACK),
        (SET_BACK - timedelta(3), SET_BACK + timedelta(9)),
        (SET_BACK - timedelta(300), SET_BACK + timedelta(300)),
    ):
        length = (last - first).days + 1
        for who, seen in ((owner, everything), (ana, [one for one in everything if one["assignedToId"] == ana.id])):
            found = report(server, who, first, last)
            now = [one for one in seen if within(one, first, last)]
            then = [one for one in seen if within(one, first - timedelta(length), first - timedelta(1))]
            assert (found["total"]["leads"], found["total_before"]["leads"]) == (len(now), len(then))
            assert {one["status"]: one["leads"] for one in found["statuses"] if one["leads"]} == Counter(
                one["status"] for one in now
            )
            for source in found["sources"]:
                own = [one for one in now if one["source"] == source["source"]]
                assert source["leads"] == len(own)
                assert source["statuses"] == Counter(one["status"] for one in own)
                assert source["leads_before"] == sum(one["source"] == source["source"] for one in then)
            assert {one["id"]: one["leads"] for one in found["agents"] if one["leads"]} == Counter(
                one["assignedToId"] for one in now
            )
            origins = {one["origin"]: one["leads"] for one in found["origins"]}
            assert origins == {
                "staff": sum(one["source"] == "manual" for one in now),
                "organic": sum(one["source"] != "manual" for one in now),
            }
            for step in found["steps"]:
                part = [
                    one for one in now if within(one, date.fromisoformat(step["from"]), date.fromisoformat(step["to"]))
                ]
                assert step["leads"] == len(part)
                assert step["sources"] == Counter(one["source"] for one in part)
                assert step["statuses"] == Counter(one["status"] for one in part)
            if length < 20:
                came = [furthest(server, tenant, one) for one in now]
                for place, stage in enumerate(STAGES[1:], 1):
                    assert found["total"][stage] == sum(reached >= place for reached, _ in came)
                took = [seconds for _, seconds in came if seconds is not None]
                assert found["total"]["answered"] == len(took)
                assert found["total"]["median_seconds"] == (pytest.approx(median(took)) if took else None)
    # All of it is what the lead count says.
    count = server.by_key(tenant, "GET", "/api/leads/count").json
    whole = report(server, owner, SET_BACK - timedelta(300), SET_BACK + timedelta(300))
    assert {one["status"]: one["leads"] for one in whole["statuses"]} | {"total": whole["total"]["leads"]} == count
    assert (
        whole["total"]["unanswered"]
        == server.ask("GET", "/api/v1/admin/today", headers=owner.bearer).json["unanswered"]["total"]
    )


def test_a_period_that_cannot_be(server: Server, owner: Staff) -> None:
    for query, said in (
        ("from=2025-01-02&to=2025-01-01", "to must not be before from."),
        ("from=1969-12-31&to=1970-01-01", "from must be in the years 1970 to 2200."),
        ("from=2000-01-01&to=2025-01-01", "from must be less than 3,660 days before to."),
        ("from=yesterday", ""),
    ):
        answer = server.ask("GET", f"{PATH}?{query}", headers=owner.bearer)
        assert answer.status in (400, 422) and said in answer.body.decode(), answer.body
    usual = server.ask("GET", PATH, headers=owner.bearer).json
    assert len(usual["steps"]) == 30 and usual["total"]["leads"] == 0 and usual["agents"] == []
    assert usual["period"]["to"] == usual["steps"][-1]["to"]
    earliest = server.ask("GET", f"{PATH}?to=1970-01-01", headers=owner.bearer).json
    assert earliest["period"] == {"from": "1970-01-01", "to": "1970-01-01"}, "no day before it is asked for"


def test_a_period_is_shown_in_days_weeks_or_months() -> None:
    first = date(2025, 1, 31)
    assert steps(first, first) == [first]
    assert len(steps(first, first + timedelta(30))) == 31
    weeks = steps(first, first + timedelta(31))
    assert weeks == [first + timedelta(7 * place) for place in range(5)]
    assert steps(first, date(2025, 12, 31))[:3] == [first, date(2025, 2, 1), date(2025, 3, 1)]


def test_leads_that_are_answered_at_once(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana Agent")
    lead = server.lead(tenant, assignedToId=ana.id)["id"]
    server.lead(tenant)
    server.ask("POST", f"/api/leads/{lead}/activities", {"type": "visit"}, ana.bearer)
    today = datetime.now(UTC).date()
    found = report(server, owner, today - timedelta(1), today + timedelta(1))
    assert (found["total"]["answered"], found["total"]["unanswered"]) == (1, 1)
    assert 0 <= found["total"]["p90_seconds"] < 60
    assert [(one["name"], one["answered"]) for one in found["agents"]] == [("Ana Agent", 1), (None, 0)]
