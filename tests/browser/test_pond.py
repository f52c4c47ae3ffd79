"""The pond in a browser: an agent finds a lead that waits, from the overview on, and claims it with one button."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_panel import follow, heading, is_fine
from tests.browser.visitor import Visitor
from tests.http.api.routing.sending import put, sent
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

LONG = "We look for a house with a yard for two dogs and a home office, near a school. " * 5


def test_an_agent_claims_a_lead(visitor: Visitor, server: Server, operator: Operator, tenant: Tenant) -> None:
    owner, other = operator.staff(tenant.id, "brokerage_owner"), operator.staff(tenant.id, "agent", "Ben Agent")
    agent = operator.staff(tenant.id, "agent", "Ana Agent")
    rules = [
        {"when": {"subject_has": ["sell"]}, "to": {"group": "sellers"}, "claim_minutes": 15},
        {"when": {"subject_has": ["yard"]}, "to": {"agent": other.number}},
        {"to": {"agent": other.number}},
    ]
    put(server, owner, mode="subject_based", fallback="pond", rules=rules, groups={"sellers": [other.number]})
    sent(server, tenant, firstName="Maria", lastName="Gomez", subject="I want to sell")
    put(server, owner, mode="primary_only", fallback="pond")
    sent(server, tenant, firstName="Wei", lastName="Chen", subject="A house with a yard", message=LONG)
    visitor.page.context.add_cookies([{"name": "aureum", "value": agent.token, "url": visitor.site}])
    page = visitor.page
    visitor.go("/admin")
    assert is_fine(visitor)
    follow(visitor, "2 leads wait for an agent to claim them.")
    expect(heading(visitor)).to_have_text("Pond")
    assert is_fine(visitor)
    # What is offered to another group has no button.
    expect(page.get_by_role("button", name="Claim")).to_have_count(1)
    expect(page.get_by_text("sellers, until")).to_be_visible()
    page.get_by_role("button", name="Claim the lead of Wei Chen").click()
    expect(page.get_by_role("status")).to_have_text("You claimed this lead. It is assigned to you.")
    expect(heading(visitor)).to_have_text("Wei Chen")
    assert is_fine(visitor)
    follow(visitor, "Pond")
    expect(page.get_by_role("button", name="Claim")).to_have_count(0)
