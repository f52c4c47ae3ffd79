"""What the owner of a brokerage should know whichever page is open: webhooks that were disabled or that fail."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import PlanRequired

OWNER = "brokerage_owner"

MOST = 5
"""Notices of single webhooks on a page."""

MORE = "{number} more webhooks are disabled or fail."


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
    """What is wrong with a webhook. One that somebody of the brokerage disabled is as it should be."""
    where = f"/admin/webhooks/{webhook['id']}"
    match webhook["disabledReason"]:
        case "gone":
            text = "was disabled: it answered 410, that nobody listens there any more. What happens is kept for it."
            return Notice("bad", f"The webhook to {webhook['url']} {text}", where)
        case "failing":
            text = "was disabled: for five days not one delivery succeeded. What happens is kept for it."
            return Notice("bad", f"The webhook to {webhook['url']} {text}", where)
    if webhook["failingSince"] is not None and webhook["status"] == "enabled":
        text = "fails. What happens is kept and tried again; after five days it would be disabled."
        return Notice("warning", f"The webhook to {webhook['url']} {text}", where)
    return None
