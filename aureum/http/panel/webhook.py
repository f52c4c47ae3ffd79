"""One webhook: how it stands, its details, and what can be done with it."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.http.panel.history_words import history_shown
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.visit import Visit
from aureum.http.panel.webhook_words import MODES
from aureum.http.panel.webhooks import KINDS, fields
from aureum.registry import ALL_EVENTS

API = "/api/webhooks/{id}"
LATEST = 5
"""Deliveries and replays that the page itself shows."""

DONE = {
    "changed": "The webhook was saved.",
    "enabled": "The webhook is enabled, and receives what it missed.",
    "disabled": "The webhook is disabled. Events are kept for it from now on.",
    "replaying": "The replay was started.",
    "cancelled": "The replay was cancelled.",
}
"""What is said on the page that follows."""


async def shown(
    visit: Visit,
    webhook_id: str,
    typed: Mapping[str, Any] | None = None,
    problem: str | None = None,
    etag: str | None = None,
) -> Response:
    """The page; of a form that was refused with what was *typed*, why, and the *etag* of what it was typed into."""
    answer = await visit.ask("GET", API, id=webhook_id)
    deliveries = await visit.ask("GET", API + "/deliveries", id=webhook_id, query={"limit": LATEST})
    replays = await visit.ask("GET", API + "/replays", id=webhook_id, query={"limit": LATEST})
    success = (await visit.ask("GET", API + "/success", id=webhook_id)).body["days"]
    done = DONE.get(visit.request.query_params.get("done", "")) if visit.request.method == "GET" else None
    return await page(
        visit,
        "webhook.html",
        400 if problem else 200,
        webhook=answer.body,
        typed=typed or answer.body,
        etag=answer.etag if etag is None else etag,
        deliveries=deliveries.body,
        replays=replays.body,
        success=success,
        history=await history_shown(visit, API + "/history", "webhook", {}, id=webhook_id),
        problem=problem,
        done=done,
        events=ALL_EVENTS,
        kinds=KINDS,
        modes=MODES,
    )


def back(webhook_id: str, done: str) -> Response:
    """The page again, as a new request: reloading it sends no form."""
    return RedirectResponse(f"/admin/webhooks/{webhook_id}?done={done}", 303)


async def show_webhook(visit: Visit) -> Response:
    """The page."""
    return await shown(visit, visit.id())


async def change_webhook(visit: Visit) -> Response:
    """Its details, unless another request has changed them since the form was shown. What holds already, as when it was
    sent twice, asks for nothing."""
    typed = fields(visit.form)
    now = (await visit.ask("GET", API, id=visit.id())).body
    change = {name: value for name, value in typed.items() if value != now[name]}
    if sorted(typed["events"]) == sorted(now["events"]):
        change.pop("events", None)
    try:
        if change:
            await visit.ask("PATCH", API, id=visit.id(), body=change, if_match=visit.form["etag"])
    except REFUSALS as error:
        return await shown(visit, visit.id(), typed, refusal(error), seen(visit, error))
    return back(visit.id(), "changed")


async def enable_webhook(visit: Visit) -> Response:
    """It hears of what happens, and of what it has missed."""
    await visit.ask("PATCH", API, id=visit.id(), body={"disabled": False})
    return back(visit.id(), "enabled")


async def disable_webhook(visit: Visit) -> Response:
    """Nothing is sent there until it is enabled."""
    await visit.ask("PATCH", API, id=visit.id(), body={"disabled": True})
    return back(visit.id(), "disabled")


async def rotate_secret(visit: Visit) -> Response:
    """The new secret, this once."""
    try:
        rotated = await visit.ask(
            "POST", API + "/rotate-secret", id=visit.id(), body={"overlap_hours": visit.form.number("overlap_hours")}
        )
    except REFUSALS as error:
        return await shown(visit, visit.id(), problem=refusal(error))
    webhook = (await visit.ask("GET", API, id=visit.id())).body
    until = rotated.body["secretOverlapUntil"]
    return await page(visit, "webhook_secret.html", webhook=webhook, secret=rotated.body["secret"], until=until)


async def send_test(visit: Visit) -> Response:
    """On to the delivery of a sample, with what came back."""
    try:
        delivery = await visit.ask("POST", API + "/test", id=visit.id(), body={"event": visit.form["event"] or None})
    except REFUSALS as error:
        return await shown(visit, visit.id(), problem=refusal(error))
    return RedirectResponse(f"/admin/webhooks/deliveries/{delivery.body['id']}", 303)


async def remove_webhook(visit: Visit) -> Response:
    """For good, if it was said twice."""
    if visit.form["sure"] != "yes":
        return await shown(visit, visit.id(), problem="Tick the box to confirm that you want to remove the webhook.")
    await visit.ask("DELETE", API, id=visit.id())
    return RedirectResponse("/admin/webhooks", 303)


PAGES = (
    Page("/admin/webhooks/{id}", show_webhook, change_webhook),
    Page("/admin/webhooks/{id}/enable", act=enable_webhook),
    Page("/admin/webhooks/{id}/disable", act=disable_webhook),
    Page("/admin/webhooks/{id}/rotate-secret", act=rotate_secret),
    Page("/admin/webhooks/{id}/test", act=send_test),
    Page("/admin/webhooks/{id}/remove", act=remove_webhook),
)
