"""Histories of users, API keys, webhooks, brokerages and routing: who did what, in which request, and no secret."""

from typing import Any

from aureum.domain.ids import from_wire
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server

SECRETS = ("whsec_", "$argon2", "correct horse", "key_hash", "password_hash")


def asked(server: Server, who: Staff | Tenant, method: str, path: str, body: Any = None) -> Any:
    answer = server.ask(method, path, body, who.bearer)
    assert answer.status in (200, 201), answer
    return answer.json


def history(server: Server, who: Staff | Tenant, path: str) -> list[dict[str, Any]]:
    """The history, which shows no secret, and of which every entry names its request."""
    answer = server.ask("GET", f"{path}/history", headers=who.bearer)
    assert answer.status == 200, answer
    assert not any(secret in answer.body.decode() for secret in SECRETS)
    entries: list[dict[str, Any]] = answer.json
    assert [one["version"] for one in entries] == sorted(one["version"] for one in entries)
    assert all(one["request"] for one in entries)
    return entries


def told(entries: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(one["type"], {name: change["to"] for name, change in one["changes"].items()}) for one in entries]


def test_a_user(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner", "Olga Owner")
    new = {"email": "ana@example.net", "name": "Ana", "role": "agent", "password": "correct horse battery staple"}
    ana = asked(server, owner, "POST", "/api/v1/admin/users", new | {"email": f"ana-{tenant.slug}@example.net"})
    path = f"/api/v1/admin/users/{ana['id']}"
    named = server.ask("PATCH", path, {"name": "Ana Agent", "role": "broker"}, {**owner.bearer, "X-Request-Id": "r-1"})
    assert named.status == 200
    asked(server, owner, "PATCH", path, {"password": "another horse battery staple"})
    asked(server, owner, "PATCH", path, {"disabled": True})

    entries = history(server, owner, path)
    assert [one for one in told(entries)][1:] == [
        ("user.renamed", {"name": "Ana Agent"}),
        ("user.profile_changed", {"role": "broker"}),
        ("user.password_set", {"password": "changed"}),
        ("user.disabled", {"disabled": True}),
    ]
    assert entries[0]["changes"]["email"]["to"] == f"ana-{tenant.slug}@example.net"
    assert {one["actor"]["name"] for one in entries} == {"Olga Owner"}
    assert [one["savedWith"] for one in entries] == [1, 2, 2, 4, 5]
    assert {one["request"] for one in entries[1:3]} == {"r-1"}
    before = server.ask("GET", f"{path}/history?asOf=2001-01-01", headers=owner.bearer)
    assert before.status == 404

    agent, foreign = operator.staff(tenant.id, "agent"), operator.staff(operator.brokerage().id, "brokerage_owner")
    assert server.ask("GET", f"{path}/history", headers=agent.bearer).status == 403
    assert server.ask("GET", f"{path}/history", headers=foreign.bearer).status == 404


def test_a_key(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner", "Olga Owner")
    key = asked(server, owner, "POST", "/api/v1/admin/api-keys", {"name": "Website", "rate_limit": 7})
    path = f"/api/v1/admin/api-keys/{key['id']}"
    assert asked(server, owner, "GET", path) == {name: value for name, value in key.items() if name != "key"}
    asked(server, owner, "DELETE", path)

    assert told(history(server, owner, path)) == [
        (
            "api_key.issued",
            {"name": "Website", "prefix": key["prefix"], "rate_limit": 7, "revoked": False},
        ),
        ("api_key.revoked", {"revoked": True}),
    ]
    assert asked(server, owner, "GET", path)["revoked"] is True
    assert key["key"] not in repr(history(server, owner, path))
    assert server.ask("GET", f"{path}?asOf=2001-01-01", headers=owner.bearer).status == 404
    # What the key itself does names it.
    own = server.by_key(tenant, "POST", "/api/leads", {"name": "Jane", "email": "jane@example.com"}).json
    (made,) = asked(server, owner, "GET", f"/api/leads/{own['id']}/history")
    assert made["actor"]["type"] == "key" and made["actor"]["name"] == "tests"
    assert server.ask("GET", f"/api/v1/admin/api-keys/{own['id']}/history", headers=owner.bearer).status == 404


def test_a_webhook(server: Server, operator: Operator, tenant: Tenant) -> None:
    hook = server.by_key(tenant, "POST", "/api/webhooks", {"url": "https://example.com/a", "events": ["lead.*"]}).json
    path = f"/api/webhooks/{hook['id']}"
    server.by_key(tenant, "PATCH", path, {"url": "https://example.com/b", "disabled": True})
    server.by_key(tenant, "POST", f"{path}/rotate-secret", {})

    entries = history(server, tenant, path)
    assert told(entries)[1:] == [
        ("webhook_endpoint.details_changed", {"url": "https://example.com/b"}),
        ("webhook_endpoint.disabled", {"status": "disabled", "disabledReason": "staff"}),
        ("webhook_endpoint.secret_rotated", {"secret": "changed"}),
    ]
    assert hook["secret"] not in repr(entries)


def test_a_brokerage_and_its_routing(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner", "Olga Owner")
    number = asked(server, owner, "GET", "/api/me")["brokerage"]["id"]
    path = f"/api/v1/admin/brokerages/{number}"
    asked(server, owner, "PATCH", path, {"time_zone": "America/Denver", "color": "#1f4fa3"})
    routing = asked(server, owner, "GET", "/api/v1/admin/routing")
    changed = asked(server, owner, "PUT", "/api/v1/admin/routing", routing | {"mode": "round_robin"})

    entries = history(server, owner, path)
    assert told(entries)[1:] == [
        ("brokerage.settings_changed", {"time_zone": "America/Denver", "color": "#1f4fa3"}),
        ("brokerage.routing_changed", {}),
    ]
    assert entries[1]["actor"]["name"] == "Olga Owner" and entries[0]["actor"]["type"] == "system"
    (only,) = history(server, owner, "/api/v1/admin/routing")
    assert only["changes"] == {"mode": {"from": routing["mode"], "to": "round_robin"}}
    now = server.ask("GET", "/api/v1/admin/routing?asOf=9999-01-01", headers=owner.bearer)
    assert now.json == changed
    before = server.ask("GET", "/api/v1/admin/routing?asOf=2001-01-01", headers=owner.bearer)
    assert before.status == 404
    broker = operator.staff(tenant.id, "broker")
    assert server.ask("GET", f"{path}/history", headers=broker.bearer).status == 403
    assert server.ask("GET", "/api/v1/admin/routing/history", headers=broker.bearer).status == 200


def test_from_where(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    owner, agent = operator.staff(tenant.id, "brokerage_owner", "Olga"), operator.staff(tenant.id, "agent", "Ana")
    form = server.form(tenant)
    assert form.status == 200
    lead = server.leads(tenant)[0]["id"]
    path, behind = f"/api/leads/{lead}", {"X-Forwarded-For": "203.0.113.5"}
    assert (
        proxied.ask("PATCH", path, {"phone": "208-555-0199", "assignedToId": agent.id}, owner.bearer | behind).status
        == 200
    )
    assert proxied.ask("PATCH", path, {"status": "contacted"}, agent.bearer | behind).status == 200
    assert server.by_key(tenant, "PATCH", path, {"message": "Hello"}).status == 200

    def addresses(who: Staff | Tenant) -> list[str | None]:
        return [one["address"] for one in asked(server, who, "GET", f"{path}/history")]

    assert addresses(owner)[-3:] == ["203.0.113.5", "203.0.113.5", "127.0.0.1"]
    assert addresses(owner)[0] is None, "a visitor's is not recorded"
    assert set(addresses(agent)) == set(addresses(tenant)) == {None}
    stored = operator.rows("SELECT metadata FROM events WHERE tenant_id = %(tenant)s", tenant=tenant.id)
    assert "203.0.113.5" not in repr(stored)
    # What is erased with the user is where that user was.
    gone = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(user)s RETURNING 1"
    assert operator.rows(gone, tenant=tenant.id, user=from_wire(agent.id))
    assert addresses(owner)[-3:] == ["203.0.113.5", None, "127.0.0.1"]
