"""The first page: how the brokerage's leads stand, and where to go on."""

from starlette.responses import Response

from aureum.http.panel.page import Page, page
from aureum.http.panel.pond import waiting
from aureum.http.panel.visit import Visit


async def show_overview(visit: Visit) -> Response:
    """The counts are of what the reader sees: an agent's own leads, all others the brokerage's."""
    assert visit.me is not None
    count = pond = None
    if visit.acting is not None:
        count = (await visit.ask("GET", "/api/leads/count")).body
        pond = await waiting(visit)
    return await page(visit, "overview.html", count=count, waiting=pond)


PAGES = (Page("/admin", show_overview),)
