"""A lead as it was, and its history, on the admin's side."""

from datetime import timedelta

from aureum.domain import ids
from aureum.domain.ids import aureum_time
from aureum.http.api.staff.lead_fields import AdminEventResponse
from aureum.http.wire.times import parse_time
from tests.http.api.staff.entering import PATH, entered
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server, until

CREATED = "SELECT doc::json ->> 'createdAt' FROM lead_list WHERE tenant_id = %(tenant)s AND number = %(number)s"


def test_a_lead_as_it_was(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    broker, admin = operator.staff(tenant.id, "broker"), operator.staff(ids.PLATFORM, "platform_admin")
    ana = operator.staff(tenant.id, "agent")
    lead = entered(server, broker, assigned_agent_id=ana.number, notes="First.")
    path = f"{PATH}/{lead['id']}"
    ((text,),) = operator.rows(CREATED, tenant=tenant.id, number=lead["id"])
    created = parse_time(text)
    until(lambda: ids.now() > created)
    server.ask("PATCH", path, {"assigned_agent_id": None, "notes": "Second."}, broker.bearer)

    for who in (broker, admin):
        then = proxied.ask("GET", f"{path}?asOf={text}", headers=who.bearer)
        assert (then.status, then.json, then.etag) == (200, lead, '"v1"')
        now = proxied.ask("GET", f"{path}?asOf=2100-01-01", headers=who.bearer)
        assert (now.json, now.etag) == (server.ask("GET", path, headers=who.bearer).json, '"v3"')
        before = aureum_time(created - timedelta(milliseconds=1))
        assert server.ask("GET", f"{path}?asOf={before}", headers=who.bearer).status == 404
        bad = server.ask("GET", f"{path}?asOf=lately", headers=who.bearer)
        assert (bad.status, bad.detail[0]["loc"]) == (422, ["query", "asOf"])


def test_the_history_tells_who_what_when_and_from_what_to_what(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    admin = operator.staff(ids.PLATFORM, "platform_admin")
    lead = entered(server, broker)
    path = f"{PATH}/{lead['id']}"
    change = {"status": "contacted", "assigned_agent_id": ana.number, "first_name": "Janet", "notes": "Called."}
    assert server.ask("PATCH", path, change, admin.bearer).status == 200
    assert server.ask("PATCH", path, {"assigned_agent_id": None, "notes": None}, ana.bearer).status == 200
    now = server.ask("GET", path, headers=broker.bearer)

    answer = proxied.ask("GET", f"{path}/history", headers=broker.bearer)

    history = answer.json
    for entry in history:
        AdminEventResponse.model_validate(entry, strict=True)
    assert now.etag == '"v6"' and answer.etag.startswith('"v6.'), "it also covers the names of users"
    assert [(entry["version"], entry["type"]) for entry in history] == [
        (1, "lead.captured"),
        (2, "lead.status_changed"),
        (3, "lead.assigned"),
        (4, "lead.details_changed"),
        (5, "lead.assigned"),
        (6, "lead.details_changed"),
    ]
    given = {name: {"from": None, "to": value} for name, value in lead.items() if value is not None}
    for name in ("id", "brokerage_id", "created_at", "updated_at"):
        del given[name]
    assert [entry["changes"] for entry in history] == [
        given,
        {"status": {"from": "new", "to": "contacted"}},
        {"assigned_agent_id": {"from": None, "to": ana.number}},
        {"first_name": {"from": "Jane", "to": "Janet"}, "notes": {"from": None, "to": "Called."}},
        {"assigned_agent_id": {"from": ana.number, "to": None}},
        {"notes": {"from": "Called.", "to": None}},
    ]
    assert [entry["actor"] for entry in history] == [
        {"type": "user", "id": who.id, "name": None if who is admin else "Somebody"}
        for who in (broker, admin, admin, admin, ana, ana)
    ]
    assert (history[0]["at"], history[-1]["at"]) == (lead["created_at"], now.json["updated_at"])
    known = broker.bearer | {"If-None-Match": answer.etag}
    assert proxied.ask("GET", f"{path}/history", headers=known).status == 304
