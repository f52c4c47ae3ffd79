"""The installation, for platform admins: how far workers are, the read models, and whether logs are as written."""

from typing import Any

from starlette.responses import Response

from aureum.http.panel.page import Page, page
from aureum.http.panel.visit import Visit

API = "/api/v1/admin/platform"

FOLLOWERS = {"webhooks": "Webhooks", "mail": "Mail", "timers": "Timers"}


async def show_platform(visit: Visit) -> Response:
    """The state; and of the log that the form names, whether it is whole."""
    state = (await visit.ask("GET", API)).body
    chosen = visit.request.query_params.get("log", "")
    log: dict[str, Any] | None = None
    if chosen:
        query = {} if chosen == "platform" else {"brokerage_id": chosen}
        log = (await visit.ask("GET", API + "/log", query=query)).body
    shown = {"state": state, "chosen": chosen, "log": log, "followers": FOLLOWERS}
    return await page(visit, "platform.html", **shown)


PAGES = (Page("/admin/platform", show_platform),)
