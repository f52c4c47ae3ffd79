"""Pages of a showing and of a lead say why its agent has it; a showing's leads to the person's open lead."""

from tests.http.api.routing.sending import address, put, sent
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff
from tests.http.serving import JANE, Server

REASON = "The client's agent: this agent has an earlier lead with the same address and name."


def test_a_showing_of_a_known_person(server: Server, operator: Operator, tenant: Tenant) -> None:
    boss, agent = operator.staff(tenant.id, "brokerage_owner"), operator.staff(tenant.id, "agent", "Ana Agent")
    put(server, boss, mode="round_robin")
    sent(server, tenant, firstName="Jane", lastName="Doe", email=JANE["email"])
    body = {"listing_id": "1", "name": "Jane Doe", "email": JANE["email"], "message": address()}
    assert server.ask("POST", "/api/tours", body, host=tenant.domain).status == 200
    (showing,) = server.by_key(tenant, "GET", "/api/showings").json
    for who in (boss, agent):
        reading = as_staff(server, who).read(f"/admin/showings/{showing['id']}")
        assert REASON in reading.said("dd")
        assert f"/admin/leads/{server.leads(tenant)[0]['id']}" in reading.links
    # Of what staff entered without a route there is neither.
    plain = server.by_key(tenant, "POST", "/api/showings", JANE).json
    reading = as_staff(server, boss).read(f"/admin/showings/{plain['id']}")
    assert "Why this agent" not in reading.said("dt") and "Lead" not in reading.said("dt")


def test_a_history_says_it_in_words(server: Server, operator: Operator, tenant: Tenant) -> None:
    boss = operator.staff(tenant.id, "brokerage_owner")
    operator.staff(tenant.id, "agent", "Ana Agent")
    put(server, boss, mode="round_robin")
    sent(server, tenant, firstName="Jane", lastName="Doe")
    (lead,) = server.leads(tenant)
    reason = server.by_key(tenant, "GET", f"/api/leads/{lead['id']}").json["routing"]["reason"]
    reading = as_staff(server, boss).read(f"/admin/leads/{lead['id']}")
    assert f"Why this agent {reason}" in reading.said("div", class_="change")
    assert f"Why this agent: {reason}" in reading.said("p")
