"""A page of the portal as an ASGI application: the brokerage of the host, the client of the session, and its answer.

A visitor who has not signed in is sent to the sign-in, and comes back. A refusal is a page too, in the client's
language.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from aureum.commands.portal.addresses import client_address_of
from aureum.commands.portal.sessions import find_session
from aureum.domain.errors import Unavailable
from aureum.http.access.callers import by_link, named_host
from aureum.http.access.portal_cookie import client_token
from aureum.http.access.session_cookie import check_same_origin
from aureum.http.portal.catalogue import language_of
from aureum.http.portal.refusals import HERE, NOT_ON_THIS_PLAN, refused
from aureum.http.portal.rendering import HEADERS
from aureum.http.portal.visit import PortalBrokerage, PortalClient, PortalVisit
from aureum.http.wire.bodies import read_body
from aureum.http.wire.errors import HttpError
from aureum.http.wire.headers import header
from aureum.http.wire.page_forms import read_form, read_upload
from aureum.store.rate_limits import count

Handler = Callable[[PortalVisit], Awaitable[Response]]

FORMS_A_MINUTE = 60
"""Of one client, whatever they are: each may add to the brokerage's log."""


@dataclass(frozen=True)
class PortalPage:
    """*handler* answers *method* at *path*."""

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    anyone: bool = False
    """Whether no client is needed."""
    signers: bool = False
    """Whether it is there on every plan, for those whom something was sent to sign."""
    upload: bool = False
    """Whether its form may hold files, of a megabyte together."""
    streamed: bool = False
    """Whether the handler reads the body itself."""
    proves_itself: bool = False
    """Whether a request from another site is harmless, because the browser would not send the cookie that it needs."""
    preview: bool = False
    """Whether staff may see it as the client does: a page of a client that changes nothing when it is shown."""


class PortalAddress:
    """The pages of one path."""

    def __init__(self, pages: Sequence[PortalPage]) -> None:
        self.pages: dict[str, PortalPage] = {page.method: page for page in pages}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self.respond(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The page, or why not."""
        visit = PortalVisit(request, locale=language_of(request.scope))
        try:
            visit = replace(visit, brokerage=await brokerage_of(request))
            page = self.pages.get("GET" if request.method == "HEAD" else request.method)
            if page is None:
                raise HttpError("method_not_allowed", HERE, {"Allow": self.allowed})
            if request.method == "POST" and not page.proves_itself:
                check_same_origin(request, request.app.state.aureum.settings.trusted_proxies)
            visit = replace(visit, signed_in=await client_of(visit))
            if not page.anyone:
                if visit.signed_in is None:
                    return to_sign_in(request)
                if not page.signers and not visit.at.has_portal:
                    raise HttpError("path_not_found", NOT_ON_THIS_PLAN)
                if request.method == "POST":
                    await count_form(visit)
            if request.method == "POST" and not page.streamed:
                body = await read_body(request.receive, request.scope["headers"])
                form = (read_upload if page.upload else read_form)(body, header(request.scope, b"content-type") or "")
                visit = replace(visit, form=form)
            return await page.handler(visit)
        except Exception as error:
            return refused(visit, error)

    @property
    def allowed(self) -> str:
        """The methods of this path."""
        return ", ".join((["GET", "HEAD"] if "GET" in self.pages else []) + (["POST"] if "POST" in self.pages else []))


async def brokerage_of(request: Request) -> PortalBrokerage:
    """The brokerage that Host names. Raises BadHost, HttpError 404, Unavailable."""
    caller = await by_link(request)
    app = request.app.state.aureum
    host, slug = named_host(request)
    app.sites.forget_unless(host, slug, caller.site_version)
    site = await app.sites.find(host, slug)
    if site is None or not site.name:
        # Disabled in this moment, or the database could not say what it is called.
        raise Unavailable
    return PortalBrokerage(caller.tenant_id, site.name, caller.slug, caller.plan, site.color, site.logo, site.time_zone)


async def client_of(visit: PortalVisit) -> PortalClient | None:
    """The client whose session the browser has. Raises Unavailable."""
    app = visit.app
    token = client_token(visit.request.scope, app.settings.trusted_proxies)
    if token is None:
        return None
    tenant_key = await app.store.tenant_key(visit.at.tenant_id)
    session = await find_session(app.database, tenant_key, token, visit.at.plan)
    if session is None:
        return None
    return PortalClient(visit.at, session.address, session.contact_ids, session.signed_in_at, visit.locale)


async def count_form(visit: PortalVisit) -> None:
    """Count a form of the client. Raises TooMany, Unavailable."""
    tenant_key = await visit.app.store.tenant_key(visit.client.tenant_id)
    key = client_address_of(tenant_key, visit.client.address).key
    await count(visit.app.database, visit.client.tenant_id, b"portal forms " + key, FORMS_A_MINUTE)


def to_sign_in(request: Request) -> Response:
    """Sign in first. A page that was asked for follows; a form that was sent is lost with its session."""
    path = request.url.path if request.method in ("GET", "HEAD") else "/portal"
    return RedirectResponse("/portal" if path == "/portal" else f"/portal?next={quote(path)}", 303)
