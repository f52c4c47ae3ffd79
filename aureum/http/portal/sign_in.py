"""Signing in and out: the form for the address, the page for the code, and the page at which a mail's link leads.

Programs that scan mails press buttons, too. So nothing here is used up by what a browser sends that has not asked.
"""

import re
from dataclasses import replace

from pydantic import SecretStr
from starlette.responses import RedirectResponse, Response

from aureum.commands.portal.languages import choose_language as choose_language_of
from aureum.commands.portal.limits import NoMoreCodes
from aureum.commands.portal.sessions import end_session
from aureum.commands.portal.sign_in import AskSignIn, SignedIn, UseCode, ask_sign_in, use_code, use_link
from aureum.domain.emails import is_email, trimmed
from aureum.http.access.callers import named_host
from aureum.http.access.portal_cookie import (
    chosen_language,
    forget_session,
    keep_language,
    keep_pending,
    keep_session,
)
from aureum.http.portal.catalogue import LANGUAGES
from aureum.http.portal.page import PortalPage
from aureum.http.portal.proving import LONGEST, NO_ADDRESS, NO_MORE_CODES, WRONG_CODE, marks_of, nonce_of, token_of
from aureum.http.portal.visit import PortalVisit

FOLLOWING = re.compile(r"/portal(?:/[A-Za-z0-9_-]+)*")
"""Pages that a sign-in may lead to: those of the portal only, and no dots lead out of it."""

LINK_HEADERS = {"Referrer-Policy": "no-referrer"}
"""The address of such a page holds the token."""


def page_after(text: str) -> str | None:
    """The page that *text* names, if it is one of the portal's."""
    return text if len(text) <= LONGEST and FOLLOWING.fullmatch(text) else None


def show_sign_in(visit: PortalVisit, *, status: int = 200, email: str = "", problem: str | None = None) -> Response:
    """The form for the address."""
    following = page_after(visit.form["next"] or visit.request.query_params.get("next", ""))
    return visit.render("sign_in.html", status=status, email=email, problem=problem, following=following)


async def ask(visit: PortalVisit) -> Response:
    """The form for the code, and a mail: the same page at the same cost, whatever the address. Raises TooMany."""
    email = trimmed(visit.form["email"])
    if not is_email(email):
        return show_sign_in(visit, status=422, email=email[:LONGEST], problem=visit.gettext(NO_ADDRESS))
    host, _ = named_host(visit.request)
    before = nonce_of(visit)
    command = AskSignIn(
        email=email,
        client=visit.counted_as,
        host=host,
        language=visit.locale,
        chose=chosen_language(visit.request.scope) in LANGUAGES,
        following=page_after(visit.form["next"]),
        pending=None if before is None else SecretStr(before),
        known=marks_of(visit),
    )
    pending = await ask_sign_in(visit.app.database, await visit.app.store.tenant_key(visit.at.tenant_id), command)
    response = code_form(visit, status=202, asks_email=False)
    keep_pending(visit.request, response, pending, visit.app.settings.trusted_proxies)
    return response


def code_form(
    visit: PortalVisit, *, status: int = 200, asks_email: bool, problem: str | None = None, by_link: bool = False
) -> Response:
    """The form for the code. *by_link*: a link has led here that does not sign this browser in."""
    headers = LINK_HEADERS if by_link else None
    return visit.render(
        "code.html",
        status=status,
        headers=headers,
        problem=problem,
        by_link=by_link,
        asks_email=asks_email,
        email=visit.form["email"][:LONGEST],
    )


async def enter_code(visit: PortalVisit) -> Response:
    """On to the portal, or the form again. Raises TooMany."""
    app = visit.app
    pending = nonce_of(visit)
    before = token_of(visit)
    command = UseCode(
        code=SecretStr(visit.form["code"][:LONGEST]),
        client=visit.counted_as,
        pending=None if pending is None else SecretStr(pending),
        email=visit.form["email"],
        before=None if before is None else SecretStr(before),
        known=marks_of(visit),
    )
    tenant_key = await app.store.tenant_key(visit.at.tenant_id)
    try:
        signed_in = await use_code(app.database, tenant_key, command, visit.at.plan)
    except NoMoreCodes:
        return code_form(visit, status=422, asks_email=pending is None, problem=visit.gettext(NO_MORE_CODES))
    if signed_in is None:
        return code_form(visit, status=422, asks_email=pending is None, problem=visit.gettext(WRONG_CODE))
    return enter(visit, signed_in)


async def show_code(visit: PortalVisit) -> Response:
    """The form for a code that came to another browser, or to this one."""
    return code_form(visit, asks_email=nonce_of(visit) is None)


async def back_to_sign_in(visit: PortalVisit) -> Response:
    """A browser that loads the page again after it has asked."""
    return visit.go("/portal")


async def show_link(visit: PortalVisit) -> Response:
    """A button, whatever the token is. Nothing is looked up, nothing changes, and no script may run, also for a client
    who has a session already."""
    return replace(visit, signed_in=None).render("link.html", headers=LINK_HEADERS)


async def follow_link(visit: PortalVisit) -> Response:
    """On to the portal in the browser that asked; in every other one, the form for the code."""
    app = visit.app
    tenant_key = await app.store.tenant_key(visit.at.tenant_id)
    pending, token = nonce_of(visit), str(visit.request.path_params["token"])
    before = token_of(visit)
    signed_in = await use_link(app.database, tenant_key, token, pending, visit.at.plan, before, marks_of(visit))
    if signed_in is None:
        return code_form(visit, asks_email=pending is None, by_link=True)
    return enter(visit, signed_in)


def enter(visit: PortalVisit, signed_in: SignedIn) -> Response:
    """The browser has a session, and the page that was asked for follows."""
    response = RedirectResponse(signed_in.following or "/portal", 303, LINK_HEADERS)
    keep_session(visit.request, response, signed_in, visit.app.settings.trusted_proxies)
    return response


async def sign_out(visit: PortalVisit) -> Response:
    """The session is over."""
    token = token_of(visit)
    if token is not None:
        await end_session(visit.app.database, token)
    response = visit.go("/portal")
    forget_session(response)
    return response


async def choose_language(visit: PortalVisit) -> Response:
    """The page again, in the language that was chosen. The mails of a client who has signed in are in it, too."""
    response = visit.go(page_after(visit.form["next"]) or "/portal")
    if visit.form["language"] in LANGUAGES:
        token = token_of(visit) if visit.signed_in is not None else None
        if token is not None:
            await choose_language_of(visit.app.database, token, visit.form["language"])
        keep_language(visit.request, response, visit.form["language"], visit.app.settings.trusted_proxies)
    return response


PAGES = (
    PortalPage("GET", "/portal/sign-in", back_to_sign_in, anyone=True),
    PortalPage("POST", "/portal/sign-in", ask, anyone=True),
    PortalPage("GET", "/portal/sign-in/{token}", show_link, anyone=True),
    PortalPage("POST", "/portal/sign-in/{token}", follow_link, anyone=True, proves_itself=True),
    PortalPage("GET", "/portal/code", show_code, anyone=True),
    PortalPage("POST", "/portal/code", enter_code, anyone=True),
    PortalPage("POST", "/portal/sign-out", sign_out, anyone=True),
    PortalPage("POST", "/portal/language", choose_language, anyone=True),
)
