"""Routing learns from leads that staff gave to another agent, if the brokerage wants it to, and from nothing else."""

from importlib.resources import files
from typing import Any

import pytest

from aureum.commands import routing_examples
from aureum.commands.routing_examples import examples_of
from aureum.domain.ids import from_wire
from tests.http.api.routing.sending import LEADS, ROUTING, change, lead, put, sent
from tests.http.api.routing.test_forms_are_routed import claim
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server

EXAMPLES = ROUTING + "/examples"
ERASE = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(lead)s RETURNING 1"
TABLE = """
SELECT lead_id, agent_id FROM routing_examples
 WHERE tenant_id = %(tenant)s AND agent_id IS NOT NULL ORDER BY lead_id
"""
EMPTY = "DELETE FROM routing_examples RETURNING 1"

BARN = "We are looking for an airplane hangar beside the runway"
AGAIN = "Is there an airplane hangar for sale?"


@pytest.fixture
def ana(operator: Operator, tenant: Tenant, server: Server, owner: Staff) -> Staff:
    """An agent with a profile."""
    found = operator.staff(tenant.id, "agent", "Ana")
    change(server, owner, found, specialties=["downtown condos", "lofts"])
    return found


@pytest.fixture
def ben(operator: Operator, tenant: Tenant) -> Staff:
    """An agent without one."""
    return operator.staff(tenant.id, "agent", "Ben")


def learn(server: Server, owner: Staff, **settings: Any) -> None:
    put(server, owner, mode="semantic", learn_from_reassignments=True, **settings)


def give(server: Server, who: Staff, number: int, *agents: Staff | None) -> None:
    """Assign a lead, to one agent after the other."""
    for agent in agents:
        body = {"assigned_agent_id": agent and agent.number}
        answer = server.ask("PATCH", f"{LEADS}/{number}", body, who.bearer)
        assert answer.status == 200, answer.body


def examples(server: Server, who: Staff) -> list[dict[str, Any]]:
    answer = server.ask("GET", EXAMPLES, headers=who.bearer)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json["items"]
    assert answer.json["total"] == len(found)
    return found


def test_the_next_one_goes_to_that_agent(server: Server, tenant: Tenant, owner: Staff, ana: Staff, ben: Staff) -> None:
    learn(server, owner)
    number = sent(server, tenant, subject="Question", message=BARN, source_page="")
    give(server, owner, number, ana, ben)
    (example,) = examples(server, owner)
    assert (example["lead_id"], example["agent"], example["name"]) == (number, ben.number, "Ben")
    assert example["weight"] == 1.0 and "airplane hangar" in example["text"]
    # Of what staff decide a process learns within a minute; of what an owner changes at once.
    change(server, owner, ana, bio="I know every loft downtown.")
    shown = lead(server, owner, sent(server, tenant, subject="Question", message=AGAIN))
    assert shown["assigned_agent_id"] == ben.number
    assert [met["profile"] for met in shown["routing"]["because"]] == [f"lead {number}, which staff gave to this agent"]
    # Without it: the same enquiry says nothing to a profile.
    put(server, owner, mode="semantic")
    assert examples(server, owner) == []
    shown = lead(server, owner, sent(server, tenant, subject="Question", message=AGAIN))
    assert shown["routing"]["because"] == []


def test_what_is_masked_in_enquiries_is_masked_in_examples(
    server: Server, tenant: Tenant, owner: Staff, ana: Staff, ben: Staff
) -> None:
    learn(server, owner, masked_words=["Bronco"])
    message = "I am Guadalupe, we are Catholic, and look for a barn near the Bronco stadium for hay"
    fields = {"firstName": "Guadalupe", "lastName": "Hernández", "message": message, "subject": "A barn"}
    give(server, owner, sent(server, tenant, **fields), ana, ben)
    (example,) = examples(server, owner)
    assert "barn" in example["text"]
    assert not any(word in example["text"] for word in ("Guadalupe", "Hernández", "Catholic", "Bronco"))


def test_what_is_no_example(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, ana: Staff, ben: Staff
) -> None:
    learn(server, owner, fallback="pond")
    # Given to the agent whom it had, to nobody; claimed; given by a program; still suspected; and one never routed.
    kept, taken, claimed, _, suspect = (
        sent(server, tenant, message=f"{BARN} {n}", **more) for n, more in enumerate([{}, {}, {}, {}, {"_gotcha": "x"}])
    )
    give(server, owner, kept, ana, ana)
    give(server, owner, taken, ana, ben, None)
    assert claim(server, ben, claimed).status == 200
    ids = {one["message"]: one["id"] for one in server.leads(tenant)}
    for agent in (ana, ben):
        body = {"assignedToId": agent.id}
        assert server.by_key(tenant, "PATCH", f"/api/leads/{ids[f'{BARN} 3']}", body).status == 200
    by_hand = {
        "first_name": "Jo",
        "last_name": "Doe",
        "email": "jo@example.com",
        "message": BARN,
        "subject": "A hangar",
    }
    entered = server.ask("POST", LEADS, by_hand, owner.bearer).json["id"]
    for number in (entered, suspect):
        give(server, owner, number, ana, ben)
    assert examples(server, owner) == []


