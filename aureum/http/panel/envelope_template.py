"""The page of a template: its documents, its roles with the mail, where each role signs, and what happened to it."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from aureum.http.panel.envelope_templates import HERE, blank_roles, renamed, roles_typed
from aureum.http.panel.envelope_words import template_acts, template_field_words
from aureum.http.panel.envelopes import TEMPLATES, settings_typed
from aureum.http.panel.page import REFUSALS, Page, page, refusal, seen
from aureum.http.panel.placing import Placing
from aureum.http.panel.template_marks import fields_at_marks
from aureum.http.panel.visit import Doc, Visit
from aureum.http.wire.errors import HttpError
from aureum.http.wire.headers import header
from aureum.http.wire.page_forms import NO_FORM

ONE = TEMPLATES + "/{id}"
DOCUMENTS = ONE + "/documents"
DOCUMENT = DOCUMENTS + "/{documentId}"

DONE: Mapping[str, str] = {
    "created": "The template was created. Upload the documents next.",
    "made": "The template was created. Check that its documents name no client.",
    "uploaded": "The document was added.",
    "replaced": "The document was replaced. Look at where they sign.",
    "document": "The document was removed.",
    "saved": "The template was saved.",
    "marked": "The fields were placed.",
}


def signing_roles(template: Doc) -> list[tuple[str, str]]:
    """The roles that sign, by their names."""
    return [(one["name"], one["name"]) for one in template["roles"] if one["role"] == "signer"]


def writes(visit: Visit) -> bool:
    """Whether the reader changes templates."""
    return visit.role != "agent"


PLACING = Placing(
    api=TEMPLATES,
    page=HERE,
    who="role",
    people=signing_roles,
    words=template_field_words,
    title=lambda template: str(template["name"]),
    is_open=lambda visit, _: writes(visit),
)


async def show(visit: Visit) -> Response:
    """The page."""
    return await shown(visit)


async def shown(
    visit: Visit, problem: str = "", typed: Mapping[str, Any] | None = None, etag: str | None = None
) -> Response:
    """The page; of a form that was refused why, and what was *typed*."""
    answer = await visit.ask("GET", ONE, id=visit.id())
    template = answer.body
    history = (await visit.ask("GET", ONE + "/history", id=visit.id())).body
    roles = typed["roles"] if typed else [one | {"was": one["name"]} for one in template["roles"]]
    return await page(
        visit,
        "envelope_template.html",
        400 if problem else 200,
        of_template=template,
        values=typed or template,
        roles=[*roles, *blank_roles(len(roles), 1)],
        fields=[template_field_words(one, template) for one in template["fields"]],
        signing=signing_roles(template),
        at_marks=len(fields_at_marks(template)),
        acts=template_acts(history),
        writes=writes(visit),
        etag=answer.etag if etag is None else etag,
        problem=problem,
        done=DONE.get(visit.request.query_params.get("done", "")) if visit.request.method == "GET" else None,
    )


async def save(visit: Visit) -> Response:
    """Change its name, the mail and the roles. The fields of a role that gets another name go along."""
    roles, names = roles_typed(visit.form), renamed(visit.form)
    body = {"name": visit.form["name"]} | settings_typed(visit.form) | {"roles": roles}
    if names:
        fields = (await visit.ask("GET", ONE, id=visit.id())).body["fields"]
        signing = {one["name"] for one in roles if one["role"] == "signer"}
        kept = [one | {"role": names.get(one["role"], one["role"])} for one in fields]
        body["fields"] = [one for one in kept if one["role"] in signing]
    try:
        await visit.ask("PATCH", ONE, id=visit.id(), body=body, if_match=visit.form["etag"])
    except REFUSALS as error:
        before = {new: was for was, new in names.items()}
        typed = body | {"roles": [one | {"was": before.get(one["name"], one["name"])} for one in roles]}
        return await shown(visit, refusal(error), typed, seen(visit, error))
    return back(visit, "saved")


async def upload(visit: Visit) -> Response:
    """Take a document as it comes in."""
    return await uploaded(visit, {}, "uploaded")


async def replace(visit: Visit) -> Response:
    """Take a document as it comes in, in the place of another one."""
    return await uploaded(visit, {"replaces": str(visit.request.path_params["documentId"])}, "replaced")


async def uploaded(visit: Visit, query: Mapping[str, str], done: str) -> Response:
    """The page, once the document is there."""
    await visit.ask("GET", ONE, id=visit.id())
    if not (header(visit.request.scope, b"content-type") or "").startswith("multipart/form-data"):
        raise HttpError("media_type_unsupported", NO_FORM)
    try:
        await visit.pass_on(DOCUMENTS, query, id=visit.id())
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return back(visit, done)


async def remove_document(visit: Visit) -> Response:
    """Take a document out of the template."""
    try:
        await visit.ask("DELETE", DOCUMENT, id=visit.id(), part={"documentId": visit.form["document"]})
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return back(visit, "document")


async def download(visit: Visit) -> Response:
    """A document as it was uploaded."""
    part = {"documentId": str(visit.request.path_params["documentId"])}
    answer = await visit.answer("GET", DOCUMENT, id=visit.id(), part=part)
    # It has the policy of every page.
    del answer.headers["content-security-policy"]
    return answer


async def mark(visit: Visit) -> Response:
    """Place a field at each mark in the documents."""
    answer = await visit.ask("GET", ONE, id=visit.id())
    fields = [*answer.body["fields"], *fields_at_marks(answer.body)]
    try:
        await visit.ask("PATCH", ONE, id=visit.id(), body={"fields": fields}, if_match=answer.etag)
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return back(visit, "marked")


async def remove(visit: Visit) -> Response:
    """Remove the template."""
    try:
        await visit.ask("DELETE", ONE, id=visit.id())
    except REFUSALS as error:
        return await shown(visit, refusal(error))
    return RedirectResponse(f"{HERE}?done=removed", 303)


def back(visit: Visit, done: str) -> Response:
    """To the page, with what was done."""
    return RedirectResponse(f"{HERE}/{visit.id()}?done={done}", 303)


PAGES = (
    Page(HERE + "/{id}", show, save),
    Page(HERE + "/{id}/documents", act=upload, streamed=True),
    Page(HERE + "/{id}/documents/remove", act=remove_document),
    Page(HERE + "/{id}/documents/{documentId}", download),
    Page(HERE + "/{id}/documents/{documentId}/replace", act=replace, streamed=True),
    Page(HERE + "/{id}/marks", act=mark),
    *PLACING.pages(),
    Page(HERE + "/{id}/remove", act=remove),
)
