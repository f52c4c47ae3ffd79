"""Settings → Brokerage: its name, zone and country, how its public pages and mails look."""

import base64
from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.access.roles import check_manager
from aureum.http.api.brokerages.logo import NO_LOGO
from aureum.http.contract.visitor_page import COLOR
from aureum.http.panel.acting import number_of
from aureum.http.panel.brokerages import MAILS, NAME, RETENTION, SETTINGS
from aureum.http.panel.fields import all_typed, as_typed
from aureum.http.panel.history_words import history_shown
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.resource_page import typed_anew
from aureum.http.panel.time_zones import zones
from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import HttpError

API = "/api/v1/admin/brokerages/{id}"

ZONE = "time_zone"

FIELDS = (NAME, *SETTINGS, *MAILS, *RETENTION)

LOGO_OF = """
SELECT b.logo_media, l.image
  FROM brokerages b
  JOIN brokerage_logos l ON l.tenant_id = b.tenant_id AND l.digest = b.logo
 WHERE b.number = %(number)s
"""

DONE = {
    "changed": "The brokerage was saved.",
    "logo": "The logo was removed.",
}

NO_BROKERAGE = "You do not belong to a brokerage, so there are no settings here."


def managed_number(visit: Visit) -> str:
    """The number of the brokerage that the reader acts for. Raises NotAllowed, and HttpError 400 if there is none."""
    check_manager(visit.role)
    if visit.acting is None:
        raise HttpError("brokerage_required", NO_BROKERAGE)
    return number_of(visit)


async def shown(
    visit: Visit, typed: Mapping[str, str] | None = None, problem: str | None = None, etag: str | None = None
) -> Response:
    """The page; of a form that was refused with what was *typed*, why, and the *etag* of what it was typed into."""
    answer = await visit.ask("GET", API, id=managed_number(visit))
    values = typed or all_typed(FIELDS, answer.body, visit.zone)
    done = DONE.get(visit.request.query_params.get("done", "")) if visit.request.method == "GET" else None
    tag = answer.etag if etag is None else etag
    about = {
        "brokerage": answer.body,
        "zones": zones(),
        "color": COLOR,
        "etag": tag,
        "fields": FIELDS,
        "values": values,
        "users": {},
        "history": await history_shown(visit, API + "/history", "brokerage", {}, id=managed_number(visit)),
    }
    return await page(visit, "settings.html", 400 if problem else 200, problem=problem, done=done, **about)


async def show_settings(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def change_settings(visit: Visit) -> Response:
    """The changed fields, unless another request has changed them since the form was shown; and another logo, if a
    picture was chosen."""
    number, etag = managed_number(visit), visit.form["etag"]
    image = visit.form.files.get("logo", b"")
    try:
        now = await visit.ask("GET", API, id=number)
        body = typed_anew(visit, FIELDS, now.body) | color_typed(visit, now.body)
        if image:
            # First, since it is what may be refused: then nothing is saved, and all that was typed is still there.
            picture = {"image": base64.b64encode(image).decode()}
            etag = (await visit.ask("PUT", API + "/logo", id=number, body=picture, if_match=etag)).etag
        if body:
            await visit.ask("PATCH", API, id=number, body=body, if_match=etag)
    except REFUSALS as error:
        return await shown(visit, as_typed(FIELDS, visit.form), of_field(refusal(error)), seen(visit, error))
    return RedirectResponse("/admin/settings?done=changed", 303)


def color_typed(visit: Visit, brokerage: Mapping[str, str | None]) -> dict[str, str | None]:
    """Another color, if one was chosen. The usual one is none of the brokerage's own."""
    color = visit.form["color"].lower()
    if color in ("", brokerage["color"] or COLOR):
        return {}
    return {"color": None if color == COLOR else color}


def of_field(problem: str) -> str:
    """The API's refusal with the labels of the page."""
    for field, label in (("image ", "The logo "), ("color ", "The color ")):
        if problem.startswith(field):
            return label + problem.removeprefix(field)
    return problem


async def remove_logo(visit: Visit) -> Response:
    """None is shown any more."""
    await visit.ask("DELETE", API + "/logo", id=managed_number(visit))
    return RedirectResponse("/admin/settings?done=logo", 303)


async def show_logo(visit: Visit) -> Response:
    """The picture, also at a host that is not the brokerage's."""
    managed_number(visit)
    assert visit.acting is not None
    database = visit.request.app.state.aureum.database
    rows = await database.rows(LOGO_OF, {"number": visit.acting["id"]})
    if not rows:
        raise NotFound(NO_LOGO)
    media, image = rows[0]
    return Response(bytes(image), media_type=media)


PAGES = (
    Page("/admin/settings", show_settings, change_settings, upload=True),
    Page("/admin/settings/logo", show_logo),
    Page("/admin/settings/logo/remove", act=remove_logo),
)
