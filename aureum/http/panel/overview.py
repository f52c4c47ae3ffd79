"""The first page: how the brokerage's leads stand, and where to go on."""

from starlette.responses import Response

from aureum.http.panel.page import Page, page
from aureum.http.panel.visit import Visit


async def show_overview(visit: Visit) -> Response:
    """The counts are of what the reader sees: an agent's own leads, all others the brokerage's."""
    assert visit.me is not None
    count = None
    if visit.acting is not None:
        count = (await visit.ask("GET", "/api/leads/count")).body
    return await page(visit, "overview.html", count=count)


PAGES = (Page("/admin", show_overview),)
