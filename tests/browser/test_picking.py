"""What a task is about is picked by typing a name: by keyboard, by mouse or finger, and without script. Lists are
narrowed while words are typed."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_panel import heading, is_fine
from tests.browser.visitor import PHONE, Visitor
from tests.http.api.tours.tour_requests import HOUSE
from tests.http.operator import Operator, Tenant
from tests.http.panel.test_resource_values import made
from tests.http.serving import JANE, Server

pytestmark = pytest.mark.browser

PEOPLE: tuple[dict[str, str], ...] = (
    {},
    {"email": "other@example.com"},
    {"name": "Janet <b>Jones", "email": "janet@example.com"},
)


def test_names_are_suggested(visitor: Visitor, server: Server, operator: Operator, tenant: Tenant) -> None:
    for fields in PEOPLE:
        made(server, tenant, "leads", **JANE | fields)
    made(server, tenant, "properties", **HOUSE)
    broker = operator.staff(tenant.id, "broker", "Bea Broker")
    visitor.page.context.add_cookies([{"name": "aureum", "value": broker.token, "url": visitor.site}])
    page = visitor.page
    visitor.go("/admin/tasks/new")
    page.get_by_label("Title").fill("Call")
    lead, found = page.get_by_role("combobox", name="Lead"), page.get_by_role("listbox").get_by_role("option")
    page.get_by_label("Lead", exact=False).focus()
    page.keyboard.type("jan")
    expect(found).to_have_count(3)
    expect(lead).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_contain_text("Janet <b>Jones")
    page.keyboard.press("Escape")
    expect(found).to_have_count(0)
    assert heading(visitor).inner_text() == "New task" and is_fine(visitor)
    page.keyboard.press("ArrowUp")
    expect(found).to_have_count(3)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(lead).to_have_value("Jane Doe")
    # The mouse, or a finger.
    page.get_by_label("Property").click()
    page.keyboard.type("palm")
    found.filter(has_text="A house").click()
    page.get_by_role("button", name="Create task").click()

    expect(page.get_by_role("status")).to_have_text("The task was created.")
    expect(page.get_by_role("textbox", name="Lead")).to_have_value("Jane Doe")
    expect(page.get_by_role("textbox", name="Property")).to_have_value("A house")
    oldest = server.by_key(tenant, "GET", "/api/leads").json[-1]
    assert server.by_key(tenant, "GET", "/api/tasks").json[0]["leadId"] == oldest["id"]
    assert is_fine(visitor)


def test_without_script_the_form_asks(browser: Browser, server: Server, operator: Operator, tenant: Tenant) -> None:
    for fields in PEOPLE:
        made(server, tenant, "leads", **JANE | fields)
    broker, site = operator.staff(tenant.id, "broker", "Bea Broker"), f"http://{tenant.domain}:{server.port}"
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:
        context.add_cookies([{"name": "aureum", "value": broker.token, "url": site}])
        page = context.new_page()
        page.goto(f"{site}/admin/tasks/new")
        page.get_by_label("Title").fill("Call")
        page.get_by_label("Lead", exact=False).fill("jane doe")
        page.get_by_label("Lead", exact=False).press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Choose the lead that you mean")
        expect(page.get_by_label("Title")).to_have_value("Call")
        page.get_by_role("group", name="Which lead?").get_by_label("other@example.com").check()
        page.get_by_role("button", name="Create task").click()
        expect(page.get_by_role("status")).to_have_text("The task was created.")
    ((task,), leads) = (server.by_key(tenant, "GET", f"/api/{kind}").json for kind in ("tasks", "leads"))
    assert task["leadId"] == next(lead["id"] for lead in leads if lead["email"] == "other@example.com")


def test_a_list_is_narrowed_while_words_are_typed(
    visitor: Visitor, server: Server, operator: Operator, tenant: Tenant
) -> None:
    for name, kind in (("Ann", "BUYER"), ("Bob", "SELLER"), ("Anna", "SELLER")):
        made(server, tenant, "contacts", firstName=name, lastName="Lee", type=kind)
    broker = operator.staff(tenant.id, "broker", "Bea Broker")
    visitor.page.context.add_cookies([{"name": "aureum", "value": broker.token, "url": visitor.site}])
    page, rows = visitor.page, visitor.page.locator("tbody tr")
    visitor.go("/admin/contacts")
    expect(rows).to_have_count(3)
    page.get_by_role("searchbox").press_sequentially("ann")
    expect(rows).to_have_count(2)
    expect(page).to_have_url(f"{visitor.site}/admin/contacts?search=ann")
    page.get_by_role("list", name="Contacts").get_by_role("link", name="Seller").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Anna Lee")
    assert is_fine(visitor)
