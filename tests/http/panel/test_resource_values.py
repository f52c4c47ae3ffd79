"""Values that a form could easily spoil: times on two clocks, exact prices, names, tags, people who have left."""

from typing import Any

import pytest

from aureum.http.access.roles import NOT_YOURS_TO_CHANGE
from aureum.http.panel.page import STALE
from tests.http.api.staff.logins import changed, joined, log_in
from tests.http.api.tours.tour_requests import HOUSE
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, led_to, page
from tests.http.panel.resources import events, own_form, saved, without_undo
from tests.http.serving import JANE, Server

KATHMANDU = "Asia/Kathmandu"


def made(server: Server, tenant: Tenant, kind: str, **fields: Any) -> str:
    """The address of the page of something that the API has made."""
    answer = server.by_key(tenant, "POST", f"/api/{kind}", fields)
    assert answer.status == 201, answer.body
    return f"/admin/{kind}/{answer.json['id']}"


def shown(server: Server, tenant: Tenant, path: str) -> Any:
    return server.by_key(tenant, "GET", path.replace("/admin/", "/api/")).json


@pytest.mark.parametrize(
    ("due", "typed", "sent"),
    [
        ("2025-01-15T10:30:00.000Z", "2025-01-15T03:30:00", ("2025-07-15T03:30", "2025-07-15T09:30:00.000Z")),
        # The second of two hours that look alike, with a fraction: it stays what it was.
        ("2025-11-02T08:30:15.250Z", "2025-11-02T01:30:15", ("2025-11-02T01:30", "2025-11-02T07:30:00.000Z")),
        # Jumped over, which is as much later.
        ("2025-03-09T09:00:00.000Z", "2025-03-09T03:00:00", ("2025-03-09T02:30", "2025-03-09T09:30:00.000Z")),
        # Beyond what a clock in Boise can show.
        ("0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00", ("", None)),
    ],
)
def test_a_due_date_is_on_the_brokerages_clock(
    server: Server, tenant: Tenant, owner: Reader, due: str, typed: str, sent: tuple[str, str | None]
) -> None:
    path = made(server, tenant, "tasks", title="Call", dueDate=due)
    assert own_form(owner, path)["dueDate"] == typed

    saved(owner, path, title="Call Jane", dueDate=typed.removesuffix(":00"))
    assert shown(server, tenant, path)["dueDate"] == due
    saved(owner, path, dueDate=sent[0])

    assert shown(server, tenant, path)["dueDate"] == sent[1]


