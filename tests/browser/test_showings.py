"""The calendar of showings in a browser: moved by mouse and by keyboard, on a phone the hours of today."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.visitor import DESKTOP, PHONE, Visitor, visiting
from tests.http.api.tours.test_showings import entered
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

BOISE = ZoneInfo("America/Boise")
WEEK = "/admin/showings?week=2027-W03"


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def owner(
    browser: Browser, server: Server, operator: Operator, tenant: Tenant, request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    """An owner who has logged in."""
    with visiting(browser, f"http://{tenant.domain}:{server.port}", request.param) as visitor:
        staff = operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")
        visitor.page.context.add_cookies([{"name": "aureum", "value": staff.token, "url": visitor.site}])
        yield visitor


def starts(server: Server, tenant: Tenant, showing: dict[str, Any]) -> str:
    """When the showing starts now, on the clock of Boise."""
    found = server.by_key(tenant, "GET", f"/api/showings/{showing['id']}").json["startsAt"]
    return datetime.fromisoformat(found).astimezone(BOISE).strftime("%Y-%m-%d %H:%M")


def item(visitor: Visitor, name: str) -> Locator:
    return visitor.page.locator(".showing", has_text=name)


def said(visitor: Visitor, text: str) -> None:
    expect(visitor.page.get_by_role("status").filter(has_text=text)).to_be_visible()


@pytest.mark.parametrize("owner", [DESKTOP], ids=["desktop"], indirect=True)
def test_a_showing_is_moved_by_mouse_and_by_keyboard(owner: Visitor, server: Server, tenant: Tenant) -> None:
    showing = entered(server, tenant, name="Jane Doe", startsAt="2027-01-18T09:30", status="confirmed")
    waiting = entered(server, tenant, name="Will Wait")
    owner.go(WEEK)

    item(owner, "Jane Doe").drag_to(owner.page.locator('[data-start="2027-01-20T11:00"]'))
    said(owner, "The showing was moved.")
    assert starts(server, tenant, showing) == "2027-01-20 11:30"
    item(owner, "Will Wait").drag_to(owner.page.locator('[data-start="2027-01-21T10:00"]'))
    expect(owner.page.locator('[data-start="2027-01-21T10:00"]')).to_contain_text("Will Wait")
    assert starts(server, tenant, waiting) == "2027-01-21 10:00"

    owner.page.get_by_role("button", name="Change: Jane Doe").focus()
    owner.page.keyboard.press("Enter")
    field = owner.page.get_by_label("Starts at").locator("visible=true")
    field.fill("2027-01-19T14:15")
    field.press("Enter")
    said(owner, "The showing was moved.")
    assert starts(server, tenant, showing) == "2027-01-19 14:15"
    expect(owner.page.locator('[data-start="2027-01-19T14:00"]')).to_contain_text("14:15")
    assert owner.is_content()


@pytest.mark.parametrize("owner", [DESKTOP], ids=["desktop"], indirect=True)
def test_what_was_changed_meanwhile_is_not_moved(owner: Visitor, server: Server, tenant: Tenant) -> None:
    showing = entered(server, tenant, name="Jane Doe", startsAt="2027-01-18T09:30")
    owner.go(WEEK)
    # Open pages would show the change at once.
    owner.page.route("**/admin/live**", lambda route: route.abort())
    owner.page.reload()
    path = f"/api/showings/{showing['id']}"
    assert server.by_key(tenant, "PATCH", path, {"startsAt": "2027-01-18T12:00"}).status == 200

    item(owner, "Jane Doe").drag_to(owner.page.locator('[data-start="2027-01-20T11:00"]'))

    expect(owner.page.get_by_role("alert")).to_contain_text("this was changed after you opened it")
    assert starts(server, tenant, showing) == "2027-01-18 12:00"
    expect(owner.page.locator("input[name=startsAt]").last).to_have_value("2027-01-20T11:30")


def test_today_by_the_hour(owner: Visitor, server: Server, tenant: Tenant) -> None:
    today = datetime.now(BOISE).replace(hour=10, minute=0, tzinfo=None)
    entered(server, tenant, name="Jane Today", startsAt=today.isoformat(timespec="minutes"))
    entered(server, tenant, name="Tom Tomorrow", startsAt=(today + timedelta(days=1)).isoformat(timespec="minutes"))
    owner.go("/admin/showings")

    first = item(owner, "Jane Today").bounding_box()
    assert first is not None and owner.fits()
    if owner.page.viewport_size == PHONE:
        assert first["y"] + first["height"] < PHONE["height"]
        expect(item(owner, "Tom Tomorrow")).to_be_hidden()
        owner.page.get_by_role("link", name="Next day").locator("visible=true").click()
        expect(item(owner, "Tom Tomorrow")).to_be_visible()
        assert owner.fits()
    owner.page.get_by_role("button", name="Change: ").locator("visible=true").first.click()
    owner.page.get_by_role("button", name="Confirm").locator("visible=true").click()
    said(owner, "The showing was confirmed.")
    assert owner.is_content()
