"""Settings: the brokerage itself, and the way to its API keys. Domains and plan are shown; they are not the owner's."""

from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response

from aureum.http.admin.fields import Field, all_typed, changes
from aureum.http.admin.page import REFUSALS, Page, page, refusal, seen
from aureum.http.admin.visit import Visit
from aureum.http.errors import HttpError
from aureum.http.roles import check_manager

API = "/api/v1/admin/brokerages/{id}"

FIELDS = (
    Field("name", "Name", required=True),
    Field("time_zone", "Time zone", required=True, hint="Such as America/Boise."),
    Field("country", "Country", required=True, hint="Two letters: whose phone numbers need no prefix."),
    Field("public_lead_count", "Everybody may see how many leads there are", "tick"),
)

NO_BROKERAGE = "You belong to no brokerage, so there are no settings of one here."


def own_number(visit: Visit) -> str:
    """The number of the reader's brokerage. Raises NotAllowed, and HttpError 400 if there is none."""
    check_manager(visit.role)
    brokerage = None if visit.me is None else visit.me["brokerage"]
    if brokerage is None:
        raise HttpError(400, NO_BROKERAGE)
    return str(brokerage["id"])


async def shown(
    visit: Visit, typed: Mapping[str, str] | None = None, problem: str | None = None, etag: str | None = None
) -> Response:
    """The page; of a form that was refused with what was *typed*, why, and the *etag* of what it was typed into."""
    told = await visit.ask("GET", API, id=own_number(visit))
    values = typed or all_typed(FIELDS, told.body, visit.zone)
    done = visit.request.query_params.get("done") == "changed" and visit.request.method == "GET"
    tag = told.etag if etag is None else etag
    about = {"brokerage": told.body, "etag": tag, "fields": FIELDS, "values": values, "users": {}}
    return await page(visit, "settings.html", 400 if problem else 200, problem=problem, done=done, **about)


async def show_settings(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def change_settings(visit: Visit) -> Response:
    """What was typed anew, unless somebody else has changed it since the form was shown."""
    number = own_number(visit)
    now = (await visit.ask("GET", API, id=number)).body
    body = changes(FIELDS, visit.form, all_typed(FIELDS, now, visit.zone), visit.zone)
    try:
        if body:
            await visit.ask("PATCH", API, id=number, body=body, if_match=visit.form["etag"])
    except REFUSALS as error:
        typed = {one.name: visit.form[one.name] for one in FIELDS}
        return await shown(visit, typed, refusal(error), seen(visit, error))
    return RedirectResponse("/admin/settings?done=changed", 303)


PAGES = (Page("/admin/settings", show_settings, change_settings),)
