"""The admin panel's session cookie: a user's token, kept where no script of a page can read it.

Over https it has the prefix ``__Host-`` (RFC 6265bis, 4.1.3.2): no other host, not even one below the same domain, can
set it in a visitor's browser. Whether that is so, the browser says itself, in the Origin of the form that logs in. A
browser sends a cookie no matter which page made the request, so requests that change something must come from a page of
the same host.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from aureum.commands.sessions import TOKEN_PREFIX
from aureum.http.access.hosts import Networks, normalise_host, requested_host
from aureum.http.wire.errors import BadHost, HttpError
from aureum.http.wire.headers import header

SAFE = "__Host-aureum"
PLAIN = "aureum"
"""Its names over https, and over http."""

LASTS = 12 * 3600
"""Seconds, as long as the token is valid."""

ELSEWHERE = "This request came from another website. Open the page here and submit it again."


def session_token(scope: Scope, trusted_proxies: Networks) -> str | None:
    """The token in the cookie, if there is one."""
    sent = header(scope, b"cookie")
    if sent is None:
        return None
    cookies = cookie_parser(sent)
    token = cookies.get(SAFE) or (None if is_https(scope, trusted_proxies) else cookies.get(PLAIN))
    return token if token is not None and token.startswith(TOKEN_PREFIX) else None


def keep_token(request: Request, response: Response, token: str) -> None:
    """The browser sends *token* from now on, to this host alone."""
    secure = is_secure(request)
    response.set_cookie(
        SAFE if secure else PLAIN, token, max_age=LASTS, path="/", secure=secure, httponly=True, samesite="lax"
    )


def forget_token(response: Response) -> None:
    """The browser forgets it, under whichever name."""
    for name in (SAFE, PLAIN):
        response.delete_cookie(name, path="/", secure=name == SAFE, httponly=True, samesite="lax")


def is_https(scope: Scope, trusted_proxies: Networks) -> bool:
    """Whether a browser says, by the header that it sends over https and to its own machine only, that this is https:
    there the name that any host below the same domain can set counts for nothing."""
    if header(scope, b"sec-fetch-site") is None:
        return False
    try:
        # The host that the browser asked for: a proxy on this machine may ask with a Host of its own.
        host = requested_host(scope, trusted_proxies)
    except BadHost:
        return True
    return host is None or not is_own_machine(host)


def is_own_machine(host: str) -> bool:
    """Whether the normalised *host* is a browser's own machine: ``localhost``, names below it, which lead nowhere else
    (RFC 6761, 6.3), and loopback addresses, each as a whole."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_secure(request: Request) -> bool:
    """Whether the page that sent this was loaded over https."""
    return (header(request.scope, b"origin") or "").startswith("https://")


def check_same_origin(request: Request, trusted_proxies: Networks) -> None:
    """Raises HttpError 403 for what a browser sends on behalf of another site's page.

    Browsers tell in Sec-Fetch-Site (over https, and to localhost) or else in Origin; what tells neither is none.
    """
    site, origin = header(request.scope, b"sec-fetch-site"), header(request.scope, b"origin")
    if site is not None:
        same = site in ("same-origin", "none")
    else:
        host = None if origin is None else host_in(origin)
        same = origin is None or (host is not None and host == requested_host(request.scope, trusted_proxies))
    if not same:
        raise HttpError("cross_site_request", ELSEWHERE)


def host_in(origin: str) -> str | None:
    """The host of an Origin as it is compared; None for ``null`` and for what is none."""
    try:
        return normalise_host(urlsplit(origin).netloc) or None
    except (BadHost, ValueError):
        return None
