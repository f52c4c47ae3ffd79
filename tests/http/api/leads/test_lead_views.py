"""What users see and do by their tokens on the Aureum API, and how a lead becomes a contact, once."""

from concurrent.futures import ThreadPoolExecutor

from aureum.domain import ids
from tests.http.operator import Operator, Tenant
from tests.http.serving import JANE, Server


def test_an_agent_sees_his_own_leads_only(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana, ben = operator.staff(tenant.id, "agent"), operator.staff(tenant.id, "agent")
    broker = operator.staff(tenant.id, "broker")
    of_ana = server.lead(tenant, assignedToId=ana.id)["id"]
    by_ben = server.ask("POST", "/api/leads", JANE, ben.bearer).json["id"]
    of_nobody = server.lead(tenant)["id"]

    assert server.ask("GET", "/api/leads", headers=ana.bearer).ids == [of_ana]
    assert server.ask("GET", "/api/leads?limit=9", headers=ben.bearer).ids == [by_ben]
    assert server.ask("GET", "/api/leads", headers=broker.bearer).ids == [of_nobody, by_ben, of_ana]
    assert server.ask("GET", "/api/leads/count", headers=ana.bearer).json["total"] == 1
    assert server.ask("GET", "/api/leads/count", headers=broker.bearer).json["total"] == 3
    for path in ("", "/history", "?asOf=2100-01-01"):
        assert server.ask("GET", f"/api/leads/{of_ana}{path}", headers=ana.bearer).status == 200
        assert server.ask("GET", f"/api/leads/{of_ana}{path}", headers=ben.bearer).status == 404
    before = operator.head(tenant)
    assert server.ask("PATCH", f"/api/leads/{of_ana}", {"status": "lost"}, ben.bearer).status == 404
    assert server.ask("POST", f"/api/leads/{of_ana}/convert", headers=ben.bearer).status == 404
    assert operator.head(tenant) == before
    assert server.ask("PATCH", f"/api/leads/{of_ana}", {"assignedToId": ben.id}, ana.bearer).status == 200
    assert server.ask("GET", f"/api/leads/{of_ana}", headers=ana.bearer).status == 404


def test_views_have_etags_of_their_own(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana, broker = operator.staff(tenant.id, "agent"), operator.staff(tenant.id, "broker")
    of_ana = server.lead(tenant, assignedToId=ana.id)["id"]
    other = server.lead(tenant)["id"]

    whole = server.ask("GET", "/api/leads?limit=5", headers=broker.bearer)
    mine = server.ask("GET", "/api/leads?limit=5", headers=ana.bearer | {"If-None-Match": whole.etag})

    assert (mine.status, mine.ids, whole.ids) == (200, [of_ana], [other, of_ana])
    assert server.by_key(tenant, "GET", "/api/leads?limit=5", headers={"If-None-Match": whole.etag}).status == 304


def test_a_platform_admin_asks_where_the_host_says(server: Server, operator: Operator, tenant: Tenant) -> None:
    admin = operator.staff(ids.PLATFORM, "platform_admin")
    lead = server.lead(tenant)["id"]

    assert server.ask("GET", "/api/leads", headers=admin.bearer, host=tenant.domain).ids == [lead]
    nowhere = server.ask("GET", "/api/leads", headers=admin.bearer)
    assert (nowhere.status, nowhere.error) == (
        400,
        "You do not belong to a brokerage. Send the request to the domain of a brokerage.",
    )
    broker = operator.staff(operator.brokerage().id, "broker")
    assert server.ask("GET", "/api/leads", headers=broker.bearer, host=tenant.domain).status == 401


def test_a_lead_becomes_a_contact_once(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    lead = server.lead(tenant, phone="208-555-0123", status="offer")
    path = f"/api/leads/{lead['id']}/convert"
    before = operator.head(tenant)

    with ThreadPoolExecutor(6) as clients:
        answers = list(clients.map(lambda n: (server, proxied)[n % 2].by_key(tenant, "POST", path), range(6)))

    assert {answer.status for answer in answers} <= {200, 409}
    assert operator.head(tenant) == before + 3, "converted, moved, and the contact added: once"
    converted = server.by_key(tenant, "GET", f"/api/leads/{lead['id']}").json
    assert converted["status"] == "converted"
    ((contact,),) = operator.rows("SELECT doc::json FROM contact_list WHERE tenant_id = %(t)s", t=tenant.id)
    assert contact["id"] == converted["contactId"]
    assert (contact["leadId"], contact["firstName"], contact["lastName"]) == (lead["id"], "Jane", "Doe")
    assert (contact["email"], contact["phone"], contact["phoneE164"]) == (lead["email"], "208-555-0123", "+12085550123")
    entry = server.by_key(tenant, "GET", f"/api/leads/{lead['id']}/history").json[1]
    assert (entry["type"], entry["changes"]) == (
        "lead.converted",
        {"contactId": {"from": None, "to": contact["id"]}},
    )


def test_converting_again_keeps_the_contact(server: Server, operator: Operator, tenant: Tenant) -> None:
    path = f"/api/leads/{server.lead(tenant)['id']}"
    key = {"Idempotency-Key": "once"}
    first = server.by_key(tenant, "POST", f"{path}/convert", headers=key)
    assert server.by_key(tenant, "PATCH", path, {"status": "lost"}).status == 200

    replayed = server.by_key(tenant, "POST", f"{path}/convert", headers=key)
    again = server.by_key(tenant, "POST", f"{path}/convert")

    assert (replayed.body, replayed.etag, replayed.headers["idempotent-replayed"]) == (first.body, first.etag, "true")
    assert (again.json["contactId"], again.json["status"]) == (first.json["contactId"], "converted")
    assert operator.rows("SELECT count(*) FROM contact_list WHERE tenant_id = %(t)s", t=tenant.id) == [(1,)]
