"""A form whose hidden field is filled in comes from a program, as it seems: it is answered alike, stored and marked,
and counts nowhere until staff clear it."""

from typing import Any

import pytest

from aureum.store.event_store import EventStore
from aureum.store.rebuild.rebuild import rebuild
from aureum.webhooks.telling.projector import project
from tests.http.api.newsletter.newsletters import docs, subscribe, types
from tests.http.api.tours.tour_requests import as_listed
from tests.http.api.tours.tour_requests import form as tour_form
from tests.http.api.webhooks.hooks import made
from tests.http.operator import Operator, Tenant
from tests.http.serving import FORM, Server

TRAP = {"_gotcha": "https://buy.example.com"}
ADMIN = "/api/v1/admin/leads"
MESSAGES = "SELECT event, body::text FROM webhook_messages WHERE tenant_id = %(tenant)s ORDER BY position"


def told(server: Server, operator: Operator, tenant: Tenant) -> list[str]:
    """What webhooks are told, and the feed."""
    operator.run(lambda store: project(store, tenant.id))
    sent = [event for event, _ in operator.rows(MESSAGES, tenant=tenant.id)]
    assert [message["event"] for message in server.by_key(tenant, "GET", "/api/events").json] == sent
    return sent


def count(server: Server, tenant: Tenant) -> dict[str, int]:
    counts: dict[str, int] = server.by_key(tenant, "GET", "/api/leads/count").json
    return {name: number for name, number in counts.items() if number}


@pytest.mark.parametrize("value", ["x", ["x"], {"a": 1}, True, 7])
def test_a_suspect_is_answered_alike_stored_and_marked(
    server: Server, operator: Operator, tenant: Tenant, value: Any
) -> None:
    operator.agent(tenant, "Rita", "river")
    made(server, tenant, events=["lead.created", "lead.updated", "showing.created", "showing.updated"])
    honest = server.form(tenant, message="By the river")
    before = count(server, tenant)

    answer = server.form(tenant, message="By the river, too", _gotcha=value)

    assert (answer.status, {**answer.json, "lead_id": 0}) == (200, {**honest.json, "lead_id": 0})
    suspect, lead = server.leads(tenant)
    assert (suspect["suspect"], suspect["assignedToId"], suspect["message"]) == (True, None, "By the river, too")
    assert "suspect" not in lead and lead["assignedToId"] is not None
    assert count(server, tenant) == before == {"new": 1, "total": 1}
    assert told(server, operator, tenant) == ["lead.created"]


@pytest.mark.parametrize("value", ["", " ", None, [], False])
def test_an_empty_trap_is_none(server: Server, tenant: Tenant, value: Any) -> None:
    assert server.form(tenant, _gotcha=value).status == 200
    (lead,) = server.leads(tenant)
    assert "suspect" not in lead


