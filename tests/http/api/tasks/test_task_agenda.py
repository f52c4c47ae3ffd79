"""Open tasks in the order of work."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.ids import aureum_time
from aureum.http.api.tasks.task_agenda import spans_at
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

BOISE = ZoneInfo("America/Boise")
GROUPS = ("overdue", "today", "week", "later", "undated")


def agenda(server: Server, bearer: dict[str, str], query: str = "") -> dict[str, Any]:
    answer = server.ask("GET", f"/api/tasks/agenda{query}", headers=bearer)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def added(server: Server, tenant: Tenant, title: str, due: datetime | None, **fields: Any) -> dict[str, Any]:
    sent = {"title": title, "dueDate": None if due is None else aureum_time(due), **fields}
    answer = server.by_key(tenant, "POST", "/api/tasks", sent)
    assert answer.status == 201, answer.body
    task: dict[str, Any] = answer.json
    return task


def titles(group: dict[str, Any]) -> list[str]:
    return [task["title"] for task in group["tasks"]]


def test_every_open_task_stands_in_one_group(server: Server, tenant: Tenant, operator: Operator) -> None:
    at = datetime.now(UTC)
    spans = spans_at(at, BOISE)
    midnight, tomorrow, monday = spans["today"][0], spans["today"][1], spans["later"][0]
    lead = server.by_key(tenant, "POST", "/api/leads", {"name": "Jane Doe", "email": "jane@example.com"}).json
    added(server, tenant, "All day", midnight, leadId=lead["id"])
    added(server, tenant, "Late", at - timedelta(days=400))
    added(server, tenant, "Later", monday)
    added(server, tenant, "Some day", None)
    added(server, tenant, "Tonight", tomorrow - timedelta(milliseconds=1))
    done = added(server, tenant, "Done", at - timedelta(days=1))
    assert server.by_key(tenant, "POST", f"/api/tasks/{done['id']}/complete").status == 200

    found = agenda(server, tenant.bearer)

    assert {name: titles(found[name]) for name in GROUPS} == {
        "overdue": ["Late"],
        "today": ["All day", "Tonight"],
        "week": [],
        "later": ["Later"],
        "undated": ["Some day"],
    }
    first = found["today"]["tasks"][0]
    assert (first["about"], first["etag"]) == ("Jane Doe", '"v1"')
    ana = operator.staff(tenant.id, "agent", "Ana")
    mine = added(server, tenant, "For Ana", None, assignedToId=ana.id, leadId=lead["id"])
    (own,) = agenda(server, ana.bearer)["undated"]["tasks"]
    # The lead is a colleague's: its name is not told.
    assert (own["id"], own["about"]) == (mine["id"], None)
    assert titles(agenda(server, tenant.bearer, f"?assignedToId={ana.id}")["undated"]) == ["For Ana"]


def test_a_group_goes_on_where_it_ended(server: Server, tenant: Tenant) -> None:
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    for number in range(5):
        added(server, tenant, f"Late {number}", begin + timedelta(hours=number // 2))
        added(server, tenant, f"Some day {number}", None)

    for group in ("overdue", "undated"):
        seen, after = [], ""
        while True:
            found = agenda(server, tenant.bearer, f"?group={group}&limit=2{after}")
            seen += titles(found[group])
            assert [name for name in GROUPS if found[name]["tasks"]] == [group]
            if found[group]["more"] is None:
                break
            after = f"&after={found[group]['more']}"
        assert seen == [f"{'Late' if group == 'overdue' else 'Some day'} {number}" for number in range(5)]
    refused = server.by_key(tenant, "GET", "/api/tasks/agenda?after=x&group=later")
    assert (refused.status, refused.error) == (400, "after must be the `more` of a group of this agenda.")


ZONES = ("America/Boise", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut", "Europe/London", "UTC")


@given(st.integers(631_152_000, 3_786_912_000), st.sampled_from(ZONES))
def test_the_groups_follow_each_other_without_a_gap(seconds: int, zone: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)

    spans = spans_at(at, ZoneInfo(zone))

    assert spans["overdue"][1] == at
    assert spans["today"][0] <= at < spans["today"][1] == spans["week"][0] <= spans["week"][1] == spans["later"][0]
    assert spans["later"][0].astimezone(ZoneInfo(zone)).weekday() == 0
