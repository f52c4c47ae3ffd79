"""The page on which fields are placed, of a draft and of a template: by a click on a picture of the page, by typing
where they stand, or at a mark in the text. A click on a picture that is a button needs no script. It says where it was
in the picture, and which of the two sizes of the picture it was, so the place on the page is known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response, StreamingResponse

from aureum.domain.envelope_rules import NO_DOCUMENT
from aureum.domain.errors import NotFound
from aureum.http.panel.envelope_words import KINDS
from aureum.http.panel.page import REFUSALS, Page, page, refusal
from aureum.http.panel.visit import Doc, Visit
from aureum.http.wire.errors import HttpError
from aureum.lru import Lru
from aureum.pdf.process import shown_pages
from aureum.pdf.refusing import Refused
from aureum.pdf.rendering import ShownPage

WIDTHS: Mapping[str, int] = {"small": 320, "large": 720}
"""How wide the picture of a page is shown, in CSS pixels: on a phone, and elsewhere."""

SIZES: Mapping[str, tuple[float, float]] = {
    "signature": (180, 40),
    "initials": (60, 30),
    "date": (100, 20),
    "name": (180, 20),
    "text": (180, 20),
    "checkbox": (16, 16),
}
"""Width and height of a new field, in points."""

CLICK = "Click on the page where the field begins, or type its place below."

KEPT: Lru[tuple[str, int], ShownPage] = Lru(8)
"""Pictures of pages that were just shown: the page of the panel asks for the size, then the browser for the picture."""


@dataclass(frozen=True, slots=True)
class Placing:
    """What has fields. *api* and *page* are where it is, without its id. *who* is what the API calls the person of a
    field, and *people* are those who sign, by its values. *words* says a field of it. *title* is what it is called, and
    *is_open* says whether the reader may change it now."""

    api: str
    page: str
    who: str
    people: Callable[[Doc], Sequence[tuple[str, str]]]
    words: Callable[[Doc, Doc], str]
    title: Callable[[Doc], str]
    is_open: Callable[[Visit, Doc], bool]

    def pages(self) -> tuple[Page, ...]:
        """The page, and the pictures of the documents' pages."""
        return (
            Page(self.page + "/{id}/fields", partial(show, self), partial(act, self)),
            Page(self.page + "/{id}/documents/{documentId}/pages", partial(picture, self)),
        )


async def show(placing: Placing, visit: Visit) -> Response:
    """A page of a document with its fields."""
    return await shown(placing, visit)


async def shown(placing: Placing, visit: Visit, problem: str = "") -> Response:
    """The same; why a field was refused."""
    of: Doc = (await visit.ask("GET", placing.api + "/{id}", id=visit.id())).body
    if not placing.is_open(visit, of) or not of["documents"]:
        return RedirectResponse(f"{placing.page}/{visit.id()}", 303)
    asked = {**visit.request.query_params, **{name: visit.form[name] for name in KEEP if visit.form[name]}}
    document = document_of(of, asked.get("document", ""))
    number = page_of(asked.get("page", ""), document)
    picture = await picture_of(placing, visit, document, number)
    here = f"{placing.page}/{visit.id()}/fields"
    at = {"document": document["id"], "page": str(number)}
    kept = at | {name: asked[name] for name in ("who", "kind") if asked.get(name)}
    mine = [one for one in of["fields"] if one["documentId"] == document["id"]]
    return await page(
        visit,
        "placing.html",
        400 if problem else 200,
        title=placing.title(of),
        back=f"{placing.page}/{visit.id()}",
        signers=placing.people(of),
        document=document,
        marks=document.get("anchors", []),
        number=number,
        size=(picture.width, picture.height),
        widths=WIDTHS,
        picture=f"{placing.page}/{visit.id()}/documents/{document['id']}/pages?{urlencode({'page': number})}",
        boxes=[one for one in mine if one["page"] == number],
        fields=[(one["id"], placing.words(one, of)) for one in mine],
        documents=[(f"{here}?document={one['id']}", one["name"], None) for one in of["documents"]],
        earlier=f"{here}?{urlencode(kept | {'page': number - 1})}" if number > 1 else None,
        later=f"{here}?{urlencode(kept | {'page': number + 1})}" if number < document["pages"] else None,
        here=here,
        at=at,
        chosen={name: asked.get(name, "") for name in KEEP},
        kinds=KINDS,
        problem=problem,
    )


KEEP = ("document", "page", "who", "kind")
"""What the form keeps from one field to the next."""


