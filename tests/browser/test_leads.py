"""The list and the board of leads in a browser, with script and without."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.test_walk import AXE, SMALL, TARGET, axe
from tests.browser.visitor import PHONE, Visitor, visiting
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import JANE, Server

pytestmark = pytest.mark.browser

__all__ = ["axe"]

LISTED = "table.leads tbody tr"


@pytest.fixture
def owner(visitor: Visitor, operator: Operator, tenant: Tenant) -> Visitor:
    logged_in(visitor, operator.staff(tenant.id, "brokerage_owner", "Olivia Owner"))
    return visitor


def logged_in(visitor: Visitor, staff: Staff) -> None:
    visitor.page.context.add_cookies([{"name": "aureum", "value": staff.token, "url": visitor.site}])


def made(server: Server, tenant: Tenant, **fields: Any) -> str:
    return str(server.by_key(tenant, "POST", "/api/leads", JANE | fields).json["id"])


def lead(server: Server, tenant: Tenant, lead_id: str) -> dict[str, Any]:
    return dict(server.by_key(tenant, "GET", f"/api/leads/{lead_id}").json)


def is_fine(visitor: Visitor, axe: str) -> bool:
    """Whether axe finds nothing, nothing is scrolled sideways, and what is pressed on a phone is large enough."""
    visitor.page.evaluate(axe)
    assert visitor.page.evaluate(AXE) == []
    assert visitor.page.viewport_size != PHONE or visitor.page.evaluate(SMALL, TARGET) == []
    return visitor.fits() and visitor.is_content()


def test_the_list_by_keys_and_dialogs(
    owner: Visitor, server: Server, operator: Operator, tenant: Tenant, axe: str
) -> None:
    agent = operator.staff(tenant.id, "agent", "Andy Agent")
    first, second = made(server, tenant, name="Anna Able"), made(server, tenant, name="Bert Bold")
    page = owner.page
    owner.go("/admin/leads")
    expect(page.locator(LISTED)).to_have_count(2)
    # A new lead appears by itself; what is ticked stays so.
    page.get_by_label("Select Anna Able").check()
    made(server, tenant, name="Cora Cole")
    expect(page.locator(LISTED)).to_have_count(3)
    expect(page.get_by_label("Select Anna Able")).to_be_checked()
    page.get_by_role("button", name="Select all").click()
    page.get_by_text("Move", exact=True).click()
    assert is_fine(owner, axe)
    page.get_by_label("Move to").select_option("Contacted")
    page.get_by_role("button", name="Move selected").click()
    expect(page.get_by_role("status")).to_have_text("3 leads were moved to another status.")

    for key in "jjj":
        press(page, key)
    expect(page.get_by_role("link", name="Anna Able")).to_be_focused()
    press(page, "k")
    press(page, "a")
    dialog = page.get_by_role("dialog", name="Assign Bert Bold")
    assert is_fine(owner, axe)
    dialog.get_by_label("Assigned to").select_option("Andy Agent")
    dialog.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("status")).to_have_text("1 lead was assigned.")
    expect(dialog).to_be_hidden()
    assert lead(server, tenant, second)["assignedToId"] == agent.id
    expect(page.get_by_role("link", name="Bert Bold")).to_be_focused()
    press(page, "n")
    dialog = page.get_by_role("dialog", name="Note about Bert Bold")
    dialog.get_by_label("Note").fill("Called, wants 3 bed")
    dialog.get_by_role("button", name="Add note").click()
    expect(page.get_by_role("status")).to_have_text("1 lead was given a note.")

    page.get_by_role("searchbox").fill("anna")
    expect(page.locator(LISTED)).to_have_count(1)
    assert page.url.endswith("/admin/leads?q=anna")
    page.get_by_role("link", name="New lead").click()
    dialog = page.get_by_role("dialog", name="New lead")
    for label, text in {"First name": "Anna", "Last name": "Able", "Email": "jane@example.com"}.items():
        dialog.get_by_label(label, exact=True).fill(text)
    dialog.get_by_label("Subject").fill("Walk-in")
    dialog.get_by_label("Message").fill("Wants a garden.")
    dialog.get_by_role("button", name="Create lead").click()
    page.wait_for_url("**?done=created")
    expect(page.get_by_role("heading", level=1)).to_have_text("Anna Able")
    assert first not in page.url and owner.is_content(), owner.errors


def press(page: Page, key: str) -> None:
    """A key outside of any field."""
    page.keyboard.press(key)


def test_the_board_by_mouse_and_by_keyboard(
    owner: Visitor, server: Server, operator: Operator, tenant: Tenant, axe: str
) -> None:
    dragged, moved = made(server, tenant, name="Anna Able"), made(server, tenant, name="Bert Bold")
    page = owner.page
    owner.go("/admin/leads?view=board")

    def column(name: str) -> Locator:
        return page.get_by_role("region", name=name)

    page.get_by_role("listitem").filter(has_text="Anna Able").drag_to(column("Contacted"))
    expect(column("Contacted")).to_contain_text("Anna Able")
    assert lead(server, tenant, dragged)["status"] == "contacted"

    card = column("New").get_by_role("listitem").filter(has_text="Bert Bold")
    card.get_by_text("Move", exact=True).first.focus()
    page.keyboard.press("Enter")
    assert is_fine(owner, axe)
    page.keyboard.press("Tab")
    page.keyboard.type("Lost")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Move Bert Bold")
    expect(dialog.get_by_role("alert")).to_contain_text("why the lead is lost")
    dialog.get_by_label("Lost because").select_option("timing")
    dialog.get_by_role("button", name="Move").click()
    expect(column("Lost")).to_contain_text("Bert Bold")
    assert lead(server, tenant, moved)["lostReason"] == "timing"
    assert is_fine(owner, axe)


def test_both_without_script(browser: Browser, server: Server, operator: Operator, tenant: Tenant) -> None:
    first, second = made(server, tenant, name="Anna Able"), made(server, tenant, name="Bert Bold")
    owner = operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")
    with visiting(browser, f"http://{tenant.domain}:{server.port}", PHONE, script=False) as visitor:
        logged_in(visitor, owner)
        page = visitor.page
        visitor.go("/admin/leads")
        page.get_by_role("searchbox").fill("anna")
        page.keyboard.press("Enter")
        expect(page.locator(LISTED)).to_have_count(1)
        page.get_by_label("Select Anna Able").check()
        page.get_by_text("Assign", exact=True).click()
        page.get_by_label("Assign to").select_option("Olivia Owner")
        page.get_by_role("button", name="Assign selected").click()
        expect(page.get_by_role("status")).to_have_text("1 lead was assigned.")
        assert lead(server, tenant, first)["assignedToId"] == owner.id
        visitor.go("/admin/leads?view=board")
        card = page.get_by_role("listitem").filter(has_text="Bert Bold")
        card.get_by_text("Move", exact=True).first.click()
        card.get_by_label("Move Bert Bold to").select_option("Offer")
        card.get_by_role("button", name="Move").click()
        expect(page.get_by_role("region", name="Offer")).to_contain_text("Bert Bold")
        assert lead(server, tenant, second)["status"] == "offer" and visitor.fits() and visitor.is_content()
