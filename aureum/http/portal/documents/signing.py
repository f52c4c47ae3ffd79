"""Signing: the client adopts a signature, fills in the fields, and finishes.

It is one form, so that it works without script and loses nothing. It names the hash of each document of which the page
was made: what is signed is what was seen.
"""

import hashlib
from collections.abc import AsyncIterator
from datetime import date, datetime

from starlette.responses import Response

from aureum.commands.envelopes.signing import SignDocument, sign_document
from aureum.commands.portal.limits import NoMoreCodes
from aureum.domain import ids
from aureum.domain.envelope_parts import LONGEST_VALUE, Signature
from aureum.domain.envelope_rules import NotAsShown, SignInTooOld
from aureum.domain.errors import WrongState
from aureum.http.portal.documents.case import Case, case_of
from aureum.http.portal.documents.identifying import NO_MORE_MAILS, Proof, ask, keep, proof_by_code, remember
from aureum.http.portal.documents.signing_form import LONGEST_NAME, Entry, Signing, blank, entries_of, signing_of
from aureum.http.portal.documents.signing_page import sheets_of
from aureum.http.portal.page import PortalPage
from aureum.http.portal.proving import NO_MORE_CODES, WRONG_CODE, is_fresh
from aureum.http.portal.visit import PortalVisit
from aureum.pdf.fonts import missing_letters
from aureum.store.blobs import AlreadyStored


async def show_signing(visit: PortalVisit) -> Response:
    """The form, of a client who has agreed."""
    case = await case_of(visit)
    if case.standing != "sign":
        return visit.go(f"{case.path}/consent") if case.standing == "read" else case.to_first_page()
    entries = entries_of(case.envelope, case.recipient)
    return await signing_page(case, entries, blank(entries, case.recipient, today(case)))


async def signing_page(case: Case, entries: list[Entry], signing: Signing, *, status: int = 200) -> Response:
    """The documents' pages with the client's fields, and the form."""
    return case.visit.render(
        "documents/sign.html",
        status=status,
        case=case,
        signing=signing,
        sheets=await sheets_of(case, entries),
        today=today(case),
        longest_name=LONGEST_NAME,
        longest_value=LONGEST_VALUE,
        problems={one.name: case.visit.gettext(one.text, **one.values) for one in signing.problems},
    )


async def sign(visit: PortalVisit) -> Response:
    """Signed: the first page says so. What is wrong is said in the form, with all that was filled in."""
    case = await case_of(visit)
    if case.standing != "sign":
        return case.to_first_page()
    entries = entries_of(case.envelope, case.recipient)
    sent = {name: visit.form[name] for name in visit.form.values}
    signing = signing_of(sent, case.documents, entries, case.recipient.name, today(case), missing_letters)
    if signing.shown != {one.id: one.sha256 for one in case.documents}:
        return changed(case)
    if signing.problems:
        return await signing_page(case, entries, signing, status=422)
    proof: Proof | None = Proof(visit.client.signed_in_at)
    if not is_fresh(visit, case.at):
        try:
            proof = await proof_by_code(case, visit.form["code"]) if visit.form["code"] else None
        except NoMoreCodes:
            return await confirming(case, sent, visit.gettext(NO_MORE_CODES))
    if proof is None:
        return await confirming(case, sent)
    try:
        await record(case, entries, signing, proof.at)
    except NotAsShown:
        return keep(case, changed(case), proof)
    except SignInTooOld:
        return await confirming(case, sent)
    except WrongState:
        # It has ended meanwhile: the first page says how.
        pass
    return keep(case, case.to_first_page(), proof)


async def record(case: Case, entries: list[Entry], signing: Signing, proved_at: datetime) -> None:
    """The picture is stored before the event that names it. Raises NotAsShown, SignInTooOld, WrongState, and what the
    store raises."""
    signature = Signature("typed", typed=signing.typed)
    if signing.picture is not None:
        sha256 = hashlib.sha256(signing.picture).hexdigest()
        signature = Signature("drawn", image_id=ids.id_of_bytes(case.recipient.id, sha256), image_sha256=sha256)
        await store_picture(case, signature, signing.picture)
    command = SignDocument(
        shown=dict(signing.shown), signature=signature, values=signing.values(entries), **case.about(proved_at)
    )
    await sign_document(case.visit.app.store, command)


async def store_picture(case: Case, signature: Signature, picture: bytes) -> None:
    """Stored once, also of a form that is sent twice: its id is made of its hash."""
    assert signature.image_id is not None

    async def parts() -> AsyncIterator[bytes]:
        yield picture

    try:
        await case.visit.app.blobs.put(
            case.visit.client.tenant_id, signature.image_id, case.key, parts(), of=case.envelope.id
        )
    except AlreadyStored:
        return


async def confirming(case: Case, sent: dict[str, str], problem: str | None = None) -> Response:
    """The form for a code, which holds all that was filled in. A mail is asked for, unless a code was typed, whose
    *problem* is that it is wrong if no other is given."""
    visit = case.visit
    wrong = bool(visit.form["code"]) and not visit.form["again"]
    pending = None if wrong else await ask(case)
    if wrong:
        problem = problem or visit.gettext(WRONG_CODE)
    elif pending is None:
        problem = visit.gettext(NO_MORE_MAILS)
    kept = {name: value for name, value in sent.items() if name not in ("code", "again")}
    status = 422 if wrong else 200
    response = visit.render("documents/confirm.html", status=status, case=case, kept=kept, problem=problem)
    remember(case, response, pending)
    return response


def changed(case: Case) -> Response:
    """The documents are not those that the page showed."""
    return case.visit.render("documents/changed.html", status=409, case=case)


def today(case: Case) -> date:
    """The date at the brokerage."""
    return case.at.astimezone(case.visit.zone).date()


PAGES = (
    PortalPage("GET", "/portal/documents/{id}/sign", show_signing, signers=True),
    PortalPage("POST", "/portal/documents/{id}/sign", sign, signers=True),
)
