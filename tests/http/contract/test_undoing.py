"""Undoing a change over HTTP: what comes back, what is left alone, who may, and what history and webhooks say of it."""

from typing import Any

from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server


def undo(server: Server, tenant: Tenant, path: str, version: int, **headers: str) -> Answer:
    return server.by_key(tenant, "POST", f"{path}/undo", {"version": version}, headers)


def made(server: Server, tenant: Tenant, path: str, body: dict[str, Any]) -> str:
    answer = server.by_key(tenant, "POST", path, body)
    assert answer.status == 201, answer.body
    return f"{path}/{answer.json['id']}"


def changed(server: Server, tenant: Tenant, path: str, **body: Any) -> dict[str, Any]:
    answer = server.by_key(tenant, "PATCH", path, body)
    assert answer.status == 200, answer.body
    shown: dict[str, Any] = answer.json
    return shown


def now(server: Server, tenant: Tenant, path: str) -> dict[str, Any]:
    shown: dict[str, Any] = server.by_key(tenant, "GET", path).json
    return shown


def history(server: Server, tenant: Tenant, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.by_key(tenant, "GET", f"{path}/history").json
    return found


def test_a_lead_that_was_lost_by_mistake(server: Server, tenant: Tenant) -> None:
    path = f"/api/leads/{server.lead(tenant)['id']}"
    before = changed(server, tenant, path, status="offer")
    changed(server, tenant, path, status="lost", lostReason="price", lostNote="Too dear.")
    assert [one["undoable"] for one in history(server, tenant, path)] == [False, False, True, True]

    answer = undo(server, tenant, path, 4)

    assert (answer.status, answer.json) == (
        200,
        {"version": 5, "undone": ["status"], "left": []},
    )
    shown = now(server, tenant, path)
    assert {**shown, "updatedAt": "", "lostReason": None, "lostNote": None} == {
        **before,
        "updatedAt": "",
        "lostReason": None,
        "lostNote": None,
    }
    assert [(one["undoes"], one["undoable"]) for one in history(server, tenant, path)][3:] == [(None, False), (4, True)]
    again = undo(server, tenant, path, 3)
    assert (again.status, again.json) == (200, {"version": 5, "undone": [], "left": []}), "it was undone before"
    # What was undone can come back, by undoing that.
    assert undo(server, tenant, path, 5).json["undone"] == ["status"]
    assert now(server, tenant, path)["lostNote"] == "Too dear."


def test_what_changed_since_is_left_alone(server: Server, tenant: Tenant, operator: Operator) -> None:
    ana = operator.agent(tenant, "Ana Agent")
    path = f"/api/leads/{server.lead(tenant)['id']}"
    changed(server, tenant, path, status="qualified", subject="A yard", assignedToId=ana)
    changed(server, tenant, path, subject="A garden")

    answer = undo(server, tenant, path, 2)

    assert answer.json["undone"] == ["status", "assignedToId"] and answer.json["left"] == ["subject"]
    shown = now(server, tenant, path)
    assert (shown["status"], shown["subject"], shown["assignedToId"]) == ("new", "A garden", None)
    changed(server, tenant, path, status="contacted")
    changed(server, tenant, path, status="new")
    late = undo(server, tenant, path, 8)
    assert (late.status, late.json["code"]) == (409, "changed_since")
    assert late.error == "Nothing was undone, because status changed since, or cannot be set back."
    for version, status, code in ((1, 409, "wrong_state"), (99, 409, "wrong_state"), (0, 400, "invalid_fields")):
        refused = undo(server, tenant, path, version)
        assert (refused.status, refused.json["code"]) == (status, code), version


def test_an_activity_that_was_removed_comes_back(server: Server, tenant: Tenant, operator: Operator) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana Agent")
    path = f"/api/leads/{server.lead(tenant, assignedToId=ana.id)['id']}"
    said = {"type": "call", "direction": "outbound", "outcome": "no_answer", "text": "Again on Monday."}
    logged = server.ask("POST", f"{path}/activities", said, ana.bearer).json
    assert server.by_key(tenant, "DELETE", f"/api/activities/{logged['id']}").status == 204

    assert undo(server, tenant, path, 3).json["undone"] == ["activities"]
    assert undo(server, tenant, path, 3).json["undone"] == []

    (back,) = server.by_key(tenant, "GET", f"{path}/activities").json
    same = ("type", "direction", "outcome", "text", "at", "createdById")
    assert {name: back[name] for name in same} == {name: logged[name] for name in same}
    # An agent removes what is the agent's own, and nothing else; others see no lead at all.
    assert undo(server, tenant, path, 2).json["code"] == "changed_since"
    note = server.by_key(tenant, "POST", f"{path}/activities", {"type": "note", "text": "By a program"})
    assert note.status == 201
    assert server.ask("POST", f"{path}/undo", {"version": 5}, ana.bearer).status == 403
    assert server.ask("POST", f"{path}/undo", {"version": 4}, ana.bearer).json["undone"] == ["activities"]
    ben = operator.staff(tenant.id, "agent", "Ben Agent")
    assert server.ask("POST", f"{path}/undo", {"version": 5}, ben.bearer).status == 404


def test_the_others_and_what_webhooks_are_told(server: Server, tenant: Tenant) -> None:
    house = made(server, tenant, "/api/properties", {"title": "A", "address": "1", "city": "B", "state": "ID"})
    changed(server, tenant, house, price=450000, status="PENDING")
    changed(server, tenant, house, price=45000)
    once = {"Idempotency-Key": "undo-1"}
    first = undo(server, tenant, house, 4, **once)
    assert undo(server, tenant, house, 4, **once).json == first.json == {"version": 5, "undone": ["price"], "left": []}
    assert now(server, tenant, house)["price"] == 450000
    last = server.by_key(tenant, "GET", "/api/events").json[-1]
    assert (last["event"], last["changes"]) == ("property.updated", {"price": {"from": 45000, "to": 450000}})

    task = made(server, tenant, "/api/tasks", {"title": "Call"})
    assert server.by_key(tenant, "POST", f"{task}/complete").status == 200
    assert undo(server, tenant, task, 2).json["undone"] == ["status"]
    assert now(server, tenant, task)["status"] == "pending"

    showing = made(server, tenant, "/api/showings", {"name": "Jane", "email": "j@example.com"})
    changed(server, tenant, showing, status="confirmed", startsAt="2026-03-09T10:00:00")
    changed(server, tenant, showing, status="cancelled")
    assert undo(server, tenant, showing, 4).json["undone"] == ["status"]
    assert now(server, tenant, showing)["status"] == "confirmed"
    assert undo(server, tenant, showing, 2).json == {
        "version": 6,
        "undone": ["preferredDate", "preferredTime", "startsAt", "timeZone"],
        "left": ["status"],
    }


def test_a_contact_and_a_merge(server: Server, tenant: Tenant) -> None:
    one = made(server, tenant, "/api/contacts", {"firstName": "Jo", "lastName": "Doe", "score": 5})
    other = made(server, tenant, "/api/contacts", {"firstName": "Jo", "lastName": "Doe", "email": "jo@example.com"})
    changed(server, tenant, one, score=50, tags=["vip"])
    assert undo(server, tenant, one, 2).json["undone"] == ["tags", "score"]
    merge = {"with": other.rpartition("/")[2]}
    assert server.by_key(tenant, "POST", f"{one}/merge", merge).status == 200
    assert now(server, tenant, one)["email"] == "jo@example.com"
    assert undo(server, tenant, one, 4).json["undone"] == ["mergedWith"]
    assert now(server, tenant, one)["email"] is None and now(server, tenant, other)["id"] == merge["with"]
