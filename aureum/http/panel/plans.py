"""Settings → Plan: what the brokerage's plan has, and what the next one adds."""

from typing import Any

from starlette.responses import Response

from aureum.domain.brokerage import PLANS
from aureum.http.panel.page import Page, page
from aureum.http.panel.settings import API, managed_number
from aureum.http.panel.visit import Visit

ADDS: dict[str, tuple[str, ...]] = {
    "Starter": (
        "This panel, for any number of users",
        "Contact, showing and newsletter forms on your website",
        "Routing of leads to agents, mails to staff and visitors",
    ),
    "Grow": (
        "The Aureum API: programs read and write leads, contacts, properties, tasks and showings",
        "API keys with access, 100 requests a minute each",
        "The portal in which your clients see what concerns them, and sign documents",
    ),
    "Elite": (
        "Webhooks that tell your other programs about each change at once",
        "The event feed, to catch up on missed changes",
    ),
}
"""What each plan has besides the ones before it."""


async def show_plan(visit: Visit) -> Response:
    """All plans, the brokerage's own marked."""
    brokerage: dict[str, Any] = (await visit.ask("GET", API, id=managed_number(visit))).body
    place = PLANS.index(brokerage["plan"])
    following = PLANS[place + 1] if place + 1 < len(PLANS) else None
    plans = [(plan, ADDS[plan], PLANS.index(plan) <= place) for plan in PLANS]
    return await page(visit, "plan.html", brokerage=brokerage, plans=plans, following=following)


PAGES = (Page("/admin/settings/plan", show_plan),)
