"""What was changed after a file was sealed, in sentences for a reader who is no expert."""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import Any, Literal, NamedTuple

from aureum.pdf.inspecting import UNEXPECTED

MOST_OBJECTS = 20_000
"""That are looked at for one page."""

MOST_NAMED = 10


ChangeCode = Literal["added", "pages", "drawn", "noted", "unseen"]

TEXTS: dict[ChangeCode, str] = {
    "added": "%(bytes)s bytes were added after the seal.",
    "pages": "The file had %(before)s pages when it was sealed, and has %(after)s now.",
    "drawn": "What these pages show was changed: %(numbers)s.",
    "noted": "Notes or form fields were added or changed on these pages: %(numbers)s.",
    "unseen": "Only data that no page shows was changed.",
}


class Change(NamedTuple):
    """Something that was changed. The ``values`` are those of its text."""

    code: ChangeCode
    values: dict[str, str]

    @property
    def text(self) -> str:
        """The sentence."""
        return TEXTS[self.code] % self.values


def changes_since(data: bytes, end: int) -> tuple[Change, ...]:
    """What the bytes from *end* on do to the file before them."""
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader

    added = Change("added", {"bytes": f"{len(data) - end:,}"})
    try:
        before = PdfFileReader(BytesIO(data[:end]), strict=False)
        after = PdfFileReader(BytesIO(data), strict=False)
        return (added, *differences(before, after))
    except (*UNEXPECTED, PdfError, zlib.error, RecursionError):
        return (added,)


def differences(before: Any, after: Any) -> list[Change]:
    """Pages that came, went or look otherwise."""
    changed = {
        (reference.idnum, reference.generation)
        for revision in range(before.xrefs.total_revisions, after.xrefs.total_revisions)
        for reference in after.xrefs.explicit_refs_in_revision(revision)
    }
    old, new = int(before.root["/Pages"]["/Count"]), int(after.root["/Pages"]["/Count"])
    noted, drawn = [], []
    for index in range(min(old, new, 1000)):
        was, now = page_of(before, index), page_of(after, index)
        if notes(now) != notes(was) or touches(now, changed, {"/Annots"}):
            noted.append(index + 1)
        if reference_of(before, index) != reference_of(after, index) or touches(now, changed, set(now) - {"/Annots"}):
            drawn.append(index + 1)
    found = [Change("pages", {"before": str(old), "after": str(new)})] if new != old else []
    found += [Change("drawn", {"numbers": named(drawn)})] if drawn else []
    found += [Change("noted", {"numbers": named(noted)})] if noted else []
    return found or [Change("unseen", {})]


def named(pages: list[int]) -> str:
    """The first of *pages*, for a sentence."""
    return ", ".join(map(str, pages[:MOST_NAMED])) + (", …" if len(pages) > MOST_NAMED else "")


def page_of(reader: Any, index: int) -> Any:
    """A page."""
    return reader.find_page_for_modification(index)[0].get_object()


def reference_of(reader: Any, index: int) -> tuple[int, int]:
    """Which object a page is."""
    reference = reader.find_page_for_modification(index)[0]
    return reference.idnum, reference.generation


def notes(page: Any) -> int:
    """How many notes and fields a page has."""
    return len(page.get("/Annots", ()))


def touches(page: Any, changed: set[tuple[int, int]], keys: set[str]) -> bool:
    """Whether what stands under *keys* of a page leads to an object that was *changed*."""
    from pyhanko.pdf_utils import generic

    waiting = [page.raw_get(key) for key in keys & set(page) - {"/Parent"}]
    seen: set[tuple[int, int]] = set()
    while waiting and len(seen) < MOST_OBJECTS:
        one = waiting.pop()
        if isinstance(one, generic.IndirectObject):
            name = (one.idnum, one.generation)
            if name in changed:
                return True
            if name in seen:
                continue
            seen.add(name)
            one = one.get_object()
        if isinstance(one, generic.DictionaryObject):
            waiting += [one.raw_get(key) for key in one if key not in ("/Parent", "/P")]
        elif isinstance(one, generic.ArrayObject):
            waiting += [one.raw_get(place) for place in range(len(one))]
    return False
