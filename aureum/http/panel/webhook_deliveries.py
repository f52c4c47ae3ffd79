"""Deliveries of a webhook, and one of them with its attempts."""

from typing import get_args

from starlette.responses import RedirectResponse, Response

from aureum.http.api.webhooks.deliveries import Status
from aureum.http.panel.page import Page, page
from aureum.http.panel.visit import Visit
from aureum.registry import ALL_EVENTS

API = "/api/webhooks/deliveries/{id}"
LENGTH = 50


async def show_deliveries(visit: Visit) -> Response:
    """Newest first, of one status and of one event if so chosen."""
    query = visit.request.query_params
    chosen = {name: query.get(name, "") for name in ("status", "event")}
    answer = await visit.ask(
        "GET",
        "/api/webhooks/{id}/deliveries",
        id=visit.id(),
        query=chosen | {"cursor": query.get("cursor", ""), "limit": LENGTH},
    )
    webhook = (await visit.ask("GET", "/api/webhooks/{id}", id=visit.id())).body
    shown = {"webhook": webhook, "deliveries": answer.body, "more": answer.more, "chosen": chosen}
    return await page(visit, "webhook_deliveries.html", events=ALL_EVENTS, statuses=get_args(Status), **shown)


async def show_delivery(visit: Visit) -> Response:
    """What was sent, and what came back."""
    delivery = (await visit.ask("GET", API, id=visit.id())).body
    return await page(visit, "webhook_delivery.html", delivery=delivery)


async def redeliver(visit: Visit) -> Response:
    """The same message goes out again."""
    await visit.ask("POST", API + "/redeliver", id=visit.id())
    return RedirectResponse(f"/admin/webhooks/deliveries/{visit.id()}", 303)


PAGES = (
    Page("/admin/webhooks/{id}/deliveries", show_deliveries),
    Page("/admin/webhooks/deliveries/{id}", show_delivery),
    Page("/admin/webhooks/deliveries/{id}/redeliver", act=redeliver),
)
