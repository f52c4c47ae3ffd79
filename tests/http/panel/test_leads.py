"""The list of leads and its board: what they show and find, and what is done there to one lead and to several."""

from typing import Any

import pytest

from aureum.http.panel.lead_list import LENGTH, TOO_MANY
from aureum.http.panel.lead_quick import MOVED, WHY
from aureum.http.panel.lead_selection import CHANGED
from tests.http.operator import Operator, Staff, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.panel.reading import Reading
from tests.http.panel.test_exports import rows
from tests.http.serving import JANE, Server

HERE = "/admin/leads"
SELECTED = f"{HERE}/selected"


@pytest.fixture
def agent(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "agent", "Andy Agent")


def made(server: Server, tenant: Tenant, **fields: Any) -> str:
    answer = server.by_key(tenant, "POST", "/api/leads", JANE | fields)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def api(server: Server, tenant: Tenant, lead: str) -> dict[str, Any]:
    return dict(server.by_key(tenant, "GET", f"/api/leads/{lead}").json)


def names(reading: Reading) -> list[str]:
    """The leads of a page, in their order."""
    return reading.said("td", class_="name")


def test_found_filtered_and_sorted(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, agent: Staff
) -> None:
    anna = made(server, tenant, name="Anna Able", phone="208-555-0199", subject="A garden", assignedToId=agent.id)
    made(server, tenant, name="Bert Bold", status="contacted", email="bert@example.com", source="zillow")
    assert server.form(tenant, _gotcha="x", firstName="Spam", lastName="Bot").status == 200

    whole = owner.read(HERE)
    assert names(whole) == ["Bert Bold", "Anna Able"], "suspected spam is a list of its own"
    shown = dict(zip(whole.said("td", class_="name"), whole.said("td", class_="agent"), strict=True))
    assert shown == {"Bert Bold": "", "Anna Able": "Andy Agent"}
    assert whole.said("td", class_="subject") == ["", "A garden"]
    assert {"mailto:bert@example.com", "tel:208-555-0199"} <= set(whole.links)
    assert {"All 2", "New 1", "Contacted 1", "Lost 0"} <= set(whole.said("a"))

    for query, found in {
        "q=5550199": ["Anna Able"],
        "q=spam+bot": ["Spam Bot"],
        "status=contacted": ["Bert Bold"],
        "source=zillow": ["Bert Bold"],
        "assigned=nobody": ["Bert Bold"],
        f"assigned={agent.id}": ["Anna Able"],
        "spam=yes": ["Spam Bot"],
        "pond=yes": [],
        "since=2000-01-01&until=9999-12-31": ["Bert Bold", "Anna Able"],
        "until=2000-01-01": [],
        "sort=name": ["Anna Able", "Bert Bold"],
        "sort=status": ["Anna Able", "Bert Bold"],
        "sort=-updatedAt": ["Bert Bold", "Anna Able"],
        "status=nonsense&sort=age&since=soon": ["Bert Bold", "Anna Able"],
    }.items():
        assert names(owner.read(f"{HERE}?{query}")) == found, query
    chosen = owner.read(f"{HERE}?q=anna&assigned={agent.id}&status=new&sort=name")
    assert [chip for chip in chosen.said("a", class_="chip") if not chip.startswith(("Susp",))] == [
        "“anna”", "Assigned to Andy Agent"
    ]  # fmt: skip
    assert f"{HERE}?status=new&assigned={agent.id}&sort=name" in chosen.links, "a chip leads to the list without it"
    assert f"{HERE}?q=anna&status=new&assigned={agent.id}&sort=-name" in chosen.links
    assert chosen.form(HERE)["q"] == "anna"
    assert [row["First name"] for row in rows(owner.get(f"{HERE}.csv?q=anna&sort=name"))] == ["Anna"]

    mine = as_staff(server, agent).read(HERE)
    assert names(mine) == ["Anna Able"] and "Unassigned" not in mine.said("a")
    assert owner.read(f"{HERE}/{anna}").said("h1")


