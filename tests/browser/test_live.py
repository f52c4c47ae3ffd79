"""Pages that follow what changes, in a browser: one stream for all tabs, and nothing is taken away from the user."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visitor import DESKTOP, Visitor, visiting
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server, served

pytestmark = pytest.mark.browser


@pytest.fixture
def boss(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")


@pytest.fixture
def office(browser: Browser, server: Server, boss: Staff) -> Iterator[Visitor]:
    """An owner who has logged in at this machine's own name, where browsers have locks, as over https."""
    with visiting(browser, f"http://localhost:{server.port}", DESKTOP, movement=True) as visitor:
        visitor.page.context.add_cookies([{"name": "aureum", "value": boss.token, "url": visitor.site}])
        yield visitor


def shows(page: Page, *names: str) -> None:
    """The leads that wait, the newest first."""
    expect(page.locator("#unanswered .what > a")).to_have_text(list(names))


def test_two_tabs_share_one_stream(office: Visitor, server: Server, tenant: Tenant) -> None:
    streams: list[str] = []
    first, context = office.page, office.page.context
    context.on("request", lambda one: streams.append(one.url) if "/admin/live" in one.url else None)
    office.go("/admin")
    second = context.new_page()
    second.goto(office.site + "/admin")
    server.lead(tenant, name="Jane Doe")
    for tab in (first, second):
        tab.bring_to_front()
        shows(tab, "Jane Doe")
        expect(tab.locator("p[aria-live=polite]")).to_have_text("1 new lead")
    assert len(streams) == 1
    # A user who types is not disturbed; what was missed comes when the field is left.
    second.get_by_role("button", name="More about Jane Doe").click()
    second.get_by_label("Assigned to").focus()
    server.lead(tenant, name="John Roe")
    first.bring_to_front()
    shows(first, "John Roe", "Jane Doe")
    second.bring_to_front()
    shows(second, "Jane Doe")
    second.keyboard.press("Escape")
    shows(second, "John Roe", "Jane Doe")
    # The tab that had the stream is closed: the other one goes on.
    second.get_by_role("link", name="John Roe", exact=True).focus()
    first.close()
    server.lead(tenant, name="Wei Chen")
    shows(second, "Wei Chen", "John Roe", "Jane Doe")
    expect(second.get_by_role("link", name="John Roe", exact=True)).to_be_focused()
    assert len(streams) == 2 and office.errors == []


def test_the_updates_are_back_after_a_restart(browser: Browser, served_url: str, tenant: Tenant, boss: Staff) -> None:
    with served(served_url) as first, visiting(browser, f"http://localhost:{first.port}", DESKTOP) as office:
        office.page.context.add_cookies([{"name": "aureum", "value": boss.token, "url": office.site}])
        office.go("/admin")
        first.lead(tenant, name="Jane Doe")
        shows(office.page, "Jane Doe")
        first.process.kill()
        first.process.wait()
        # The browser meets a port at which nothing answers, and then the next process.
        office.page.wait_for_timeout(300)
        with served(served_url, None, None, None, first.port) as second:
            second.lead(tenant, name="John Roe")
            shows(office.page, "John Roe", "Jane Doe")
            second.lead(tenant, name="Wei Chen")
            shows(office.page, "Wei Chen", "John Roe", "Jane Doe")
