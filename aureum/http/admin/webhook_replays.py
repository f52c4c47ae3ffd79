"""Replays of a webhook: what happened earlier, sent again."""

from starlette.responses import Response

from aureum.http.admin.page import Page, refusal
from aureum.http.admin.visit import Visit
from aureum.http.admin.webhook import API, back, shown


def utc(text: str) -> str:
    """A time as browsers write it, without a zone, in UTC as the page says."""
    return f"{text}Z" if text and text[-1:].isdigit() and "T" in text else text


async def start_replay(visit: Visit) -> Response:
    """From a sequence if one was typed, else from a time."""
    form = visit.form
    asked = {
        "since": form.number("sequence") if form["sequence"] else utc(form["since"]),
        "until": utc(form["until"]) or None,
        "only": form["only"] or None,
        "events": form.all("events") or None,
    }
    try:
        await visit.ask("POST", API + "/replay", id=visit.id(), body=asked)
    except Exception as error:
        return await shown(visit, visit.id(), problem=refusal(error))
    return back(visit.id(), "replaying")


async def cancel_replay(visit: Visit) -> Response:
    """What it has not sent yet is not sent."""
    replay = (await visit.ask("POST", "/api/webhooks/replays/{id}/cancel", id=visit.id())).body
    return back(replay["webhookId"], "cancelled")


PAGES = (
    Page("/admin/webhooks/{id}/replay", act=start_replay),
    Page("/admin/webhooks/replays/{id}/cancel", act=cancel_replay),
)
