"""The page of an envelope. A draft: its documents, recipients and fields, step by step. One that was sent: how far each
recipient is, what can be done, every act, and the documents to download."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.http.panel.envelope_words import acts, field_words
from aureum.http.panel.envelopes import API, HERE, blank_rows, people_typed, settings_typed
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.showings import named
from aureum.http.panel.times import sent_time
from aureum.http.panel.visit import Doc, Visit
from aureum.http.wire.errors import HttpError
from aureum.http.wire.headers import header
from aureum.http.wire.page_forms import NO_FORM

DOCUMENTS = API + "/{id}/documents"
DOCUMENT = DOCUMENTS + "/{documentId}"
RECIPIENT = API + "/{id}/recipients/{recipientId}"
VERIFY = API + "/{id}/verify"

DONE: Mapping[str, str] = {
    "created": "The draft was created. Upload the documents next.",
    "begun": "The draft was created from the template.",
    "uploaded": "The document was added.",
    "removed": "The document was removed.",
    "saved": "The draft was saved.",
    "sent": "The documents were sent.",
    "reminded": "A reminder was sent.",
    "replaced": "The recipient was replaced.",
    "extended": "The deadline was moved.",
    "voided": "The documents were withdrawn. Everyone who was invited is told.",
    "purged": "The documents are deleted, or will be on the day shown below.",
}


async def show(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def shown(
    visit: Visit,
    problem: str = "",
    typed: Mapping[str, Any] | None = None,
    etag: str | None = None,
    verdict: Doc | None = None,
) -> Response:
    """The page; of a form that was refused why, and what was *typed*; the *verdict* on its seals, if that was asked
    for."""
    answer = await visit.ask("GET", API + "/{id}", id=visit.id())
    envelope = answer.body
    history = (await visit.ask("GET", API + "/{id}/history", id=visit.id())).body
    query = visit.request.query_params
    people = (typed or envelope)["recipients"]
    return await page(
        visit,
        "envelope_draft.html" if envelope["state"] == "draft" else "envelope.html",
        400 if problem else 200,
        envelope=envelope,
        values=typed or envelope,
        people=[*people, *blank_rows(len(people), 1)],
        fields=[(one["id"], field_words(one, envelope)) for one in envelope["fields"]],
        missing=missing(envelope),
        acts=acts(history, envelope),
        contact=await named(visit, "/api/contacts/{id}", envelope["contactId"]),
        lead=await named(visit, "/api/leads/{id}", envelope["leadId"]),
        verdict=verdict,
        etag=answer.etag if etag is None else etag,
        problem=problem,
        done=DONE.get(query.get("done", "")) if visit.request.method == "GET" else None,
    )


def missing(envelope: Doc) -> list[str]:
    """What a draft needs before it can be sent."""
    signers = [one for one in envelope["recipients"] if one["role"] == "signer"]
    signing = {one["recipientId"] for one in envelope["fields"] if one["kind"] == "signature"}
    return [
        *([] if envelope["documents"] else ["Upload at least one document."]),
        *([] if signers else ["Add at least one person who signs."]),
        *(f"Place a signature field for {one['name']}." for one in signers if one["id"] not in signing),
    ]


async def check_seals(visit: Visit) -> Response:
    """The page with what the seals of a completed envelope prove. Every document is read for it, so no link does it."""
    try:
        found: Doc = (await visit.ask("GET", VERIFY, id=visit.id())).body
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return await shown(visit, verdict=found)


async def save(visit: Visit) -> Response:
    """Change the draft: its texts, time and recipients."""
    typed = settings_typed(visit.form)
    people = people_typed(visit.form)
    try:
        await visit.ask(
            "PATCH", API + "/{id}", id=visit.id(), body=typed | {"recipients": people}, if_match=visit.form["etag"]
        )
    except REFUSALS as error:
        return await shown(visit, refusal(error), typed | {"recipients": people}, seen(visit, error))
    return back(visit, "saved")


async def upload(visit: Visit) -> Response:
    """Take a document as it comes in."""
    await visit.ask("GET", API + "/{id}", id=visit.id())
    if not (header(visit.request.scope, b"content-type") or "").startswith("multipart/form-data"):
        raise HttpError("media_type_unsupported", NO_FORM)
    try:
        await visit.pass_on(DOCUMENTS, {}, id=visit.id())
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return back(visit, "uploaded")


async def remove_document(visit: Visit) -> Response:
    """Take a document out of the draft."""
    document = {"documentId": visit.form["document"]}
    return await acted(visit, "removed", "DELETE", DOCUMENT, part=document)


async def download(visit: Visit) -> Response:
    """A document as it was uploaded, or as it was sealed."""
    part = {"documentId": str(visit.request.path_params["documentId"])}
    query = {"sealed": visit.request.query_params.get("sealed", "")}
    answer = await visit.answer("GET", DOCUMENT, id=visit.id(), part=part, query=query)
    # It has the policy of every page.
    del answer.headers["content-security-policy"]
    return answer


async def send(visit: Visit) -> Response:
    """Send the draft."""
    return await acted(visit, "sent", "POST", API + "/{id}/send")


async def void(visit: Visit) -> Response:
    """Withdraw it."""
    return await acted(visit, "voided", "POST", API + "/{id}/void", body={"reason": visit.form["reason"] or None})


async def extend(visit: Visit) -> Response:
    """Give more time."""
    deadline = sent_time(visit.form["deadline"], visit.zone)
    return await acted(visit, "extended", "POST", API + "/{id}/extend", body={"deadline": deadline})


async def purge(visit: Visit) -> Response:
    """Delete what is personal."""
    return await acted(visit, "purged", "POST", API + "/{id}/purge")


async def remind(visit: Visit) -> Response:
    """Send a recipient another mail."""
    return await acted(visit, "reminded", "POST", RECIPIENT + "/remind", part={"recipientId": visit.form["recipient"]})


async def replace(visit: Visit) -> Response:
    """Another person takes a recipient's place."""
    person = {"name": visit.form["name"], "email": visit.form["email"], "language": visit.form["language"] or None}
    part = {"recipientId": visit.form["recipient"]}
    return await acted(visit, "replaced", "POST", RECIPIENT + "/reassign", part=part, body=person)


async def acted(
    visit: Visit, done: str, method: str, path: str, *, part: Mapping[str, str] | None = None, body: Any = None
) -> Response:
    """Back to the page, once it is done."""
    try:
        await visit.ask(method, path, id=visit.id(), part=part, body=body)
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return back(visit, done)


def back(visit: Visit, done: str) -> Response:
    """To the page, with what was done."""
    return RedirectResponse(f"{HERE}/{visit.id()}?done={done}", 303)


ONE = HERE + "/{id}"

PAGES = (
    Page(ONE + "/documents", act=upload, streamed=True),
    Page(ONE + "/documents/remove", act=remove_document),
    Page(ONE + "/documents/{documentId}", download),
    Page(ONE + "/seals", act=check_seals),
    Page(ONE + "/send", act=send),
    Page(ONE + "/void", act=void),
    Page(ONE + "/extend", act=extend),
    Page(ONE + "/purge", act=purge),
    Page(ONE + "/remind", act=remind),
    Page(ONE + "/replace", act=replace),
    Page(ONE, show, save),
)
