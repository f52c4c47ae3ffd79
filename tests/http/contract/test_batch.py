"""Many resources with one request: an outcome a row, one append for the good ones."""

from typing import Any

import pytest

from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

PERSON = {"firstName": "John", "lastName": "Smith"}
HOME = {"title": "Modern Villa", "address": "123 Palm Dr", "city": "Beverly Hills", "state": "CA"}
GOOD: dict[str, dict[str, Any]] = {
    "contacts": PERSON,
    "leads": {"name": "Jane Doe", "email": "jane@example.com"},
    "properties": HOME,
    "tasks": {"title": "Call John", "dueDate": "2027-01-20"},
}
EVENTS = """
SELECT count(*), count(DISTINCT metadata) FROM events WHERE tenant_id = %(tenant)s AND type = 'contact.added'
"""


@pytest.mark.parametrize("resource", GOOD)
def test_each_row_is_what_a_single_post_makes_or_refuses(
    server: Server, operator: Operator, tenant: Tenant, resource: str
) -> None:
    good, path = GOOD[resource], f"/api/{resource}"
    single, wrong = server.by_key(tenant, "POST", path, good), next(iter(good))
    before = len(server.by_key(tenant, "GET", path).ids)

    rows = [good, good | {wrong: 7}, {}, good | {"unknown": "x"}]
    answer = server.by_key(tenant, "POST", f"{path}/batch", {"rows": rows})

    assert answer.status == 200, answer.body
    said = answer.json
    assert (said["made"], said["refused"]) == (2, 2)
    assert [row["status"] for row in said["rows"]] == [201, 400, 400, 201]
    refused = server.by_key(tenant, "POST", path, good | {wrong: 7}).json
    assert said["rows"][1] == {"status": 400} | refused and wrong in refused["fields"]
    made = [row["body"] for row in said["rows"] if row["status"] == 201]
    for one in made:
        assert one.keys() == single.json.keys()
        assert server.by_key(tenant, "GET", f"{path}/{one['id']}").json == one
    assert len(server.by_key(tenant, "GET", path).ids) == before + 2


def test_what_must_be_unique_is_so_among_the_rows_too(server: Server, tenant: Tenant) -> None:
    server.by_key(tenant, "POST", "/api/properties", HOME | {"mlsId": "A1"})
    rows = [HOME, HOME | {"mlsId": "A1"}, HOME | {"mlsId": "B2"}, HOME | {"mlsId": "B2"}, HOME | {"title": "!"}]

    said = server.by_key(tenant, "POST", "/api/properties/batch", {"rows": rows}).json

    assert [row["status"] for row in said["rows"]] == [201, 409, 201, 409, 201]
    slugs = [row["body"]["slug"] for row in said["rows"] if row["status"] == 201]
    assert slugs == ["modern-villa-2", "modern-villa-3", "property"]
    assert said["rows"][1]["code"] == "already_taken"


def test_the_same_request_again_gets_the_first_answer(server: Server, operator: Operator, tenant: Tenant) -> None:
    body = {"rows": [PERSON] * 100}
    headers = {"Idempotency-Key": "batch"}

    first = server.by_key(tenant, "POST", "/api/contacts/batch", body, headers)
    again = server.by_key(tenant, "POST", "/api/contacts/batch", body, headers)

    assert first.json["made"] == 100
    assert (again.json, again.headers["idempotent-replayed"]) == (first.json, "true")
    assert len(server.by_key(tenant, "GET", "/api/contacts").ids) == 100
    ((events, origins),) = operator.rows(EVENTS, tenant=tenant.id)
    assert (events, origins) == (100, 1), "one request, each row a save of its own"
    none = server.by_key(tenant, "POST", "/api/contacts/batch", {"rows": [{}]}, {"Idempotency-Key": "none"})
    assert (none.status, none.json["refused"]) == (200, 1)
    again = server.by_key(tenant, "POST", "/api/contacts/batch", {"rows": [{}]}, {"Idempotency-Key": "none"})
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "rows must have at least 1 item"),
        ([PERSON] * 101, "rows must have at most 100 items"),
        (["x"], "rows[0] must be an object."),
        (None, "rows is required"),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(server: Server, tenant: Tenant, rows: Any, sentence: str) -> None:
    answer = server.by_key(tenant, "POST", "/api/contacts/batch", {"rows": rows})
    assert answer.status == 400 and answer.error.startswith(sentence)


def test_plans_agents_and_limits_count_as_for_one(server: Server, operator: Operator, tenant: Tenant) -> None:
    starter = operator.brokerage(plan="Starter")
    refused = server.by_key(starter, "POST", "/api/contacts/batch", {"rows": [PERSON]})
    assert (refused.status, refused.json["requiredPlan"]) == (403, "Grow")
    agent = operator.staff(tenant.id, "agent")
    rows = [GOOD["leads"], GOOD["leads"] | {"assignedToId": "c" + "0" * 25}, GOOD["leads"] | {"route": True}]
    answer = server.ask("POST", "/api/leads/batch", {"rows": rows}, agent.bearer, host=tenant.domain)
    said = answer.json["rows"]
    assert [row["status"] for row in said] == [201, 400, 400]
    assert [list(row["fields"]) for row in said[1:]] == [["assignedToId"], ["route"]]
    assert (
        server.ask("GET", f"/api/leads/{said[0]['body']['id']}", None, agent.bearer, host=tenant.domain).status == 200
    )
    limited = operator.brokerage(rate_limit=5)
    first = server.by_key(limited, "POST", "/api/contacts/batch", {"rows": [PERSON] * 50})
    assert (first.json["made"], first.headers["x-ratelimit-remaining"]) == (50, "4")
