"""Tasks in the Aureum API: made, listed, changed, completed once; each agent's own."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aureum.domain import ids
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

NEVER = "c" + "1" * 25
HOUSE = {"title": "Modern Villa", "address": "123 Palm Dr", "city": "Beverly Hills", "state": "CA"}
NO_TASK = {"error": "There is no such task.", "code": "not_found"}


def make(server: Server, tenant: Tenant, bearer: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    """A new task, as it was answered."""
    answer = server.ask("POST", "/api/tasks", {"title": "Call back"} | fields, bearer or tenant.bearer)
    assert answer.status == 201, answer.body
    task: dict[str, Any] = answer.json
    return task


def links(server: Server, tenant: Tenant) -> dict[str, str]:
    """A lead, the contact that it became, and a property of the brokerage, by the fields that name them."""
    lead = server.by_key(tenant, "POST", f"/api/leads/{server.lead(tenant)['id']}/convert")
    house = server.by_key(tenant, "POST", "/api/properties", HOUSE)
    assert (lead.status, house.status) == (200, 201), (lead.body, house.body)
    return {"leadId": lead.json["id"], "contactId": lead.json["contactId"], "propertyId": house.json["id"]}


def test_a_task_is_answered_whole_and_found_again(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    fields = {
        "title": "Follow up with John Smith",
        "type": "call",
        "priority": "HIGH",
        "status": "in_progress",
        "dueDate": "2025-01-20T10:30:00.000Z",
        "description": "Ask about the garage",
        "assignedToId": operator.agent(tenant, "Rita"),
        **links(server, tenant),
    }

    answer = server.by_key(tenant, "POST", "/api/tasks", fields)

    assert (answer.status, answer.etag) == (201, '"v1"')
    task = answer.json
    assert list(task) == ["id", *fields, "createdAt", "updatedAt"]
    assert {name: task[name] for name in fields} == fields and task["updatedAt"] == task["createdAt"]
    found = proxied.by_key(tenant, "GET", f"/api/tasks/{task['id']}")
    assert (found.status, found.body, found.etag) == (200, answer.body, '"v1"')
    assert proxied.by_key(tenant, "GET", "/api/tasks").body == b"[" + answer.body + b"]"


def test_the_defaults_of_the_contract(server: Server, tenant: Tenant) -> None:
    task = make(server, tenant, type=None, priority=None, status=None, dueDate=None, leadId=None)

    assert (task["type"], task["priority"], task["status"]) == ("other", "MEDIUM", "pending")
    assert [task[name] for name in ("dueDate", "description", "assignedToId", "leadId")] == [None] * 4


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2025-01-20", "2025-01-20T07:00:00.000Z"),
        ("2025-01-20T10:30:00-07:00", "2025-01-20T17:30:00.000Z"),
        ("2025-01-20T10:30:00.123987Z", "2025-01-20T10:30:00.123Z"),
        ("0001-01-01", "0001-01-01T07:44:49.000Z"),
    ],
)
def test_a_due_date_is_a_moment(server: Server, tenant: Tenant, given: str, shown: str) -> None:
    task = make(server, tenant, dueDate=given)
    path = f"/api/tasks/{task['id']}"

    # The same moment in other words changes nothing.
    again = server.by_key(tenant, "PATCH", path, {"dueDate": given})

    assert (task["dueDate"], again.json["dueDate"], again.etag) == (shown, shown, '"v1"')


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": " "}, "title must not be blank."),
        ({"type": "CALL"}, 'type must be one of: call, email, meeting, follow_up, other; got "CALL".'),
        ({"priority": "high"}, 'priority must be one of: LOW, MEDIUM, HIGH, URGENT; got "high".'),
        ({"status": "done"}, 'status must be one of: pending, in_progress, completed; got "done".'),
        ({"dueDate": "tomorrow"}, "dueDate must be"),
        ({"dueDate": 1737331200}, "dueDate must be"),
        ({"description": "x" * 20_001}, "description must have at most 20000 characters."),
        ({"assignedToId": "nobody"}, "assignedToId must be the id of a user of this brokerage."),
        ({"leadId": NEVER}, "leadId must be the id of a lead of this brokerage."),
        ({"contactId": "1"}, "contactId must be the id of a contact of this brokerage."),
        ({"propertyId": NEVER}, "propertyId must be the id of a property of this brokerage."),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(
    server: Server, operator: Operator, tenant: Tenant, fields: dict[str, Any], sentence: str
) -> None:
    path = f"/api/tasks/{make(server, tenant)['id']}"
    before = operator.head(tenant)

    for answer in (
        server.by_key(tenant, "POST", "/api/tasks", {"title": "Call back"} | fields),
        server.by_key(tenant, "PATCH", path, fields),
    ):
        assert (answer.status, answer.error[: len(sentence)]) == (400, sentence)

    missing = server.by_key(tenant, "POST", "/api/tasks", {"type": "call"})
    assert (missing.status, missing.error) == (400, "title is required.")
    assert operator.head(tenant) == before


def test_links_lead_to_the_same_brokerage(server: Server, operator: Operator, tenant: Tenant) -> None:
    own, foreign = (links(server, one) for one in (tenant, operator.brokerage()))
    task = server.by_key(tenant, "POST", "/api/tasks", {"title": "Call back"} | own).json
    assert task.items() >= own.items()
    before = operator.head(tenant)

    for name, link in foreign.items():
        for answer in (
            server.by_key(tenant, "POST", "/api/tasks", {"title": "Call back", name: link}),
            server.by_key(tenant, "PATCH", f"/api/tasks/{task['id']}", {name: link}),
        ):
            kind = name.removesuffix("Id")
            assert (answer.status, answer.error) == (400, f"{name} must be the id of a {kind} of this brokerage.")
    # A contact is no lead, though both are there.
    assert server.by_key(tenant, "POST", "/api/tasks", {"title": "x", "leadId": own["contactId"]}).status == 400
    assert operator.head(tenant) == before


def test_one_save_is_one_append_and_null_empties(server: Server, operator: Operator, tenant: Tenant) -> None:
    task = make(server, tenant)
    path = f"/api/tasks/{task['id']}"
    change = {
        "title": "Write",
        "type": "email",
        "priority": "URGENT",
        "status": "in_progress",
        "dueDate": "2026-02-01T00:00:00.000Z",
        "description": "About the garage",
        "assignedToId": operator.agent(tenant, "Rita"),
        **links(server, tenant),
    }

    changed = server.by_key(tenant, "PATCH", path, change)

    assert (changed.status, changed.etag) == (200, '"v4"')
    assert changed.json == task | change | {"updatedAt": changed.json["updatedAt"]}
    assert server.by_key(tenant, "GET", path).body == changed.body
    same = server.by_key(tenant, "PATCH", path, change | {"createdAt": "ignored"})
    assert (same.status, same.body, same.etag) == (200, changed.body, '"v4"')
    emptied = dict.fromkeys(["dueDate", "description", "assignedToId", "leadId", "contactId", "propertyId"])
    assert server.by_key(tenant, "PATCH", path, emptied).json.items() >= emptied.items()
    for name in ("title", "type", "priority", "status"):
        refused = server.by_key(tenant, "PATCH", path, {name: None})
        assert (refused.status, refused.error) == (400, f"{name} must not be null. Leave it out to keep its value.")
    assert server.by_key(tenant, "PATCH", path, {"title": "x"}, {"If-Match": '"v4"'}).status == 412
    was = server.by_key(tenant, "GET", f"{path}?asOf={task['updatedAt']}")
    assert (was.json, was.etag) == (task, '"v1"')


def completions(operator: Operator, tenant: Tenant) -> int:
    """How often a task of the brokerage was completed."""
    query = "SELECT count(*) FROM events WHERE tenant_id = %(t)s AND type = 'task.completed'"
    ((count,),) = operator.rows(query, t=tenant.id)
    return int(count)


def test_a_task_is_completed_once(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    path = f"/api/tasks/{make(server, tenant)['id']}"

    with ThreadPoolExecutor(6) as clients:
        answers = list(
            clients.map(lambda n: (server, proxied)[n % 2].by_key(tenant, "POST", f"{path}/complete"), range(6))
        )

    assert {answer.status for answer in answers} <= {200, 409}
    again = server.by_key(tenant, "POST", f"{path}/complete")
    patched = server.by_key(tenant, "PATCH", path, {"status": "completed"})
    assert (again.status, again.json["status"], again.etag) == (200, "completed", '"v2"')
    assert (patched.status, patched.body, patched.etag) == (200, again.body, '"v2"')
    assert completions(operator, tenant) == 1


def test_a_patch_completes_as_well_and_what_is_reopened_can_be_completed_again(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    path = f"/api/tasks/{make(server, tenant)['id']}"
    key = {"Idempotency-Key": "once"}

    assert server.by_key(tenant, "PATCH", path, {"status": "completed"}).json["status"] == "completed"
    assert server.by_key(tenant, "PATCH", path, {"status": "pending"}).json["status"] == "pending"
    first = server.by_key(tenant, "POST", f"{path}/complete", {}, key)
    assert server.by_key(tenant, "PATCH", path, {"status": "in_progress"}).etag == '"v5"'
    replayed = server.by_key(tenant, "POST", f"{path}/complete", {}, key)

    assert (replayed.body, replayed.etag, replayed.headers["idempotent-replayed"]) == (first.body, '"v4"', "true")
    assert completions(operator, tenant) == 2
    assert server.by_key(tenant, "GET", path).json["status"] == "in_progress"
    assert completions(operator, tenant) == 2 and make(server, tenant, status="completed")["status"] == "completed"
    assert completions(operator, tenant) == 3, "what is created as completed is completed as well"


def test_a_creation_is_made_once_under_its_key(server: Server, operator: Operator, tenant: Tenant) -> None:
    key, task = {"Idempotency-Key": "task"}, {"title": "Call back"}

    first, again = (server.by_key(tenant, "POST", "/api/tasks", task, key) for _ in range(2))

    assert (again.status, again.body, again.headers["idempotent-replayed"]) == (201, first.body, "true")
    assert server.by_key(tenant, "GET", "/api/tasks").ids == [first.json["id"]]
    assert server.by_key(tenant, "POST", "/api/tasks", {"title": "Another"}, key).status == 409


def listed(server: Server, tenant: Tenant, query: str = "") -> list[str]:
    return server.by_key(tenant, "GET", f"/api/tasks{query}").ids


def test_the_list_newest_first_and_its_filters(server: Server, operator: Operator, tenant: Tenant) -> None:
    rita = operator.agent(tenant, "Rita")
    oldest, middle = make(server, tenant, assignedToId=rita), make(server, tenant, status="in_progress")
    newest = make(server, tenant, status="completed", assignedToId=rita)
    every = [newest["id"], middle["id"], oldest["id"]]

    assert listed(server, tenant) == every
    for task in (oldest, middle, newest):
        assert listed(server, tenant, f"?status={task['status']}") == [task["id"]]
    assert listed(server, tenant, f"?assignedToId={rita}") == [newest["id"], oldest["id"]]
    assert listed(server, tenant, f"?assignedToId={rita}&status=pending") == [oldest["id"]]
    assert listed(server, tenant, "?assignedToId=&status=") == every
    for nobody in ("nobody", "%00", NEVER, operator.agent(operator.brokerage(), "Max")):
        assert listed(server, tenant, f"?assignedToId={nobody}") == []
    page = server.by_key(tenant, "GET", "/api/tasks?limit=2")
    link = page.headers["link"]
    assert page.ids == every[:2]
    assert server.by_key(tenant, "GET", link[1 : link.index(">")]).ids == every[2:]
    changed = server.by_key(tenant, "PATCH", f"/api/tasks/{oldest['id']}", {"title": "Write"}).json
    assert changed["updatedAt"] > newest["updatedAt"]
    assert listed(server, tenant, f"?updatedSince={changed['updatedAt']}") == [oldest["id"]]
    refused = server.by_key(tenant, "GET", "/api/tasks?status=done")
    assert (refused.status, refused.error) == (
        400,
        'status must be one of: pending, in_progress, completed; got "done".',
    )


def test_an_agent_sees_what_is_assigned_to_or_created_by_him(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    ana, ben = operator.staff(tenant.id, "agent"), operator.staff(tenant.id, "agent")
    broker = operator.staff(tenant.id, "broker")
    of_ana = make(server, tenant, assignedToId=ana.id)["id"]
    by_ben = make(server, tenant, ben.bearer, assignedToId=ana.id)["id"]
    of_nobody = make(server, tenant)["id"]

    assert server.ask("GET", "/api/tasks", headers=ana.bearer).ids == [by_ben, of_ana]
    assert server.ask("GET", "/api/tasks?limit=9", headers=ben.bearer).ids == [by_ben]
    assert server.ask("GET", f"/api/tasks?assignedToId={ana.id}", headers=ben.bearer).ids == [by_ben]
    assert server.ask("GET", "/api/tasks", headers=broker.bearer).ids == [of_nobody, by_ben, of_ana]
    before = operator.head(tenant)

    def told(task: str) -> list[Answer]:
        path = f"/api/tasks/{task}"
        return [
            server.ask("GET", path, headers=ben.bearer),
            server.ask("GET", f"{path}?asOf=2100-01-01", headers=ben.bearer),
            server.ask("PATCH", path, {"status": "completed"}, ben.bearer),
            server.ask("POST", f"{path}/complete", headers=ben.bearer),
        ]

    foreign = make(server, operator.brokerage())["id"]
    for hidden in (of_ana, of_nobody, foreign, NEVER, "1"):
        assert [(answer.status, answer.json) for answer in told(hidden)] == [(404, NO_TASK)] * 4
    assert operator.head(tenant) == before
    assert {answer.status for answer in told(by_ben)} == {200}


def test_a_lead_that_an_agent_may_not_see_is_not_there(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana = operator.staff(tenant.id, "agent")
    mine, hidden = (server.lead(tenant, assignedToId=agent)["id"] for agent in (ana.id, None))
    task = make(server, tenant, ana.bearer, leadId=mine)
    before = operator.head(tenant)

    for answer in (
        server.ask("POST", "/api/tasks", {"title": "Call back", "leadId": hidden}, ana.bearer),
        server.ask("PATCH", f"/api/tasks/{task['id']}", {"leadId": hidden}, ana.bearer),
    ):
        assert (answer.status, answer.error) == (400, "leadId must be the id of a lead of this brokerage.")
    assert operator.head(tenant) == before
    assert make(server, tenant, leadId=hidden)["leadId"] == hidden
    broker = operator.staff(tenant.id, "broker")
    assert make(server, tenant, broker.bearer, leadId=hidden)["leadId"] == hidden


def test_another_brokerage_has_other_tasks(server: Server, operator: Operator, tenant: Tenant) -> None:
    path = f"/api/tasks/{make(server, tenant)['id']}"
    other = operator.brokerage()

    assert listed(server, other) == []
    for method, action, body in (("GET", "", None), ("PATCH", "", {"title": "x"}), ("POST", "/complete", None)):
        answer = server.by_key(other, method, path + action, body)
        assert (answer.status, answer.json) == (404, NO_TASK)
    admin = operator.staff(ids.PLATFORM, "platform_admin")
    assert server.ask("GET", path, headers=admin.bearer, host=tenant.domain).status == 200
