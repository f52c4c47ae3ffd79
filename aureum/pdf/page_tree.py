"""The pages of a PDF as the library that seals will find them, each with its place on the paper.

That library finds a page by the counts in the tree, others by walking it. If a count were wrong, a stamp would stand on
another page than the signer has seen. So the counts must be right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from aureum.pdf.refusing import MOST_PAGES, Refused

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

MOST_DEPTH = 50
SMALLEST, LARGEST = 72.0, 7200.0
"""Points: an inch, and a hundred."""

INHERITED = ("/MediaBox", "/CropBox", "/Rotate")


class Sheet(NamedTuple):
    """A page: the rectangle that is shown, in the units of its content, and how far it is turned clockwise."""

    left: float
    bottom: float
    right: float
    top: float
    turned: int

    @property
    def width(self) -> float:
        """As it is shown, in points."""
        return self.right - self.left if self.turned % 180 == 0 else self.top - self.bottom

    @property
    def height(self) -> float:
        """As it is shown, in points."""
        return self.top - self.bottom if self.turned % 180 == 0 else self.right - self.left

    def matrix(self) -> tuple[float, float, float, float, float, float]:
        """From points as the page is shown (from the top left, downwards) to the units of its content."""
        return {
            0: (1, 0, 0, -1, self.left, self.top),
            90: (0, 1, 1, 0, self.left, self.bottom),
            180: (-1, 0, 0, 1, self.right, self.bottom),
            270: (0, -1, -1, 0, self.right, self.top),
        }[self.turned]

    def shown(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the content is shown: the inverse of ``matrix``."""
        return {
            0: (x - self.left, self.top - y),
            90: (y - self.bottom, x - self.left),
            180: (self.right - x, y - self.bottom),
            270: (self.top - y, self.right - x),
        }[self.turned]


def sheets(reader: PdfFileReader) -> list[Sheet]:
    """The pages in their order. Raises Refused."""
    from pyhanko.pdf_utils import generic

    found: list[Sheet] = []
    seen: set[tuple[int, int]] = set()

    def walk(reference: Any, inherited: dict[str, Any], depth: int) -> int:
        if not isinstance(reference, generic.IndirectObject) or depth > MOST_DEPTH:
            raise Refused("pdf_damaged")
        name = (reference.idnum, reference.generation)
        if name in seen:
            raise Refused("pdf_damaged")
        seen.add(name)
        node = reference.get_object()
        if not isinstance(node, generic.DictionaryObject):
            raise Refused("pdf_damaged")
        inherited = inherited | {key: node[key] for key in INHERITED if key in node}
        kind = node.get("/Type")
        if kind == "/Page" and "/Kids" not in node:
            found.append(sheet(node, inherited))
            if len(found) > MOST_PAGES:
                raise Refused("pdf_too_many_pages")
            return 1
        kids = node.get("/Kids")
        if kind != "/Pages" or not isinstance(kids, generic.ArrayObject):
            raise Refused("pdf_damaged")
        count = sum(walk(kids.raw_get(place), inherited, depth + 1) for place in range(len(kids)))
        if node.get("/Count") != count:
            raise Refused("pdf_damaged")
        return count

    walk(reader.root.raw_get("/Pages"), {}, 0)
    if not found:
        raise Refused("pdf_damaged")
    return found


def sheet(page: Any, inherited: dict[str, Any]) -> Sheet:
    """One page. Raises Refused for sizes that no paper has."""
    media = box(inherited.get("/MediaBox"))
    crop = box(inherited["/CropBox"]) if "/CropBox" in inherited else media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    turned = inherited.get("/Rotate", 0)
    if not isinstance(turned, int) or turned % 90 or page.get("/UserUnit", 1) != 1:
        raise Refused("pdf_page_size")
    if not all(SMALLEST <= side <= LARGEST for side in (right - left, top - bottom)):
        raise Refused("pdf_page_size")
    return Sheet(left, bottom, right, top, turned % 360)


def box(value: Any) -> tuple[float, float, float, float]:
    """A rectangle with its corners in order. Raises Refused."""
    try:
        x1, y1, x2, y2 = (float(number) for number in value)
    except (TypeError, ValueError):
        raise Refused("pdf_page_size") from None
    if not all(math.isfinite(number) for number in (x1, y1, x2, y2)):
        raise Refused("pdf_page_size")
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
