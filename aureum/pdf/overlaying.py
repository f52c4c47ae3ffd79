"""Puts drawn pages over and after the pages of a document, in a new revision of it.

What a page shows already may leave the drawing state changed: turned, scaled, clipped. So it is put between a ``q`` and
as many ``Q`` as bring the first state back, and what is drawn over it stands where it should.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aureum.pdf.page_tree import Sheet

if TYPE_CHECKING:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.reader import PdfFileReader

NAME = "/AureumStamps"

TOKEN = re.compile(
    rb"\\.|%[^\r\n]*|\((?:[^\\()]|\\.)*\)|<[0-9A-Fa-f\s]*>|/[^\s()<>\[\]{}/%]*|[()]|[^\s()<>\[\]{}/%\\]+", re.DOTALL
)
"""The words of a content stream; of a string with brackets in it, its parts."""

IMAGE_END = re.compile(rb"\sEI(?=\s|$)")


def put_on(
    writer: IncrementalPdfFileWriter, drawn: PdfFileReader, places: Mapping[int, Sheet], paper: tuple[float, float]
) -> None:
    """The first pages of *drawn* over those of *places*, in their order; the others, of the size *paper*, behind the
    last page of the document."""
    over = [form(drawn, index, sheet) for index, sheet in enumerate(places.values())]
    behind = [drawn.find_page_for_modification(index)[0].get_object() for index in range(len(over), page_count(drawn))]
    contents = [page.raw_get("/Contents") for page in behind]
    resources = [page.raw_get("/Resources") for page in behind]
    copied = imported(writer, [*over, *contents, *resources], drawn)
    put_over(writer, copied[: len(over)], places)
    for content, resource in zip(copied[len(over) : -len(behind)], copied[-len(behind) :], strict=True):
        append_page(writer, content, resource, paper)


def page_count(drawn: PdfFileReader) -> int:
    """How many pages were drawn."""
    return int(drawn.root["/Pages"]["/Count"])


def put_over(writer: IncrementalPdfFileWriter, overlays: Sequence[Any], places: Mapping[int, Sheet]) -> None:
    """The forms *overlays* over the pages of *places*, in their order."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.generic import pdf_name

    before = writer.add_object(generic.StreamObject(stream_data=b"q"))
    for number, overlay in zip(places, overlays, strict=True):
        reference, resources = writer.find_page_for_modification(number - 1)
        page = reference.get_object()
        contents = content_streams(page)
        # Its resources may be other pages' too, so it gets a dictionary of its own.
        own = generic.DictionaryObject(resources.get_object()) if resources is not None else generic.DictionaryObject()
        pictures = generic.DictionaryObject(own.get("/XObject", {}))
        name = next(one for one in (NAME, *(f"{NAME}{count}" for count in range(2, 1000))) if one not in pictures)
        pictures[pdf_name(name)] = overlay
        own[pdf_name("/XObject")] = pictures
        page[pdf_name("/Resources")] = own
        back = b" Q" * (1 + left_open(b"\n".join(one.get_object().data for one in contents)))
        after = writer.add_object(generic.StreamObject(stream_data=back + b" q " + name.encode() + b" Do Q"))
        page[pdf_name("/Contents")] = generic.ArrayObject([before, *contents, after])
        writer.mark_update(reference)


def form(drawn: PdfFileReader, index: int, sheet: Sheet) -> Any:
    """The content of a drawn page as a form, turned as *sheet* is."""
    from pyhanko.pdf_utils.generic import pdf_name

    reference, _ = drawn.find_page_for_modification(index)
    page = reference.get_object()
    content = page["/Contents"]
    a, b, c, d, e, f = sheet.matrix()
    # Drawn from the bottom up, shown from the top down.
    matrix = (a, b, -c, -d, e + c * sheet.height, f + d * sheet.height)
    content[pdf_name("/Type")] = pdf_name("/XObject")
    content[pdf_name("/Subtype")] = pdf_name("/Form")
    content[pdf_name("/BBox")] = numbers(0, 0, sheet.width, sheet.height)
    content[pdf_name("/Matrix")] = numbers(*matrix)
    content[pdf_name("/Resources")] = page.raw_get("/Resources")
    return page.raw_get("/Contents")


def append_page(writer: IncrementalPdfFileWriter, content: Any, resources: Any, paper: tuple[float, float]) -> None:
    """A new last page."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.generic import pdf_name

    box = numbers(0, 0, *paper)
    # All of it: pages inherit what is not said.
    page = {
        pdf_name("/Type"): pdf_name("/Page"),
        pdf_name("/MediaBox"): box,
        pdf_name("/CropBox"): box,
        pdf_name("/Rotate"): generic.NumberObject(0),
        pdf_name("/Contents"): content,
        pdf_name("/Resources"): resources,
    }
    writer.insert_page(generic.DictionaryObject(page))


def imported(writer: IncrementalPdfFileWriter, parts: list[Any], drawn: PdfFileReader) -> list[Any]:
    """Copies of *parts*, made at once, so that fonts that they share are copied once."""
    from pyhanko.pdf_utils import generic

    whole = generic.ArrayObject(parts)
    whole.container_ref = drawn.root_ref
    copied = writer.import_object(whole)
    assert isinstance(copied, generic.ArrayObject)
    return [copied.raw_get(place) for place in range(len(copied))]


def content_streams(page: Any) -> list[Any]:
    """References to the parts of a page's content."""
    from pyhanko.pdf_utils import generic

    if "/Contents" not in page:
        return []
    raw = page.raw_get("/Contents")
    content = raw.get_object() if isinstance(raw, generic.IndirectObject) else raw
    if isinstance(content, generic.ArrayObject):
        parts = [content.raw_get(place) for place in range(len(content))]
        return [part for part in parts if isinstance(part.get_object(), generic.StreamObject)]
    return [raw] if isinstance(content, generic.StreamObject) else []


def left_open(content: bytes) -> int:
    """How many drawing states *content* has saved and not brought back."""
    depth, place = 0, 0
    strings = 0
    while (token := TOKEN.search(content, place)) is not None:
        place = token.end()
        match token[0]:
            case b"(":
                strings += 1
            case b")":
                strings = max(strings - 1, 0)
            case b"BI" if not strings:
                end = IMAGE_END.search(content, place)
                place = end.end() if end else len(content)
            case b"q" if not strings:
                depth += 1
            case b"Q" if not strings:
                depth = max(depth - 1, 0)
    return depth


def numbers(*values: float) -> Any:
    """An array of numbers."""
    from pyhanko.pdf_utils import generic

    return generic.ArrayObject([generic.FloatObject(f"{value:.4f}") for value in values])
