"""``/docs``: the page stands alone, shows every operation, and asks the API with a reader's own key."""

import pytest
from playwright.sync_api import expect

from aureum.http.openapi.webhooks import TAG as MESSAGES
from tests.browser.visitor import DESKTOP, Visitor
from tests.http.operator import Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

SHOWN = """
[...document.querySelectorAll('.opblock-tag-section')].flatMap(section =>
  [...section.querySelectorAll('.opblock')].map(operation => [
    section.querySelector('[data-tag]').dataset.tag,
    operation.querySelector('.opblock-summary-method').textContent.toLowerCase(),
    operation.querySelector('[data-path]').dataset.path,
  ]))
"""


def test_every_operation_is_shown_and_nothing_comes_from_elsewhere(visitor: Visitor, server: Server) -> None:
    document = server.ask("GET", "/openapi.json").json
    operations = [
        [tag, method, path]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for tag in operation["tags"]
    ]

    visitor.go("/docs")
    expect(visitor.page.locator(".opblock")).to_have_count(len(operations) + len(document["webhooks"]))
    assert sorted(visitor.page.evaluate(SHOWN)) == sorted(operations)
    assert {tag for tag, _, _ in operations} == {tag["name"] for tag in document["tags"]} - {MESSAGES}
    assert visitor.fits() and visitor.is_content(), visitor

    visitor.page.get_by_text("Create a webhook").click()
    expect(visitor.page.locator(".responses-wrapper")).to_be_visible()
    assert visitor.fits() and visitor.is_content(), visitor


@pytest.mark.parametrize("visitor", [DESKTOP], ids=["desktop"], indirect=True)
def test_an_operation_is_tried_out_with_a_key(visitor: Visitor, server: Server, tenant: Tenant) -> None:
    lead = server.lead(tenant)
    page = visitor.page
    operation = page.locator(".opblock").filter(has=page.locator("[data-path='/api/leads']"), has_text="List leads")

    visitor.go("/docs")
    page.get_by_role("button", name="Authorize").click()
    by_key = page.locator(".auth-container").filter(has_text="An API key of a brokerage.")
    by_key.get_by_role("textbox").fill(tenant.key)
    by_key.get_by_role("button", name="Apply credentials").click()
    by_key.get_by_role("button", name="Close").click()

    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table tbody tr.response")
    expect(answer.locator(".response-col_status")).to_have_text("200")
    expect(answer.locator(".response-col_description")).to_contain_text(lead["id"])
    assert visitor.is_content(), visitor
