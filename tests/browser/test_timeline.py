"""The timeline in a browser, with the keyboard alone: a call is logged, found first, corrected and removed."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_panel import heading, is_fine
from tests.browser.visitor import Visitor
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

LONG = "Asked for a call back about Saturday's showing.\n" + "They would rather have a yard for two dogs. " * 8


def test_a_call_is_logged_with_the_keyboard(
    visitor: Visitor, server: Server, operator: Operator, tenant: Tenant
) -> None:
    agent = operator.staff(tenant.id, "agent", "Ana Agent")
    lead = server.lead(tenant, assignedToId=agent.id)["id"]
    earlier = {"type": "email", "direction": "inbound", "text": LONG, "at": "2026-01-30"}
    assert server.by_key(tenant, "POST", f"/api/leads/{lead}/activities", earlier).status == 201
    visitor.page.context.add_cookies([{"name": "aureum", "value": agent.token, "url": visitor.site}])
    page = visitor.page
    visitor.go(f"/admin/leads/{lead}")
    name = heading(visitor).inner_text()
    assert is_fine(visitor)

    page.get_by_label("What happened").focus()
    page.keyboard.type("Called: left")
    page.get_by_label("Minutes").focus()
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.type("Will call back.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_have_text("It was logged.")
    first = page.get_by_role("listitem").first
    expect(first).to_contain_text("Called: left a message, 2 min")
    expect(first).to_contain_text("Ana Agent")
    expect(first).to_contain_text("Will call back.")
    expect(page.get_by_role("listitem").last).to_contain_text("API key")
    assert is_fine(visitor)

    # What the key has logged an agent does not correct.
    expect(page.get_by_role("link", name="Correct")).to_have_count(1)
    page.get_by_role("link", name="Correct: Called: left a message").focus()
    page.keyboard.press("Enter")
    expect(heading(visitor)).to_have_text("Called: left a message, 2 min")
    assert is_fine(visitor)
    page.get_by_label("What was said or agreed").fill("Will call back on Monday.")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("listitem").first).to_contain_text("on Monday.")
    page.get_by_role("link", name="Correct: Called: left a message").click()
    page.get_by_role("button", name="Remove").press("Enter")
    expect(heading(visitor)).to_have_text(name)
    expect(page.get_by_role("listitem")).to_have_count(1)
    assert is_fine(visitor) and visitor.is_content()
