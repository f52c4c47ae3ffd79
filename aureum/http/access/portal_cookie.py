"""The cookies of the client portal: a session, the nonce of a sign-in that was asked for, the marks of a browser in
which addresses have signed in before, and the language.

Over https all but the language have the prefix ``__Host-``, as the panel's cookie has (``session_cookie.py``). Whether
that is so, the browser says in the Origin of the form or, from a page without referrer, by a header that it sends over
https and to its own machine only.
"""

from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from aureum.commands.portal.sign_in import HOURS, MINUTES, TOKEN_PREFIX, SignedIn
from aureum.http.access.hosts import Networks
from aureum.http.access.session_cookie import is_https, is_secure
from aureum.http.wire.headers import header

SESSION = "aureum-portal"
PENDING = "aureum-portal-pending"
KNOWN = "aureum-portal-known"
LANGUAGE = "aureum-portal-language"
PREFIX = "__Host-"

YEAR = 365 * 86_400


def client_token(scope: Scope, trusted_proxies: Networks) -> str | None:
    """The token of the client's session, if there is one."""
    token = kept(scope, SESSION, trusted_proxies)
    return token if token is not None and token.startswith(TOKEN_PREFIX) else None


def pending_nonce(scope: Scope, trusted_proxies: Networks) -> str | None:
    """The nonce of the sign-in that this browser has asked for."""
    return kept(scope, PENDING, trusted_proxies)


def known_marks(scope: Scope, trusted_proxies: Networks) -> str | None:
    """The marks of the addresses that have signed in in this browser."""
    return kept(scope, KNOWN, trusted_proxies)


def chosen_language(scope: Scope) -> str | None:
    """The language that was chosen on a page."""
    return cookies(scope).get(LANGUAGE)


def kept(scope: Scope, name: str, trusted_proxies: Networks) -> str | None:
    """The value of a cookie, by its name without the prefix."""
    sent = cookies(scope)
    return sent.get(PREFIX + name) or (None if is_https(scope, trusted_proxies) else sent.get(name)) or None


def cookies(scope: Scope) -> dict[str, str]:
    """All that were sent."""
    sent = header(scope, b"cookie")
    return {} if sent is None else cookie_parser(sent)


def keep_session(request: Request, response: Response, signed_in: SignedIn, trusted_proxies: Networks) -> None:
    """The browser sends the token from now on, to this host alone; its nonce has done its work. The marks outlast the
    session."""
    keep(request, response, SESSION, signed_in.token, HOURS * 3600, trusted_proxies)
    keep(request, response, KNOWN, signed_in.known, YEAR, trusted_proxies)
    forget(response, PENDING)


def keep_pending(request: Request, response: Response, nonce: str, trusted_proxies: Networks) -> None:
    """The browser has asked for a sign-in."""
    keep(request, response, PENDING, nonce, MINUTES * 60, trusted_proxies)


def keep_language(request: Request, response: Response, language: str, trusted_proxies: Networks) -> None:
    """The pages are in this language from now on."""
    secure = is_secure(request) or is_https(request.scope, trusted_proxies)
    response.set_cookie(LANGUAGE, language, max_age=YEAR, path="/", secure=secure, httponly=True, samesite="lax")


def forget_session(response: Response) -> None:
    """The browser forgets both, under whichever name."""
    forget(response, SESSION)
    forget(response, PENDING)


def keep(request: Request, response: Response, name: str, value: str, seconds: int, trusted_proxies: Networks) -> None:
    """Set a cookie that no script can read."""
    secure = is_secure(request) or is_https(request.scope, trusted_proxies)
    response.set_cookie(
        (PREFIX if secure else "") + name,
        value,
        max_age=seconds,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def forget(response: Response, name: str) -> None:
    """The browser forgets a cookie, with and without the prefix."""
    for one in (PREFIX + name, name):
        response.delete_cookie(one, path="/", secure=one != name, httponly=True, samesite="lax")
