"""A page of the panel as an ASGI application: its reader, what it shows, and what its form does.

A visitor who is not logged in is sent to the login, and comes back. A refusal is a page too, in the words of the API.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from aureum.domain.errors import DomainError, StaleVersion, Unavailable
from aureum.http.access.session_cookie import check_same_origin, forget_token, session_token
from aureum.http.panel.acting import CHOOSE, with_brokerage
from aureum.http.panel.notices import notices
from aureum.http.panel.rendering import HEADERS, rendered
from aureum.http.panel.visit import Visit
from aureum.http.wire.bodies import read_body
from aureum.http.wire.error_log import log_error
from aureum.http.wire.errors import HttpError, render
from aureum.http.wire.headers import header
from aureum.http.wire.page_forms import read_form, read_upload

Answering = Callable[[Visit], Awaitable[Response]]

LOGIN = "/admin/login"
WRONG_METHOD = "This page does not accept this method."

REFUSALS = (HttpError, DomainError)
"""What the API raises instead of doing what it was asked for."""

STALE = (
    "We couldn't save your changes, because this was changed after you opened it. Your changes are still in the form. "
    "Save again to overwrite the other change."
)


class Page:
    """*show* answers GET, *act* what its form sends; *anyone*: no login is needed;
    *upload*: its form may hold files; *streamed*: its form is passed on to the API as it comes in."""

    def __init__(
        self,
        path: str,
        show: Answering | None = None,
        act: Answering | None = None,
        *,
        anyone: bool = False,
        upload: bool = False,
        streamed: bool = False,
    ) -> None:
        self.path = path
        self.show = show
        self.act = act
        self.anyone = anyone
        self.upload = upload
        self.streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self.respond(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The page, or why not."""
        visit = Visit(request)
        try:
            if request.method == "POST":
                check_same_origin(request, request.app.state.aureum.settings.trusted_proxies)
            visit = await recognised(visit)
            if visit.me is None and not self.anyone:
                return to_login(request)
            return await self.answer(visit)
        except Exception as error:
            return await refused(visit, error)

    async def answer(self, visit: Visit) -> Response:
        """What the page itself says. Raises HttpError, DomainError."""
        method, request = visit.request.method, visit.request
        if method in ("GET", "HEAD") and self.show is not None:
            return await self.show(visit)
        if method == "POST" and self.act is not None and self.streamed:
            return await self.act(visit)
        if method == "POST" and self.act is not None:
            body = await read_body(request.receive, request.scope["headers"])
            form = (read_upload if self.upload else read_form)(body, header(request.scope, b"content-type") or "")
            return await self.act(replace(visit, form=form))
        allowed = (["GET", "HEAD"] if self.show else []) + (["POST"] if self.act else [])
        raise HttpError("method_not_allowed", WRONG_METHOD, {"Allow": ", ".join(allowed)})


async def recognised(visit: Visit) -> Visit:
    """*visit* with the user who is logged in, if the session is still valid."""
    trusted_proxies = visit.request.app.state.aureum.settings.trusted_proxies
    token = session_token(visit.request.scope, trusted_proxies)
    if token is None:
        return visit
    known = replace(visit, token=token)
    try:
        known = replace(known, me=(await known.ask("GET", "/api/me")).body)
    except HttpError as error:
        if error.status != 401:
            raise
        return visit
    return await with_brokerage(known)


def to_login(request: Request) -> Response:
    """Log in first. A page that was asked for follows; a form that was sent is lost with its session."""
    path = request.url.path if request.method == "GET" else "/admin"
    query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
    response = RedirectResponse(f"{LOGIN}?next={quote(path + query)}", 303)
    forget_token(response)
    return response


async def refused(visit: Visit, error: Exception) -> Response:
    """A page with what any endpoint would answer to *error*."""
    status, headers, body = render(error, "aureum")
    if status == 500 or isinstance(error, Unavailable):
        log_error(visit.request.scope, error)
    kept = {
        name.decode(): value.decode() for name, value in headers if name in (b"retry-after", b"allow", b"x-error-code")
    }
    text = orjson.loads(body)["error"]
    if visit.role == "platform_admin" and isinstance(error, HttpError) and error.code == "brokerage_required":
        text = CHOOSE
    return rendered(visit, "refused.html", status=status, headers=kept, text=text)


async def page(visit: Visit, template: str, status: int = 200, **shown: object) -> Response:
    """A page for the user who is logged in, with the notices that every page shows."""
    return rendered(visit, template, status=status, headers=None, notices=await notices(visit), **shown)


def seen(visit: Visit, error: Exception) -> str | None:
    """The ETag for the form again that was refused: of the version that the user had seen, until the user reads that
    it has changed since. None for the current version."""
    return None if isinstance(error, StaleVersion) else visit.form["etag"]


def refusal(error: Exception) -> str:
    """Why the API refused what a form asked for, to be said on the page with the form. Raises Unavailable: without the
    database there is no such page either."""
    if isinstance(error, Unavailable):
        raise error
    if isinstance(error, StaleVersion):
        return STALE
    return str(orjson.loads(render(error, "aureum")[2])["error"])
