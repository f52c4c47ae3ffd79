"""``/api/v1/admin/api-keys``: made and shown once, listed by their beginnings, revoked."""

import re
from typing import Any

import pytest

from aureum.domain.ids import PLATFORM, to_wire
from tests.http.api.staff.keys import number_of, opens
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server

PATH = "/api/v1/admin/api-keys"


@pytest.fixture
def owner(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olivia")


@pytest.fixture(scope="module")
def admin(operator: Operator) -> Staff:
    return operator.staff(PLATFORM, "platform_admin")


def test_made_shown_once_and_revoked(server: Server, proxied: Server, tenant: Tenant, owner: Staff) -> None:
    answer = server.ask("POST", PATH, {"name": "Website", "rate_limit": 7}, owner.bearer)

    assert answer.status == 201
    made = answer.json
    key = made.pop("key")
    assert re.fullmatch("aur_[A-Za-z0-9_-]{43}", key)
    shown = {
        "name": "Website",
        "prefix": key[:12],
        "rate_limit": 7,
        "revoked": False,
        "last_used_at": None,
        "expires_at": None,
    }
    assert made == {"id": made["id"]} | shown | {"created_at": made["created_at"]}
    me = proxied.ask("GET", "/api/me", headers={"Authorization": f"Bearer {key}"})
    assert (me.json["id"], me.headers["x-ratelimit-limit"]) == (made["id"], "7")
    page = proxied.ask("GET", PATH, headers=owner.bearer)
    assert page.json | {"items": []} == {"items": [], "total": 2, "page": 1, "page_size": 20, "total_pages": 1}
    # The key's use is written down a moment later.
    unused = {"last_used_at": None}
    assert page.json["items"][0] | unused == made and page.json["items"][1]["id"] == to_wire(tenant.key_id)
    assert key.encode() not in page.body
    assert server.ask("GET", PATH, headers=owner.bearer | {"If-None-Match": page.etag}).status == 304

    gone = server.ask("DELETE", f"{PATH}/{made['id']}", headers=owner.bearer)

    assert (gone.status, gone.json | unused) == (200, made | {"revoked": True})
    assert opens(proxied, key) == 401 and opens(proxied, tenant.key) == 200
    again = proxied.ask("DELETE", f"{PATH}/{made['id']}", headers=owner.bearer)
    assert (again.status, again.json | unused, again.etag) == (200, gone.json | unused, gone.etag)
    changed = proxied.ask("GET", f"{PATH}?page_size=1", headers=owner.bearer | {"If-None-Match": page.etag})
    assert [item | unused for item in changed.json["items"]] == [gone.json | unused]


def test_under_any_plan(server: Server, operator: Operator) -> None:
    starter = operator.brokerage("Starter")
    owner = operator.staff(starter.id, "brokerage_owner")
    made = server.ask("POST", PATH, {"name": "Later"}, owner.bearer).json
    assert made["rate_limit"] == 100
    assert opens(server, made["key"]) == 200
    answer = server.ask("GET", "/api/leads", headers={"Authorization": f"Bearer {made['key']}"})
    assert answer.json["requiredPlan"] == "Grow"


def test_the_same_request_again_shows_the_same_key(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Staff, admin: Staff
) -> None:
    for who in (owner, admin):
        headers = who.bearer | {"Idempotency-Key": "once"}
        body = {"name": "Website", "brokerage_id": number_of(operator, tenant)}
        first = server.ask("POST", PATH, body, headers)
        again = proxied.ask("POST", PATH, body, headers)
        assert (first.status, again.body, again.headers["idempotent-replayed"]) == (201, first.body, "true")
        assert opens(server, first.json["key"]) == 200
    kept = operator.rows("SELECT answer FROM idempotency_keys WHERE tenant_id = %(t)s", t=tenant.id)
    assert len(kept) == 2 and not any(b"aur_" in answer for (answer,) in kept)
    assert server.ask("GET", PATH, headers=owner.bearer).json["total"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": 7}, "name"),
        ({"name": "K", "rate_limit": 0}, "rate_limit"),
        ({"name": "K", "rate_limit": 1_000_001}, "rate_limit"),
        ({"name": "K", "rate_limit": "7"}, "rate_limit"),
    ],
)
def test_a_refusal_names_the_field(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, body: dict[str, Any], field: str
) -> None:
    before = operator.head(tenant)
    answer = server.ask("POST", PATH, body, owner.bearer)
    assert (answer.status, answer.detail[0]["loc"]) == (422, ["body", field])
    assert operator.head(tenant) == before


def test_keys_of_others_are_not_there(server: Server, operator: Operator, owner: Staff) -> None:
    other = operator.brokerage()
    number = number_of(operator, other)
    foreign = to_wire(other.key_id)
    for path in (f"{PATH}/{foreign}", f"{PATH}/{foreign}?brokerage_id={number}", f"{PATH}/never", f"{PATH}/{owner.id}"):
        answer = server.ask("DELETE", path, headers=owner.bearer)
        assert (answer.status, answer.detail) == (404, "There is no such API key.")
    assert opens(server, other.key) == 200
    assert server.ask("GET", f"{PATH}?brokerage_id={number}", headers=owner.bearer).json["total"] == 1


def test_a_platform_admin_names_the_brokerage(server: Server, operator: Operator, tenant: Tenant, admin: Staff) -> None:
    number = number_of(operator, tenant)
    made = server.ask("POST", PATH, {"name": "K", "brokerage_id": number}, admin.bearer).json
    listed = server.ask("GET", f"{PATH}?brokerage_id={number}", headers=admin.bearer).json["items"]
    assert [item["id"] for item in listed] == [made["id"], to_wire(tenant.key_id)]
    gone = server.ask("DELETE", f"{PATH}/{made['id']}?brokerage_id={number}", headers=admin.bearer)
    assert gone.json["revoked"] and opens(server, made["key"]) == 401
    need = "You do not belong to a brokerage. Name one with brokerage_id."
    for method, path, body in (
        ("GET", PATH, None),
        ("POST", PATH, {"name": "K"}),
        ("DELETE", f"{PATH}/{made['id']}", None),
    ):
        answer = server.ask(method, path, body, admin.bearer)
        assert (answer.status, answer.detail) == (400, need)
    assert server.ask("GET", f"{PATH}?brokerage_id=0", headers=admin.bearer).detail == "Brokerage not found"


@pytest.mark.parametrize("role", ["broker", "agent"])
def test_no_other_role(server: Server, operator: Operator, tenant: Tenant, role: str) -> None:
    who = operator.staff(tenant.id, role)
    one = f"{PATH}/{to_wire(tenant.key_id)}"
    for method, path, body in (("GET", PATH, None), ("POST", PATH, {"name": "K"}), ("DELETE", one, None)):
        answer = server.ask(method, path, body, who.bearer)
        assert answer.status == 403
        assert answer.detail == "Only the owner of the brokerage or a platform admin may do this."
        assert server.ask(method, path, body, tenant.bearer).status == 401
    assert opens(server, tenant.key) == 200
