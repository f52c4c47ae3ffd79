"""Where the choice at the top of a page goes: for which brokerage a platform admin acts from now on."""

from dataclasses import replace

from starlette.responses import RedirectResponse, Response

from aureum.domain.errors import NotFound
from aureum.http.access.roles import check_platform_admin
from aureum.http.panel.acting import brokerage, keep
from aureum.http.panel.page import Page
from aureum.http.panel.visit import Visit

NO_BROKERAGE = "There is no such brokerage, or it is disabled."

KINDS = ("leads", "contacts", "properties", "tasks", "showings", "webhooks", "agents", "routing", "users", "settings")
"""Pages that every brokerage has."""


async def act_for(visit: Visit) -> Response:
    """Go on for another brokerage: to the same page, or to the list where it is about one thing of the former one."""
    check_platform_admin(visit.role)
    found = await brokerage(visit, visit.form["brokerage"], visit.brokerages)
    if found is None:
        raise NotFound(NO_BROKERAGE)
    response = RedirectResponse(page_for_another(visit.form["next"]), 303)
    keep(replace(visit, acting=found), response)
    return response


def page_for_another(path: str) -> str:
    """The page of the panel like *path* that every brokerage has."""
    parts = path.split("/")
    if len(parts) < 3 or parts[:2] != ["", "admin"] or parts[2] not in KINDS:
        return "/admin"
    return f"/admin/{parts[2]}/new" if parts[3:] == ["new"] else f"/admin/{parts[2]}"


PAGES = (Page("/admin/brokerages/acting", act=act_for),)
