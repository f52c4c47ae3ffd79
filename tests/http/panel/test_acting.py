"""A platform admin acts for one brokerage at a time: it is chosen on every page, always shown, and in the forms."""

from typing import Any

import pytest

from aureum.domain.ids import PLATFORM
from aureum.http.panel.acting import CHOOSE
from aureum.http.panel.leads import NOT_OF_IT
from aureum.http.panel.resource_new import CHOOSE_IN_FORM
from tests.http.api.staff.keys import number_of
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.reading import Reading
from tests.http.panel.resources import own_form, saved
from tests.http.serving import Server

ACTING = "/admin/brokerages/acting"
LEAD = {
    "first_name": "Jane",
    "last_name": "Doe",
    "email": "jane@example.com",
    "subject": "Walk-in",
    "message": "Came into the office.",
    "notes": "Called\nback.",
}


@pytest.fixture
def admin(server: Server, operator: Operator) -> Reader:
    return as_staff(server, operator.staff(PLATFORM, "platform_admin", "Ada"))


def act_for(reader: Reader, number: int, following: str = "/admin/leads") -> Reading:
    """The page that follows the choice at the top of a page."""
    return reader.follow(reader.send(ACTING, {"brokerage": str(number), "next": following}))


def renamed(operator: Operator, tenant: Tenant, name: str) -> int:
    """Its number."""
    operator.rows("UPDATE brokerages SET name = %(name)s WHERE tenant_id = %(tenant)s", tenant=tenant.id, name=name)
    return number_of(operator, tenant)


def entered(server: Server, tenant: Tenant) -> list[dict[str, Any]]:
    """The leads of the brokerage, as its owner's dashboard gets them."""
    found: list[dict[str, Any]] = server.by_key(tenant, "GET", "/api/leads").json
    return found


