"""The first page of an envelope: how things stand for the client, and what to do next. After the completion: the sealed
documents, and what was sealed."""

from typing import NamedTuple

from starlette.responses import Response

from aureum.domain.envelope_parts import Document, Sealed
from aureum.domain.errors import NotFound
from aureum.domain.ids import id_of_bytes
from aureum.http.portal.documents.at_docusign import allowed
from aureum.http.portal.documents.case import Case, case_of
from aureum.http.portal.documents.reading import pdf
from aureum.http.portal.page import PortalPage
from aureum.http.portal.visit import PortalVisit


class SealedShown(NamedTuple):
    """A sealed document: where it is, and the hashes of it and of what was sent."""

    name: str
    path: str
    pages: int
    sha256: str
    original: str


async def show_one(visit: PortalVisit) -> Response:
    """How things stand."""
    case = await case_of(visit)
    signers = [one for one in case.envelope.recipients.values() if one.signs]
    return case.visit.render(
        "documents/one.html",
        case=case,
        standing=case.standing,
        others=sum(one.state != "signed" for one in signers),
        may_read=case.may_read,
        sealed=[sealed_shown(case, number, one) for number, one in enumerate(case.documents, 1)]
        if case.standing == "completed"
        else [],
        leads_to=allowed(visit) if case.standing == "elsewhere" else "",
    )


def sealed_shown(case: Case, number: int, document: Document) -> SealedShown:
    """A document of a completed envelope."""
    sealed = case.envelope.sealed[document.id]
    path = f"{case.path}/{number}/sealed.pdf"
    return SealedShown(document.name, path, document.pages, sealed.sha256, document.sha256)


async def show_sealed(visit: PortalVisit) -> Response:
    """A document as it was sealed; until then there is none. Raises NotFound, DocumentLost."""
    case = await case_of(visit)
    number, document = case.document()
    sealed: Sealed | None = case.envelope.sealed.get(document.id)
    if case.standing != "completed" or sealed is None:
        raise NotFound
    bytes_id = id_of_bytes(document.id, sealed.sha256)
    return await pdf(case, bytes_id, sealed.sha256, f"signed-document-{number}.pdf", attached=True)


PAGES = (
    PortalPage("GET", "/portal/documents/{id}", show_one, signers=True),
    PortalPage("GET", "/portal/documents/{id}/{number:int}/sealed.pdf", show_sealed, signers=True),
)
