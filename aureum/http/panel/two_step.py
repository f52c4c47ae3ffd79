"""Your account → Two-step login: set up with a QR code and a code to confirm it, the recovery codes this once, and
off."""

import segno
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from aureum.domain.totp import SECRET, address, new_secret
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Visit

HERE = "/admin/account/two-step"
API = "/api/me/totp"

DONE = {"off": "Two-step login is off. You log in with your password alone."}


def qr_code(text: str) -> Markup:
    """Dark on light in any colour scheme, since cameras look for that."""
    drawn = segno.make(text, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff")
    return Markup(drawn)  # noqa: S704  of the package's own making


async def shown(visit: Visit, problem: str | None = None) -> Response:
    """The page; after a refusal with the same secret, which the app may have by now."""
    assert visit.me is not None
    secret = visit.form["secret"] if SECRET.fullmatch(visit.form["secret"]) else new_secret()
    issuer = visit.me["brokerage"]["name"] if visit.me["brokerage"] else "Aureum"
    return await page(
        visit,
        "two_step.html",
        400 if problem else 200,
        secret=secret,
        qr=qr_code(address(secret, visit.me["email"], issuer)),
        problem=problem,
        done=DONE.get(visit.request.query_params.get("done", "")) if visit.request.method == "GET" else None,
    )


async def show_two_step(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def set_up(visit: Visit) -> Response:
    """The recovery codes, this once. Sent again, the same form shows the same ones."""
    current = "".join(visit.form.all("current")[:1])
    body = {"secret": visit.form["secret"], "code": visit.form["code"], "current": current}
    try:
        codes = (await visit.ask("POST", API, body=body)).body["recoveryCodes"]
    except REFUSALS as error:
        return await shown(visit, in_words(refusal(error)))
    return await page(visit, "recovery_codes.html", 201, codes=codes)


async def turn_off(visit: Visit) -> Response:
    """The password is enough."""
    try:
        await visit.ask("POST", API + "/disable", body={"current": "".join(visit.form.all("current")[:1])})
    except REFUSALS as error:
        return await shown(visit, in_words(refusal(error)))
    return RedirectResponse(f"{HERE}?done=off", 303)


def in_words(problem: str) -> str:
    """The API's refusal with the labels of the page."""
    for field, label in (("current ", "The current password "), ("code ", "The code ")):
        if problem.startswith(field):
            return label + problem.removeprefix(field)
    return problem


PAGES = (Page(HERE, show_two_step, set_up), Page(HERE + "/off", act=turn_off))
