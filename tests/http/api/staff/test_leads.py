"""``/api/v1/admin/leads``: entered by staff, read by number, changed; each brokerage's own but for platform admins."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from aureum.commands.brokerages import disable_brokerage
from aureum.domain import ids
from aureum.http.api.staff.lead_fields import AdminLeadResponse
from tests.http.api.staff.entering import NOBODY, PATH, WALK_IN, enter, entered
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.serving import Server

SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def number_of(operator: Operator, tenant: Tenant) -> int:
    """The brokerage's ``brokerage_id``."""
    ((number,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(tenant)s", tenant=tenant.id)
    return int(number)


def test_the_full_detail_is_answered_and_found_again(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    fields = {"phone": "208-555-0123", "assigned_agent_id": ana.number, "status": "contacted", "notes": "Followed up."}

    answer = enter(server, broker, **fields)

    assert (answer.status, answer.etag) == (201, '"v1"')
    lead = answer.json
    assert SECONDS.fullmatch(lead["created_at"])
    assert lead == WALK_IN | fields | {
        "id": lead["id"],
        "brokerage_id": number_of(operator, tenant),
        "source": "manual",
        "source_domain": "admin-manual",
        "source_page": "/admin/leads",
        "utm_source": None,
        "utm_medium": None,
        "utm_campaign": None,
        "routing": None,
        "offer": None,
        "lost_reason": None,
        "lost_note": None,
        "contact_id": None,
        "suspect": False,
        "created_at": lead["created_at"],
        "updated_at": lead["created_at"],
    }
    assert list(lead) == list(AdminLeadResponse.model_validate(lead, strict=True).model_dump())
    found = proxied.ask("GET", f"{PATH}/{lead['id']}", headers=broker.bearer)
    assert (found.status, found.json, found.etag) == (200, lead, '"v1"')
    known = broker.bearer | {"If-None-Match": '"v1"'}
    assert proxied.ask("GET", f"{PATH}/{lead['id']}", headers=known).status == 304


def test_what_came_from_a_form_has_its_routing(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana = operator.staff(tenant.id, "agent")
    number = server.form(tenant, utm_campaign="spring-2024").json["lead_id"]

    lead = server.ask("GET", f"{PATH}/{number}", headers=ana.bearer).json

    assert (lead["id"], lead["assigned_agent_id"], lead["source_domain"]) == (number, ana.number, tenant.domain)
    # An agent is told the reason alone.
    assert lead["routing"] == {"reason": "Only this agent can take leads now."}
    assert (lead["utm_source"], lead["utm_medium"], lead["utm_campaign"]) == ("google", "organic", "spring-2024")


ANYTHING: list[object] = [None, 0, NOBODY, "", "abc", "2", 1.5, True, {}, [], {"id": 2}, 2**63, -(2**63), 10**30]
"""What the document says is ignored where a non-admin sends it as ``brokerage_id``."""


@pytest.mark.parametrize("named", ANYTHING)
def test_staff_enter_leads_for_their_own_brokerage(
    server: Server, operator: Operator, tenant: Tenant, named: object
) -> None:
    for role in ("brokerage_owner", "broker", "agent"):
        who = operator.staff(tenant.id, role)
        assert entered(server, who, brokerage_id=named)["brokerage_id"] == number_of(operator, tenant)
        query = urlencode({"brokerage_id": json.dumps(named)})
        assert server.ask("GET", f"{PATH}?{query}", headers=who.bearer).status == 200


def test_a_platform_admin_is_told_of_a_bad_brokerage(server: Server, operator: Operator) -> None:
    admin = operator.staff(ids.PLATFORM, "platform_admin")
    kinds = {"abc": "integer", 1.5: "integer", True: "integer", 2**63: "number.not_le", -(2**63): "number.not_ge"}
    for named, kind in kinds.items():
        answer = enter(server, admin, brokerage_id=named)
        assert (answer.status, answer.json["detail"][0]["loc"]) == (422, ["body", "brokerage_id"])
        assert answer.json["detail"][0]["type"].endswith(kind)
    for named in ({}, [], {"id": 2}):
        assert enter(server, admin, brokerage_id=named).status == 422
    for text in ("abc", "1.5", "{}", str(2**63)):
        answer = server.ask("GET", f"{PATH}?{urlencode({'brokerage_id': text})}", headers=admin.bearer)
        assert (answer.status, answer.json["detail"][0]["loc"]) == (422, ["query", "brokerage_id"])
    assert server.ask("GET", f"{PATH}?brokerage_id=", headers=admin.bearer).status == 200


def test_a_platform_admin_enters_them_anywhere(server: Server, operator: Operator, tenant: Tenant) -> None:
    admin, at_home = operator.staff(ids.PLATFORM, "platform_admin"), operator.staff(tenant.id, "platform_admin")
    other = operator.brokerage()
    there, here = number_of(operator, other), number_of(operator, tenant)
    ana = operator.staff(other.id, "agent")

    assert entered(server, admin, brokerage_id=there, assigned_agent_id=ana.number)["brokerage_id"] == there
    assert entered(server, at_home, brokerage_id=there)["brokerage_id"] == there
    assert entered(server, at_home)["brokerage_id"] == here
    creators = operator.rows("SELECT created_by FROM lead_list WHERE tenant_id = %(t)s ORDER BY lead_id", t=other.id)
    assert [ids.to_wire(creator) for (creator,) in creators] == [admin.id, at_home.id]


def test_nowhere_to_enter_it(server: Server, operator: Operator, tenant: Tenant) -> None:
    admin = operator.staff(ids.PLATFORM, "platform_admin")
    no_context = (400, "No brokerage context — cannot create lead")
    gone = operator.brokerage()
    operator.run(lambda store: disable_brokerage(store, gone.id, ORIGIN))

    for role in ("agent", "broker", "brokerage_owner"):
        answer = enter(server, operator.staff(ids.PLATFORM, role), brokerage_id=number_of(operator, tenant))
        assert (answer.status, answer.detail) == no_context
    answer = enter(server, admin)
    assert (answer.status, answer.detail) == no_context
    for number in (NOBODY, 0, -1, number_of(operator, gone)):
        answer = enter(server, admin, brokerage_id=number)
        assert (answer.status, answer.detail) == (404, "Brokerage not found or disabled")


def test_an_agent_of_elsewhere_is_refused(server: Server, operator: Operator, tenant: Tenant) -> None:
    broker, foreign = operator.staff(tenant.id, "broker"), operator.staff(operator.brokerage().id, "agent")
    path = f"{PATH}/{entered(server, broker)['id']}"
    before = operator.head(tenant)

    for number in (foreign.number, NOBODY, 0, -1):
        says = (400, f"Agent {number} does not belong to brokerage {number_of(operator, tenant)}")
        answer = enter(server, broker, assigned_agent_id=number)
        assert (answer.status, answer.detail) == says
        answer = server.ask("PATCH", path, {"assigned_agent_id": number, "status": "lost"}, broker.bearer)
        assert (answer.status, answer.detail) == says
    assert operator.head(tenant) == before


@pytest.mark.parametrize(
    ("fields", "name", "kind"),
    [
        *(({name: None}, name, "type_error.none.not_allowed") for name in WALK_IN),
        ({"first_name": 5}, "first_name", "type_error.str"),
        ({"email": "jane"}, "email", "value_error.email"),
        ({"message": " "}, "message", "value_error.any_str.min_length"),
        ({"phone": 2085550123}, "phone", "type_error.str"),
        ({"notes": ["x"]}, "notes", "type_error.str"),
        ({"status": "sold"}, "status", "value_error.const"),
        ({"status": 1}, "status", "type_error.str"),
        *(({"assigned_agent_id": bad}, "assigned_agent_id", "type_error.integer") for bad in ("1", 1.5, True)),
        ({"assigned_agent_id": 2**63}, "assigned_agent_id", "value_error.number.not_le"),
    ],
)
def test_a_bad_field(
    server: Server, operator: Operator, tenant: Tenant, fields: dict[str, Any], name: str, kind: str
) -> None:
    broker = operator.staff(tenant.id, "broker")
    before = operator.head(tenant)

    answer = enter(server, broker, **fields)

    assert answer.status == 422
    assert [(item["loc"], item["type"]) for item in answer.detail] == [(["body", name], kind)]
    assert operator.head(tenant) == before


def test_the_same_key_enters_it_once(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    admin, other = operator.staff(ids.PLATFORM, "platform_admin"), operator.brokerage()
    ana = operator.staff(tenant.id, "agent")
    fields = {"brokerage_id": number_of(operator, tenant), "assigned_agent_id": ana.number}
    key = {"Idempotency-Key": "walk-in"}

    first = enter(server, admin, key, **fields)
    before = operator.head(tenant)
    again = enter(proxied, admin, key, **fields)

    assert (first.status, again.status, again.body, again.etag) == (201, 201, first.body, first.etag)
    assert again.headers["idempotent-replayed"] == "true"
    assert enter(server, admin, key, **fields, notes="another").status == 409
    assert operator.head(tenant) == before
    # It is remembered where the lead is: in another brokerage it is another key.
    assert enter(server, admin, key, brokerage_id=number_of(operator, other)).status == 201


def test_everything_that_staff_may_change(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    lead = entered(server, broker, assigned_agent_id=ana.number)
    path = f"{PATH}/{lead['id']}"
    change = {
        "first_name": "Janet",
        "last_name": "Dow",
        "email": "janet@example.com",
        "phone": "208-555-0456",
        "subject": "Lofts",
        "message": None,
        "notes": "Called back.",
        "status": "qualified",
        "assigned_agent_id": None,
    }

    answer = server.ask("PATCH", path, change, broker.bearer | {"If-Match": '"v1"'})

    assert (answer.status, answer.etag) == (200, '"v4"')
    assert answer.json == lead | change | {"updated_at": answer.json["updated_at"]}
    assert proxied.ask("GET", path, headers=broker.bearer).json == answer.json
    stale = server.ask("PATCH", path, {"status": "lost"}, broker.bearer | {"If-Match": '"v1"'})
    assert stale.status == 412
    for nothing_new in ({}, change, {"id": 5, "source": "website", "brokerage_id": NOBODY}):
        assert server.ask("PATCH", path, nothing_new, broker.bearer).etag == '"v4"'
    assigned = server.ask("PATCH", path, {"assigned_agent_id": ana.number}, broker.bearer)
    assert (assigned.json["assigned_agent_id"], assigned.etag) == (ana.number, '"v5"')
    unassigned = server.ask("PATCH", path, {"notes": None}, broker.bearer).json
    assert (unassigned["assigned_agent_id"], unassigned["notes"]) == (ana.number, None)


@pytest.mark.parametrize("name", ["first_name", "last_name", "status"])
def test_what_may_not_be_emptied(server: Server, operator: Operator, tenant: Tenant, name: str) -> None:
    broker = operator.staff(tenant.id, "broker")
    path = f"{PATH}/{entered(server, broker)['id']}"

    answer = server.ask("PATCH", path, {name: None, "notes": "x"}, broker.bearer)

    assert answer.status == 422
    assert [(item["loc"], item["type"]) for item in answer.detail] == [(["body", name], "type_error.none.not_allowed")]
    assert server.ask("GET", path, headers=broker.bearer).etag == '"v1"'


def test_neither_email_nor_phone_cannot_remain(server: Server, operator: Operator, tenant: Tenant) -> None:
    broker = operator.staff(tenant.id, "broker")
    path = f"{PATH}/{entered(server, broker)['id']}"

    answer = server.ask("PATCH", path, {"email": None}, broker.bearer)

    assert (answer.status, answer.detail[0]["loc"]) == (422, ["body", "email"])


def test_whose_lead_it_is_not_it_is_not_there_for(server: Server, operator: Operator, tenant: Tenant) -> None:
    """Neither for another brokerage's staff, nor for an agent, nor for a user without a brokerage."""
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    by_ana = entered(server, ana)["id"]
    of_ana = entered(server, broker, assigned_agent_id=ana.number)["id"]
    others = (
        operator.staff(tenant.id, "agent"),
        operator.staff(operator.brokerage().id, "brokerage_owner"),
        operator.staff(ids.PLATFORM, "broker"),
    )
    before = operator.head(tenant)

    for lead in (by_ana, of_ana):
        path = f"{PATH}/{lead}"
        for who in others:
            for answer in (
                server.ask("GET", path, headers=who.bearer),
                server.ask("GET", path, headers=who.bearer | {"If-None-Match": '"v1"'}),
                server.ask("GET", f"{path}?asOf=2100-01-01", headers=who.bearer),
                server.ask("GET", f"{path}/history", headers=who.bearer),
                server.ask("PATCH", path, {"status": "lost"}, who.bearer | {"If-Match": '"v9"'}),
            ):
                assert (answer.status, answer.detail) == (404, "Lead not found")
        for who in (ana, broker, operator.staff(ids.PLATFORM, "platform_admin")):
            assert server.ask("GET", path, headers=who.bearer).status == 200
    assert operator.head(tenant) == before


def test_a_platform_admin_changes_any(server: Server, operator: Operator, tenant: Tenant) -> None:
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent")
    path = f"{PATH}/{entered(server, broker)['id']}"
    admin = operator.staff(operator.brokerage().id, "platform_admin")

    answer = server.ask("PATCH", path, {"assigned_agent_id": ana.number}, admin.bearer)

    assert (answer.status, answer.json["brokerage_id"]) == (200, number_of(operator, tenant))
    assert answer.json == server.ask("GET", path, headers=ana.bearer).json
    # Of a brokerage that is disabled nothing is shown, as if it were not there.
    operator.run(lambda store: disable_brokerage(store, tenant.id, ORIGIN))
    assert server.ask("GET", path, headers=admin.bearer).detail == "Lead not found"


@pytest.mark.parametrize(
    ("lead", "status"),
    [("0", 404), (str(2**63 - 1), 404), ("9" * 19, 404), ("x", 422), ("-1", 422), ("1.0", 422), ("%00", 422)],
)
def test_a_number_that_no_lead_has(server: Server, operator: Operator, tenant: Tenant, lead: str, status: int) -> None:
    for who in (operator.staff(tenant.id, "broker"), operator.staff(ids.PLATFORM, "platform_admin")):
        for path in (f"{PATH}/{lead}", f"{PATH}/{lead}/history"):
            answer = server.ask("GET", path, headers=who.bearer)
            assert answer.status == status
            assert answer.detail == "Lead not found" if status == 404 else answer.detail[0]["type"]


def test_only_staff_may_ask(server: Server, operator: Operator, tenant: Tenant) -> None:
    for headers in ({}, tenant.bearer, {"Authorization": "Bearer aut_unknown"}):
        for method, path in (("GET", PATH), ("POST", PATH), ("GET", f"{PATH}/1"), ("PATCH", f"{PATH}/1")):
            answer = server.ask(method, path, {}, headers)
            assert answer.status == 401
            assert isinstance(answer.detail, str)
