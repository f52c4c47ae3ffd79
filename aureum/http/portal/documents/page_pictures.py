"""Pages of documents as a process remembers them: made when the first of them is asked for, a few at a time.

Who may see a page is judged before, for every request. What is remembered is forgotten by size, the least recently used
first; a process that shows no document remembers nothing.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO
from uuid import UUID

from aureum.domain.envelope_parts import Document
from aureum.domain.errors import NotFound
from aureum.lru import ReadThrough
from aureum.pdf.anchors import Anchor
from aureum.pdf.process import inspected, shown_pages
from aureum.pdf.refusing import Refused
from aureum.pdf.rendering import ShownPage
from aureum.store.blobs import DocumentLost

AT_ONCE = 5
"""Pages that are made together: the process that makes them takes longer to start than to draw one."""

MOST_BYTES = 24 * 2**20
"""Of pictures and texts that a process remembers: some 500 pages of text."""

MOST_DOCUMENTS = 200
"""Whose anchors a process remembers."""

Batch = tuple[ShownPage, ...]
Opener = Callable[[], AbstractAsyncContextManager[BinaryIO]]
"""Opens a document, as it was sent."""


def size_of(batch: Batch) -> int:
    """What a batch takes."""
    return sum(len(page.picture) + 2 * len(page.text) for page in batch)


_batches: ReadThrough[tuple[UUID, UUID, int], Batch] = ReadThrough(MOST_BYTES, size_of)
_anchors: ReadThrough[tuple[UUID, UUID], tuple[Anchor, ...]] = ReadThrough(MOST_DOCUMENTS)


async def page_of(tenant_id: UUID, document: Document, number: int, open_it: Opener) -> ShownPage:
    """A page of a document by its *number*, from 1. Raises NotFound, DocumentLost, Busy, Unavailable."""
    if not 1 <= number <= document.pages:
        raise NotFound
    place, within = divmod(number - 1, AT_ONCE)
    first = place * AT_ONCE + 1

    async def made() -> Batch:
        numbers = range(first, min(first + AT_ONCE, document.pages + 1))
        try:
            async with open_it() as file:
                return tuple(await shown_pages(file, numbers))
        except Refused as error:
            # It could be read when it was uploaded.
            raise DocumentLost from error

    return (await _batches.get((tenant_id, document.id, place), made))[within]


async def anchors_of(tenant_id: UUID, document: Document, open_it: Opener) -> tuple[Anchor, ...]:
    """Where the anchors of a document stand. Raises DocumentLost, Busy, Unavailable."""

    async def found() -> tuple[Anchor, ...]:
        try:
            async with open_it() as file:
                return (await inspected(file)).anchors
        except Refused as error:
            raise DocumentLost from error

    return await _anchors.get((tenant_id, document.id), found)