def test_a_lead_is_entered_by_staff_and_told_from_organic_ones(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    broker, ana = operator.staff(tenant.id, "broker"), operator.staff(tenant.id, "agent", "Ana Agent")
    reader = as_staff(server, broker)
    form = reader.read("/admin/leads/new").form("/admin/leads/new")
    assert "source" not in form.names and "brokerage_id" not in form.names

    path = led_to(reader.send(form.action, form.filled(**LEAD, assigned_agent_id=ana.id))).removesuffix("?done=created")

    (lead,) = entered(server, tenant)
    assert path == f"/admin/leads/{lead['id']}" and lead["assignedToId"] == ana.id
    ((number,),) = operator.rows("SELECT number FROM lead_list WHERE tenant_id = %(tenant)s", tenant=tenant.id)
    shown = server.ask("GET", f"/api/v1/admin/leads/{number}", headers=broker.bearer).json
    origin = {name: shown[name] for name in ("source", "source_domain", "source_page")}
    assert origin == {"source": "manual", "source_domain": "admin-manual", "source_page": "/admin/leads"}
    assert shown["notes"] == "Called\nback."
    of_staff = server.ask("GET", "/api/v1/admin/leads?source_domain=admin-manual", headers=broker.bearer).json
    assert of_staff["total"] == 1


def test_notes_are_entered_read_and_told(server: Server, operator: Operator, tenant: Tenant) -> None:
    reader = as_staff(server, operator.staff(tenant.id, "broker", "Bea Broker"))
    path = f"/admin/leads/{server.lead(tenant)['id']}"
    assert own_form(reader, path)["notes"] == ""

    saved(reader, path, notes="Wants a garden.")
    saved(reader, path, notes="Wants a <b>garden</b>.", status="contacted", firstName="Janet")

    form = own_form(reader, path)
    assert (form["notes"], form["firstName"], form["status"]) == ("Wants a <b>garden</b>.", "Janet", "contacted")
    told = " ".join(reader.read(path).said("li", class_="entry"))
    assert "Notes Wants a garden." in told and "· Bea Broker" in told
    assert "Notes Wants a garden. →became Wants a <b>garden</b>." in told
    mine = own_form(reader, path)
    saved(reader, path, notes="Another.")
    late = page(reader.send(path, mine.filled(notes="Later.")), 400)
    assert late.form(path)["notes"] == "Later." and late.problem.startswith("We couldn't save your changes")
    saved(reader, path, notes="")
    assert own_form(reader, path)["notes"] == ""


def test_the_choice_is_on_every_page_and_always_shown(
    server: Server, operator: Operator, tenant: Tenant, admin: Reader
) -> None:
    number, other = renamed(operator, tenant, "Bravo Homes"), operator.brokerage()
    renamed(operator, other, "Alpha Homes")
    before = admin.read("/admin")
    assert before.said("strong") == ["Aureum"] and before.form(ACTING)["brokerage"] == ""
    assert refused(admin.get("/admin/leads"), 400) == CHOOSE
    assert page(admin.get("/admin/leads"), 400).form(ACTING), "also where something is refused"

    reading = act_for(admin, number)

    kinds = (
        "leads",
        "contacts",
        "properties",
        "tasks",
        "showings",
        "webhooks",
        "agents",
        "routing",
        "users",
        "settings",
    )
    news = ("leads", "contacts", "properties", "tasks", "showings", "users")
    paths = ["/admin", "/admin/brokerages", *(f"/admin/{one}" for one in kinds), *(f"/admin/{one}/new" for one in news)]
    for path in paths:
        reading = admin.read(path)
        assert reading.said("strong") == ["Bravo Homes"] and reading.form(ACTING)["brokerage"] == str(number), path
    lead = f"/admin/leads/{server.lead(tenant)['id']}"
    assert lead in admin.read("/admin/leads").links
    saved(admin, lead, notes="By Ada.")
    # What another brokerage has is looked at there.
    foreign = f"/admin/leads/{server.lead(other)['id']}"
    assert "no such" in refused(admin.get(foreign), 404)
    act_for(admin, number_of(operator, other))
    assert foreign in admin.read("/admin/leads").links and admin.read(foreign).said("strong") == ["Alpha Homes"]


@pytest.mark.parametrize(
    ("following", "then"),
    [
        ("/admin/leads/c123", "/admin/leads"),
        ("/admin/leads/new", "/admin/leads/new"),
        ("/admin/settings/api-keys", "/admin/settings"),
        ("/admin/users/7", "/admin/users"),
        ("/admin/brokerages/7", "/admin"),
        ("https://evil.example/admin/leads", "/admin"),
        ("//evil.example/leads", "/admin"),
        ("", "/admin"),
    ],
)
def test_where_it_goes_on(operator: Operator, tenant: Tenant, admin: Reader, following: str, then: str) -> None:
    answer = admin.send(ACTING, {"brokerage": str(number_of(operator, tenant)), "next": following})
    assert led_to(answer) == then


def test_a_lead_for_the_brokerage_that_the_form_names(
    server: Server, operator: Operator, tenant: Tenant, admin: Reader
) -> None:
    other = operator.brokerage()
    number, others = number_of(operator, tenant), number_of(operator, other)
    ana, _ = operator.staff(tenant.id, "agent", "Ana Agent"), operator.staff(other.id, "agent", "Uma Agent")
    form = admin.read("/admin/leads/new").form("/admin/leads/new")
    assert form["brokerage_id"] == ""
    assert page(admin.send(form.action, form.filled(**LEAD)), 400).problem == CHOOSE_IN_FORM

    # Chosen in the address, or by a form that was refused, its staff is offered.
    assert "Ana Agent" in admin.read(f"/admin/leads/new?brokerage_id={number}").said("option")
    wrong = page(admin.send(form.action, form.filled(**LEAD | {"email": "x"}, brokerage_id=str(number))), 400)
    kept = wrong.form(form.action)
    assert kept["brokerage_id"] == str(number) and "Ana Agent" in wrong.said("option")
    assert "Uma Agent" not in wrong.said("option")
    mixed = page(admin.send(form.action, kept.filled(**LEAD, brokerage_id=str(others), assigned_agent_id=ana.id)), 400)
    assert mixed.problem == NOT_OF_IT and "Uma Agent" in mixed.said("option")
    assert entered(server, tenant) == entered(server, other) == []

    answer = admin.send(form.action, kept.filled(**LEAD, assigned_agent_id=ana.id))

    reading = admin.follow(answer)
    (lead,) = entered(server, tenant)
    assert led_to(answer) == f"/admin/leads/{lead['id']}?done=created" and lead["assignedToId"] == ana.id
    assert reading.form(ACTING)["brokerage"] == str(number), "from now on it is that one"


def test_no_user_without_a_brokerage_by_accident(operator: Operator, tenant: Tenant, admin: Reader) -> None:
    number = number_of(operator, tenant)
    form = admin.read("/admin/users/new").form("/admin/users/new")
    typed = {"name": "Ana", "email": f"ana{number}@example.com", "role": "agent"}
    assert form["brokerage_id"] == ""
    for brokerage in ("", "0", "-1", "x", "9" * 30):
        sent = [*((n, v) for n, v in form.filled(**typed) if n != "brokerage_id"), ("brokerage_id", brokerage)]
        assert page(admin.send(form.action, sent), 400).problem == CHOOSE_IN_FORM
    assert operator.rows("SELECT FROM users WHERE email = %(email)s", email=typed["email"]) == []

    act_for(admin, number)
    again = admin.read("/admin/users/new").form("/admin/users/new")
    assert again["brokerage_id"] == str(number), "the one acted for"
    path = led_to(admin.send(again.action, again.filled(**typed))).removesuffix("?done=invited")
    assert path in admin.read("/admin/users").links
    ((of,),) = operator.rows("SELECT tenant_id FROM users WHERE email = %(email)s", email=typed["email"])
    assert of == tenant.id


def test_settings_and_keys_are_those_of_the_brokerage_acted_for(
    server: Server, operator: Operator, tenant: Tenant, admin: Reader
) -> None:
    number = number_of(operator, tenant)
    act_for(admin, number)
    assert saved(admin, "/admin/settings", name="Renamed Homes").said("strong") == ["Renamed Homes"]
    keys = "/admin/settings/api-keys"
    made = page(admin.send(keys, admin.read(keys).form(keys).filled(name="Website")), 201)
    assert made.said("code")
    owner = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    assert "Website" in " ".join(owner.read(keys).said("td"))


def test_who_belongs_to_a_brokerage_chooses_none(server: Server, operator: Operator, tenant: Tenant) -> None:
    other = number_of(operator, operator.brokerage())
    for role in ("agent", "broker", "brokerage_owner"):
        reader = as_staff(server, operator.staff(tenant.id, role))
        assert "Only a platform admin may" in refused(reader.send(ACTING, {"brokerage": str(other)}), 403)
        mine = reader.read("/admin").said("strong")
        reader.cookies["aureum-acting"] = str(other)
        assert reader.read("/admin").said("strong") == mine
        assert not [form for form in reader.read("/admin/leads/new").forms if form.action == ACTING]


def test_a_choice_that_is_none(operator: Operator, tenant: Tenant, admin: Reader) -> None:
    for wrong in ("", "0", "x", "9" * 30, "-1"):
        assert "no such brokerage" in refused(admin.send(ACTING, {"brokerage": wrong}), 404)
        admin.cookies["aureum-acting"] = wrong
        assert admin.read("/admin").form(ACTING)["brokerage"] == ""
    number = number_of(operator, tenant)
    act_for(admin, number)
    saved(admin, f"/admin/brokerages/{number}", disabled="yes", domains="")
    assert admin.read("/admin").said("strong") == ["Aureum"], "it is disabled"
    assert str(number) not in [value for name, value in admin.read("/admin").form(ACTING).fields if name == "brokerage"]
