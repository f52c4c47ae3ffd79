"""Replays of a webhook: what happened earlier, sent again."""

from starlette.responses import Response

from aureum.http.panel.page import REFUSALS, Page, refusal
from aureum.http.panel.times import sent_time
from aureum.http.panel.visit import Visit
from aureum.http.panel.webhook import API, back, shown


async def start_replay(visit: Visit) -> Response:
    """From a sequence if one was typed, else from a time."""
    form = visit.form
    asked = {
        "since": form.number("sequence") if form["sequence"] else sent_time(form["since"], visit.zone),
        "until": sent_time(form["until"], visit.zone),
        "only": form["only"] or None,
    }
    try:
        await visit.ask("POST", API + "/replay", id=visit.id(), body=asked)
    except REFUSALS as error:
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