def document_of(of: Doc, wanted: str) -> Doc:
    """The document that the page shows: the first by default. Raises NotFound."""
    if not wanted:
        first: Doc = of["documents"][0]
        return first
    found = [one for one in of["documents"] if one["id"] == wanted]
    if not found:
        raise NotFound(NO_DOCUMENT)
    one: Doc = found[0]
    return one


def page_of(text: str, document: Doc) -> int:
    """The page that is shown: the first by default, and at most the last."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return min(max(number, 1), int(document["pages"]))


async def picture_of(placing: Placing, visit: Visit, document: Doc, number: int) -> ShownPage:
    """The picture of a page, made in a process with limits. Raises what the API refuses with, and Busy."""
    key = (document["sha256"], number)
    kept = KEPT.find(key)
    if kept is not None:
        return kept
    path = placing.api + "/{id}/documents/{documentId}"
    answer = await visit.answer("GET", path, id=visit.id(), part={"documentId": document["id"]})
    assert isinstance(answer, StreamingResponse)
    parts = [bytes(part) async for part in answer.body_iterator if not isinstance(part, str)]
    try:
        (found,) = await shown_pages(b"".join(parts), [number])
    except Refused as error:
        raise HttpError(error.code, error.text) from error
    KEPT.keep(key, found)
    return found


async def picture(placing: Placing, visit: Visit) -> Response:
    """The picture itself."""
    of = (await visit.ask("GET", placing.api + "/{id}", id=visit.id())).body
    document = document_of(of, str(visit.request.path_params["documentId"]))
    number = page_of(visit.request.query_params.get("page", ""), document)
    found = await picture_of(placing, visit, document, number)
    return Response(found.picture, media_type=found.media)


async def act(placing: Placing, visit: Visit) -> Response:
    """Place a field, or take one away; then the same page again."""
    answer = await visit.ask("GET", placing.api + "/{id}", id=visit.id())
    fields: Sequence[Doc] = answer.body["fields"]
    try:
        if visit.form["remove"]:
            fields = [one for one in fields if one["id"] != visit.form["remove"]]
        else:
            fields = [*fields, await placed(placing, visit, answer.body)]
        body = {"fields": fields}
        await visit.ask("PATCH", placing.api + "/{id}", id=visit.id(), body=body, if_match=answer.etag)
    except REFUSALS as error:
        return await shown(placing, visit, refusal(error))
    kept = {name: visit.form[name] for name in KEEP if visit.form[name]}
    return RedirectResponse(f"{placing.page}/{visit.id()}/fields?{urlencode(kept)}", 303)


async def placed(placing: Placing, visit: Visit, of: Doc) -> dict[str, Any]:
    """The field that the form describes. Raises HttpError if it does not say where it is."""
    form = visit.form
    document = document_of(of, form["document"])
    number = page_of(form["page"], document)
    kind = form["kind"] if form["kind"] in SIZES else "signature"
    field: dict[str, Any] = {
        placing.who: form["who"],
        "documentId": document["id"],
        "kind": kind,
        "required": form["optional"] != "yes",
        "label": form["label"] or None,
    }
    if form["anchor"]:
        return field | {"anchor": form["anchor"]}
    width, height = SIZES[kind]
    shown_page = await picture_of(placing, visit, document, number)
    x, y = number_typed(form["x"]), number_typed(form["y"])
    if x is None or y is None:
        left, top, scale = clicked(visit)
        x, y = left * shown_page.width / scale, top * shown_page.width / scale
        # What is clicked near an edge lies on the page nevertheless.
        x, y = min(x, shown_page.width - width), min(y, shown_page.height - height)
    sizes = {"width": number_typed(form["width"]) or width, "height": number_typed(form["height"]) or height}
    return field | {"page": number, "x": round(max(x, 0), 1), "y": round(max(y, 0), 1)} | sizes


def clicked(visit: Visit) -> tuple[int, int, int]:
    """Where the picture was clicked, and how wide it was shown. A picture that was pressed by the keyboard tells
    nothing. Raises HttpError."""
    for name, width in WIDTHS.items():
        left, top = visit.form[f"{name}.x"], visit.form[f"{name}.y"]
        whole = left.isdigit() and top.isdigit() and (left + top).isascii() and len(left + top) < 10
        if whole and (left, top) != ("0", "0"):
            return int(left), int(top), width
    raise HttpError("invalid_fields", CLICK)


def number_typed(text: str) -> float | None:
    """A number of points; None for nothing, or for what is none."""
    try:
        return float(text.replace(",", ".")) if text and len(text) < 10 else None
    except ValueError:
        return None