def test_it_is_gone_with_the_person_and_goes_with_the_lead(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, ana: Staff, ben: Staff
) -> None:
    learn(server, owner)
    numbers = [sent(server, tenant, message=f"{BARN} {n}") for n in range(3)]
    for number in numbers:
        give(server, owner, number, ana, ben)
    assert [one["lead_id"] for one in examples(server, owner)] == numbers[::-1]
    tag = server.ask("GET", EXAMPLES, headers=owner.bearer).headers["etag"]
    give(server, owner, numbers[0], ana)
    assert {one["lead_id"]: one["agent"] for one in examples(server, owner)} == {
        numbers[0]: ana.number, numbers[1]: ben.number, numbers[2]: ben.number
    }  # fmt: skip
    give(server, owner, numbers[1], None)
    before = server.ask("GET", EXAMPLES, headers=owner.bearer).headers["etag"]
    (erased,) = [one for one in server.leads(tenant) if one["message"] == f"{BARN} 2"]
    assert operator.rows(ERASE, tenant=tenant.id, lead=from_wire(erased["id"]))
    assert [one["lead_id"] for one in examples(server, owner)] == [numbers[0]]
    after = server.ask("GET", EXAMPLES, headers=owner.bearer | {"If-None-Match": before})
    assert after.status == 200 and len({tag, before, after.headers["etag"]}) == 3
    # An agent who has left has no part in it.
    server.ask("PATCH", f"/api/v1/admin/users/{ana.number}", {"disabled": True}, owner.bearer)
    assert examples(server, owner) == []


def test_a_correction_counts(server: Server, tenant: Tenant, owner: Staff, ana: Staff, ben: Staff) -> None:
    learn(server, owner)
    number = sent(server, tenant, message=BARN)
    give(server, owner, number, ana, ben)
    (one,) = server.leads(tenant)
    answer = server.by_key(tenant, "PATCH", f"/api/leads/{one['id']}", {"message": "A vineyard"})
    assert answer.status == 200, answer.body
    (example,) = examples(server, owner)
    assert "vineyard" in example["text"] and "hangar" not in example["text"]


def test_the_newest_of_an_agent_and_of_a_brokerage(
    server: Server,
    operator: Operator,
    tenant: Tenant,
    owner: Staff,
    ana: Staff,
    ben: Staff,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learn(server, owner)
    numbers = [sent(server, tenant, message=f"{BARN} {n}") for n in range(4)]
    for number in numbers:
        give(server, owner, number, ana, ben)
    give(server, owner, numbers[0], ana)

    def found() -> list[int]:
        return [one.number for one in operator.run(lambda store: examples_of(store, tenant.id))]

    assert found() == [numbers[0], *numbers[:0:-1]]
    monkeypatch.setattr(routing_examples, "OF_AGENT", 2)
    assert found() == [numbers[0], numbers[3], numbers[2]]
    monkeypatch.setattr(routing_examples, "MOST", 1)
    assert found() == [numbers[0]]


def test_leads_that_were_reassigned_before_the_upgrade(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, ana: Staff, ben: Staff
) -> None:
    learn(server, owner)
    given: list[list[Staff | None]] = [[ana, ben], [ana, ben, None], [ana]]
    for number, agents in enumerate(given):
        give(server, owner, sent(server, tenant, message=f"{BARN} {number}"), *agents)
    server.lead(tenant, assignedToId=ana.id)
    kept = operator.rows(TABLE, tenant=tenant.id)
    assert len(kept) in (1, 2), "the last one may have been Ben's by its turn"
    operator.rows(EMPTY)
    migration = (files("aureum.store") / "migrations/0027_routing_examples.sql").read_text()
    operator.rows(migration[migration.index("INSERT INTO routing_examples") :])
    assert operator.rows(TABLE, tenant=tenant.id) == kept


def test_agents_are_not_told(server: Server, operator: Operator, tenant: Tenant, ana: Staff) -> None:
    assert server.ask("GET", EXAMPLES, headers=ana.bearer).status == 403
    broker = operator.staff(tenant.id, "broker")
    assert server.ask("GET", EXAMPLES, headers=broker.bearer).json["items"] == []