def test_pages_and_what_cannot_be_sorted(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    operator.fill(tenant, 2_001)
    first = owner.read(f"{HERE}?status=new")
    (following,) = [link for link in first.links if "cursor=" in link]
    second = owner.read(following)
    assert len(names(first)) == len(names(second)) == LENGTH
    shown = [{link for link in one.links if link.startswith(f"{HERE}/c")} for one in (first, second)]
    assert shown[0].isdisjoint(shown[1])
    assert led_to(owner.get(following.replace("status=new", "status=lost"))) == f"{HERE}?status=lost"
    many = owner.read(f"{HERE}?sort=name")
    assert many.problem == TOO_MANY and len(names(many)) == LENGTH


def test_several_are_changed_and_those_that_are_not_are_told(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, agent: Staff
) -> None:
    leads = [made(server, tenant, name=f"Lead {number}") for number in range(3)]
    shown = owner.read(f"{HERE}?status=new")
    form = shown.form(SELECTED)
    ticks = {one: f"{one}~{api(server, tenant, one)['updatedAt']}" for one in leads}

    def do(what: str, wanted: list[str], **typed: str) -> Any:
        return owner.send(SELECTED, [*form.filled(lead=wanted, **typed), ("do", what)])

    assert form.names["lead"] == "checkbox" and form["back"] == f"{HERE}?status=new"
    answer = do("assign", [ticks[one] for one in leads[:2]], assignedToId=agent.id)
    assert led_to(answer) == f"{HERE}?status=new&done=assign&n=2"
    assert "2 leads were assigned." in owner.follow(answer).said("p")
    assert [api(server, tenant, one)["assignedToId"] for one in leads] == [agent.id, agent.id, None]

    # The list was shown before the two were assigned.
    told = page(do("status", list(ticks.values()), status="contacted"), 200)
    assert told.said("td") == ["Lead 0", CHANGED, "Lead 1", CHANGED]
    assert any("1 lead was changed. 2 were left alone:" in text for text in told.said("p"))
    assert [api(server, tenant, one)["status"] for one in leads] == ["new", "new", "contacted"]

    fresh = [f"{one}~{api(server, tenant, one)['updatedAt']}" for one in leads]
    assert page(do("status", fresh, status="lost"), 400).problem == WHY
    assert led_to(do("status", fresh, status="lost", lostReason="price")).endswith("done=status&n=3")
    assert {api(server, tenant, one)["lostReason"] for one in leads} == {"price"}

    told = page(do("task", [*leads, "c" + "0" * 25], title="Call back", dueDate="2030-01-15T09:00"), 200)
    assert any("3 leads were changed. 1 was left alone:" in text for text in told.said("p"))
    tasks = server.by_key(tenant, "GET", "/api/tasks").json
    assert {(task["leadId"], task["title"]) for task in tasks} == {(one, "Call back") for one in leads}
    assert {task["assignedToId"] for task in tasks if task["leadId"] in leads[:2]} == {agent.id}

    assert [row["Last name"] for row in rows(do("export", leads[:2]))] == ["0", "1"]
    assert led_to(owner.send(SELECTED, [("do", "assign")])).endswith("?done=none&n=1")
    assert page(do("erase", leads), 400).problem
    # An agent changes the own leads only.
    other = as_staff(server, operator.staff(tenant.id, "agent", "Otto Other"))
    told = page(other.send(SELECTED, [("lead", leads[0]), ("do", "status"), ("status", "new")]), 200)
    assert any("0 leads were changed. 1 was left alone:" in text for text in told.said("p"))
    assert api(server, tenant, leads[0])["status"] == "lost"


def test_one_step_with_one_lead(server: Server, tenant: Tenant, owner: Reader, agent: Staff) -> None:
    lead = made(server, tenant)
    back = f"{HERE}?status=new"

    def step(name: str, **typed: str) -> Any:
        path = f"{HERE}/{lead}/{name}"
        opened = owner.read(f"{path}?back=%2Fadmin%2Fleads%3Fstatus%3Dnew")
        assert opened.said("h1")[0].endswith("Jane Doe")
        return owner.send(path, opened.form(path).filled(**typed))

    assert led_to(step("assign", assignedToId=agent.id)) == f"{back}&done=assign&n=1"
    assert "1 lead was assigned." in owner.read(f"{back}&done=assign&n=1").said("p")
    assert page(step("status", status="lost"), 200).problem == WHY
    assert led_to(step("status", status="lost", lostReason="price", lostNote="Too dear.")).startswith(back)
    assert page(step("note", text=" "), 400).problem
    assert led_to(step("note", text="Called, wants 3 bed")).endswith("done=note&n=1")
    assert led_to(step("task", title="Call", dueDate="2030-01-15T09:00")).endswith("done=task&n=1")
    now = api(server, tenant, lead)
    assert (now["assignedToId"], now["status"], now["lostReason"]) == (agent.id, "lost", "price")
    (activity,) = server.by_key(tenant, "GET", f"/api/leads/{lead}/activities").json
    assert (activity["type"], activity["text"]) == ("note", "Called, wants 3 bed")
    (task,) = server.by_key(tenant, "GET", "/api/tasks").json
    assert (task["leadId"], task["assignedToId"], task["dueDate"]) == (lead, agent.id, "2030-01-15T16:00:00.000Z")
    elsewhere = owner.read(f"{HERE}/{lead}/note?back=https%3A%2F%2Fexample.com%2Fadmin%2Fleads")
    assert elsewhere.form(f"{HERE}/{lead}/note")["back"] == HERE
    late = owner.read(f"{HERE}/{lead}/assign").form(f"{HERE}/{lead}/assign")
    assert server.by_key(tenant, "PATCH", f"/api/leads/{lead}", {"subject": "Later"}).status == 200
    assert "changed after you opened it" in page(owner.send(late.action, late.filled(assignedToId="")), 400).problem


def test_the_board(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    leads = [made(server, tenant, name=f"Lead {number}") for number in range(12)]
    made(server, tenant, name="Won Over", status="offer")
    board = owner.read(f"{HERE}?view=board")
    assert board.said("h2") == [
        "New 12", "Contacted 0", "Qualified 0", "Showing 0", "Offer 1", "Converted 0", "Lost 0"
    ]  # fmt: skip
    shown = [link for link in board.links if link.startswith(f"{HERE}/c")]
    assert len(shown) == 11 and shown[0] == f"{HERE}/{leads[-1]}" and f"{HERE}?status=new" in board.links
    form = board.form(f"{HERE}/{leads[-1]}/status")
    assert form["back"] == f"{HERE}?view=board"

    answer = owner.send(form.action, form.filled(status="qualified"))
    assert led_to(answer) == f"{HERE}?view=board&done=status&n=1"
    assert owner.follow(answer).said("p", role="status") == ["1 lead was moved to another status."]
    assert owner.follow(answer).said("h2")[:3] == ["New 11", "Contacted 0", "Qualified 1"]
    # The board was shown before that: the lead is not moved on by mistake.
    assert page(owner.send(form.action, form.filled(status="contacted")), 400).problem == MOVED
    other = board.form(f"{HERE}/{leads[-2]}/status")
    why = page(owner.send(other.action, other.filled(status="lost")), 200)
    assert why.problem == WHY
    asked = why.form(other.action)
    assert (asked["status"], asked["back"]) == ("lost", f"{HERE}?view=board")
    assert led_to(owner.send(asked.action, asked.filled(lostReason="timing"))).startswith(f"{HERE}?view=board")
    assert api(server, tenant, leads[-2])["lostReason"] == "timing"
    assert [link for link in owner.read(f"{HERE}?view=board&q=won").links if link.startswith(f"{HERE}/c")] != []