def test_staff_clear_a_lead_and_it_counts_is_routed_and_emitted(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    made(server, tenant, events=["lead.created", "lead.updated"])
    rita, max_ = operator.agent(tenant, "Rita", "river"), operator.agent(tenant, "Max", "mountain")
    broker = operator.staff(tenant.id, "broker")
    number = server.form(tenant, message="A mountain cabin", **TRAP).json["lead_id"]
    (lead,) = server.leads(tenant)
    path = f"{ADMIN}/{number}"

    shown = server.ask("GET", path, headers=broker.bearer).json
    assert (shown["suspect"], shown["routing"], shown["assigned_agent_id"]) == (True, None, None)
    # Until then nothing is done with it, and what staff correct in it is not emitted.
    for method, where, body in (
        ("PATCH", f"/api/leads/{lead['id']}", {"status": "contacted"}),
        ("POST", f"/api/leads/{lead['id']}/convert", None),
    ):
        assert server.by_key(tenant, method, where, body).status == 409
    assert (
        server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", {"message": "A cabin on a mountain"}).status == 200
    )
    for wrong in (True, None, "false", 0):
        assert server.ask("PATCH", path, {"suspect": wrong}, broker.bearer).status == 422
    assert told(server, operator, tenant) == [] and count(server, tenant) == {}

    cleared = server.ask("PATCH", path, {"suspect": False, "status": "contacted"}, broker.bearer)

    assert (cleared.status, cleared.json["suspect"], cleared.json["status"]) == (200, False, "contacted")
    (lead,) = server.leads(tenant)
    assert (lead["suspect"], lead["assignedToId"]) == (False, max_) and max_ != rita
    routing = cleared.json["routing"]
    assert (routing["mode"], routing["because"]) == (
        "semantic",
        [{"said": "A cabin on a mountain", "profile": "mountain"}],
    )
    assert routing["agent"] == cleared.json["assigned_agent_id"]
    assert routing["reason"] == "The enquiry names a specialty of this agent."
    assert server.ask("GET", path, headers=broker.bearer).json == cleared.json
    assert count(server, tenant) == {"contacted": 1, "total": 1}
    assert told(server, operator, tenant) == ["lead.created"]
    assert as_listed(server.by_key(tenant, "POST", f"/api/leads/{lead['id']}/clear").json) == lead
    history = server.by_key(tenant, "GET", f"/api/leads/{lead['id']}/history").json
    assert [entry["type"] for entry in history] == [
        "lead.captured", "lead.suspected", "lead.details_changed", "lead.cleared", "lead.status_changed",
    ]  # fmt: skip
    assert [entry["changes"].get("suspect") for entry in history] == [
        None, {"from": None, "to": True}, None, {"from": True, "to": False}, None,
    ]  # fmt: skip
    assert server.ask("GET", f"{path}/history", headers=broker.bearer).status == 200
    server.by_key(tenant, "PATCH", f"/api/leads/{lead['id']}", {"status": "lost"})
    assert told(server, operator, tenant) == ["lead.created", "lead.updated"]


def test_an_agent_counts_what_is_cleared(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana = operator.staff(tenant.id, "agent")
    server.form(tenant, message='"suspect":true}')
    server.form(tenant, **TRAP)
    suspect, _ = server.leads(tenant)
    server.by_key(tenant, "PATCH", f"/api/leads/{suspect['id']}", {"assignedToId": ana.id})

    def total() -> int:
        return int(server.ask("GET", "/api/leads/count", headers=ana.bearer).json["total"])

    assert total() == 1
    assert server.ask("POST", f"/api/leads/{suspect['id']}/clear", headers=ana.bearer).json["assignedToId"] == ana.id
    assert total() == 2


def test_a_rebuild_counts_the_same(server: Server, operator: Operator, tenant: Tenant) -> None:
    for number in range(6):
        server.form(tenant, **(TRAP if number % 2 else {}))
    suspects = [lead for lead in server.leads(tenant) if lead.get("suspect")]
    assert server.by_key(tenant, "POST", f"/api/leads/{suspects[0]['id']}/clear").status == 200
    before = count(server, tenant), server.leads(tenant)
    assert before[0] == {"new": 4, "total": 4}

    async def rebuilt(store: EventStore) -> None:
        for name in ("lead_counts", "lead_list"):
            await rebuild(store.database.url, store.keys, name, tenant.id)

    operator.run(rebuilt)

    assert (count(server, tenant), server.leads(tenant)) == before


def test_a_tour_is_a_suspect_too(server: Server, operator: Operator, tenant: Tenant) -> None:
    made(server, tenant, events=["showing.created", "showing.updated"])
    answer = tour_form(server, tenant, **TRAP)
    honest = tour_form(server, tenant)

    assert list(answer.json) == list(honest.json)
    path = f"/api/tours/{answer.json['id']}"
    assert server.by_key(tenant, "GET", path).json["suspect"] is True
    assert "suspect" not in server.by_key(tenant, "GET", f"/api/tours/{honest.json['id']}").json
    assert told(server, operator, tenant) == ["showing.created"]
    assert server.by_key(tenant, "PATCH", path, {"status": "confirmed"}).status == 409
    assert server.by_key(tenant, "PATCH", path, {"suspect": True}).status == 422

    cleared = server.by_key(tenant, "PATCH", path, {"suspect": False, "status": "confirmed"}).json

    assert (cleared["suspect"], cleared["status"]) == (False, "confirmed")
    assert server.by_key(tenant, "GET", path).json == cleared
    assert told(server, operator, tenant) == ["showing.created", "showing.created"]
    (showing, _) = sorted(server.by_key(tenant, "GET", "/api/showings").json, key=lambda one: "suspect" not in one)
    assert as_listed(server.by_key(tenant, "POST", f"/api/showings/{showing['id']}/clear").json) == showing


def test_the_newsletter_is_sent_only_to_those_who_asked(server: Server, operator: Operator, tenant: Tenant) -> None:
    suspect, honest = (subscribe(server, tenant, f"{n}@example.com", **trap) for n, trap in (("a", TRAP), ("b", {})))

    assert suspect.body == honest.body and suspect.status == 200
    assert {doc["email"]: (doc["subscribed"], doc.get("suspect")) for doc in docs(operator, tenant)} == {
        "a@example.com": (False, True),
        "b@example.com": (True, None),
    }
    # A program changes nothing for who has asked; and a person who asks is subscribed.
    subscribe(server, tenant, "b@example.com", first_name="Bot", **TRAP)
    subscribe(server, tenant, "a@example.com", first_name="Ann")
    found = {doc["email"]: (doc["subscribed"], doc["firstName"], doc.get("suspect")) for doc in docs(operator, tenant)}
    assert found == {"a@example.com": (True, "Ann", False), "b@example.com": (True, None, None)}
    assert types(operator, tenant) == ["doubted", "subscribed", "suspected", "resubscribed"]


def test_the_same_suspect_again_is_one(server: Server, tenant: Tenant) -> None:
    for body in (FORM | TRAP, FORM | TRAP, FORM):
        assert server.ask("POST", "/api/contact", body, host=tenant.domain).status == 200

    assert len(server.leads(tenant)) == 2
