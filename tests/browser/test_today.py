"""Today in a browser: an agent works off the morning from this page, on a desktop and on a phone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from aureum.domain.ids import aureum_time
from tests.browser.test_panel import heading, is_fine
from tests.browser.visitor import Visitor
from tests.http.operator import Operator, Tenant
from tests.http.serving import JANE, Server

pytestmark = pytest.mark.browser


def test_an_agent_works_off_the_morning(visitor: Visitor, server: Server, operator: Operator, tenant: Tenant) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana Agent")
    mine = {"assignedToId": ana.id}
    for name in ("Maria Gomez", "Wei Chen"):
        server.lead(tenant, name=name, phone="208-555-0123", **mine)
    due = {"title": "Call back", "dueDate": aureum_time(datetime.now(UTC) - timedelta(hours=1)), **mine}
    assert server.by_key(tenant, "POST", "/api/tasks", due).status == 201
    day = datetime.now(ZoneInfo("America/Boise")).date()
    showing = JANE | mine | {"listingId": "2024", "startsAt": f"{day}T15:30:00"}
    assert server.by_key(tenant, "POST", "/api/showings", showing).status == 201
    page = visitor.page
    page.context.add_cookies([{"name": "aureum", "value": ana.token, "url": visitor.site}])
    visitor.go("/admin")
    expect(heading(visitor)).to_have_text("Today")
    assert is_fine(visitor)
    # The first row of work is on the first screen, with its next step.
    first = page.locator(".work").first
    box, screen = first.bounding_box(), page.viewport_size
    assert box is not None and screen is not None and box["y"] + box["height"] < screen["height"]
    expect(first.get_by_role("link", name="Call Wei Chen")).to_have_attribute("href", "tel:2085550123")
    for button in first.get_by_role("button").all():
        size = button.bounding_box()
        assert size is None or screen["width"] > 500 or size["height"] >= 44
    first.get_by_role("button", name="More about Wei Chen").click()
    assert visitor.fits()
    page.get_by_role("button", name="Called: no answer").click()
    expect(page.get_by_role("status")).to_have_text("The call was logged.")
    page.get_by_role("button", name="Contacted: Maria Gomez").click()
    expect(page.locator("#unanswered")).to_contain_text("No lead is waiting for an answer.")
    page.get_by_role("button", name="Friday 9:00: Call back").click()
    expect(page.locator("#due")).to_contain_text("No tasks are due today.")
    page.get_by_role("button", name="Confirm: Jane Doe").click()
    expect(page.locator("#showings")).to_contain_text("Confirmed")
    assert is_fine(visitor)
