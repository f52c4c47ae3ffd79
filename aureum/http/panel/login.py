"""Logging in and out of the panel. The session is the API's own, its token in a cookie."""

import re
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.http.access.session_cookie import forget_token, keep_token
from aureum.http.panel.page import LOGIN, Page
from aureum.http.panel.rendering import rendered
from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import HttpError, render

HERE = re.compile(r"/admin(?:/[A-Za-z0-9_/-]*)?(?:\?[A-Za-z0-9_.*=&%,:+~-]*)?")
"""Pages that a login may redirect to: those of the panel only, and no dots lead out of it."""


DONE = {"password": "Your password was set. Log in with it."}


def page_after(text: str) -> str:
    """The page that *text* names, if it is one of the panel's."""
    return text if HERE.fullmatch(text) and "//" not in text else "/admin"


async def show_login(visit: Visit) -> Response:
    """The form. A user who is already logged in is redirected."""
    following = page_after(visit.request.query_params.get("next", ""))
    if visit.me is not None:
        return RedirectResponse(following, 303)
    told = DONE.get(visit.request.query_params.get("done", ""))
    return rendered(visit, "login.html", following=following, email="", problem=None, told=told)


async def log_in(visit: Visit) -> Response:
    """On to the page that was asked for, or the form again with what was wrong."""
    following, email = page_after(visit.form["next"]), visit.form["email"]
    # A password may begin and end with blanks.
    password = (visit.form.all("password") or [""])[0]
    credentials: dict[str, Any] = {"email": email, "password": password}
    try:
        session = (await visit.ask("POST", "/api/v1/auth/login", body=credentials)).body
    except HttpError as error:
        status, _, _ = render(error, "aureum")
        headers = {name: value for name, value in error.headers.items() if name == "Retry-After"}
        shown = {"following": following, "email": email, "problem": error.text, "told": None}
        return rendered(visit, "login.html", status=status, headers=headers, **shown)
    response = RedirectResponse(following, 303)
    keep_token(visit.request, response, session["token"])
    return response


async def log_out(visit: Visit) -> Response:
    """The token opens nothing any more."""
    if visit.me is not None:
        await visit.ask("POST", "/api/v1/auth/logout")
    response = RedirectResponse(LOGIN, 303)
    forget_token(response)
    return response


PAGES = (
    Page(LOGIN, show_login, log_in, anyone=True),
    Page("/admin/logout", act=log_out, anyone=True),
)
