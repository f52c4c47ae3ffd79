"""A client's pages as staff see them: by the same functions, and nothing can be pressed. No form leads anywhere, the
page's policy forbids to send one, and only pages that change nothing when they are shown are there."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from aureum.commands.portal.addresses import client_address_of
from aureum.commands.portal.opening import opened_by
from aureum.domain.ids import now
from aureum.http.portal.catalogue import language_of
from aureum.http.portal.page import PortalPage
from aureum.http.portal.pages import NOWHERE, PAGES
from aureum.http.portal.visit import PortalBrokerage, PortalClient, PortalVisit
from aureum.http.wire.errors import HttpError

SHOWN = [(page, *compile_path(page.path)[::2]) for page in PAGES if page.preview]
"""Each with what matches its path, and what reads the parameters in it."""


async def previewed(
    request: Request, brokerage: PortalBrokerage, address: str, begin: str, path: str, visible_to: UUID | None
) -> Response:
    """The page at *path* (``/portal…``) as the client with this *address* sees it. Addresses of previews begin with
    *begin*; an agent sees only what is *visible_to* that agent. Raises HttpError 404, Unavailable."""
    page, parameters = page_at(path)
    app = request.app.state.aureum
    tenant_key = await app.store.tenant_key(brokerage.tenant_id)
    given = client_address_of(tenant_key, address)
    opened = await opened_by(app.database, tenant_key, given, brokerage.plan)
    language = language_of(request.scope)
    client = PortalClient(brokerage, given.text, opened.contact_ids, now(), language)
    asked = Request({**request.scope, "path": path, "path_params": parameters}, request.receive)
    visit = PortalVisit(asked, brokerage, client, language, preview=begin, visible_to=visible_to)
    return await page.handler(visit)


def page_at(path: str) -> tuple[PortalPage, dict[str, object]]:
    """The page at *path*, and the parameters in it. Raises HttpError 404."""
    for page, pattern, convertors in SHOWN:
        match = pattern.match(path)
        if match is not None:
            return page, {name: convertors[name].convert(text) for name, text in match.groupdict().items()}
    raise HttpError("path_not_found", NOWHERE)
