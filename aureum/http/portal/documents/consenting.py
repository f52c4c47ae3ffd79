"""Consent: the text by which a client agrees to sign electronically, in the client's language and by its version."""

from starlette.responses import Response

from aureum.commands.envelopes.signing import ConsentToRecords, consent_to_records
from aureum.domain.consent_texts import TEXTS, current
from aureum.domain.errors import WrongState
from aureum.http.portal.catalogue import later
from aureum.http.portal.documents.case import Case, case_of
from aureum.http.portal.page import PortalPage
from aureum.http.portal.visit import PortalVisit

TICK = later("Tick the box to agree. If you do not want to sign electronically, choose to decline.")


def consent_page(case: Case, *, status: int = 200, problem: str | None = None) -> Response:
    """The text and its box."""
    text = current(case.visit.locale)
    return case.visit.render("documents/consent.html", status=status, case=case, text=text, problem=problem)


async def show_consent(visit: PortalVisit) -> Response:
    """Of a client who has opened the documents. One who has agreed may agree again, in another language."""
    case = await case_of(visit)
    return consent_page(case) if case.standing in ("read", "sign") else case.to_first_page()


async def agree(visit: PortalVisit) -> Response:
    """On to the signature. The version is that of the text which the page showed."""
    case = await case_of(visit)
    if case.standing not in ("read", "sign"):
        return case.to_first_page()
    version = visit.form["version"]
    if version not in TEXTS or not visit.form["agree"]:
        return consent_page(case, status=422, problem=case.visit.gettext(TICK))
    command = ConsentToRecords(text_version=version, **case.about())
    try:
        await consent_to_records(visit.app.store, command)
    except WrongState:
        # It has ended meanwhile: the first page says how.
        return case.to_first_page()
    return visit.go(f"{case.path}/sign")


PAGES = (
    PortalPage("GET", "/portal/documents/{id}/consent", show_consent, signers=True),
    PortalPage("POST", "/portal/documents/{id}/consent", agree, signers=True),
)
