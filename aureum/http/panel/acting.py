"""For which brokerage a platform admin acts: the one chosen at the top of any page, else that of the Host, else their
own. All other users act for the brokerage that they belong to. The choice is a cookie; it gives no rights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from aureum.domain.errors import NotFound
from aureum.http.access.callers import named_host, through_gate
from aureum.http.access.gate import Lookup
from aureum.http.access.session_cookie import LASTS, is_secure
from aureum.http.panel.fields import Field
from aureum.http.panel.visit import ACTING_COOKIE, Visit
from aureum.http.wire.errors import BadHost, HttpError

API = "/api/v1/admin/brokerages"

PAGE_SIZE, MOST_PAGES = 100, 5
"""How many brokerages can be chosen at the top of a page; others on their own pages."""

CHOOSE = "Choose a brokerage at the top of the page first."

BROKERAGE = Field("brokerage_id", "Brokerage", "brokerage", required=True)


async def with_brokerage(visit: Visit) -> Visit:
    """*visit* of a user who is logged in, with the brokerage that it acts for, and those that it may choose."""
    assert visit.me is not None
    if visit.role != "platform_admin":
        return replace(visit, acting=visit.me["brokerage"])
    offered = await listed(visit)
    for number in (visit.request.cookies.get(ACTING_COOKIE, ""), await of_host(visit), own(visit)):
        if number and (found := await brokerage(visit, number, offered)) is not None:
            if found not in offered:
                offered = [*offered, found]
            return replace(visit, acting=found, brokerages=by_name(offered))
    return replace(visit, brokerages=by_name(offered))


def by_name(offered: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return sorted(offered, key=lambda one: (str(one["name"]).casefold(), one["id"]))


async def listed(visit: Visit) -> list[Mapping[str, Any]]:
    """The brokerages that are not disabled, the newest ones if there are very many."""
    found: list[Mapping[str, Any]] = []
    for number in range(1, MOST_PAGES + 1):
        part = (await visit.ask("GET", API, query={"page_size": PAGE_SIZE, "page": number})).body
        found += [known(one) for one in part["items"] if not one["disabled"]]
        if number >= part["total_pages"]:
            break
    return found


def known(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """A brokerage as ``GET /api/me`` shows that of a user."""
    return {name: shown[name] for name in ("id", "slug", "name", "plan")} | {"timeZone": shown["time_zone"]}


async def brokerage(visit: Visit, number: str, offered: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The brokerage with this number, unless there is none, or it is disabled."""
    for one in offered:
        if str(one["id"]) == number:
            return one
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        return None
    try:
        shown = (await visit.ask("GET", API + "/{id}", id=number)).body
    except NotFound:
        return None
    return None if shown["disabled"] else known(shown)


async def of_host(visit: Visit) -> str:
    """The number of the brokerage that Host names, if it does."""
    try:
        host, slug = named_host(visit.request)
    except BadHost:
        return ""
    admission = await through_gate(visit.request, Lookup(b"", host, slug, ""))
    return "" if admission is None else str(admission.caller.number)


def own(visit: Visit) -> str:
    """The number of the brokerage that the reader belongs to, if any."""
    assert visit.me is not None
    return str(visit.me["brokerage"]["id"]) if visit.me["brokerage"] else ""


def number_of(visit: Visit) -> str:
    """The number of the brokerage that the page acts for. Raises HttpError 400 if there is none."""
    if visit.acting is None:
        raise HttpError("brokerage_required", CHOOSE)
    return str(visit.acting["id"])


def named(visit: Visit) -> dict[str, Any]:
    """What endpoints of the staff get beside the rest: only platform admins name a brokerage."""
    return {"brokerage_id": visit.acting["id"]} if visit.acting and visit.role == "platform_admin" else {}


async def chosen(visit: Visit, number: str) -> Visit:
    """*visit* of a platform admin for another brokerage, which a form names."""
    found = await brokerage(visit, number, visit.brokerages) if visit.role == "platform_admin" else None
    return visit if found is None else replace(visit, acting=found)


def keep(visit: Visit, response: Response) -> None:
    """The browser goes on acting for the brokerage of *visit*, as long as its session lasts at most."""
    response.set_cookie(
        ACTING_COOKIE,
        number_of(visit),
        max_age=LASTS,
        path="/admin",
        secure=is_secure(visit.request),
        httponly=True,
        samesite="lax",
    )
