"""Today in the panel: each item with its next step, which leads back here."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aureum.domain.ids import aureum_time
from aureum.http.panel.today_words import age, changes, clock, dialled, later
from tests.http.api.routing.sending import put
from tests.http.operator import Operator, Staff, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.reading import Reading
from tests.http.serving import JANE, Server

HERE = "/admin"
BOISE = ZoneInfo("America/Boise")


@pytest.fixture
def ana(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "agent", "Ana Agent")


def works(reading: Reading) -> list[str]:
    """What there is to do, each in its words."""
    return reading.said("li", class_="work")


def press(reader: Reader, action: str, said: str, **values: str) -> Reading:
    """Send a form of Today, and read where it leads: back here, with what was done."""
    form = reader.read(HERE).form(action)
    reading = reader.follow(reader.send(action, form.filled(**values)))
    assert reading.said("h1") == ["Today"] and reading.said("p", role="status") == [said]
    return reading


def test_a_new_brokerage_has_nothing_to_do(owner: Reader) -> None:
    reading = owner.read(HERE)
    assert reading.said("p", class_="calm") == [
        "No lead is waiting for an answer.",
        "No tasks are due today.",
        "No showings today.",
        "No leads are waiting in the pond.",
        "Nothing has changed.",
    ]
    assert works(reading) == [] and reading.said("h1") == ["Today"]


def test_leads_are_answered_from_here(server: Server, tenant: Tenant, owner: Reader, ana: Staff) -> None:
    calls, writes, waits = (server.lead(tenant, name=f"Lead {one}", phone="208-555-0123 x5")["id"] for one in "abc")
    reading = owner.read(HERE)
    assert [one.split("under")[0] for one in works(reading)] == ["Lead c", "Lead b", "Lead a"]
    assert f"/admin/leads/{waits}" in reading.links and "tel:2085550123" in reading.links
    assert "3 new leads" in reading.said("li")[-1] or "3 new leads" in str(reading.said("a"))
    press(owner, f"/admin/today/leads/{waits}/assign", "The lead was assigned.", assignedToId=ana.id)
    agent = as_staff(server, ana)
    assert len(works(agent.read(HERE))) == 1
    (form,) = [one for one in owner.read(HERE).forms if one.action == f"/admin/today/leads/{calls}/call"]
    pressed = [*form.fields, ("what", "Called: no answer")]
    for _ in range(2):
        assert led_to(owner.send(form.action, pressed)) == "/admin?done=called"
    activities = server.by_key(tenant, "GET", f"/api/leads/{calls}/activities").json
    assert [(one["type"], one["outcome"]) for one in activities] == [("call", "no_answer")]
    press(owner, f"/admin/today/leads/{writes}/contacted", "The lead was marked as contacted.")
    assert [one.split("under")[0] for one in works(owner.read(HERE))] == ["Lead c"]
    # What the API refuses, the page says; what is not the agent's is not there.
    again = page(owner.send(form.action, [("what", "Sang")]), 400)
    assert "type must be one of" in again.problem and len(works(again)) == 1
    assert refused(agent.send(f"/admin/today/leads/{calls}/contacted", ()), 404) == "There is no such lead."


def test_tasks_are_done_or_put_off(server: Server, tenant: Tenant, owner: Reader, ana: Staff) -> None:
    lead = server.lead(tenant, phone="208-555-0123", assignedToId=ana.id)["id"]
    due = aureum_time(datetime.now(UTC) - timedelta(hours=1))
    made = [
        server.by_key(
            tenant, "POST", "/api/tasks", {"title": title, "dueDate": due, "leadId": lead, "assignedToId": ana.id}
        ).json["id"]
        for title in ("Call back", "Write", "Visit")
    ]
    agent = as_staff(server, ana)
    said = str(works(agent.read(HERE)))
    assert "Call back Overdue" in said and "Jane Doe" in said and "3 overdue" in str(owner.read(HERE).said("h2"))
    press(agent, f"/admin/today/tasks/{made[0]}/complete", "The task is done.")
    today = datetime.now(BOISE).date()
    for task, until in zip(made[1:], ("tomorrow", "friday"), strict=True):
        answer = agent.send(f"/admin/today/tasks/{task}/snooze", [("until", until), ("once", until)])
        assert led_to(answer) == "/admin?done=snoozed"
        moment = datetime.fromisoformat(server.by_key(tenant, "GET", f"/api/tasks/{task}").json["dueDate"])
        assert f"{moment.astimezone(BOISE):%Y-%m-%dT%H:%M}" == later(until, today)
    assert [one for one in works(agent.read(HERE)) if "Write" in one or "Visit" in one] == []
    assert "dueDate" in page(agent.send(f"/admin/today/tasks/{made[1]}/snooze", [("until", "never")]), 400).problem


def test_a_showing_is_confirmed(server: Server, tenant: Tenant, owner: Reader) -> None:
    day = datetime.now(BOISE).date()
    body = JANE | {"listingId": "2024", "startsAt": f"{day}T15:30:00"}
    showing = server.by_key(tenant, "POST", "/api/showings", body).json["id"]
    assert works(owner.read(HERE))[0].startswith("15:30 Jane Doe To confirm")
    reading = press(owner, f"/admin/today/showings/{showing}/confirm", "The showing was confirmed.")
    assert works(reading)[0].startswith("15:30 Jane Doe Confirmed")
    assert [form.action for form in reading.forms if "showings" in form.action] == []


def test_an_agent_claims_from_the_pond(server: Server, operator: Operator, tenant: Tenant, ana: Staff) -> None:
    boss = operator.staff(tenant.id, "brokerage_owner")
    put(server, boss, mode="primary_only", fallback="pond")
    server.form(tenant, firstName="Zoë", lastName="<b>")
    agent = as_staff(server, ana)
    (form,) = [one for one in agent.read(HERE).forms if one.action.endswith("/claim")]
    reading = press(agent, form.action, "You claimed this lead. It is assigned to you.")
    assert "Zoë <b>" in works(reading)[0]
    assert (
        "Another agent has this lead already."
        in page(as_staff(server, operator.staff(tenant.id, "agent")).send(form.action, ()), 400).problem
    )


def test_in_words() -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)

    def at(**ago: float) -> str:
        return aureum_time(now - timedelta(**ago))

    assert [age(at(**ago), now) for ago in ({"seconds": 9}, {"minutes": 59}, {"hours": 47}, {"days": 9})] == [
        "under a minute",
        "59 min",
        "47 h",
        "9 days",
    ]
    waiting = {"due_at": at(minutes=-20), "overdue": False, "pond": False}
    assert clock(waiting, now) == ("20 min left to answer", "blue")
    assert clock(waiting | {"due_at": at(minutes=-9), "pond": True}, now) == ("9 min left to claim", "amber")
    assert clock(waiting | {"due_at": at(minutes=5)}, now) == ("5 min overdue", "red")
    assert clock(waiting | {"overdue": True}, now) == ("Overdue", "red")
    assert clock(waiting | {"due_at": None, "overdue": True}, now) == ("Overdue", "red")
    assert clock(waiting | {"due_at": None}, now) is None
    assert [dialled(one) for one in ("+1 (208) 555-0123", "208.555.0123 ext. 7")] == ["+12085550123", "2085550123"]
    monday = date(2026, 11, 30)
    assert later("tomorrow", monday) == "2026-12-01T09:00"
    assert [later("friday", monday + timedelta(days=one)) for one in (0, 4, 5)] == [
        f"2026-12-{day}T09:00" for day in ("04", "11", "11")
    ]
    found = {"leads": 1, "showings": 2, "statuses": {"lost": 3}, "activities": {"note": 1, "call": 2, "email": 1}}
    assert [one.text for one in changes(found)] == [
        "1 new lead",
        "2 showings requested",
        "3 leads moved to lost",
        "1 note, 2 calls and 1 email logged",
    ]
