"""A lead's page: what it does in one click, what it tells, the lead as it was, and undo at once and later."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aureum.http.panel.lead_page import quick_dates
from tests.http.api.tours.tour_requests import HOUSE
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.reading import Form, Reading
from tests.http.serving import Server

BOISE = ZoneInfo("America/Boise")


def toast(reading: Reading) -> Form:
    """The form of the button Undo beside what was done."""
    return next(form for form in reading.forms if form.action == "/admin/undo")


def test_one_click_each_and_undone_on_the_spot(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    lead = server.lead(tenant)["id"]
    here, path = f"/admin/leads/{lead}", f"/api/leads/{lead}"
    ana = operator.staff(tenant.id, "agent", "Ana Agent")

    shown = owner.follow(owner.send(f"{here}/step", {"status": "qualified"}))
    assert shown.said("p", role="status") == ["The status was changed."]
    assert shown.said("button", class_="step")[2] == "Qualified" and "Undo" in shown.said("button")
    # Nothing changed, so there is nothing to undo.
    assert led_to(owner.send(f"{here}/step", {"status": "qualified"})) == f"{here}?done=status"
    lost = {"status": "lost", "lostReason": "price", "lostNote": "Too dear."}
    reading = owner.follow(owner.send(f"{here}/step", lost))
    assert server.by_key(tenant, "GET", path).json["lostReason"] == "price"
    undone = owner.follow(owner.send("/admin/undo", toast(reading).fields))
    assert undone.said("p", role="status") == ["The change was undone."]
    now = server.by_key(tenant, "GET", path).json
    assert (now["status"], now["lostReason"]) == ("qualified", None)

    given = owner.follow(owner.send(f"{here}/agent", {"assignedToId": ana.id}))
    assert "Ana Agent" in str(given.said("p")) and toast(given)["of"] == f"leads/{lead}"
    alone = as_staff(server, ana)
    assert led_to(alone.send(f"{here}/agent", {"assignedToId": ""})) == "/admin/leads?done=changed"
    assert "no such" in refused(alone.get(here), 404)

    quick = owner.follow(owner.send(f"{here}/activities", {"quick": "Called: no answer", "what": "Note", "text": ""}))
    assert quick.said("li", class_="notes")[0].startswith("Called: no answer ·")
    wrong = page(owner.send(f"{here}/step", {"status": "hot"}), 400)
    assert wrong.problem.startswith("status must be one of")


def test_follow_up_and_done(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana Agent")
    lead = server.lead(tenant, assignedToId=ana.id)["id"]
    here = f"/admin/leads/{lead}"

    shown = owner.follow(owner.send(f"{here}/follow-up", {"title": "Call Jane", "day": "2026-12-04T09:00", "due": ""}))

    (task,) = server.by_key(tenant, "GET", f"/api/tasks?leadId={lead}").json
    assert (task["dueDate"], task["assignedToId"], task["type"]) == ("2026-12-04T16:00:00.000Z", ana.id, "follow_up")
    assert "Task: Call Jane" in str(shown.said("li", class_="work"))
    done = owner.follow(owner.send(f"{here}/finish", {"task": task["id"]}))
    assert "Nothing is planned." in done.said("p")
    again = owner.follow(owner.send("/admin/undo", toast(done).fields))
    assert "Call Jane" in str(again.said("li")) and again.said("p", role="status") == ["The change was undone."]
    assert server.by_key(tenant, "GET", f"/api/tasks/{task['id']}").json["status"] == "pending"
    other = server.lead(tenant)["id"]
    assert server.by_key(tenant, "GET", f"/api/tasks?leadId={other}").json == []


def test_the_days_of_the_buttons() -> None:
    friday = datetime(2026, 12, 4, 23, tzinfo=UTC)
    assert quick_dates(BOISE, friday) == [
        ("2026-12-05T09:00", "Tomorrow 9:00"),
        ("2026-12-11T09:00", "Friday 9:00"),
        ("2026-12-07T09:00", "Monday 9:00"),
        ("2026-12-11T09:00", "In a week"),
    ]


def test_the_timeline_and_the_lead_as_it_was(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    house = server.by_key(tenant, "POST", "/api/properties", HOUSE).json
    lead = server.lead(tenant, subject="A yard", sourcePage=f"/property/{house['slug']}")["id"]
    server.lead(tenant, subject="Earlier")
    here, path = f"/admin/leads/{lead}", f"/api/leads/{lead}"
    ben = operator.staff(tenant.id, "broker", "Ben Broker")
    server.ask("PATCH", path, {"status": "contacted", "firstName": "Janet"}, ben.bearer)
    server.ask("POST", f"{path}/activities", {"type": "email", "direction": "outbound", "text": "Hi"}, ben.bearer)
    server.by_key(tenant, "POST", "/api/showings", {"name": "Jane", "email": "jane@example.com"})

    reading = owner.read(here)

    entries = reading.said("li", class_="entry")
    assert entries[0].startswith("Showing requested (pending) ·")
    assert entries[1].startswith("Email sent ·") and "Ben Broker" in entries[1]
    assert entries[2].startswith("Changed status and first name ·")
    assert "Status New →became Contacted First name Jane →became Janet" in entries[2]
    assert entries[3].startswith("New lead ·") and "the API key “tests”" in entries[3]
    assert f"/admin/properties/{house['id']}" in reading.links and "Earlier" in str(reading.said("li"))
    kinds = {"notes": [], "mails": [1], "changes": [2, 3], "work": [0], "all": [0, 1, 2, 3], "what": [0, 1, 2, 3]}
    for kind, wanted in kinds.items():
        found = owner.read(f"{here}?show={kind}").said("li", class_="entry")
        assert [one.partition(" ·")[0] for one in found] == [entries[at].partition(" ·")[0] for at in wanted], kind

    first = [link for link in reading.links if "asOf=" in link][-1]
    was = owner.read(first)
    assert was.said("h1") == ["Jane Doe"] and "As it was on" in was.said("p", class_="then")[0]
    assert len(was.said("li", class_="entry")) == 1 and here in was.links
    assert [form.action for form in was.forms] == ["/admin/logout"], "what was cannot be changed"
    for spelled in ("9999-12-31", "2999-01-01t00:00:00z"):
        assert owner.read(f"{here}?asOf={spelled}").said("p", class_="then")
    assert "did not exist" in refused(owner.get(f"{here}?asOf=2020-01-01"), 404)
    assert refused(owner.get(f"{here}?asOf=lately"), 400).startswith("asOf must be a time")


def test_later_from_the_timeline_and_what_cannot_be_undone(server: Server, tenant: Tenant, owner: Reader) -> None:
    house = server.by_key(tenant, "POST", "/api/properties", HOUSE | {"price": 450000}).json["id"]
    here = f"/admin/properties/{house}"
    for price in (460000, 46000):
        server.by_key(tenant, "PATCH", f"/api/properties/{house}", {"price": price})

    reading = owner.read(here)

    entries = reading.said("li", class_="entry")
    assert "the API key “tests” Price $460,000 →became $46,000 Undo this change" in entries[0]
    assert "Undo this change" not in entries[1] and "Price $450,000 →became $460,000" in entries[1]
    undone = owner.follow(owner.send("/admin/undo", toast(reading).fields))
    assert "Olivia Owner" in undone.said("li", class_="entry")[0]
    late = owner.send("/admin/undo", {"of": f"properties/{house}", "version": "2", "back": "//elsewhere.example"})
    said = page(late, 400)
    assert said.problem.startswith("Nothing was undone, because price changed since") and here in said.links
    assert refused(owner.send("/admin/undo", {"of": "users/c1", "version": "2"}), 404)
