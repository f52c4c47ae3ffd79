"""A rehearsal in a browser: a broker tries other routing settings, waits, and sees how the load shifts."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_panel import follow, heading, is_fine
from tests.browser.visitor import Visitor
from tests.http.api.routing.sending import put, sent
from tests.http.every.of_routing import rehearse_all
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser


def test_a_broker_tries_other_settings(visitor: Visitor, server: Server, operator: Operator, tenant: Tenant) -> None:
    owner, broker = operator.staff(tenant.id, "brokerage_owner"), operator.staff(tenant.id, "broker", "Bea Broker")
    for name in ("Ana Agent-Somebody", "Ben Agent"):
        operator.staff(tenant.id, "agent", name)
    put(server, owner, mode="round_robin")
    for _ in range(6):
        sent(server, tenant)
    visitor.page.context.add_cookies([{"name": "aureum", "value": broker.token, "url": visitor.site}])
    page = visitor.page
    visitor.go("/admin/routing")
    assert is_fine(visitor)
    trying = page.locator("section", has=page.get_by_role("heading", name="Try other settings"))
    trying.locator("select[name=mode]").select_option("primary_only")
    trying.get_by_role("button", name="Rehearse").click()
    expect(heading(visitor)).to_have_text("Rehearsal")
    expect(page.get_by_text("running")).to_be_visible()
    assert is_fine(visitor)
    operator.run(rehearse_all)
    follow(visitor, "Refresh")
    expect(page.get_by_text("completed")).to_be_visible()
    expect(page.get_by_text("Ana Agent-Somebody").first).to_be_visible()
    assert is_fine(visitor)
    follow(visitor, "Routing")
    expect(heading(visitor)).to_have_text("Routing")
