"""Settings → Contact form: the form for the brokerage's website to copy, and a test of it.

The test goes through the same endpoint as a visitor's form, with the trap filled in that only programs fill in. So it
is stored and marked as suspected spam, and neither counted, routed, mailed nor sent to webhooks.
"""

from typing import Any

from starlette.responses import Response

from aureum.domain.ids import aureum_time
from aureum.http.panel.domains import arrivals
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.settings import API, managed_number
from aureum.http.panel.visit import Visit

HERE = "/admin/settings/form"

TEST: dict[str, Any] = {
    "firstName": "Test",
    "lastName": "of the contact form",
    "subject": "Test of the contact form",
    "message": "Sent from the settings, to see that forms arrive.",
    "source_page": HERE,
    "_gotcha": "test",
}


def hosts_of(visit: Visit, brokerage: dict[str, Any]) -> list[str]:
    """Where the brokerage's forms can be sent: its domains, and its name below the base domain."""
    base = visit.request.app.state.aureum.settings.base_domain
    return [*brokerage["domains"], *([] if base is None else [f"{brokerage['slug']}.{base}"])]


async def shown(visit: Visit, result: dict[str, Any] | None = None) -> Response:
    """The page; with the *result* of a test."""
    brokerage = (await visit.ask("GET", API, id=managed_number(visit))).body
    hosts = hosts_of(visit, brokerage)
    seen = await arrivals(visit, brokerage["domains"])
    first = next((host for host in hosts if host in seen), hosts[0] if hosts else None)
    return await page(
        visit,
        "form_snippet.html",
        host=first,
        since=aureum_time(seen[first]) if first in seen else None,
        result=result,
    )


async def show_snippet(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def send_test(visit: Visit) -> Response:
    """Send the form in this process, as if it had arrived at the brokerage's host."""
    brokerage = (await visit.ask("GET", API, id=managed_number(visit))).body
    hosts = hosts_of(visit, brokerage)
    assert visit.me is not None
    if not hosts:
        return await shown(visit)
    try:
        answer = await visit.ask("POST", "/api/contact", body=TEST | {"email": visit.me["email"]}, host=hosts[0])
    except REFUSALS as error:
        return await shown(visit, {"host": hosts[0], "problem": refusal(error)})
    # The newest suspected lead is this one, unless a program has just sent another.
    suspects = (await visit.ask("GET", "/api/leads", query={"suspect": "true", "limit": 1})).body
    lead = suspects[0]["id"] if suspects else None
    return await shown(visit, {"host": hosts[0], "problem": None, "number": answer.body["lead_id"], "lead": lead})


PAGES = (Page(HERE, show_snippet, send_test),)
