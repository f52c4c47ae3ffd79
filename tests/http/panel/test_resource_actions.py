"""Buttons, links, histories and messages: what follows from what is done in the panel."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.http.api.tours.tour_requests import HOUSE
from tests.http.api.webhooks.test_events import feed
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.reading import Form
from tests.http.panel.resources import RESOURCES as DECLARED
from tests.http.panel.resources import entered, own_form, saved, without_undo
from tests.http.panel.test_resource_values import made, shown
from tests.http.serving import JANE, Server

RESOURCES = {resource.path.rpartition("/")[2]: resource for resource in DECLARED}


def button(reader: Reader, path: str, action: str) -> list[Form]:
    """The form of a button, if there is one."""
    return [form for form in reader.read(path).forms if form.action == f"{path}/{action}"]


def test_a_lead_is_converted(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    path = made(server, tenant, "leads", **JANE, message="A house")
    (form,) = button(owner, path, "convert")

    answer = owner.send(form.action, form.fields)

    reading = owner.follow(answer)
    assert reading.said("p", role="status") == ["The lead was converted, and its contact was created."]
    lead = shown(server, tenant, path)
    contact = f"/admin/contacts/{lead['contactId']}"
    assert contact in reading.links and path in owner.read(contact).links
    assert button(owner, path, "convert") == [] and reading.form(path)["status"] == "converted"
    head = operator.head(tenant)
    assert led_to(owner.send(form.action, form.fields)) == led_to(answer)
    assert led_to(owner.send(form.action, {"once": "another"})) == led_to(answer)
    assert operator.head(tenant) == head
    # A button is of its own lead, whatever form it was sent with.
    other = made(server, tenant, "leads", **JANE)
    anyway = [*form.fields, ("anyway", "yes")]
    assert led_to(owner.send(f"{other}/convert", anyway)) == f"{other}?done=convert"
    assert shown(server, tenant, other)["contactId"] not in (None, lead["contactId"])
    # A history with people's names, the latest first.
    ana = operator.staff(tenant.id, "agent", "Ana <Agent>")
    saved(owner, path, assignedToId=ana.id, phone="208-555-0123")
    saved(as_staff(server, ana), path, message="")
    rows = owner.read(path).said("li", class_="entry")
    assert rows[0].startswith("Changed message ·") and "Ana <Agent>" in rows[0]
    assert "Message A house →became nothing" in rows[0]
    assert "Olivia Owner" in rows[1] and "Assigned to Ana <Agent>" in rows[1]
    assert rows[2].startswith("Converted to a contact ·") and "Status New →became Converted" in rows[2]
    assert rows[-1].startswith("New lead ·") and "Message A house" in rows[-1]


def test_a_task_is_completed(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    lead = made(server, tenant, "leads", **JANE)
    contact = made(server, tenant, "contacts", firstName="Jane", lastName="Doe")
    house = made(server, tenant, "properties", **HOUSE, mlsId="20&24=1")
    # What a page links to is filled in already.
    address = next(link for link in owner.read(lead).links if link.startswith("/admin/tasks/new"))
    form = owner.read(address).form("/admin/tasks/new")
    assert f"leadId={form['leadId']}" in address and form["contactId"] == form["propertyId"] == ""
    assert form["leadId.words"] == "Jane Doe"
    ids = {"contactId": contact.rpartition("/")[2], "propertyId": house.rpartition("/")[2]}
    names = {"contactId.words": "jane doe", "propertyId.words": "20&24=1"}
    answer = owner.send(form.action, form.filled(title="Call", **names))
    task = owner.follow(answer)
    path = led_to(answer).partition("?")[0]
    assert {lead, contact, house} <= set(task.links)
    showing = next(link for link in owner.read(house).links if link.startswith("/admin/showings/new"))
    assert parse_qs(urlsplit(showing).query) == {"propertyId": [ids["propertyId"]], "listingId": ["20&24=1"]}
    assert owner.read(showing).form("/admin/showings/new")["listingId"] == "20&24=1"
    assert (
        owner.read("/admin/tasks/new?title=%22%3E%3Cscript%3E&status=lost").form("/admin/tasks/new")["title"]
        == '"><script>'
    )

    (form,) = button(owner, path, "complete")
    reading = owner.follow(owner.send(form.action, form.fields))

    assert reading.said("p", role="status") == ["The task was completed."]
    assert shown(server, tenant, path)["status"] == "completed" and button(owner, path, "complete") == []
    head = operator.head(tenant)
    assert without_undo(led_to(owner.send(form.action, {"once": "another"}))) == f"{path}?done=complete"
    assert operator.head(tenant) == head
    for done in ("paid", "<b>", "changed2"):
        assert owner.read(f"{path}?done={done}").said("p", role="status") == []
    # Reading about a task does not complete it.
    assert refused(owner.get(form.action), 405)


def test_what_cannot_be_done_is_said_on_the_page(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    path = made(server, tenant, "showings", **JANE, status="cancelled")
    head = operator.head(tenant)
    late = page(owner.send(path, own_form(owner, path).filled(status="completed", name="Jane <Doe>")), 400)
    assert late.problem and late.form(path)["status"] == "completed" and late.form(path)["name"] == "Jane <Doe>"
    assert operator.head(tenant) == head


@pytest.mark.parametrize(
    ("kind", "typed", "happens"),
    [
        ("leads", {"status": "contacted", "phone": "208-555-0123", "message": "Later"}, "lead.updated"),
        ("contacts", {"tags": "later", "phone": "208-555-0123"}, "contact.updated"),
        ("properties", {"price": "1", "status": "SOLD"}, "property.updated"),
        ("showings", {"preferredTime": "Noon", "message": "Both"}, "showing.updated"),
        ("tasks", {"status": "completed", "title": "Called"}, "task.completed"),
    ],
)
def test_an_endpoint_gets_one_message_a_save(
    server: Server, tenant: Tenant, owner: Reader, kind: str, typed: dict[str, str], happens: str
) -> None:
    def told() -> list[str]:
        return [one["event"] for one in feed(server, tenant).json]

    path = entered(owner, RESOURCES[kind])
    created = f"{happens.partition('.')[0]}.created"
    assert told() == [created]
    saved(owner, path)
    assert told() == [created]

    saved(owner, path, **typed)

    assert told() == [created, happens]
    for form in button(owner, path, "convert"):
        owner.send(form.action, form.fields)
        assert sorted(told()[2:]) == ["contact.created", "lead.updated"]


def test_more_than_one_page(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    operator.fill(tenant, 101)
    ana = operator.agent(tenant, "Ana")
    mine = {made(server, tenant, "leads", **JANE, assignedToId=ana, source="A & B") for _ in range(51)}
    seen: list[str] = []
    for query, lengths in (("", (40, 40, 40, 32)), (f"source=A+%26+B&assignedToId={ana}&status=new", (40, 11))):
        address, seen = f"/admin/leads?{query}", []
        for number, length in enumerate(lengths, start=1):
            reading = owner.read(address)
            leads = [link for link in reading.links if link.startswith("/admin/leads/c")]
            older = [link for link in reading.links if "cursor=" in link]
            assert len(leads) == length and len(older) == (number < len(lengths))
            if query:
                kept = {"status": "new", "source": "A & B", "assigned": ana}
                assert kept.items() <= dict(reading.form("/admin/leads").fields).items()
            seen += leads
            address = older[0] if older else ""
        assert len(set(seen)) == sum(lengths)
    assert set(seen) == mine
    # Users come by name in numbered pages.
    for number in range(50):
        operator.agent(tenant, f"Agent {number:02}")
    first = owner.read("/admin/users")
    (following,) = [link for link in first.links if "page=" in link]
    second = owner.read(following)
    names = [cell for reading in (first, second) for cell in reading.said("td")[::5]]
    assert names == [f"Agent {number:02}" for number in range(50)] + ["Ana", "Olivia Owner"]
    assert [link for link in second.links if "page=" in link] == ["/admin/users?page=1"]
    assert ana.encode() in owner.get("/admin/pick?kind=user&q=ana").body
