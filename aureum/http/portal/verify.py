"""``/portal/verify``: says of an uploaded file whether the brokerage has sealed it, and what was changed since.

Anyone may ask: a signed contract is shown to banks, to authorities, to the other side. The file is not kept.
"""

from starlette.responses import Response

from aureum.commands.verifying import Judged, certificates, judge
from aureum.http.access.callers import counted
from aureum.http.portal.catalogue import later
from aureum.http.portal.page import PortalPage
from aureum.http.portal.visit import PortalVisit
from aureum.http.wire.errors import BodyTooLarge, HttpError, InvalidRequest
from aureum.http.wire.uploads import read_upload
from aureum.pdf.changes import ChangeCode
from aureum.pdf.refusing import MOST_SEALED, Refused
from aureum.pdf.verifying import ProblemCode, Verdict

COUNTED_AS = "verify "

NO_FILE = later("Choose a PDF file first.")
TOO_LARGE = later("This file is too large: files of up to 32 MB can be checked.")
TOO_COMPLEX = later("This file cannot be checked, because reading it takes too long.")

PROBLEMS: dict[ProblemCode, str] = {
    "not_a_pdf": later("This file is not a PDF."),
    "unreadable": later("This PDF is damaged and cannot be read."),
    "not_sealed": later("This PDF has no seal. It was never sealed, or another program has saved it again."),
    "other_seal": later("This PDF has a signature, but not our seal."),
    "broken": later("The seal does not match this file: what was sealed has been changed."),
    "changed": later("The file was changed after it was sealed."),
    "not_whole": later("The seal itself was changed."),
}

CHANGES: dict[ChangeCode, str] = {
    "added": later("%(bytes)s bytes were added after the seal."),
    "pages": later("The file had %(before)s pages when it was sealed, and has %(after)s now."),
    "drawn": later("What these pages show was changed: %(numbers)s."),
    "noted": later("Notes or form fields were added or changed on these pages: %(numbers)s."),
    "unseen": later("Only data that no page shows was changed."),
}


async def show_verify(visit: PortalVisit) -> Response:
    """The form."""
    return shown(visit)


async def verify(visit: PortalVisit) -> Response:
    """The verdict about the file that was sent. Raises HttpError 429, Busy, Unavailable."""
    await counted(visit.request, COUNTED_AS)
    try:
        upload = await read_upload(visit.request.receive, visit.request.scope["headers"])
    except BodyTooLarge:
        return refused(visit, TOO_LARGE)
    except InvalidRequest:
        return refused(visit, NO_FILE)
    # The process reads it from there: however many wait for their turn, none of the files is in memory.
    with upload.file as file:
        if file.tell() > MOST_SEALED:
            return refused(visit, TOO_LARGE)
        file.seek(0)
        try:
            found = await judge(visit.app.store, visit.at.tenant_id, file, "anyone")
        except Refused as error:
            return refused(visit, TOO_LARGE if error.code == "pdf_too_large" else TOO_COMPLEX)
    return shown(visit, found)


def shown(visit: PortalVisit, found: Judged | None = None, problem: str | None = None) -> Response:
    """The verdict, if there is one, and the form, with what was wrong with it."""
    return visit.render(
        "verify.html",
        status=200 if problem is None else 422,
        verdict=found and found.verdict,
        kept=found and found.kept,
        because=[] if found is None else because(visit, found.verdict),
        problem=problem,
    )


def because(visit: PortalVisit, verdict: Verdict) -> list[str]:
    """What is wrong with a file, in the client's language."""
    problems = [visit.gettext(PROBLEMS[code]) for code in verdict.problems]
    return problems + [visit.gettext(CHANGES[one.code], **one.values) for one in verdict.changes]


def refused(visit: PortalVisit, text: str) -> Response:
    """The form again, with what was wrong."""
    return shown(visit, problem=visit.gettext(text))


async def show_certificate(visit: PortalVisit) -> Response:
    """The certificates of the brokerage's seal, newest first, each followed by those above it."""
    from aureum.pdf.certificates import pem

    issued = await certificates(visit.app.store, visit.at.tenant_id)
    ders = [der for one in reversed(issued) for der in (one.certificate, *one.chain)]
    if not ders:
        raise HttpError("path_not_found", "This brokerage has not sealed a document yet.")
    return Response(pem(list(dict.fromkeys(ders))), media_type="application/x-pem-file")


PAGES = (
    PortalPage("GET", "/portal/verify", show_verify, anyone=True),
    PortalPage("POST", "/portal/verify", verify, anyone=True, streamed=True),
    PortalPage("GET", "/.well-known/aureum-signing.pem", show_certificate, anyone=True),
)
