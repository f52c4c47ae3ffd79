"""Pages that follow what changes, in a browser: one stream for all tabs, and nothing is taken away from the user."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import DESKTOP, Visitor, visiting
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

LOCAL = "http://localhost"


@pytest.fixture
def office(browser: Browser, server: Server, operator: Operator, tenant: Tenant) -> Iterator[Visitor]:
    """An owner who has logged in on this machine, as over https."""
    owner = operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")
    with visiting(browser, f"{LOCAL}:{server.port}", DESKTOP) as visitor:
        visitor.page.context.add_cookies([{"name": "aureum", "value": owner.token, "url": visitor.site}])
        yield visitor


def test_two_tabs_share_one_stream(office: Visitor, server: Server, tenant: Tenant) -> None:
    streams: list[str] = []
    office.page.context.on("request", lambda one: streams.append(one.url) if "/admin/live" in one.url else None)
    office.go("/admin")
    second = office.page.context.new_page()
    second.goto(office.site + "/admin")
    server.lead(tenant)
    for tab in (office.page, second):
        tab.bring_to_front()
        expect(tab.locator("#counts dd").first).to_have_text("1")
    assert len(streams) == 1
    office.page.close()
    server.lead(tenant)
    expect(second.locator("#counts dd").first).to_have_text("2")
    assert len(streams) == 2
    assert office.errors == []
