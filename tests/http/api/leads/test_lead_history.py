"""A lead as it was, its history, and what is no lead."""

import re
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from aureum.domain.ids import aureum_time, from_wire, to_wire
from aureum.http.wire.times import parse_time
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

STATUSES = "new, contacted, qualified, showing, offer, converted, lost"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

APPENDS = """
SELECT version, metadata, recorded_at FROM events
 WHERE tenant_id = %(tenant)s AND stream_id = %(lead)s
 ORDER BY version
"""


IN_GERMANY = "UPDATE brokerages SET country = 'DE' WHERE tenant_id = %(tenant)s"


def test_a_lead_as_it_was(server: Server, proxied: Server, tenant: Tenant) -> None:
    path = f"/api/leads/{server.lead(tenant)['id']}"
    states = [server.by_key(tenant, "GET", path)]
    for status in ("contacted", "qualified", "lost"):
        server.by_key(tenant, "PATCH", path, {"status": status})
        states.append(server.by_key(tenant, "GET", path))
    created = parse_time(states[0].json["createdAt"])

    def as_of(moment: datetime | str) -> Answer:
        text = moment if isinstance(moment, str) else aureum_time(moment)
        return proxied.by_key(tenant, "GET", f"{path}?asOf={text}")

    for state in states:
        # The moment that asOf names is included: the last state of that millisecond.
        at = state.json["updatedAt"]
        of_that_moment = [other for other in states if other.json["updatedAt"] == at][-1]
        then = as_of(at)
        assert (then.status, then.json, then.etag) == (200, of_that_moment.json, of_that_moment.etag)
    before = as_of(created - timedelta(milliseconds=1))
    assert (before.status, before.error) == (404, "The resource did not exist at that time.")
    assert as_of("9999-12-31T23:59:59.999Z").json == states[-1].json
    assert as_of("9999-12-31").json == states[-1].json
    assert as_of("0001-01-01").status == 404
    # The offset's plus, if it is not escaped, arrives as a blank.
    assert as_of(created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")).json == states[0].json


@pytest.mark.parametrize(
    "moment",
    [
        "yesterday",
        "2025-13-01",
        "2025-02-30",
        "0000-01-01",
        "10000-01-01",
        "2025-01-15T25:00:00Z",
        "2025-01-15T10:30:00",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
        "2025-01-15T10:30:00Z%00",
        "1736937000",
        "-1",
        "NaN",
        "%FF%FE",
        "9" * 4_000,
    ],
)
def test_an_absurd_moment_is_a_bad_request(server: Server, tenant: Tenant, moment: str) -> None:
    lead = server.lead(tenant)

    answer = server.by_key(tenant, "GET", f"/api/leads/{lead['id']}?asOf={moment}")

    assert answer.status == 400
    assert answer.error.startswith("asOf must be a time with its zone, such as 2025-01-15T10:30:00Z")


def test_the_history_tells_who_what_when_and_from_what_to_what(
    server: Server, tenant: Tenant, operator: Operator
) -> None:
    assert server.form(tenant).status == 200
    (lead,) = server.by_key(tenant, "GET", "/api/leads").json
    path = f"/api/leads/{lead['id']}"
    server.by_key(tenant, "PATCH", path, {"status": "contacted", "email": "js@example.com"}, {"X-Request-Id": "r-1"})

    history = server.by_key(tenant, "GET", f"{path}/history").json

    assert [(entry["version"], entry["type"]) for entry in history] == [
        (1, "lead.captured"),
        (2, "lead.status_changed"),
        (3, "lead.details_changed"),
    ]
    key_id = history[1]["actor"]["id"]
    assert from_wire(key_id) == tenant.key_id
    assert [entry["actor"] for entry in history] == [
        {"type": "visitor", "id": None, "name": None},
        {"type": "key", "id": key_id, "name": "tests"},
        {"type": "key", "id": key_id, "name": "tests"},
    ]
    assert history[0]["at"] == lead["createdAt"]
    assert history[0]["changes"]["name"] == {"from": None, "to": "John Smith"}
    assert history[1]["changes"] == {"status": {"from": "new", "to": "contacted"}}
    assert history[2]["changes"] == {"email": {"from": "john.smith@example.com", "to": "js@example.com"}}
    now = server.by_key(tenant, "GET", path).json
    assert history[-1]["at"] == now["updatedAt"]
    rows = operator.rows(APPENDS, tenant=tenant.id, lead=from_wire(lead["id"]))
    assert [orjson.loads(metadata)["request"] for _, metadata, _ in rows][1:] == ["r-1", "r-1"]


@pytest.mark.parametrize("suffix", ["", "/history", "?asOf=2025-01-15"])
@pytest.mark.parametrize(
    "lead_id", ["c" + "0" * 25, "nothing", "1", "%00", "%FF", "C" + "0" * 25, "c" + "z" * 25, "x" * 9_000]
)
def test_an_unknown_lead(server: Server, tenant: Tenant, lead_id: str, suffix: str) -> None:
    answer = server.by_key(tenant, "GET", f"/api/leads/{lead_id}{suffix}")

    assert (answer.status, answer.error) == (404, "There is no such lead.")


def test_the_stream_of_something_else_is_no_lead(server: Server, tenant: Tenant) -> None:
    path = f"/api/leads/{to_wire(tenant.key_id)}"

    for answer in (
        server.by_key(tenant, "GET", path),
        server.by_key(tenant, "GET", f"{path}/history"),
        server.by_key(tenant, "GET", f"{path}?asOf=9999-01-01"),
        server.by_key(tenant, "PATCH", path, {"status": "lost"}),
    ):
        assert answer.status == 404, answer.body


def test_every_entry_tells_what_changed(server: Server, operator: Operator, tenant: Tenant) -> None:
    """Notes, too, which the lead itself does not have in this API: for staff, and for a key, which sees what a broker
    does."""
    broker = operator.staff(tenant.id, "broker")
    new = {"first_name": "Jane", "last_name": "Doe", "email": "jane@example.com", "subject": "Walk-in", "message": "Hi"}
    new |= {"phone": "2085550123"}
    number = server.ask("POST", "/api/v1/admin/leads", new | {"notes": "First."}, broker.bearer).json["id"]
    (lead,) = server.by_key(tenant, "GET", "/api/leads").json
    admins, path = f"/api/v1/admin/leads/{number}", f"/api/leads/{lead['id']}/history"
    for change in ({"notes": "Second."}, {"notes": None, "status": "contacted"}):
        assert server.ask("PATCH", admins, change, broker.bearer).status == 200
    # The same phone is another number in another country.
    operator.rows(IN_GERMANY, tenant=tenant.id)
    assert server.ask("PATCH", admins, {"phone": "2085550123"}, broker.bearer).status == 200

    history = server.by_key(tenant, "GET", path)

    assert "notes" not in lead and history.json[0]["changes"]["notes"] == {"from": None, "to": "First."}
    told = [(entry["type"], entry["changes"].get("notes")) for entry in history.json[1:]]
    assert ("lead.details_changed", {"from": "First.", "to": "Second."}) in told
    assert ("lead.details_changed", {"from": "Second.", "to": None}) in told
    assert all(entry["changes"] for entry in history.json)
    assert server.ask("GET", path, headers=broker.bearer).json == history.json
    of_admins = server.ask("GET", f"{admins}/history", headers=broker.bearer).json
    assert all(entry["changes"] for entry in of_admins) and len(of_admins) == len(history.json)
