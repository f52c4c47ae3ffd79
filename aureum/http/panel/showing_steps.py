"""What is done about a showing on the spot: move it, confirm it, call it off, say how it ended. The same form does it
in the calendar, by a drag, and on the showing's own page."""

import re
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import RedirectResponse, Response

from aureum.http.panel.fields import all_typed
from aureum.http.panel.page import REFUSALS, refusal, seen
from aureum.http.panel.resource import Resource
from aureum.http.panel.resource_page import one_form, seen_now
from aureum.http.panel.times import TYPED, sent_time, typed_time
from aureum.http.panel.undoing import to_undo
from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import HttpError
from aureum.http.wire.page_forms import NO_FORM

API = "/api/showings/{id}"

BACK = re.compile(r"[A-Za-z0-9=&_-]{0,200}", re.ASCII)
"""The query of a page of the calendar."""

POSTED = {"no_show": "/no-show", "send": "/send-calendar"}
"""Steps that have an endpoint of their own."""

STATUSES = ("confirmed", "completed", "cancelled")


def body_of(visit: Visit) -> dict[str, Any]:
    """What the pressed button changes. Times are typed on the brokerage's clock. Raises HttpError 400."""
    start = {"startsAt": sent_time(visit.form["startsAt"], visit.zone)}
    match visit.form["do"]:
        case "move":
            return start
        case "schedule":
            return start | {"status": "confirmed"}
        case status if status in STATUSES:
            return {"status": status}
    raise HttpError("form_unreadable", NO_FORM)


async def step(resource: Resource, visit: Visit) -> Response:
    """Do it, and go back to where the form was. A form that was refused is shown again on the showing's page, with the
    time that was typed."""
    do, back = visit.form["do"], visit.form["back"]
    try:
        before = await visit.ask("GET", API, id=visit.id())
        if do in POSTED:
            after = await visit.ask("POST", API + POSTED[do], id=visit.id())
        else:
            after = await visit.ask("PATCH", API, id=visit.id(), body=body_of(visit), if_match=visit.form["etag"])
    except REFUSALS as error:
        typed = await typed_again(resource, visit)
        return await one_form(resource, visit, typed, refusal(error), seen(visit, error))
    # A mail is on its way: that is no change of the showing that could be undone.
    undo = "" if do == "send" else to_undo(before.etag, after.etag, f"showings/{visit.id()}")
    if back == "one":
        return RedirectResponse(f"{resource.path}/{visit.id()}?done={do}{undo}", 303)
    query = f"{back}&" if back and BACK.fullmatch(back) else ""
    return RedirectResponse(f"{resource.path}?{query}done={do}{undo}", 303)


async def typed_again(resource: Resource, visit: Visit) -> dict[str, str]:
    """The values of the form on the showing's page, with the time that was typed, on the showing's own clock."""
    showing = (await seen_now(resource, visit)).body
    values = all_typed(resource.change, showing, visit.zone)
    text = visit.form["startsAt"]
    if TYPED.fullmatch(text) and (sent := sent_time(text, visit.zone)) and sent.endswith("Z"):
        place = ZoneInfo(showing["timeZone"]) if showing["timeZone"] else visit.zone
        return values | {"startsAt": typed_time(sent, place)}
    return values
