"""Proving the address again: a mail that was forwarded, or a phone that lies on a table, must not sign.

Opening and signing need a sign-in of the last 15 minutes. With an older one the client is asked for a code from a fresh
mail. At the end of the form the code is asked for in the form itself, so that nothing that was filled in is lost.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from starlette.responses import Response

from aureum.commands.portal.sessions import find_session
from aureum.commands.portal.sign_in import AskSignIn, SignedIn, UseCode, ask_sign_in, use_code
from aureum.domain.errors import TooMany
from aureum.http.access.callers import named_host
from aureum.http.access.portal_cookie import chosen_language, keep_pending, keep_session
from aureum.http.portal.catalogue import LANGUAGES, later
from aureum.http.portal.documents.case import Case, case_of
from aureum.http.portal.page import PortalPage
from aureum.http.portal.proving import LONGEST, is_fresh, marks_of, nonce_of, token_of
from aureum.http.portal.visit import PortalVisit

NO_MORE_MAILS = later("We have sent you several emails. Look for the newest one, or wait 15 minutes and ask again.")


@dataclass(frozen=True)
class Proof:
    """That the client has the mailbox: when it was proved, and the session that has begun with it."""

    at: datetime
    session: SignedIn | None = None


def to_identify(case: Case) -> Response:
    """On to the page that asks for a code."""
    return case.visit.go(f"{case.path}/identify")


async def show_identifying(visit: PortalVisit) -> Response:
    """A button that asks for a mail."""
    case = await case_of(visit)
    if is_fresh(visit, case.at):
        return case.to_first_page()
    return case.visit.render("documents/identify.html", case=case, asked=False, problem=None)


async def ask_for_code(visit: PortalVisit) -> Response:
    """The form for the code, which leads back to the envelope."""
    case = await case_of(visit)
    pending = await ask(case)
    problem = case.visit.gettext(NO_MORE_MAILS) if pending is None else None
    response = case.visit.render("documents/identify.html", case=case, asked=True, problem=problem)
    remember(case, response, pending)
    return response


async def ask(case: Case) -> str | None:
    """Ask for a mail to the client's own address. The nonce for the browser; None if there were too many. Raises
    Unavailable."""
    visit = case.visit
    host, _ = named_host(visit.request)
    before = nonce_of(visit)
    command = AskSignIn(
        email=visit.client.address,
        client=visit.counted_as,
        host=host,
        language=visit.locale,
        chose=chosen_language(visit.request.scope) in LANGUAGES,
        following=case.path,
        pending=None if before is None else SecretStr(before),
        known=marks_of(visit),
    )
    try:
        return await ask_sign_in(visit.app.database, await visit.app.store.tenant_key(visit.at.tenant_id), command)
    except TooMany:
        return None


def remember(case: Case, response: Response, pending: str | None) -> None:
    """The browser is the one that has asked."""
    if pending is not None:
        keep_pending(case.visit.request, response, pending, case.visit.app.settings.trusted_proxies)


async def proof_by_code(case: Case, code: str) -> Proof | None:
    """What the *code* of the mail proves; None for a wrong one, and for that of another address, which ends nothing.
    Raises TooMany, Unavailable."""
    visit, app = case.visit, case.visit.app
    pending, before = nonce_of(visit), token_of(visit)
    command = UseCode(
        code=SecretStr(code[:LONGEST]),
        client=visit.counted_as,
        pending=None if pending is None else SecretStr(pending),
        email=visit.client.address,
        before=None if before is None else SecretStr(before),
        known=marks_of(visit),
        only_email=True,
    )
    tenant_key = await app.store.tenant_key(visit.at.tenant_id)
    signed_in = await use_code(app.database, tenant_key, command, visit.at.plan)
    if signed_in is None:
        return None
    session = await find_session(app.database, tenant_key, signed_in.token, visit.at.plan)
    if session is None or session.address != visit.client.address:
        return None
    return Proof(session.signed_in_at, signed_in)


def keep(case: Case, response: Response, proof: Proof) -> Response:
    """*response*, with which the browser gets the session that the code has begun."""
    if proof.session is not None:
        networks = case.visit.app.settings.trusted_proxies
        keep_session(case.visit.request, response, proof.session, networks)
    return response


PAGES = (
    PortalPage("GET", "/portal/documents/{id}/identify", show_identifying, signers=True),
    PortalPage("POST", "/portal/documents/{id}/identify", ask_for_code, signers=True),
)
