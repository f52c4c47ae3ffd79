"""The pages of the documents on which a signer has fields, with a box for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from aureum.domain.envelope_parts import Document
from aureum.http.portal.documents.case import Case
from aureum.http.portal.documents.page_pictures import anchors_of
from aureum.http.portal.documents.signing_form import Entry
from aureum.pdf.places import Place, places_of
from aureum.pdf.rendering import ShownPage
from aureum.store.blobs import DocumentLost


@dataclass(frozen=True)
class Box:
    """A field on a page; *number* counts the fields of the form. A field that stands in several places is filled in at
    the *first*."""

    number: int
    entry: Entry
    place: Place
    first: bool


@dataclass(frozen=True)
class Sheet:
    """A page with fields. *picture* is where its picture is."""

    document: Document
    page: int
    picture: str
    shown: ShownPage
    boxes: Sequence[Box]


async def sheets_of(case: Case, entries: Sequence[Entry]) -> list[Sheet]:
    """The pages with fields, in the order of the documents. Raises DocumentLost, Busy, Unavailable."""
    found: dict[tuple[UUID, int], list[Box]] = {}
    for number, entry in enumerate(entries, 1):
        for order, place in enumerate(await entry_places(case, entry)):
            box = Box(number, entry, place, order == 0)
            found.setdefault((entry.document.id, place.page), []).append(box)
    return [
        Sheet(document, page, f"{case.path}/{place}/pages/{page}", await case.page(document, page), boxes)
        for place, document in enumerate(case.documents, 1)
        for (document_id, page), boxes in sorted(found.items(), key=lambda one: one[0][1])
        if document_id == document.id
    ]


async def entry_places(case: Case, entry: Entry) -> list[Place]:
    """Where the field stands. Raises DocumentLost for an anchor that stood there when the envelope was sent."""
    document = entry.document
    anchors = (
        ()
        if entry.field.anchor is None
        else await anchors_of(case.visit.client.tenant_id, document, partial(case.file, document))
    )
    places = places_of(entry.field, anchors, document.sizes)
    if not places:
        raise DocumentLost
    return places
