"""The key dates of the client's deal, as staff set them."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from starlette.responses import Response

from aureum.domain.ids import now
from aureum.domain.key_dates import KeyDates
from aureum.http.portal.clients import around_client
from aureum.http.portal.page import PortalPage
from aureum.http.portal.visit import PortalVisit
from aureum.projections.key_dates import together

MOST_ON_HOME = 3


class ClientDate(NamedTuple):
    """All that a client sees of a key date."""

    day: date
    label: str
    note: str | None


async def dates_of(visit: PortalVisit) -> tuple[list[ClientDate], list[ClientDate]]:
    """Those to come, the next one first, and those that are over, the last one first. Raises Unavailable."""
    found = [one for around in await around_client(visit, KeyDates) for one in around.kept]
    dates = [ClientDate(date.fromisoformat(one.date), one.label, one.note) for one in together(found)]
    today = now().astimezone(visit.zone).date()
    return [one for one in dates if one.day >= today], [one for one in reversed(dates) if one.day < today]


async def show_dates(visit: PortalVisit) -> Response:
    """All of them."""
    coming, past = await dates_of(visit)
    return visit.render("dates.html", coming=coming, past=past)


async def next_dates(visit: PortalVisit) -> Mapping[str, Any] | None:
    """The next ones, for the first page."""
    coming, _ = await dates_of(visit)
    return {"dates": coming[:MOST_ON_HOME]} if coming else None


PAGES = (PortalPage("GET", "/portal/dates", show_dates, preview=True),)
