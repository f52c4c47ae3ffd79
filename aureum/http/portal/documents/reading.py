"""Reading: the pages of all documents as pictures with their text, and each document as the PDF that was sent."""

from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from aureum.commands.envelopes.signing import OpenDocument, open_document
from aureum.http.portal.documents.case import Case, case_of
from aureum.http.portal.documents.identifying import to_identify
from aureum.http.portal.documents.parts import Part, part_with, parts_of
from aureum.http.portal.page import PortalPage
from aureum.http.portal.proving import is_fresh
from aureum.http.portal.visit import PortalVisit
from aureum.pdf.rendering import ShownPage


class PageShown(NamedTuple):
    """A page of a part: its *number* in the document, its *place* among all pages, and where its picture is."""

    number: int
    place: int
    picture: str
    shown: ShownPage


async def open_documents(visit: PortalVisit) -> Response:
    """The client wants to read: what a button says, so that no program that looks at links opens anything."""
    case = await case_of(visit)
    if case.standing != "open":
        return visit.go(f"{case.path}/read") if case.envelope.may_read(case.recipient) else case.to_first_page()
    if not is_fresh(visit, case.at):
        return to_identify(case)
    command = OpenDocument(**case.about())
    await open_document(visit.app.store, command)
    return visit.go(f"{case.path}/read")


async def show_reading(visit: PortalVisit) -> Response:
    """A part of the documents. Before they are opened, and out of turn, the first page says what to do."""
    case = await case_of(visit)
    if not case.may_read:
        return case.to_first_page()
    parts = parts_of(case.documents)
    place = part_with(parts, visit.request.query_params.get("part"))
    return case.visit.render(
        "documents/read.html",
        case=case,
        part=parts[place],
        place=place + 1,
        parts=len(parts),
        pages=await pages_of(case, parts[place]),
        all_pages=sum(one.pages for one in case.documents),
        number=case.documents.index(parts[place].document) + 1,
        standing=case.standing,
        texts=visit.request.query_params.get("text") == "1",
    )


async def pages_of(case: Case, part: Part) -> list[PageShown]:
    """The pages of a part with their texts. Raises DocumentLost, Busy, Unavailable."""
    document_number = case.documents.index(part.document) + 1
    found = []
    for number in part.numbers:
        place = part.before + number - part.first + 1
        picture = f"{case.path}/{document_number}/pages/{number}"
        found.append(PageShown(number, place, picture, await case.page(part.document, number)))
    return found


async def show_picture(visit: PortalVisit) -> Response:
    """A page as a picture."""
    case = await case_of(visit)
    _, document = case.document()
    number = int(visit.request.path_params["page"])
    shown = await case.page(document, number)
    return Response(shown.picture, media_type=shown.media, headers=FILE_HEADERS)


async def show_original(visit: PortalVisit) -> Response:
    """A document as it was sent, to be printed."""
    case = await case_of(visit)
    number, document = case.document()
    return await pdf(case, document.id, document.sha256, f"document-{number}.pdf")


FILE_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
"""Of pictures and PDFs: nothing in them runs."""


async def pdf(case: Case, bytes_id: UUID, sha256: str, name: str, *, attached: bool = False) -> Response:
    """A PDF, which the browser shows or, *attached*, keeps. It is read twice: to be checked, then to be sent, so that
    its size takes no memory. Raises DocumentLost, BucketUnavailable, Unavailable."""
    size = await case.checked(bytes_id, sha256)
    kind = "attachment" if attached else "inline"
    about = {
        "Content-Disposition": f'{kind}; filename="{name}"',
        "Content-Length": str(size),
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(case.parts(bytes_id), media_type="application/pdf", headers=about)


PAGES = (
    PortalPage("POST", "/portal/documents/{id}/open", open_documents, signers=True),
    PortalPage("GET", "/portal/documents/{id}/read", show_reading, signers=True),
    PortalPage("GET", "/portal/documents/{id}/{number:int}/pages/{page:int}", show_picture, signers=True),
    PortalPage("GET", "/portal/documents/{id}/{number:int}.pdf", show_original, signers=True),
)
