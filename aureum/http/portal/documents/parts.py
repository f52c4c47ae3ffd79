"""The pages of an envelope's documents, in parts: a contract of 200 pages does not come as one page of the portal.

Without script a browser loads all pictures of a page at once; so a part is small.
"""

from collections.abc import Iterable
from typing import NamedTuple

from aureum.domain.envelope_parts import Document

PAGES = 10
"""Of a part, at most. A part has pages of one document."""


class Part(NamedTuple):
    """The pages from *first* to *last*, counted from 1, of a document; *before* is how many pages stand before it in
    all documents."""

    document: Document
    first: int
    last: int
    before: int

    @property
    def numbers(self) -> range:
        """The numbers of its pages."""
        return range(self.first, self.last + 1)


def parts_of(documents: Iterable[Document]) -> list[Part]:
    """All pages of all *documents*, each once, in their order."""
    parts, before = [], 0
    for document in documents:
        for first in range(1, document.pages + 1, PAGES):
            last = min(first + PAGES - 1, document.pages)
            parts.append(Part(document, first, last, before + first - 1))
        before += document.pages
    return parts


def part_with(parts: list[Part], given: str | None) -> int:
    """The place of the part that a query asks for, from 0; of the nearest one if there is none such."""
    number = int(given) if given is not None and given.isdecimal() and len(given) < 6 else 1
    return max(0, min(number, len(parts)) - 1)
