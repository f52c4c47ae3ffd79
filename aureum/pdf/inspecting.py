"""The gate of uploads: what a PDF is, or why it is refused.

What signers see must be all that the document is and will ever show. So a document is refused if a program may run in
it, if it carries other files, if it shows other content elsewhere (XFA, layers), or if the two libraries that show it
and seal it do not agree about its pages. ``inspect`` may take any time and memory, so it runs in a process with limits
(``process``).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

from aureum.pdf.anchors import Anchor, find_anchors
from aureum.pdf.objects import all_objects, dictionaries
from aureum.pdf.page_tree import Sheet, sheets
from aureum.pdf.refusing import MOST_BYTES, Refused, RefusedCode

HEADER = b"%PDF-"
END = b"%%EOF"
HEADER_WITHIN = 1024
"""Other programs look so far for the header."""

BLANKS = b"\0\t\n\f\r "
MOST_BLANKS = 64
"""Blanks that may follow the end."""

ACTIONS = frozenset({"/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/RichMediaExecute"})
LAYER_ACTION = "/SetOCGState"
"""A link that hides and shows layers."""

MEDIA = frozenset({"/FileAttachment", "/RichMedia", "/3D", "/Movie", "/Sound", "/Screen"})
"""Annotations that carry other files."""

UNEXPECTED = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    NotImplementedError,
    OSError,
)
"""What the library raises, besides errors of its own, for input that it did not expect."""

SIZES_AGREE = 1.0
"""Points by which the two libraries may differ about a page."""


class Inspected(NamedTuple):
    """A PDF that was taken. ``sizes`` are width and height of each page as it is shown, in points."""

    pages: int
    sizes: tuple[tuple[float, float], ...]
    anchors: tuple[Anchor, ...]


def inspect(data: bytes) -> Inspected:
    """What *data* is. Raises Refused; MemoryError and RecursionError are a hostile file's."""
    look_at_ends(data)
    found = look_inside(data)
    return Inspected(
        len(found), tuple((round(one.width, 2), round(one.height, 2)) for one in found), shown(data, found)
    )


def look_at_ends(data: bytes) -> None:
    """Begins and ends as a PDF does. Raises Refused."""
    if len(data) > MOST_BYTES:
        raise Refused("pdf_too_large")
    if not data.startswith(HEADER):
        raise Refused("pdf_bytes_before" if HEADER in data[:HEADER_WITHIN] else "pdf_not_one")
    end = data.rfind(END)
    rest = data[end + len(END) :]
    if end < 0 or b" obj" in rest:
        raise Refused("pdf_cut_off")
    if rest.strip(BLANKS) or len(rest) > MOST_BLANKS:
        raise Refused("pdf_bytes_after")


def look_inside(data: bytes) -> list[Sheet]:
    """The pages, if nothing in the file is refused. Raises Refused."""
    from pyhanko.pdf_utils.misc import PdfDecodeLimitError, PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader

    try:
        # Not strict: references to nothing, and files with two kinds of tables (as Word writes them), are common.
        reader = PdfFileReader(BytesIO(data), strict=False)
        if "/Encrypt" in reader.trailer:
            raise Refused("pdf_encrypted")
        for found in all_objects(reader):
            for one in dictionaries(found):
                for code in refusals(one):
                    raise Refused(code)
        return sheets(reader)
    except PdfDecodeLimitError:
        raise Refused("pdf_too_complex") from None
    except (*UNEXPECTED, PdfError, zlib.error):
        raise Refused("pdf_damaged") from None


def refusals(one: Any) -> Iterator[RefusedCode]:
    """What one dictionary is refused for."""
    from pyhanko.pdf_utils.generic import StreamObject

    kind, subtype, action = (plain(one, key) for key in ("/Type", "/Subtype", "/S"))
    if action == "/JavaScript" or "/JS" in one or "/JavaScript" in one:
        yield "pdf_has_scripts"
    if action in ACTIONS:
        yield "pdf_has_actions"
    if "/XFA" in one:
        yield "pdf_has_xfa"
    if action == LAYER_ACTION or (kind == "/OCMD" and hides(one)) or ("/OCProperties" in one and may_hide(one)):
        yield "pdf_has_layers"
    if "/ByteRange" in one or kind in ("/Sig", "/DocTimeStamp") or "/DocMDP" in one:
        yield "pdf_already_signed"
    if "/EF" in one or "/EmbeddedFiles" in one or kind == "/EmbeddedFile" or subtype in MEDIA:
        yield "pdf_has_attachments"
    if isinstance(one, StreamObject) and "/F" in one:
        yield "pdf_has_attachments"  # the content of the stream stands in another file


def may_hide(catalog: Any) -> bool:
    """Whether a program may hide a layer of the document by itself. Layers that are all shown, on the screen and on
    paper, are what many drawing programs write: nothing is hidden there unless the reader asks for it."""
    properties = catalog.get("/OCProperties")
    shown = properties.get("/D")
    if shown is None or properties.get("/Configs"):
        return True
    return bool(shown.get("/OFF") or shown.get("/AS") or plain(shown, "/BaseState") not in (None, "/ON"))


def hides(membership: Any) -> bool:
    """Whether content is shown where a layer is not."""
    return "/VE" in membership or plain(membership, "/P") in ("/AnyOff", "/AllOff")


def plain(one: Any, key: str) -> str | None:
    """The name under *key*, also behind a reference."""
    value = one.get(key)
    return value if isinstance(value, str) else None


def shown(data: bytes, found: list[Sheet]) -> tuple[Anchor, ...]:
    """The anchors, if the library that shows pages finds the same ones as *found*. Raises Refused."""
    import pypdfium2  # type: ignore[import-untyped]  # it has no types

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        raise Refused("pdf_damaged") from None
    try:
        if len(document) != len(found):
            raise Refused("pdf_damaged")
        for number, one in enumerate(found):
            width, height = document.get_page_size(number)
            if abs(width - one.width) > SIZES_AGREE or abs(height - one.height) > SIZES_AGREE:
                raise Refused("pdf_damaged")
        return tuple(find_anchors(document, found))
    except pypdfium2.PdfiumError:
        raise Refused("pdf_damaged") from None
    finally:
        document.close()
