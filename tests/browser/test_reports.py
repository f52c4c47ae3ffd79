"""Reports in a browser: a period is chosen, charts have their tables, and a table leaves as a file."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_panel import follow, heading, is_fine
from tests.browser.visitor import Visitor
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser


def test_a_period_of_leads(visitor: Visitor, server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")
    for source in ("zillow", "website", "zillow"):
        server.lead(tenant, source=source)
    page = visitor.page
    page.context.add_cookies([{"name": "aureum", "value": owner.token, "url": visitor.site}])
    visitor.go("/admin")
    follow(visitor, "Reports")
    expect(heading(visitor)).to_have_text("Reports")
    assert is_fine(visitor)
    expect(page.get_by_role("img", name="Leads by source over time")).to_be_visible()
    # The bar of the larger source is drawn in its colour, twice as high.
    bars = [one.bounding_box() for one in page.locator(".chart").first.locator("rect").all()]
    heights = sorted(box["height"] for box in bars if box is not None)
    assert len(heights) == 2 and heights[1] / heights[0] == pytest.approx(2, rel=0.1)
    assert page.locator(".chart rect").first.evaluate("one => getComputedStyle(one).fill") != "rgb(0, 0, 0)"
    follow(visitor, "Last month")
    expect(page.locator(".tile").first).to_contain_text("0")
    follow(visitor, "7 days")
    with page.expect_download() as download:
        page.get_by_role("link", name="By source as CSV").click()
    assert download.value.suggested_filename.startswith("sources-")
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="By source as CSV")).to_be_hidden()
    expect(page.get_by_role("rowheader", name="zillow").first).to_be_visible()
    assert visitor.is_content()
