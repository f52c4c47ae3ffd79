"""Settings → Domains: where the brokerage is reached, whether requests arrive there, and how to point a domain here."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from aureum.domain.ids import aureum_time
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.settings import API, managed_number
from aureum.http.panel.visit import Visit

HERE = "/admin/settings/domains"

SEEN = """
SELECT s.domain, s.first_at FROM domains_seen s
  JOIN domains d ON d.domain = s.domain AND d.tenant_id = s.tenant_id
 WHERE s.domain = ANY (%(domains)s)
"""

DONE = {"added": "The domain was added.", "removed": "The domain was removed."}


async def arrivals(visit: Visit, domains: list[str]) -> dict[str, datetime]:
    """When the first request arrived at each of *domains* at which one has."""
    return dict(await visit.request.app.state.aureum.database.rows(SEEN, {"domains": domains}))


def target(visit: Visit, slug: str) -> str | None:
    """The name that a domain's CNAME record points to: the brokerage's name below the base domain, or the host of the
    installation's own URL. None if it has neither."""
    settings = visit.request.app.state.aureum.settings
    if settings.base_domain is not None:
        return f"{slug}.{settings.base_domain}"
    return None if settings.public_url is None else urlsplit(settings.public_url).hostname


async def shown(visit: Visit, problem: str | None = None, typed: str = "") -> Response:
    """The page; with the *problem* of a domain that was *typed*."""
    answer = await visit.ask("GET", API, id=managed_number(visit))
    brokerage: dict[str, Any] = answer.body
    seen = await arrivals(visit, brokerage["domains"])
    settings = visit.request.app.state.aureum.settings
    done = DONE.get(visit.request.query_params.get("done", "")) if visit.request.method == "GET" else None
    return await page(
        visit,
        "domains.html",
        400 if problem else 200,
        brokerage=brokerage,
        etag=answer.etag,
        seen={domain: aureum_time(at) for domain, at in seen.items()},
        target=target(visit, brokerage["slug"]),
        own=None if settings.base_domain is None else f"{brokerage['slug']}.{settings.base_domain}",
        problem=problem,
        typed=typed,
        done=done,
    )


async def show_domains(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def add_domain(visit: Visit) -> Response:
    """One more; platform admins alone may."""
    domain = visit.form["domain"]
    try:
        now = (await visit.ask("GET", API, id=managed_number(visit))).body["domains"]
        await visit.ask("PATCH", API, id=managed_number(visit), body={"domains": [*now, domain]})
    except REFUSALS as error:
        return await shown(visit, refusal(error), domain)
    return RedirectResponse(f"{HERE}?done=added", 303)


async def remove_domain(visit: Visit) -> Response:
    """One less. It is removed already is as good."""
    try:
        now = (await visit.ask("GET", API, id=managed_number(visit))).body["domains"]
        left = [domain for domain in now if domain != visit.form["domain"]]
        await visit.ask("PATCH", API, id=managed_number(visit), body={"domains": left})
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{HERE}?done=removed", 303)


PAGES = (
    Page(HERE, show_domains, add_domain),
    Page(HERE + "/remove", act=remove_domain),
)
