"""Every page of the panel on one page."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from aureum.domain.errors import NotFound
from aureum.http.contract.packed import FOREVER
from aureum.http.panel import (
    account,
    acting_pages,
    agents,
    api_keys,
    brokerages,
    contacts,
    leads,
    login,
    overview,
    properties,
    routing,
    settings,
    showings,
    tasks,
    users,
    webhook,
    webhook_deliveries,
    webhook_replays,
    webhooks,
)
from aureum.http.panel.page import Page
from aureum.http.panel.rendering import style
from aureum.http.panel.visit import Visit

STYLE = "/admin/panel.css"

NOWHERE = "There is no such page."


async def show_nothing(visit: Visit) -> Response:
    """Of the panel, but no page of it."""
    if visit.request.url.path == "/admin/":
        return RedirectResponse("/admin", 303)
    raise NotFound(NOWHERE)


PAGES: tuple[Page, ...] = (
    *overview.PAGES,
    *login.PAGES,
    *account.PAGES,
    *leads.PAGES,
    *contacts.PAGES,
    *properties.PAGES,
    *tasks.PAGES,
    *showings.PAGES,
    *webhooks.PAGES,
    *webhook_deliveries.PAGES,
    *webhook_replays.PAGES,
    *webhook.PAGES,
    *agents.PAGES,
    *routing.PAGES,
    *users.PAGES,
    *acting_pages.PAGES,
    *brokerages.PAGES,
    *settings.PAGES,
    *api_keys.PAGES,
    Page("/admin/{path:path}", show_nothing, show_nothing),
)


class StyleSheet:
    """The style sheet, as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await style().answer(Request(scope, receive), **{"Cache-Control": FOREVER})
        await response(scope, receive, send)


def routes() -> list[Route]:
    """Of all pages; paths without an id come before those with one."""
    pages = [Route(page.path, page, include_in_schema=False) for page in PAGES]
    return [Route(STYLE, StyleSheet(), include_in_schema=False), *pages]
