"""A password that was forgotten, and the page at which a user chooses one by the link in a mail.

A GET changes nothing: programs that scan mails follow every link. Only the form uses the link up, and logs in.
"""

from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.commands.password_links import GONE, find_link
from aureum.http.access.session_cookie import keep_token
from aureum.http.panel.account import TWICE, in_words
from aureum.http.panel.page import LOGIN, REFUSALS, Page, refusal
from aureum.http.panel.rendering import rendered
from aureum.http.panel.visit import Visit
from aureum.http.wire.errors import HttpError, render

FORGOTTEN = "/admin/forgotten"
CHOOSE = "/admin/choose-password"


async def show_forgotten(visit: Visit) -> Response:
    """The form. A user who is already logged in is redirected."""
    if visit.me is not None:
        return RedirectResponse("/admin", 303)
    return rendered(visit, "forgotten.html", email="", problem=None, sent=False)


async def ask_for_link(visit: Visit) -> Response:
    """The same answer for every address."""
    email = visit.form["email"]
    try:
        await visit.ask("POST", "/api/v1/auth/forgotten", body={"email": email})
    except HttpError as error:
        status, _, _ = render(error, "aureum")
        headers = {name: value for name, value in error.headers.items() if name == "Retry-After"}
        shown = {"email": email, "problem": error.text, "sent": False}
        return rendered(visit, "forgotten.html", status=status, headers=headers, **shown)
    return rendered(visit, "forgotten.html", email=email, problem=None, sent=True)


async def show_choice(visit: Visit) -> Response:
    """The form for a new password, if the link works."""
    token = visit.request.query_params.get("token", "")
    if not token and visit.me is not None:
        return RedirectResponse("/admin", 303)
    return await choice(visit, token)


async def choice(visit: Visit, token: str, problem: str | None = None) -> Response:
    """The form, with the *problem* of one that was refused; or that the link does not work."""
    link = await find_link(visit.request.app.state.aureum.database, token)
    status = 404 if link is None else 400 if problem else 200
    shown: dict[str, Any] = {"link": link, "token": token, "gone": GONE, "problem": problem}
    return rendered(visit, "choose_password.html", status=status, **shown)


async def choose(visit: Visit) -> Response:
    """Sets the password and logs in with it. Where that needs more than a password, the login page asks for it."""
    token, (password, again) = visit.form["token"], ("".join(visit.form.all(name)[:1]) for name in ("new", "again"))
    if password != again:
        return await choice(visit, token, TWICE)
    try:
        chosen = await visit.ask("POST", "/api/v1/auth/reset", body={"token": token, "password": password})
    except REFUSALS as error:
        return await choice(visit, token, in_words(refusal(error).replace("password ", "new ", 1)))
    credentials = {"email": chosen.body["email"], "password": password}
    try:
        session = (await visit.ask("POST", "/api/v1/auth/login", body=credentials)).body
    except HttpError:
        return RedirectResponse(f"{LOGIN}?done=password", 303)
    response = RedirectResponse("/admin", 303)
    keep_token(visit.request, response, session["token"])
    return response


PAGES = (
    Page(FORGOTTEN, show_forgotten, ask_for_link, anyone=True),
    Page(CHOOSE, show_choice, choose, anyone=True),
)
