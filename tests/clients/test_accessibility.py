"""axe-core finds nothing to mend: on the page of the API, with operations opened and tried, and where users
log in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, sync_playwright

from aureum.http.panel.pages import PAGES
from tests.browser.visitor import DESKTOP, PHONE, chromium
from tests.clients.tools import Tools
from tests.http.serving import Server

pytestmark = pytest.mark.clients

BOTH = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])

PATIENCE_MS = 60_000

FOUND = """
async (within) => (await axe.run(within || document, {resultTypes: ["violations"]})).violations.flatMap(
  ({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 200)}`))
"""


OPENED = ".opblock.is-open"
"""The page has more than a hundred operations, and to look at all of them takes seconds."""


class Opened:
    """A page at *site*, with axe-core from its file."""

    def __init__(self, page: Page, site: str, axe: Path) -> None:
        self.page, self.site, self.axe = page, site, axe.read_text()

    def go(self, path: str) -> None:
        self.page.goto(self.site + path)

    def problems(self, within: str | None = None) -> Any:
        """Of the page, or of what a selector names, where nothing else has changed."""
        self.page.evaluate(self.axe)
        return self.page.evaluate(FOUND, within)


@pytest.fixture
def opened(size: ViewportSize, tools: Tools, server: Server) -> Iterator[Opened]:
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
    assert page.locator(OPENED).count() == 2
    assert opened.problems(OPENED) == []
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_role("dialog").wait_for()
    assert opened.problems("[role=dialog]") == []


@BOTH
def test_the_pages_of_the_panel_for_anyone(opened: Opened) -> None:
    """Those for users who are logged in: tests/browser/test_walk.py."""
    for path in (page.path for page in PAGES if page.anyone and page.show is not None):
        opened.go(path)
        assert opened.problems() == [], path
