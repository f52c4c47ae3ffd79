"""What the owner of a brokerage should know whichever page is open: webhooks that were disabled or that fail."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import PlanRequired

OWNER = "brokerage_owner"
LINK = "View webhook"

SEVERAL = "{number} webhooks are {what}."


class Notice(NamedTuple):
    """A sentence, and the page where something can be done about it, with the words of the link there."""

    kind: Literal["bad", "warning"]
    text: str
    page: str
    link: str


async def notices(visit: Visit) -> list[Notice]:
    """What is wrong now, in one line. It stands there until the webhook is enabled, works again, or is removed."""
    if visit.role != OWNER:
        return []
    try:
        webhooks = (await visit.ask("GET", "/api/webhooks")).body
    except PlanRequired:
        return []
    found = [notice for webhook in webhooks if (notice := of(webhook)) is not None]
    return found if len(found) < 2 else [several(found)]


def several(found: Sequence[Notice]) -> Notice:
    """One line about several webhooks."""
    kinds = {notice.kind for notice in found}
    what = "disabled or failing" if len(kinds) == 2 else "disabled" if "bad" in kinds else "failing"
    text = SEVERAL.format(number=len(found), what=what)
    return Notice("bad" if "bad" in kinds else "warning", text, "/admin/webhooks", "View webhooks")


def of(webhook: Mapping[str, Any]) -> Notice | None:
    """What is wrong with a webhook. One that a user disabled needs no notice."""
    where = f"/admin/webhooks/{webhook['id']}"
    match webhook["disabledReason"]:
        case "gone":
            text = "was disabled because its endpoint answered 410 Gone. Events are kept for it."
            return Notice("bad", f"The webhook to {webhook['url']} {text}", where, LINK)
        case "failing":
            text = "was disabled because no delivery succeeded for five days. Events are kept for it."
            return Notice("bad", f"The webhook to {webhook['url']} {text}", where, LINK)
    if webhook["failingSince"] is not None and webhook["status"] == "enabled":
        text = "is failing. Aureum retries its deliveries, and disables it after five days of failures."
        return Notice("warning", f"The webhook to {webhook['url']} {text}", where, LINK)
    return None
