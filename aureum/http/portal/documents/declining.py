"""Declining: the client does not sign, and may say why. With that the envelope has ended for all."""

from starlette.responses import Response

from aureum.commands.envelopes.signing import DeclineDocument, decline_document
from aureum.domain.envelope_rules import LONGEST_REASON
from aureum.domain.errors import WrongState
from aureum.http.portal.catalogue import later
from aureum.http.portal.documents.case import Case, case_of
from aureum.http.portal.page import PortalPage
from aureum.http.portal.visit import PortalVisit

TOO_LONG = later("Use at most %(most)s characters.")


def form(case: Case, *, status: int = 200, reason: str = "", problem: str | None = None) -> Response:
    """The form for the reason."""
    return case.visit.render(
        "documents/decline.html", status=status, case=case, reason=reason, problem=problem, most=LONGEST_REASON
    )


async def show_declining(visit: PortalVisit) -> Response:
    """Of a client who could sign."""
    case = await case_of(visit)
    if case.standing not in ("open", "read", "sign"):
        return case.to_first_page()
    return form(case)


async def decline(visit: PortalVisit) -> Response:
    """The page that says so. What has ended meanwhile, or was signed, stays as it is."""
    case = await case_of(visit)
    if case.standing not in ("open", "read", "sign"):
        return case.to_first_page()
    reason = visit.form["reason"]
    if len(reason) > LONGEST_REASON:
        problem = case.visit.gettext(TOO_LONG, most=LONGEST_REASON)
        return form(case, status=422, reason=reason, problem=problem)
    command = DeclineDocument(reason=reason or None, **case.about())
    try:
        await decline_document(visit.app.store, command)
    except WrongState:
        return case.to_first_page()
    return case.to_first_page()


PAGES = (
    PortalPage("GET", "/portal/documents/{id}/decline", show_declining, signers=True),
    PortalPage("POST", "/portal/documents/{id}/decline", decline, signers=True),
)
