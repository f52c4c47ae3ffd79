"""The search in a browser: a person is found by keyboard alone from any page, and without script as well."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import DESKTOP, PHONE, Visitor, visiting
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

JANE = {"name": "Jane Doe", "email": "jane@example.com", "phone": "(208) 555-0123"}


@pytest.fixture
def lead(server: Server, tenant: Tenant) -> str:
    """The address of a lead's page."""
    return f"/admin/leads/{server.by_key(tenant, 'POST', '/api/leads', JANE).json['id']}"


@pytest.fixture
def owner(visitor: Visitor, operator: Operator, tenant: Tenant) -> Visitor:
    staff = operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")
    visitor.page.context.add_cookies([{"name": "aureum", "value": staff.token, "url": visitor.site}])
    return visitor


@pytest.fixture
def without_script(browser: Browser, server: Server, operator: Operator, tenant: Tenant) -> Iterator[Visitor]:
    """The same on a phone whose browser runs none."""
    staff = operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")
    with visiting(browser, f"http://{tenant.domain}:{server.port}", PHONE, script=False) as visitor:
        visitor.page.context.add_cookies([{"name": "aureum", "value": staff.token, "url": visitor.site}])
        yield visitor


@pytest.mark.parametrize("visitor", [DESKTOP], indirect=True, ids=["desktop"])
def test_by_keyboard_alone(owner: Visitor, lead: str) -> None:
    owner.go("/admin/tasks")
    page, keyboard = owner.page, owner.page.keyboard
    keyboard.press("/")
    field = page.get_by_label("Search everything")
    expect(field).to_be_focused()
    keyboard.type("+1 208.555.0123")
    expect(page.get_by_role("dialog").get_by_role("link", name="Jane Doe")).to_be_visible()
    keyboard.press("Enter")
    page.wait_for_url(f"**{lead}")

    keyboard.press("Control+k")
    keyboard.type("new ta")
    expect(page.get_by_role("dialog").get_by_role("link")).to_have_text(["New task"])
    keyboard.press("ArrowDown")
    expect(page.get_by_role("dialog").get_by_role("link", name="New task")).to_be_focused()
    keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    # The focus goes back a moment later.
    expect(field).not_to_be_focused()

    keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    keyboard.press("/")
    expect(field).not_to_be_visible()
    keyboard.press("Escape")
    # What a user types into a field is no shortcut.
    note = page.get_by_label("Note, or what was said")
    note.focus()
    keyboard.type("?/")
    expect(note).to_have_value("?/")
    assert owner.is_content()


def test_without_script(without_script: Visitor, lead: str) -> None:
    page = without_script.page
    without_script.go("/admin")
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Search everything").fill("5550123")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Jane Doe").click()
    page.wait_for_url(f"**{lead}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="Webhooks").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Webhooks")
    assert without_script.fits() and without_script.is_content()
