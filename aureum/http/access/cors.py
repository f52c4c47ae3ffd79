"""Which pages may call the public side from a browser: those of the brokerage that Host names, over https.

A page's origin must be exactly ``https://`` and one of the brokerage's domains, or its name below the base domain.
Credentials are never asked for. What may be sent is a wider circle than what may be read: a form needs no preflight and
is taken from the brokerage's pages in any scheme, and from pages that do not say where they are.
"""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from aureum.http.access.callers import NO_BROKERAGE, named_host
from aureum.http.access.session_cookie import host_in
from aureum.http.access.sites import Site
from aureum.http.wire.errors import HttpError
from aureum.http.wire.headers import header

if TYPE_CHECKING:
    from aureum.app import Aureum

METHODS = {
    "/api/contact": "POST",
    "/api/leads/count": "GET",
    "/api/tours": "POST",
    "/api/newsletter/subscribe": "POST",
}
"""What pages may call, and how."""

MAY_BE_SENT = "Content-Type, Idempotency-Key, If-None-Match, X-Request-Id"
MAY_BE_READ = "ETag, Idempotent-Replayed, Retry-After, X-Error-Code, X-Request-Id"
REMEMBERED_SECONDS = 600


def allow_origin(request: Request, site: Site | None) -> bool:
    """Let the page that asks read the answer, a refusal too, if it is a page of the *site*'s."""
    origin = header(request.scope, b"origin")
    if origin is None:
        return False
    headers = [(b"vary", b"Origin")]
    allowed = site is not None and origin in site.origins
    if allowed:
        headers += [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", MAY_BE_READ.encode()),
        ]
    request.scope["state"]["page_headers"] = headers
    return allowed


ELSEWHERE = "This form was sent from another website. Open it on our website and submit it there."

NO_PAGE = (None, "", "null")
"""No browser, or one that does not tell: a page without referrer, a file, a frame in a sandbox."""


def check_origin(request: Request, site: Site, host: str) -> None:
    """Raises HttpError 403 for a form that a browser sends from a page of another site.

    Where this process does not know the site's own names at the moment, any page will do: no form is lost for that.
    """
    origin = header(request.scope, b"origin")
    if origin in NO_PAGE or not site.origins or origin in site.origins:
        return
    page = host_in(origin or "")
    if page is None or (page != host and f"https://{page}" not in site.origins):
        raise HttpError("cross_site_request", ELSEWHERE)


async def find_site(request: Request) -> Site | None:
    """The site that Host names, as this process knows it. Raises BadHost, Unavailable."""
    app: Aureum = request.app.state.aureum
    return await app.sites.find(*named_host(request))


async def preflight(request: Request) -> Response:
    """What a browser asks before it lets a page of another origin send JSON. Raises BadHost, HttpError 404."""
    site = await find_site(request)
    if site is None:
        raise HttpError("brokerage_not_found", NO_BROKERAGE)
    if not allow_origin(request, site):
        return Response(status_code=204)
    headers = {
        "Access-Control-Allow-Methods": METHODS[request.url.path],
        "Access-Control-Allow-Headers": MAY_BE_SENT,
        "Access-Control-Max-Age": str(REMEMBERED_SECONDS),
    }
    return Response(status_code=204, headers=headers)
