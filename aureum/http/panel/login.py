"""Logging in and out of the panel. The session is the API's own, its token in a cookie."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.responses import RedirectResponse, Response

from aureum.domain.ids import PLATFORM, now
from aureum.http.access.session_cookie import forget_token, keep_token
from aureum.http.panel.page import LOGIN, Page
from aureum.http.panel.rendering import rendered
from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import HttpError, render
from aureum.store.cipher import seal, unseal

HERE = re.compile(r"/admin(?:/[A-Za-z0-9_/-]*)?(?:\?[A-Za-z0-9_.*=&%,:+~-]*)?")
"""Pages that a login may redirect to: those of the panel only, and no dots lead out of it."""


STEP = b"login step"
STEP_SECONDS = 300

TOO_LATE = "Enter your email address and password again: the code must follow within five minutes."

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
    """On to the page that was asked for, or to the second step, or the form again with what was wrong."""
    email = visit.form["email"]
    # A password may begin and end with blanks.
    password = (visit.form.all("password") or [""])[0]
    return await entered(visit, email, password, None)


async def enter_code(visit: Visit) -> Response:
    """The second step of a login that began on this server some minutes ago."""
    opened = await opened_step(visit, visit.form["step"])
    if opened is None:
        shown: dict[str, Any] = {
            "following": page_after(visit.form["next"]),
            "email": "",
            "problem": TOO_LATE,
            "told": None,
        }
        return rendered(visit, "login.html", status=400, **shown)
    return await entered(visit, *opened, visit.form["code"])


async def entered(visit: Visit, email: str, password: str, code: str | None) -> Response:
    """What becomes of these credentials."""
    following = page_after(visit.form["next"])
    credentials: dict[str, Any] = {"email": email, "password": password} | ({} if code is None else {"totp": code})
    try:
        session = (await visit.ask("POST", "/api/v1/auth/login", body=credentials)).body
    except HttpError as error:
        status, _, _ = render(error, "aureum")
        headers = {name: value for name, value in error.headers.items() if name == "Retry-After"}
        if error.code == "totp_required":
            step = await sealed_step(visit, email, password)
            # The second step is no refusal of the first.
            problem, status = (None, 200) if code is None else (error.text, status)
            return rendered(visit, "login_code.html", status=status, following=following, step=step, problem=problem)
        shown = {"following": following, "email": email, "problem": error.text, "told": None}
        return rendered(visit, "login.html", status=status, headers=headers, **shown)
    response = RedirectResponse(following, 303)
    keep_token(visit.request, response, session["token"])
    return response


async def step_key(visit: Visit) -> AESGCM:
    """What seals the credentials between the two steps: no page and no table has them in the open."""
    key = await visit.request.app.state.aureum.store.tenant_key(PLATFORM)
    return AESGCM(key.digest(b"login step", b""))


async def sealed_step(visit: Visit, email: str, password: str) -> str:
    """The credentials of the first step, for the form of the second."""
    plain = orjson.dumps([int(now().timestamp()), email, password])
    return urlsafe_b64encode(seal(await step_key(visit), plain, STEP)).decode()


async def opened_step(visit: Visit, sealed: str) -> tuple[str, str] | None:
    """They again; None if it took too long, or the form is another's."""
    try:
        begun, email, password = orjson.loads(unseal(await step_key(visit), urlsafe_b64decode(sealed), STEP))
    except (InvalidTag, ValueError):
        return None
    return (email, password) if now().timestamp() - begun < STEP_SECONDS else None


async def log_out(visit: Visit) -> Response:
    """The token opens nothing any more."""
    if visit.me is not None:
        await visit.ask("POST", "/api/v1/auth/logout")
    response = RedirectResponse(LOGIN, 303)
    forget_token(response)
    return response


PAGES = (
    Page(LOGIN, show_login, log_in, anyone=True),
    Page(LOGIN + "/code", act=enter_code, anyone=True),
    Page("/admin/logout", act=log_out, anyone=True),
)
