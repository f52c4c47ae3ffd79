"""The page that a newsletter's link opens: looking at it changes nothing, its button ends the subscription."""

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor
from tests.http.api.newsletter.newsletters import docs, link, types
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser


def test_the_link_is_opened_and_the_button_pressed(
    visitor: Visitor, server: Server, operator: Operator, tenant: Tenant
) -> None:
    address = link(server, operator, tenant)
    before = operator.head(tenant)
    heading = visitor.page.get_by_role("heading")

    visitor.go(address)
    expect(heading).to_have_text("Unsubscribe from our newsletter?")
    expect(visitor.page.get_by_text("Snake River Realty")).to_be_visible()
    assert visitor.fits()
    assert operator.head(tenant) == before and docs(operator, tenant)[0]["subscribed"]

    visitor.page.get_by_role("button", name="Unsubscribe").click()
    expect(heading).to_have_text("You are unsubscribed")
    expect(visitor.page.get_by_role("button")).to_have_count(0)
    assert visitor.fits() and visitor.is_content(), visitor
    assert types(operator, tenant)[-1] == "unsubscribed" and not docs(operator, tenant)[0]["subscribed"]


def test_a_link_that_was_cut_off_says_so(visitor: Visitor, server: Server, operator: Operator, tenant: Tenant) -> None:
    address = link(server, operator, tenant)
    answer = visitor.page.goto(visitor.site + address[:-3])

    assert answer is not None and answer.status == 404
    expect(visitor.page.get_by_role("heading")).to_have_text("This link does not work")
    expect(visitor.page.get_by_role("button")).to_have_count(0)
    assert visitor.fits()
    assert docs(operator, tenant)[0]["subscribed"]
