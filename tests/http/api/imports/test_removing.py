"""A property whose import was undone is gone from all that the API tells of now, and stays in all that it tells of
before."""

from typing import Any

import pytest

from aureum.commands.undoing_all import REMOVED_SINCE
from aureum.store.event_store import EventStore
from aureum.store.rebuild.verifying import verify_read_model
from tests.http.api.imports.test_imports import acted, import_all, told, uploaded
from tests.http.links import delta
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server

HOMES = "Address,City,State,MLS #,Price\n" + "".join(
    f"{number} {name} St,Boise,ID,00{number},{number}00000\n"
    for number, name in enumerate(("Known", "Gone", "Later", "Task", "List"), 1)
)
KNOWN = {"title": "1 Known St", "address": "1 Known St", "city": "Boise", "state": "ID", "mlsId": "001", "price": 7}


@pytest.fixture
def broker(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "broker", "Bea Broker")


def test_a_property_is_taken_back(server: Server, operator: Operator, tenant: Tenant, broker: Staff) -> None:
    def asked(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = server.by_key(tenant, method, path, body)
        assert answer.status == status, answer.body
        return answer.json

    asked("POST", "/api/properties", KNOWN, 201)
    job = uploaded(server, broker, HOMES.encode(), "resource=properties&duplicates=update").json
    operator.run(import_all)
    assert [told(server, broker, job)[name] for name in ("made", "updated")] == [4, 1]
    first = server.by_key(tenant, "GET", "/api/properties")
    by_number = {one["mlsId"]: one for one in first.json}
    gone, later, task, listed = (by_number[f"00{number}"] for number in range(2, 6))
    one = f"/api/properties/{gone['id']}"
    asked("PATCH", f"/api/properties/{later['id']}", {"status": "SOLD"})
    asked("POST", "/api/tasks", {"title": "Call", "propertyId": task["id"]}, 201)
    client = asked("POST", "/api/contacts", {"firstName": "Zoë", "lastName": "Smith"}, 201)
    asked("POST", f"/api/contacts/{client['id']}/listings", {"propertyId": listed["id"]}, 201)

    assert acted(server, broker, job, "undo").status == 202
    operator.run(import_all)
    assert [told(server, broker, job)[name] for name in ("status", "undone", "kept")] == ["undone", 2, 3]

    # Now.
    now = {one["mlsId"]: one["price"] for one in asked("GET", "/api/properties")}
    assert now == {"001": 7, "003": 300000, "004": 400000, "005": 500000}
    assert asked("GET", "/api/properties?search=gone") == []
    for path in (one, f"{one}/related", f"/api/reso/Property/{gone['id']}"):
        asked("GET", path, status=404)
    asked("PATCH", one, {"price": 1}, 404)
    asked("POST", f"{one}/undo", {"version": 1}, 404)
    asked("POST", "/api/tasks", {"title": "Call", "propertyId": gone["id"]}, 400)
    keys = [one["ListingKey"] for one in asked("GET", "/api/reso/Property")["value"]]
    assert len(keys) == 4 and gone["id"] not in keys

    # What is told to those who had it.
    changes = {one["id"]: one for one in asked("GET", delta(first))}
    assert changes.pop(gone["id"]) == {"id": gone["id"], "removed": True} and len(changes) == 2
    sent = asked("GET", "/api/events?limit=500")
    (last,) = [one for one in sent if one["event"] == "property.updated" and one["data"]["id"] == gone["id"]]
    assert last["data"] == gone | {"updatedAt": last["timestamp"], "removed": True}
    assert last["changes"] == {"removed": {"from": None, "to": True}}
    entity = [one["ResourceRecordKey"] for one in asked("GET", "/api/reso/EntityEvent?$top=500")["value"]]
    assert entity.count(gone["id"]) == 2

    # Before: its history, and the past.
    agent = operator.staff(tenant.id, "agent")
    history = asked("GET", f"{one}/history")
    assert server.ask("GET", f"{one}/history", None, agent.bearer).status == 200
    assert [(entry["type"], entry["undoable"]) for entry in history] == [
        ("property.listed", False),
        ("property.removed", False),
    ]
    assert history[1]["actor"] == {"type": "user", "id": broker.id, "name": "Bea Broker"}
    before, after = gone["updatedAt"], history[1]["at"]
    assert asked("GET", f"{one}?asOf={before}") == gone
    assert asked("GET", f"/api/reso/Property/{gone['id']}?asOf={before}")["ListingId"] == "002"
    for path in (one, f"/api/reso/Property/{gone['id']}"):
        asked("GET", f"{path}?asOf={after}", status=404)
    assert gone in asked("GET", f"/api/properties?asOf={before}")
    assert gone["id"] not in [one["id"] for one in asked("GET", f"/api/properties?asOf={after}")]
    owner = operator.staff(tenant.id, "brokerage_owner")
    undoing = {"user_id": broker.number, "dry_run": True}
    records = server.ask("POST", "/api/v1/admin/undo", undoing, owner.bearer).json["records"]
    assert [one["why"] for one in records if one["id"] == gone["id"]] == [REMOVED_SINCE]
    other = operator.brokerage()
    for path in (one, f"{one}?asOf={before}", f"{one}/history"):
        assert server.by_key(other, "GET", path).status == 404

    async def differences(store: EventStore) -> int:
        done = await verify_read_model(store.database.url, store.keys, "property_list", tenant.id)
        return done.differences

    assert operator.run(differences) == 0
    # The file comes in again as if it were new.
    again = uploaded(server, broker, HOMES.encode(), "resource=properties").json
    operator.run(import_all)
    assert [told(server, broker, again)[name] for name in ("made", "skipped")] == [1, 4]
    (new,) = asked("GET", "/api/properties?search=gone")
    assert new["slug"] == gone["slug"] and new["id"] != gone["id"]
