"""Settings: the brokerage itself, and the way to its API keys. Domains and plan are shown; they are not the owner's."""

from collections.abc import Mapping, Sequence

from starlette.responses import RedirectResponse, Response

from aureum.http.access.roles import check_manager
from aureum.http.panel.acting import number_of
from aureum.http.panel.brokerages import MAILS, NAME, SETTINGS
from aureum.http.panel.fields import all_typed, as_typed
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.resource import save
from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import HttpError

API = "/api/v1/admin/brokerages/{id}"

SEEN = """
SELECT s.domain FROM domains_seen s
  JOIN domains d ON d.domain = s.domain AND d.tenant_id = s.tenant_id
 WHERE s.domain = ANY (%(domains)s)
"""

FIELDS = (NAME, *SETTINGS, *MAILS)

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
    done = visit.request.query_params.get("done") == "changed" and visit.request.method == "GET"
    tag = answer.etag if etag is None else etag
    silent = await silent_domains(visit, answer.body["domains"])
    about = {
        "brokerage": answer.body,
        "silent": silent,
        "etag": tag,
        "fields": FIELDS,
        "values": values,
        "users": {},
    }
    return await page(visit, "settings.html", 400 if problem else 200, problem=problem, done=done, **about)


async def silent_domains(visit: Visit, domains: Sequence[str]) -> set[str]:
    """Those of *domains* at which no request has arrived yet."""
    seen = await visit.request.app.state.aureum.database.rows(SEEN, {"domains": list(domains)})
    return set(domains) - {domain for (domain,) in seen}


async def show_settings(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def change_settings(visit: Visit) -> Response:
    """The changed fields, unless another request has changed them since the form was shown."""
    try:
        await save(visit, API, managed_number(visit), FIELDS)
    except REFUSALS as error:
        return await shown(visit, as_typed(FIELDS, visit.form), refusal(error), seen(visit, error))
    return RedirectResponse("/admin/settings?done=changed", 303)


PAGES = (Page("/admin/settings", show_settings, change_settings),)
