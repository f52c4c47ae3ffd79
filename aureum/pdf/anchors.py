"""Anchors: words such as ``/sig:buyer1/`` in the text of a document, which say where a field stands.

They are read by PDFium, which is ten times as fast as readers written in Python, and by which the pages are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aureum.pdf.page_tree import Sheet

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfTextPage  # type: ignore[import-untyped]  # it has no types

ANCHOR = re.compile(r"/[a-z]{2,12}:[A-Za-z0-9_.-]{1,40}/")

MOST_ANCHORS = 2_000
"""Of one document; more are not looked at."""


class Anchor(NamedTuple):
    """Where an anchor stands: ``page`` counts from 1; the rest is in points, from the top left of the shown page."""

    text: str
    page: int
    x: float
    y: float
    width: float
    height: float


def find_anchors(document: PdfDocument, sheets: Sequence[Sheet]) -> list[Anchor]:
    """All anchors, page by page. Raises PdfiumError."""
    found: list[Anchor] = []
    for number, sheet in enumerate(sheets, 1):
        page = document[number - 1]
        text = page.get_textpage()
        try:
            found += anchors_of(text, number, sheet)
        finally:
            text.close()
            page.close()
        if len(found) >= MOST_ANCHORS:
            break
    return found[:MOST_ANCHORS]


def anchors_of(text: PdfTextPage, page: int, sheet: Sheet) -> Iterator[Anchor]:
    """The anchors of one page, in the order of its text."""
    words = list(dict.fromkeys(ANCHOR.findall(text.get_text_range())))
    placed: list[tuple[int, Anchor]] = []
    for word in words:
        search = text.search(word, match_case=True)
        while (hit := search.get_next()) is not None:
            first, count = hit
            boxes = [text.get_charbox(place) for place in range(first, first + count)]
            corners = [
                sheet.shown(x, y) for left, bottom, right, top in boxes for x, y in ((left, bottom), (right, top))
            ]
            x, y = min(x for x, _ in corners), min(y for _, y in corners)
            width, height = max(x for x, _ in corners) - x, max(y for _, y in corners) - y
            placed.append((first, Anchor(word, page, *(round(side, 2) for side in (x, y, width, height)))))
            if len(placed) >= MOST_ANCHORS:
                break
        search.close()
    return (anchor for _, anchor in sorted(placed))
