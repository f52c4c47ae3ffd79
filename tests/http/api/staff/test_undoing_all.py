"""``POST /api/v1/admin/undo``: what a user or a key did goes back between two moments, a stretch at a time, and not
twice; what others did since stays."""

from datetime import UTC
from typing import Any

import pytest

from aureum.domain.ids import from_wire, to_wire
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Answer, Server

PATH = "/api/v1/admin/undo"
RECORDED = """
SELECT recorded_at FROM events WHERE tenant_id = %(tenant)s AND stream_id = %(stream)s AND version = %(version)s
"""


@pytest.fixture
def owner(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olga Owner")


def undo(server: Server, owner: Staff, body: dict[str, Any], **headers: str) -> Answer:
    return server.ask("POST", PATH, body, owner.bearer | {name.replace("_", "-"): one for name, one in headers.items()})


def test_what_a_user_did_goes_back_as_it_was_rehearsed(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff
) -> None:
    ann = operator.staff(tenant.id, "broker", "Ann Broker")
    own, others, made = (server.lead(tenant, name=name, email=f"{name}@example.com") for name in ("Al", "Bo", "Cy"))
    for lead in (own, others):
        assert server.ask("PATCH", f"/api/leads/{lead['id']}", {"status": "lost"}, ann.bearer).status == 200
    assert server.ask("PATCH", f"/api/leads/{others['id']}", {"firstName": "Wrong"}, ann.bearer).status == 200
    assert server.by_key(tenant, "PATCH", f"/api/leads/{others['id']}", {"status": "offer"}).status == 200
    task = server.ask("POST", "/api/tasks", {"title": "Call"}, ann.bearer).json

    ((moment,),) = operator.rows(RECORDED, tenant=tenant.id, stream=from_wire(others["id"]), version=3)
    renamed = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    asked = {"user_id": ann.number, "from": renamed, "to": renamed, "dry_run": True}
    (only,) = undo(server, owner, asked).json["records"]
    assert (only["id"], only["undone"], only["left"]) == (others["id"], ["firstName"], [])
    asked = {"user_id": ann.number, "from": "2020-01-01"}
    before = operator.head(tenant)
    rehearsed = undo(server, owner, asked | {"dry_run": True})
    assert (rehearsed.status, operator.head(tenant)) == (200, before), rehearsed.body
    done = undo(server, owner, asked, Idempotency_Key="one")
    assert done.json == rehearsed.json
    assert done.json["undone"] == 2 and done.json["next"] is None
    by_id = {one["id"]: one for one in done.json["records"]}
    assert (by_id[own["id"]]["undone"], by_id[own["id"]]["left"], by_id[own["id"]]["why"]) == (["status"], [], None)
    assert by_id[others["id"]]["undone"] == ["firstName"] and by_id[others["id"]]["left"] == ["status"]
    assert by_id[others["id"]]["why"] == "It has changed since."
    assert by_id[task["id"]]["why"] == "It was created then, and a resource stays created."
    assert made["id"] not in by_id

    now = {one["id"]: (one["status"], one["firstName"]) for one in server.leads(tenant)}
    assert now == {own["id"]: ("new", "Al"), others["id"]: ("offer", "Bo"), made["id"]: ("new", "Cy")}
    last = server.by_key(tenant, "GET", f"/api/leads/{own['id']}/history").json[-1]
    assert (last["actor"]["name"], last["undoes"]) == ("Olga Owner", 2)

    replayed = undo(server, owner, asked, Idempotency_Key="one")
    assert (replayed.body, replayed.headers["idempotent-replayed"]) == (done.body, "true")
    after = operator.head(tenant)
    again = undo(server, owner, asked)
    assert again.json["undone"] == 0 and own["id"] not in {one["id"] for one in again.json["records"]}
    # Nor does undoing what the owner did restore what the owner has undone.
    assert undo(server, owner, {"user_id": owner.number}).json == {"undone": 0, "records": [], "next": None}
    assert operator.head(tenant) == after


def test_several_saves_of_a_key_go_back_in_stretches(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff
) -> None:
    leads = [server.lead(tenant, name=f"P{n}", email=f"p{n}@example.com") for n in range(52)]
    key = operator.key(tenant, 1_000_000)
    for number, lead in enumerate(leads):
        for status in ("contacted", "qualified")[: 1 + (number == 0)]:
            assert server.by_key(key, "PATCH", f"/api/leads/{lead['id']}", {"status": status}).status == 200
    asked = {"key_id": to_wire(key.key_id)}

    first = undo(server, owner, asked).json
    assert (first["undone"], first["next"]) == (50, 50)
    rest = undo(server, owner, asked | {"after": 50}).json
    assert (rest["undone"], rest["next"]) == (2, None)
    assert {one["status"] for one in server.leads(tenant)} == {"new"}
    # A lead that the key changed twice is settled as well: nothing of it was left alone.
    assert undo(server, owner, asked).json == {"undone": 0, "records": [], "next": 50}


def test_what_cannot_be_undone_is_refused(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    other = operator.brokerage()
    foreign = operator.staff(other.id, "broker")
    for body, status, says in (
        ({}, 422, "exactly one"),
        ({"user_id": owner.number, "key_id": "c" + "0" * 25}, 422, "exactly one"),
        ({"user_id": foreign.number}, 404, "no such user"),
        ({"key_id": "nope"}, 404, "no such API key"),
        ({"key_id": "c" + "0" * 25}, 404, "no such API key"),
        ({"user_id": owner.number, "from": "yesterday"}, 422, "from"),
        ({"user_id": owner.number, "to": "0000-00-00"}, 422, "to"),
        ({"user_id": owner.number, "after": -1}, 422, "after"),
        ({"user_id": owner.number, "dry_run": "yes"}, 422, "dry_run"),
    ):
        answer = undo(server, owner, body)
        assert (answer.status, says in answer.body.decode()) == (status, True), (body, answer.body)
