"""Today: what is to be done, whose it is, and what counts as answered."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aureum.background.follower import follow
from aureum.domain.ids import PLATFORM, aureum_time
from aureum.figures.keeping import FIGURES
from aureum.http.api.staff.today import night
from tests.http.api.routing.sending import put
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import JANE, Server

PATH = "/api/v1/admin/today"
BOISE = "America/Boise"


@pytest.fixture
def owner(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")


@pytest.fixture
def ana(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "agent", "Ana Agent")


@pytest.fixture
def ben(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "agent", "Ben Agent")


def today(server: Server, who: Staff, query: str = "") -> dict[str, Any]:
    answer = server.ask("GET", PATH + query, headers=who.bearer)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def unanswered(server: Server, who: Staff) -> list[str]:
    section = today(server, who)["unanswered"]
    assert section["total"] == len(section["items"])
    return [one["lead"]["id"] for one in section["items"]]


def post(server: Server, who: Staff, path: str, body: Any) -> dict[str, Any]:
    answer = server.ask("POST", path, body, who.bearer)
    assert answer.status in (200, 201), answer.body
    made: dict[str, Any] = answer.json
    return made


def in_minutes(minutes: float) -> str:
    return aureum_time(datetime.now(UTC) + timedelta(minutes=minutes))


def test_a_lead_is_answered_by_the_first_contact(server: Server, tenant: Tenant, owner: Staff, ana: Staff) -> None:
    leads = [server.lead(tenant, name=f"Lead {number}", assignedToId=ana.id)["id"] for number in range(6)]
    assert unanswered(server, owner) == unanswered(server, ana) == leads[::-1]
    called, noted, moved, done, mended, waiting = leads
    post(
        server,
        ana,
        f"/api/leads/{called}/activities",
        {"type": "call", "direction": "outbound", "outcome": "no_answer"},
    )
    number = next(one["number"] for one in today(server, owner)["unanswered"]["items"] if one["lead"]["id"] == noted)
    for body in ({"notes": "Wants three bedrooms."}, {"first_name": "Jo"}):
        assert server.ask("PATCH", f"/api/v1/admin/leads/{number}", body, ana.bearer).status == 200
    assert server.ask("PATCH", f"/api/leads/{moved}", {"status": "qualified"}, ana.bearer).status == 200
    task = post(server, ana, "/api/tasks", {"title": "Call", "leadId": done})
    assert server.ask("PATCH", f"/api/leads/{mended}", {"phone": "208-555-0199"}, ana.bearer).status == 200
    assert unanswered(server, ana) == [waiting, mended, done]
    post(server, ana, f"/api/tasks/{task['id']}/complete", {})
    assert unanswered(server, ana) == unanswered(server, owner) == [waiting, mended]
    # Moved back, it is still answered.
    assert server.ask("PATCH", f"/api/leads/{moved}", {"status": "new"}, ana.bearer).status == 200
    assert unanswered(server, ana) == [waiting, mended]


def test_the_figures_can_be_made_again_from_the_log(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, ana: Staff
) -> None:
    for number in range(4):
        lead = server.lead(tenant, name=f"Lead {number}", assignedToId=ana.id)
        if number % 2:
            server.ask("PATCH", f"/api/leads/{lead['id']}", {"status": "offer"}, ana.bearer)
    post(server, ana, "/api/tasks", {"title": "Call", "dueDate": in_minutes(-5)})
    before = today(server, owner)
    facts = "SELECT * FROM lead_facts WHERE tenant_id = %(tenant)s ORDER BY lead_id"
    kept = operator.rows(facts, tenant=tenant.id)
    assert len(kept) == 4
    again = "UPDATE checkpoints SET position = 0 WHERE tenant_id = %(tenant)s AND consumer = 'figures' RETURNING 1"
    assert operator.rows(again, tenant=tenant.id)
    operator.run(lambda store: follow(store, FIGURES, tenant.id, 3))
    assert operator.rows(facts, tenant=tenant.id) != kept
    assert today(server, owner) == before
    assert operator.rows(facts, tenant=tenant.id) == kept


def test_the_clock_of_the_response_rule(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana Agent")
    put(server, owner, mode="primary_only", answer_within_minutes=30)
    assert server.ask("PATCH", f"/api/v1/admin/agents/{ana.number}", {"primary": True}, owner.bearer).status == 200
    # Of a changed profile the worker looks again at what waits.
    assert today(server, ana)["unanswered"]["items"] == []
    server.form(tenant, firstName="Early")
    server.form(tenant, firstName="Late")
    early, late = today(server, ana)["unanswered"]["items"]
    assert (early["lead"]["firstName"], early["overdue"], early["pond"]) == ("Early", False, False)
    left = datetime.fromisoformat(early["due_at"]) - datetime.fromisoformat(early["lead"]["createdAt"])
    assert abs(left - timedelta(minutes=30)) < timedelta(seconds=2)
    # One whose time is over stands first, while the worker is away and after it has looked.
    move = "UPDATE timers t SET due_at = now() - interval '1 minute' FROM lead_list l WHERE l.lead_id = t.lead_id"
    operator.rows(move + " AND l.number = %(number)s RETURNING 1", number=late["number"])
    first, second = today(server, ana)["unanswered"]["items"]
    assert (first["lead"]["firstName"], first["overdue"], second["overdue"]) == ("Late", True, False)
    # A lead that staff enter waits for no clock.
    server.lead(tenant, assignedToId=ana.id)
    assert [one["due_at"] is None for one in today(server, ana)["unanswered"]["items"]] == [False, False, True]


def test_each_sees_their_own_and_leaders_all_by_agent(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, ana: Staff, ben: Staff
) -> None:
    put(server, owner, mode="primary_only", fallback="pond")
    own = server.lead(tenant, assignedToId=ana.id)["id"]
    server.lead(tenant, assignedToId=ben.id)
    server.form(tenant, firstName="Pond")
    late = post(server, ana, "/api/tasks", {"title": "Call back", "leadId": own, "dueDate": in_minutes(-60)})
    post(server, owner, "/api/tasks", {"title": "Theirs", "assignedToId": ben.id, "dueDate": in_minutes(-1)})
    post(server, ana, "/api/tasks", {"title": "Some day", "dueDate": in_minutes(3 * 24 * 60)})
    day = datetime.now(ZoneInfo(BOISE)).date()
    for start, agent in ((f"{day}T23:30:00", ana.id), (f"{day}T00:00:00", ana.id), (f"{day + timedelta(1)}", ben.id)):
        body = JANE | {"listingId": "1", "startsAt": start, "assignedToId": agent}
        assert server.by_key(tenant, "POST", "/api/showings", body).status == 201
    wished = JANE | {"listingId": "1", "preferredDate": f"{day}", "assignedToId": ben.id}
    assert server.by_key(tenant, "POST", "/api/showings", wished).status == 201
    mine, all_of_it = today(server, ana), today(server, owner)
    assert [one["lead"]["id"] for one in mine["unanswered"]["items"]] == [own]
    assert (mine["pond"]["total"], mine["agents"], all_of_it["unanswered"]["total"]) == (1, None, 3)
    assert mine["pond"]["items"][0]["lead"]["firstName"] == "Pond"
    assert mine["tasks"]["overdue"] == 1
    ((task),) = mine["tasks"]["items"]
    assert (task["task"]["id"], task["overdue"]) == (late["id"], True)
    assert task["person"] == {"name": "Jane Doe", "phone": None}
    assert [one["task"]["title"] for one in all_of_it["tasks"]["items"]] == ["Call back", "Theirs"]
    starts = [one["startsAt"] for one in mine["showings"]["items"]]
    assert starts == sorted(starts) and mine["showings"]["total"] == 2
    assert all_of_it["showings"]["total"] == 3 and all_of_it["showings"]["items"][-1]["preferredDate"] == f"{day}"
    by_agent = {one["name"]: (one["unanswered"], one["overdue_tasks"], one["showings"]) for one in all_of_it["agents"]}
    assert by_agent == {"Ana Agent": (1, 1, 2), "Ben Agent": (1, 1, 1)}
    assert mine["time_zone"] == BOISE and mine["behind"] == 0
    # What is done or cancelled is gone.
    post(server, ana, f"/api/tasks/{late['id']}/complete", {})
    for one in mine["showings"]["items"]:
        server.ask("PATCH", f"/api/showings/{one['id']}", {"status": "cancelled"}, ana.bearer)
    rest = today(server, ana)
    assert (rest["tasks"], rest["showings"]) == (
        {"overdue": 0, "later_today": 0, "items": []},
        {"total": 0, "items": []},
    )
    assert rest["unanswered"]["total"] == 0


def test_what_changed_overnight_is_counted(
    server: Server, operator: Operator, tenant: Tenant, owner: Staff, ana: Staff, ben: Staff
) -> None:
    lead = server.lead(tenant, assignedToId=ana.id)["id"]
    server.lead(tenant, assignedToId=ben.id)
    for status in ("contacted", "lost"):
        server.ask("PATCH", f"/api/leads/{lead}", {"status": status}, ana.bearer)
    for kind in ("note", "note", "visit"):
        post(server, ana, f"/api/leads/{lead}/activities", {"type": kind, "text": "Hello"})
    server.by_key(tenant, "POST", "/api/showings", JANE | {"listingId": "1", "assignedToId": ana.id})
    changes = today(server, ana)["changes"]
    assert changes["leads"] == changes["showings"] == 1
    assert changes["statuses"] == {"contacted": 1, "lost": 1}
    assert changes["activities"] == {"note": 2, "visit": 1}
    assert today(server, owner)["changes"] == changes | {"leads": 2, "since": today(server, owner)["changes"]["since"]}
    nothing = today(server, ben)["changes"]
    assert (nothing["leads"], nothing["statuses"], nothing["activities"]) == (1, {}, {})


def test_a_night_begins_with_the_end_of_the_last_working_day() -> None:
    hours = {day: ["09:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    monday = datetime(2026, 11, 30, 15, tzinfo=UTC)
    assert night(monday, hours, BOISE) == datetime(2026, 11, 28, 0, tzinfo=UTC)
    assert night(monday, None, BOISE) == monday - timedelta(hours=16)
    assert night(monday, {"sun": ["10:00", "12:00"]}, BOISE) == datetime(2026, 11, 29, 19, tzinfo=UTC)


def test_a_platform_admin_names_a_brokerage(server: Server, operator: Operator, tenant: Tenant, owner: Staff) -> None:
    server.lead(tenant)
    admin = operator.staff(PLATFORM, "platform_admin")
    number = server.ask("GET", "/api/me", headers=owner.bearer).json["brokerage"]["id"]
    assert today(server, admin, f"?brokerage_id={number}")["unanswered"]["total"] == 1
    refused = server.ask("GET", PATH, headers=admin.bearer)
    assert (refused.status, refused.detail) == (400, "No brokerage context — cannot show today")
    # The same again is not sent twice.
    answer = server.ask("GET", PATH, headers=owner.bearer)
    again = server.ask("GET", PATH, headers={**owner.bearer, "If-None-Match": answer.etag})
    assert again.status == (304 if again.etag == answer.etag else 200)
