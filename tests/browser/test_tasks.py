"""Tasks in a browser: put off to Friday and completed by hand and by keyboard, on a large screen and on a phone."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from aureum.domain.ids import aureum_time
from tests.browser.test_showings import owner, said
from tests.browser.visitor import PHONE, Visitor
from tests.http.operator import Tenant
from tests.http.serving import Server

__all__ = ["owner"]

pytestmark = pytest.mark.browser


def test_a_task_is_put_off_to_friday_and_completed(owner: Visitor, server: Server, tenant: Tenant) -> None:
    late = aureum_time(datetime.now(UTC) - timedelta(days=2))
    task = server.by_key(tenant, "POST", "/api/tasks", {"title": "Follow up", "dueDate": late}).json
    owner.go("/admin")
    owner.page.get_by_role("link", name="Tasks", exact=True).click()
    owner.page.get_by_role("link", name="Everyone's").click()

    row = owner.page.locator(".items > li", has_text="Follow up")
    expect(row.get_by_text("Overdue")).to_be_visible()
    place = row.bounding_box()
    assert place is not None and owner.fits()
    assert owner.page.viewport_size != PHONE or place["y"] + place["height"] < PHONE["height"]
    owner.page.get_by_role("button", name="Snooze: Follow up").click()
    owner.page.get_by_role("button", name="Friday 9:00").click()
    said(owner, "The task was put off.")
    due = datetime.fromisoformat(server.by_key(tenant, "GET", f"/api/tasks/{task['id']}").json["dueDate"])
    assert (due.weekday(), due > datetime.now(UTC)) == (4, True)

    owner.page.get_by_role("button", name="Done: Follow up").focus()
    owner.page.keyboard.press("Enter")
    said(owner, "The task was completed.")
    assert server.by_key(tenant, "GET", f"/api/tasks/{task['id']}").json["status"] == "completed"
    assert owner.fits() and owner.is_content()
