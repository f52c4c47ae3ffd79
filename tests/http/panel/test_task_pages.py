"""Tasks in the order of work: completed and put off on the spot, added in one line, each with its person by name."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aureum.domain.ids import aureum_time
from aureum.http.panel.task_agenda import overdue, times
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.serving import Server

BOISE = ZoneInfo("America/Boise")


def added(server: Server, tenant: Tenant, title: str, **fields: Any) -> dict[str, Any]:
    answer = server.by_key(tenant, "POST", "/api/tasks", {"title": title, **fields})
    assert answer.status == 201, answer.body
    task: dict[str, Any] = answer.json
    return task


def now(server: Server, tenant: Tenant, task: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = server.by_key(tenant, "GET", f"/api/tasks/{task['id']}").json
    return found


def test_mine_come_first_and_the_late_ones_before_all(server: Server, tenant: Tenant, operator: Operator) -> None:
    who = operator.staff(tenant.id, "broker", "Bea Broker")
    bea = as_staff(server, who)
    lead = server.by_key(tenant, "POST", "/api/leads", {"name": "Jane <i>Doe", "email": "jane@example.com"}).json
    late = aureum_time(datetime.now(UTC) - timedelta(days=2))
    for title, fields in {
        "Some day": {"assignedToId": who.id},
        "Late": {"assignedToId": who.id, "dueDate": late, "leadId": lead["id"], "priority": "URGENT"},
        "Of no agent": {"dueDate": late},
    }.items():
        added(server, tenant, title, **fields)

    body = bea.get("/admin/tasks").body.decode()
    order = [">Overdue <", ">Late</a>", "Without a date", ">Some day</a>"]
    everyone = bea.read("/admin/tasks?assignedToId=all")

    assert sorted(order, key=body.index) == order
    assert "Of no agent" not in body and f'<a href="/admin/leads/{lead["id"]}">Jane &lt;i&gt;Doe</a>' in body
    assert [f"/admin/tasks/{one['id']}" in everyone.links for one in server.by_key(tenant, "GET", "/api/tasks").json]
    assert "Nothing to do." in bea.read("/admin/tasks?group=week").said("p")


def test_a_task_is_put_off_and_completed_from_the_list(owner: Reader, server: Server, tenant: Tenant) -> None:
    task = added(server, tenant, "Follow up")
    form = next(one for one in owner.read("/admin/tasks?assignedToId=all").forms if "other" in one.names)
    words, friday = times(datetime.now(BOISE))[1]

    answer = owner.send(form.action, [*form.filled(other=""), ("due", friday)])

    assert (words, led_to(answer).partition("&undo=")[0]) == (
        "Friday 9:00",
        "/admin/tasks?assignedToId=all&done=snooze",
    )
    due = datetime.fromisoformat(now(server, tenant, task)["dueDate"]).astimezone(BOISE)
    assert (due.weekday(), due.hour, due > datetime.now(UTC)) == (4, 9, True)
    # Another tab still shows it as it was.
    stale = page(owner.send(form.action, [*form.filled(other=""), ("due", friday)]), 400)
    assert stale.problem and "changed after you opened it" in stale.problem
    done = owner.send(form.action, {"do": "complete", "back": "all", "once": "x"})
    assert led_to(done).startswith("/admin/tasks?assignedToId=all&done=complete&undo=tasks/")
    assert now(server, tenant, task)["status"] == "completed"
    assert f"/admin/tasks/{task['id']}" in owner.read("/admin/tasks?view=list&status=completed").links
    again = owner.read(f"/admin/tasks/{task['id']}").form(f"/admin/tasks/{task['id']}/act")
    owner.send(again.action, [*again.filled(), ("do", "reopen")])
    assert now(server, tenant, task)["status"] == "pending"


def test_a_task_is_added_in_one_line(server: Server, tenant: Tenant, operator: Operator) -> None:
    who = operator.staff(tenant.id, "agent", "Ana")
    ana = as_staff(server, who)
    body = {"name": "Jane Doe", "email": "jane@example.com", "assignedToId": who.id}
    lead = server.by_key(tenant, "POST", "/api/leads", body).json
    form = ana.read("/admin/tasks").form("/admin/tasks/add")

    answer = ana.send(form.action, form.filled(title="Call back", **{"leadId.words": "jane doe"}))

    assert led_to(answer) == "/admin/tasks?assignedToId=all&done=added"
    (task,) = server.by_key(tenant, "GET", "/api/tasks").json
    assert (task["title"], task["assignedToId"], task["leadId"]) == ("Call back", who.id, lead["id"])
    assert "Jane Doe" in ana.read(f"/admin/tasks/{task['id']}").said("a")
    refused = page(ana.send(form.action, form.filled(title="Call", **{"leadId.words": "Nobody Known"})), 400)
    assert refused.problem and refused.form("/admin/tasks/add")["title"] == "Call"


@pytest.mark.parametrize(
    ("at", "dues"),
    [
        ("2026-12-03T10:00", ["2026-12-04T09:00", "2026-12-04T09:00", "2026-12-07T09:00"]),
        ("2026-12-04T08:00", ["2026-12-05T09:00", "2026-12-11T09:00", "2026-12-07T09:00"]),
        ("2026-12-07T23:59", ["2026-12-08T09:00", "2026-12-11T09:00", "2026-12-14T09:00"]),
    ],
)
def test_when_a_task_may_be_put_off_to(at: str, dues: list[str]) -> None:
    assert [due for _, due in times(datetime.fromisoformat(at).replace(tzinfo=BOISE))] == dues


@pytest.mark.parametrize(
    ("due", "late"),
    [
        ("2026-12-04T16:59:59.000Z", True),
        ("2026-12-04T17:00:00.000Z", False),
        ("2026-12-04T07:00:00.000Z", False),
        ("2026-12-03T07:00:00.000Z", True),
        (None, False),
    ],
)
def test_which_tasks_are_late(due: str | None, late: bool) -> None:
    at = datetime(2026, 12, 4, 10, tzinfo=BOISE)

    assert overdue({"dueDate": due, "status": "pending"}, at, BOISE) == late
    assert not overdue({"dueDate": due, "status": "completed"}, at, BOISE)