def test_a_showing_is_on_the_clock_where_the_property_is(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    house = made(server, tenant, "properties", **HOUSE, timeZone=KATHMANDU).rpartition("/")[2]
    path = made(server, tenant, "showings", **JANE, propertyId=house, startsAt="2025-03-09T10:00:00")
    assert shown(server, tenant, path)["startsAt"] == "2025-03-09T04:15:00.000Z"
    reading = owner.read(path)
    assert reading.form(path)["startsAt"] == "2025-03-09T10:00:00"
    assert "9 Mar 2025, 10:00 +0545" in reading.said("dd") and KATHMANDU in reading.said("dd")
    assert "9 Mar 2025, 10:00 +0545" in owner.read("/admin/showings?view=list").said("td")

    saved(owner, path, startsAt="2025-03-09T02:30", status="confirmed")

    assert shown(server, tenant, path)["startsAt"] == "2025-03-08T20:45:00.000Z"
    # In Boise there is no such time, and the API says so; of an hour that there is twice, the second stays.
    home = made(server, tenant, "showings", **JANE, startsAt="2025-11-02T08:30:00Z")
    head = operator.head(tenant)
    refused = page(owner.send(home, own_form(owner, home).filled(startsAt="2025-03-09T02:30")), 400)
    assert refused.problem.startswith("startsAt is a time that does not exist") and operator.head(tenant) == head
    assert refused.form(home)["startsAt"] == "2025-03-09T02:30"
    saved(owner, home, message="With the children")
    assert shown(server, tenant, home)["startsAt"] == "2025-11-02T08:30:00.000Z"


def test_prices_are_exact(server: Server, tenant: Tenant, owner: Reader) -> None:
    amounts = {"price": 9999999999999.99, "bathrooms": 2.5, "sqft": 0.01, "bedrooms": 0}
    path = made(server, tenant, "properties", **HOUSE, **amounts)
    form = own_form(owner, path)
    assert [form[name] for name in amounts] == ["$9,999,999,999,999.99", "2.5", "0.01", "0"]
    assert "$9,999,999,999,999.99" in str(owner.read("/admin/properties").said("td"))

    saved(owner, path, title="Villa")
    assert shown(server, tenant, path) | amounts == shown(server, tenant, path)

    for typed, price in (("450000.50", 450000.5), ("0.01", 0.01), ("450,000", 450000), ("", None)):
        saved(owner, path, price=typed)
        assert shown(server, tenant, path)["price"] == price
    for typed in ("450,00", "-1", "1.005", "10000000000000", "free"):
        refused = page(owner.send(path, own_form(owner, path).filled(price=typed)), 400)
        assert refused.problem and refused.form(path)["price"] == typed


def test_who_has_one_name_only(server: Server, tenant: Tenant, owner: Reader) -> None:
    path = made(server, tenant, "leads", name="Cher", email="cher@example.com")
    assert own_form(owner, path)["lastName"] == ""

    saved(owner, path, phone="208-555-0123", status="contacted")

    lead = shown(server, tenant, path)
    assert (lead["name"], lead["phone"], lead["status"]) == ("Cher", "208-555-0123", "contacted")
    form = owner.read(path).form(f"{path}/convert")
    assert owner.send(form.action, form.fields).status == 303
    contact = f"/admin/contacts/{shown(server, tenant, path)['contactId']}"
    assert owner.read(contact).said("h1") == ["Cher"]
    saved(owner, contact, score="7")
    assert shown(server, tenant, contact)["score"] == 7
    # One name that there was is not taken away.
    refused = page(owner.send(path, own_form(owner, path).filled(firstName="")), 400)
    assert refused.problem.startswith("first_name")


def test_texts_of_other_systems(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    """Line ends, blanks around and commas that no form would send: they stay until a user types there."""
    message = "\r\n First\r\nsecond\nthird\rfourth \n"
    lead = made(server, tenant, "leads", firstName="Mary\nJane", lastName=" Doe ", phone="1\r2", message=message)
    contact = made(server, tenant, "contacts", firstName="A", lastName="B", tags=["vip, at once", "north end"])
    before = operator.head(tenant)

    for path in (lead, contact):
        saved(owner, path)

    assert operator.head(tenant) == before
    saved(owner, contact, score="7")
    assert shown(server, tenant, contact)["tags"] == ["vip, at once", "north end"]
    assert own_form(owner, contact)["tags"] == "vip, at once, north end"
    saved(owner, lead, status="contacted")
    assert shown(server, tenant, lead)["message"] == message
    saved(owner, lead, message="One\r\nTwo")
    reading = owner.read(lead)
    assert reading.form(lead)["message"] == "One\r\nTwo"
    saved(owner, contact, tags=" vip,, VIP , north end, ")
    assert shown(server, tenant, contact)["tags"] == ["vip", "VIP", "north end"]


def test_who_is_no_choice_any_more(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    gone = joined(operator, tenant.id, password=None)
    task = made(server, tenant, "tasks", title="Call", assignedToId=owner_id(owner, gone.name))
    changed(operator, tenant.id, gone, disabled=True)
    before = operator.head(tenant)
    assert "a former user" in str(owner.read("/admin/tasks?assignedToId=all").said("p"))
    assert "a former user" in owner.read(task).said("option")

    saved(owner, task)
    saved(owner, task, title="Call again")

    assert operator.head(tenant) == before + 1 and shown(server, tenant, task)["assignedToId"] is not None
    saved(owner, task, assignedToId="")
    assert shown(server, tenant, task)["assignedToId"] is None
    # A role that an owner cannot give stays as it is, until it is taken away.
    admin = operator.staff(tenant.id, "platform_admin", "Ada")
    path, before = f"/admin/users/{admin.number}", operator.head(tenant)
    form = own_form(owner, path)
    assert form["role"] == "platform_admin" and "platform admin" not in owner.read("/admin/users/new").said("option")
    refused = page(owner.send(path, form.filled(name="Adam")), 400)
    assert refused.problem == NOT_YOURS_TO_CHANGE and refused.form(path)["role"] == "platform_admin"
    saved(owner, path)
    assert operator.head(tenant) == before


def owner_id(owner: Reader, name: str) -> str:
    """The id that stands behind a name wherever a user is chosen."""
    body = owner.get("/admin/tasks/new").body.decode()
    before, _, _ = body.partition(f'">{name}</option>')
    return before.rpartition('<option value="')[2]


def test_a_password_with_blanks_around_it(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    user = joined(operator, tenant.id, password=None)
    path = f"/admin/users/{user.number}"
    saved(owner, path, password="  eight words and two  ")
    assert log_in(server, user.email, "  eight words and two  ").status == 200
    before = operator.head(tenant)
    refused = page(owner.send(path, own_form(owner, path).filled(password="   ")), 400)
    assert refused.problem.startswith("password") and operator.head(tenant) == before
    saved(owner, path, password="")
    assert operator.head(tenant) == before and log_in(server, user.email, "  eight words and two  ").status == 200


def test_saved_twice_is_one_change_and_refused_it_is_still_of_what_was_seen(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    lead = server.lead(tenant)["id"]
    settings = owner.read("/admin/settings").form("/admin/settings")
    for path, good, wrong, mended in (
        (f"/admin/leads/{lead}", {"status": "contacted"}, {"email": "nobody"}, {"email": "nobody@example.com"}),
        ("/admin/settings", {"name": "Another"}, {"country": "Mars"}, {"country": "DE"}),
    ):
        mine = owner.read(path).form(path)
        places = events(operator)
        for _ in range(2):
            assert without_undo(led_to(owner.send(path, mine.filled(**good)))) == f"{path}?done=changed"
        assert events(operator) == places + 1

        refused = page(owner.send(path, mine.filled(**wrong)), 400).form(path)

        assert refused["etag"] == mine["etag"], "not yet of what has changed since"
        late = page(owner.send(path, refused.filled(**mended)), 400)
        assert late.problem == STALE and late.form(path)["etag"] != mine["etag"]
        assert events(operator) == places + 1
    owner.send("/admin/settings", owner.read("/admin/settings").form("/admin/settings").filled(name=settings["name"]))
