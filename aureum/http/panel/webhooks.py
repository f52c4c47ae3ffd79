"""Admin → Webhooks: the list, and the form for a new one."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit
from aureum.http.panel.webhook_words import MODES
from aureum.http.wire.page_forms import Form
from aureum.registry import ALL_EVENTS, WEBHOOK_GROUPS

KINDS = [(group, [event for event in ALL_EVENTS if event.startswith(group[:-1])]) for group in WEBHOOK_GROUPS]
"""Each group with its events, as the form shows them."""

NOTHING: Mapping[str, Any] = {"url": "", "events": [], "mode": "parallel", "rateLimit": None, "description": None}


def fields(form: Form) -> dict[str, Any]:
    """A webhook as its form describes it, in the words of the API."""
    return {
        "url": form["url"],
        "events": form.all("events"),
        "mode": form["mode"] or "parallel",
        "rateLimit": form.number("rateLimit"),
        "description": form["description"] or None,
    }


async def listed(visit: Visit, new: Mapping[str, Any] = NOTHING, problem: str | None = None) -> Response:
    """All webhooks, and the form with what it holds of a *new* one."""
    webhooks = (await visit.ask("GET", "/api/webhooks")).body
    shown = {"webhooks": webhooks, "webhook": new, "problem": problem, "kinds": KINDS, "modes": MODES}
    return await page(visit, "webhooks.html", 400 if problem else 200, **shown)


async def show_webhooks(visit: Visit) -> Response:
    """The list."""
    return await listed(visit)


async def create_webhook(visit: Visit) -> Response:
    """The new webhook's secret, this once. Sent again, the same form shows the same one."""
    new = fields(visit.form)
    try:
        webhook = (await visit.ask("POST", "/api/webhooks", body=new)).body
    except REFUSALS as error:
        return await listed(visit, new, refusal(error))
    return await page(visit, "webhook_secret.html", 201, webhook=webhook, secret=webhook["secret"], until=None)


PAGES = (Page("/admin/webhooks", show_webhooks, create_webhook),)
