"""A lead's page in a browser: a call is logged with the keyboard and undone by the toast; the lead as it was, by the
slider and without script."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_panel import heading, is_fine
from tests.browser.visitor import PHONE, Visitor
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

LONG = "Asked for a call back about Saturday's showing.\n" + "They would rather have a yard for two dogs. " * 8


def test_a_call_is_logged_with_the_keyboard_and_undone(
    visitor: Visitor, server: Server, operator: Operator, tenant: Tenant
) -> None:
    agent = operator.staff(tenant.id, "agent", "Ana Agent")
    lead = server.lead(tenant, assignedToId=agent.id)["id"]
    earlier = {"type": "email", "direction": "inbound", "text": LONG, "at": "2026-01-30"}
    assert server.by_key(tenant, "POST", f"/api/leads/{lead}/activities", earlier).status == 201
    visitor.page.context.add_cookies([{"name": "aureum", "value": agent.token, "url": visitor.site}])
    page = visitor.page
    entries = page.locator(".timeline > .entry")
    visitor.go(f"/admin/leads/{lead}")
    name = heading(visitor).inner_text()
    assert is_fine(visitor)

    page.get_by_label("Note, or what was said").focus()
    page.keyboard.type("Will call back.")
    page.get_by_role("button", name="Left a message").press("Enter")

    expect(page.get_by_role("status")).to_have_text("It was logged.")
    expect(entries.first).to_contain_text("Called: left a message")
    expect(entries.first).to_contain_text("Ana Agent")
    expect(entries.first).to_contain_text("Will call back.")
    assert is_fine(visitor) and "done=" not in page.url

    # What the key has logged an agent does not correct.
    expect(page.get_by_role("link", name="Correct")).to_have_count(1)
    page.get_by_role("link", name="Correct: Called: left a message").focus()
    page.keyboard.press("Enter")
    expect(heading(visitor)).to_have_text("Called: left a message")
    assert is_fine(visitor)
    page.get_by_label("What was said or agreed").fill("Will call back on Monday.")
    page.get_by_role("button", name="Save").press("Enter")
    expect(entries.first).to_contain_text("on Monday.")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("The change was undone.")
    expect(heading(visitor)).to_have_text(name)
    page.get_by_text("Lost…").click()
    page.locator(".lost select").select_option("financing")
    page.get_by_role("button", name="Mark as lost").click()
    expect(entries.first).to_contain_text("Lost because Financing")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("button", name="New", exact=True)).to_have_attribute("aria-current", "step")
    assert is_fine(visitor) and visitor.is_content()


def test_the_lead_as_it_was_and_a_toast_that_leaves(
    visitor: Visitor, server: Server, operator: Operator, tenant: Tenant
) -> None:
    broker = operator.staff(tenant.id, "broker", "Bea Broker")
    lead = server.lead(tenant, subject="A yard")["id"]
    for subject in ("A garden", "A farm"):
        server.ask("PATCH", f"/api/leads/{lead}", {"subject": subject}, broker.bearer)
    visitor.page.context.add_cookies([{"name": "aureum", "value": broker.token, "url": visitor.site}])
    page = visitor.page
    page.clock.install()
    visitor.go(f"/admin/leads/{lead}?done=changed&undo=3")
    slider = page.get_by_role("slider")
    toast = page.locator(".toast")
    expect(toast).to_contain_text("The lead was saved.")

    slider.focus()
    page.keyboard.press("Home")
    expect(page.get_by_text("As it was on")).to_be_visible()
    expect(page.locator("#lead")).not_to_contain_text("A garden")
    assert is_fine(visitor) and "asOf=" in page.url
    page.keyboard.press("End")
    expect(page.get_by_text("As it was on")).to_have_count(0)
    expect(page.locator("#lead")).to_contain_text("A farm")
    page.clock.run_for(12_000)
    expect(toast).to_have_count(0)
    assert visitor.is_content()


def test_without_script(browser: Browser, server: Server, operator: Operator, tenant: Tenant) -> None:
    broker = operator.staff(tenant.id, "broker", "Bea Broker")
    lead = server.lead(tenant, subject="A yard")["id"]
    server.ask("PATCH", f"/api/leads/{lead}", {"subject": "A garden"}, broker.bearer)
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    site = f"http://{tenant.domain}:{server.port}"
    context.add_cookies([{"name": "aureum", "value": broker.token, "url": site}])
    page = context.new_page()
    page.goto(f"{site}/admin/leads/{lead}")
    page.get_by_role("button", name="Called, no answer").click()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator(".timeline > .entry").first).to_contain_text("Removed: Called: no answer")
    page.get_by_role("link", name="As of then").last.click()
    expect(page.get_by_text("As it was on")).to_be_visible()
    expect(page.locator("#lead")).not_to_contain_text("A garden")
    page.get_by_role("link", name="Back to now").click()
    expect(page.get_by_text("A garden").first).to_be_visible()
    context.close()
