"""Offers and answers over HTTP: one claim wins over two processes; who is offered what, and what goes on, is seen."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from aureum.commands.passing_on import pass_on
from aureum.domain.ids import from_wire
from aureum.store.event_store import EventStore
from tests.http.api.routing.sending import LEADS, lead, put, sent
from tests.http.links import delta
from tests.http.operator import Operator, Staff, Tenant
from tests.http.panel.reader import as_staff
from tests.http.serving import Server

CLAIMS = "SELECT 1 FROM events WHERE tenant_id = %(tenant)s AND type = 'lead.assigned'"
PASS = """
UPDATE events SET recorded_at = recorded_at - make_interval(mins => %(minutes)s)
 WHERE tenant_id = %(tenant)s RETURNING 1
"""
OFFER = [{"to": {"group": "everyone"}, "claim_minutes": 15}]


def minutes_pass(operator: Operator, tenant: Tenant, minutes: int, lead_id: str) -> None:
    """What the worker does with a lead after so many minutes."""

    async def go_on(store: EventStore) -> None:
        found = from_wire(lead_id)
        assert isinstance(found, UUID)
        await pass_on(store, tenant.id, found)

    assert operator.rows(PASS, tenant=tenant.id, minutes=minutes)
    operator.run(go_on)


def wire(server: Server, tenant: Tenant) -> dict[str, Any]:
    """The newest lead as a key sees it."""
    found: dict[str, Any] = server.leads(tenant)[0]
    return found


def test_one_of_many_claims_wins_over_two_processes(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    others = [operator.staff(tenant.id, "agent", f"Agent {number}") for number in range(5)]
    put(server, owner, mode="subject_based", rules=OFFER)
    agents = [*team, *others]
    with ThreadPoolExecutor(len(agents)) as threads:
        for count in range(1, 5):
            number = sent(server, tenant)

            def claim(place: int, number: int = number) -> tuple[int, int]:
                place_of = (server, proxied)[place % 2]
                answer = place_of.ask("POST", f"{LEADS}/{number}/claim", headers=agents[place].bearer)
                return answer.status, agents[place].number

            answers = list(threads.map(claim, range(len(agents))))
            assert sorted(status for status, _ in answers) == [200, *[409] * (len(agents) - 1)]
            assert lead(server, owner, number)["assigned_agent_id"] == dict(answers)[200]
            assert len(operator.rows(CLAIMS, tenant=tenant.id)) == count


def test_what_is_offered_is_seen(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    ana, ben, cora = team
    rules = [
        {"when": {"subject_has": ["sell"]}, "to": {"group": "sellers"}, "claim_minutes": 15},
        {"to": {"group": "north"}, "claim_minutes": 10},
    ]
    groups = {"sellers": [ana.number, ben.number], "north": [cora.number]}
    put(server, owner, mode="subject_based", rules=rules, groups=groups)
    number = sent(server, tenant, subject="I want to sell")
    shown = lead(server, owner, number)
    offer = shown["offer"]
    assert (offer["group"], set(offer["agents"])) == ("sellers", {ana.number, ben.number})
    assert offer["until"] > shown["created_at"]
    (listed,) = server.ask("GET", LEADS, headers=owner.bearer).json["items"]
    for who in (owner, ana, cora):
        (waiting,) = server.ask("GET", "/api/v1/admin/pond", headers=who.bearer).json["items"]
        assert waiting["offer"] == listed["offer"] == offer

    minutes_pass(operator, tenant, 15, wire(server, tenant)["id"])
    after = lead(server, owner, number)["offer"]
    assert (after["group"], after["agents"]) == ("north", [cora.number]) and after["until"] < offer["until"]
    _, step = server.ask("GET", f"{LEADS}/{number}/history", headers=owner.bearer).json
    assert (step["type"], step["actor"]) == ("lead.passed_on", {"type": "system", "id": "timers", "name": None})
    assert step["changes"]["offer"] == {"from": offer, "to": after}
    said = step["changes"]["routing"]["to"]["reason"]
    assert said.startswith("No agent of the group sellers claimed it within 15 minutes. Rule 2")
    first, second = server.by_key(tenant, "GET", f"/api/leads/{wire(server, tenant)['id']}/history").json
    assert set(first["changes"]["offer"]["to"]["agents"]) == {ana.id, ben.id}
    assert second["changes"]["offer"]["to"]["agents"] == [cora.id]
    assert second["changes"]["routing"]["to"]["reason"] == said
    reading = as_staff(server, owner).read(f"/admin/leads/{wire(server, tenant)['id']}")
    page = " ".join(str(reading.said("main")).split())
    assert "Offered to sellers (Ana, Ben), until" in page and "north (Cora), until" in page and said in page
    assert "/admin/pond" in reading.links

    # The claim of the only one who may.
    assert server.ask("POST", f"{LEADS}/{number}/claim", headers=ana.bearer).status == 409
    claimed = server.ask("POST", f"{LEADS}/{number}/claim", headers=cora.bearer).json
    assert (claimed["assigned_agent_id"], claimed["offer"]) == (cora.number, None)
    assert claimed == lead(server, cora, number)


def test_a_lead_that_is_closed_waits_for_no_claim(
    server: Server, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="subject_based", rules=OFFER)
    number = sent(server, tenant)
    for status, total, answered in (("lost", 0, 409), ("converted", 0, 409), ("contacted", 1, 200)):
        patched = server.ask("PATCH", f"{LEADS}/{number}", {"status": status}, owner.bearer)
        assert (patched.json["offer"] is None) == (total == 0)
        assert server.ask("GET", "/api/v1/admin/pond", headers=team[0].bearer).json["total"] == total
        claimed = server.ask("POST", f"{LEADS}/{number}/claim", headers=team[0].bearer)
        assert claimed.status == answered, claimed.body
        assert answered == 200 or claimed.json["detail"].startswith(f"This lead is {status}")


def test_a_lead_that_is_not_answered_leaves_its_agents_view(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, team: list[Staff]
) -> None:
    put(server, owner, mode="round_robin", answer_within_minutes=30)
    number = sent(server, tenant)
    before = wire(server, tenant)
    loser = next(agent for agent in team if agent.id == before["assignedToId"])
    listed = server.ask("GET", f"/api/leads?limit=5&assignedToId={loser.id}", headers=loser.bearer)
    for _ in range(2):
        minutes_pass(operator, tenant, 30, before["id"])
    after = wire(server, tenant)
    assert after["assignedToId"] not in (None, loser.id)
    # It is gone for the one, and there for the other.
    assert server.ask("GET", delta(listed), headers=loser.bearer).json == [{"id": before["id"], "removed": True}]
    assert server.ask("GET", f"{LEADS}/{number}", headers=loser.bearer).status == 404
    winner = next(agent for agent in team if agent.id == after["assignedToId"])
    assert lead(server, winner, number)["routing"]["reason"].startswith("The previous agent did not answer within 30 m")
    updates = [one for one in server.by_key(tenant, "GET", "/api/events").json if one["event"] == "lead.updated"]
    assert updates[0]["changes"]["assignedToId"]["from"] == loser.id
    assert updates[-1]["changes"]["assignedToId"]["to"] == updates[-1]["data"]["assignedToId"] == winner.id

    # All had it: it stays, which is said once and changes nothing.
    minutes_pass(operator, tenant, 30, before["id"])
    minutes_pass(operator, tenant, 30, before["id"])
    last = server.ask("GET", f"{LEADS}/{number}/history", headers=owner.bearer).json[-1]
    assert (last["type"], last["changes"]["overdue"]["to"]["minutes"]) == ("lead.overdue", 30)
    assert wire(server, tenant)["assignedToId"] == winner.id
    assert server.by_key(tenant, "GET", "/api/events").json[-1]["sequence"] == updates[-1]["sequence"]
    reading = as_staff(server, owner).read(f"/admin/leads/{before['id']}")
    assert "The agent did not answer within 30 minutes of work, and keeps the lead" in str(reading.said("div"))
