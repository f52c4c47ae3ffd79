"""What the owner of a brokerage should know whichever page is open: webhooks that were disabled or that fail."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import PlanRequired

OWNER = "brokerage_owner"

MOST = 5
"""Notices of single webhooks on a page."""

MORE = "{number} more webhooks are disabled or failing."


class Notice(NamedTuple):
    """A sentence, and the page where something can be done about it."""

    kind: Literal["bad", "warning"]
    text: str
    page: str


async def notices(visit: Visit) -> list[Notice]:
    """What is wrong now, the worst first. It stands there until the webhook is enabled, works again, or is removed."""
    if visit.role != OWNER:
        return []
    try:
        webhooks = (await visit.ask("GET", "/api/webhooks")).body
    except PlanRequired:
        return []
    found = [notice for webhook in webhooks if (notice := of(webhook)) is not None]
    found.sort(key=lambda notice: notice.kind)
    if len(found) > MOST:
        found[MOST:] = [Notice(found[MOST].kind, MORE.format(number=len(found) - MOST), "/admin/webhooks")]
    return found


def of(webhook: Mapping[str, Any]) -> Notice | None:
    """What is wrong with a webhook. One that a user disabled needs no notice."""
    where = f"/admin/webhooks/{webhook['id']}"
    match webhook["disabledReason"]:
        case "gone":
            text = "was disabled because its endpoint answered 410 Gone. Events are kept for it."
            return Notice("bad", f"The webhook to {webhook['url']} {text}", where)
        case "failing":
            text = "was disabled because no delivery succeeded for five days. Events are kept for it."
            return Notice("bad", f"The webhook to {webhook['url']} {text}", where)
    if webhook["failingSince"] is not None and webhook["status"] == "enabled":
        text = "is failing. Aureum retries its deliveries, and disables it after five days of failures."
        return Notice("warning", f"The webhook to {webhook['url']} {text}", where)
    return None
