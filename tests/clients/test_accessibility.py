"""axe-core finds nothing to mend: on the page of the API, with operations opened and tried, and in the admin panel."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, sync_playwright

from aureum.domain.ids import PLATFORM
from tests.browser.visitor import DESKTOP, PHONE, chromium
from tests.clients.tools import Tools
from tests.http.operator import Operator, Staff, Tenant
from tests.http.panel.reader import PLAIN
from tests.http.serving import Server

pytestmark = pytest.mark.clients

BOTH = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])

PATIENCE_MS = 60_000

FOUND = """
async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
  ({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 200)}`))
"""


class Opened:
    """A page at *site*, with axe-core from its file."""

    def __init__(self, page: Page, site: str, axe: Path) -> None:
        self.page, self.site, self.axe = page, site, axe.read_text()

    def go(self, path: str) -> None:
        self.page.goto(self.site + path)

    def problems(self) -> Any:
        self.page.evaluate(self.axe)
        return self.page.evaluate(FOUND)


@pytest.fixture
def admin(operator: Operator) -> Staff:
    return operator.staff(PLATFORM, "platform_admin", "Ada")


@pytest.fixture
def owner(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")


# What is made over HTTP comes before it: in the thread of Playwright runs an event loop.
@pytest.fixture
def opened(size: ViewportSize, tools: Tools, server: Server, admin: Staff, owner: Staff) -> Iterator[Opened]:
    with sync_playwright() as playwright, chromium(playwright) as browser:
        page = browser.new_context(viewport=size, bypass_csp=True).new_page()
        page.set_default_timeout(PATIENCE_MS)
        axe = tools.folder / "node_modules" / "axe-core" / "axe.min.js"
        yield Opened(page, f"http://127.0.0.1:{server.port}", axe)


@BOTH
def test_the_page_of_the_api(opened: Opened) -> None:
    opened.go("/docs")
    page = opened.page
    page.locator(".opblock").first.wait_for()
    assert opened.problems() == []
    for path in ("/api/v1/auth/login", "/api/users"):
        operation = page.locator(".opblock").filter(has=page.locator(f"[data-path='{path}']"))
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    operation.locator(".live-responses-table").wait_for()
    assert opened.problems() == []
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_role("dialog").wait_for()
    assert opened.problems() == []


@BOTH
def test_the_admin_panel(opened: Opened, server: Server, tenant: Tenant, admin: Staff, owner: Staff) -> None:
    lead = server.lead(tenant)["id"]
    opened.go("/admin/login")
    assert opened.problems() == []
    kinds = ("leads", "contacts", "properties", "tasks", "showings", "users")
    news = [f"/admin/{kind}/new" for kind in kinds]
    lists = ["/admin", "/admin/settings", "/admin/webhooks", *(f"/admin/{kind}" for kind in kinds)]
    for who, paths in ((owner, [*lists, *news, f"/admin/leads/{lead}"]), (admin, ["/admin/leads", *news[:1]])):
        opened.page.context.add_cookies([{"name": PLAIN, "value": who.token, "url": opened.site}])
        for path in paths:
            opened.go(path)
            assert opened.problems() == [], path
