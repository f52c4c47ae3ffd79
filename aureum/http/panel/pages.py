"""Every page of the panel: those of the resources, in their order, and what belongs to none of them."""

from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from aureum.domain.errors import NotFound
from aureum.http.panel import (
    account,
    assets,
    exports,
    imports,
    login,
    mail,
    picking,
    platform,
    search,
    security,
    undoing,
    undoing_all,
)
from aureum.http.panel.live import PATH as LIVE
from aureum.http.panel.live import Live
from aureum.http.panel.navigation import PLACES, Place
from aureum.http.panel.page import Page
from aureum.http.panel.passwords import PAGES as OF_PASSWORDS
from aureum.http.panel.rendering import TEMPLATES
from aureum.http.panel.reports import PAGES as OF_REPORTS
from aureum.http.panel.resource_list import show_list
from aureum.http.panel.sessions import PAGES as OF_SESSIONS
from aureum.http.panel.today import PAGES as OF_TODAY
from aureum.http.panel.two_step import PAGES as OF_TWO_STEP
from aureum.http.panel.visit import Visit
from aureum.projections.document_list import DocumentList
from aureum.resources import RESOURCES, Resource

NOWHERE = "There is no such page."


async def show_nothing(visit: Visit) -> Response:
    """Of the panel, but no page of it."""
    if visit.request.url.path == "/admin/":
        return RedirectResponse("/admin", 303)
    raise NotFound(NOWHERE)


def of_resources(wanted: Iterable[Resource] = RESOURCES) -> Iterator[Page]:
    """The pages of all resources."""
    for resource in wanted:
        for name in resource.pages:
            declared: tuple[Page, ...] = import_module(name).PAGES
            yield from declared


def declared_places() -> Iterator[Place]:
    """The lists of resources that the menu has no line for."""
    named = {place.path for place in PLACES}
    listed = [one for one in RESOURCES if any(isinstance(model, DocumentList) for model in one.read_models)]
    for one in of_resources(listed):
        if isinstance(one.show, partial) and one.show.func is show_list:
            (shown,) = one.show.args
            if shown.path not in named:
                yield Place("people", shown.path, shown.many, "rectangle-stack")


PAGES: tuple[Page, ...] = (
    *OF_TODAY,
    *OF_REPORTS,
    *search.PAGES,
    *platform.PAGES,
    *login.PAGES,
    *OF_PASSWORDS,
    *OF_SESSIONS,
    *OF_TWO_STEP,
    *account.PAGES,
    *undoing.PAGES,
    *exports.PAGES,
    *imports.PAGES,
    *of_resources(),
    *mail.PAGES,
    *security.PAGES,
    *undoing_all.PAGES,
    Page("/admin/{path:path}", show_nothing, show_nothing),
)


FRAGMENTS: tuple[Page, ...] = picking.FRAGMENTS
"""Parts of pages, which modules ask for."""

TEMPLATES.globals["declared"] = tuple(declared_places())
TEMPLATES.globals["exported"] = frozenset(one.path for one in exports.EXPORTS)


def routes() -> list[Route]:
    """Of all pages; paths without an id come before those with one."""
    pages = [Route(page.path, page, include_in_schema=False) for page in (*FRAGMENTS, *PAGES)]
    return [*assets.routes(), Route(LIVE, Live(), include_in_schema=False), *pages]
