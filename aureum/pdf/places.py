"""Where the fields of a document stand: on the page that they name, or at each occurrence of their anchor.

Signers see these places on the pages that they read, and the stamps go to the same ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from aureum.pdf.anchors import Anchor

AT_ANCHOR: Mapping[str, tuple[float, float]] = {
    "signature": (180, 36),
    "initials": (60, 28),
    "date": (110, 16),
    "name": (180, 16),
    "text": (180, 16),
    "checkbox": (14, 14),
}
"""Width and height of a field that stands at an anchor, in points, by its kind."""


class FieldLike(Protocol):
    """A field of an envelope: it has an anchor, or all of the others."""

    @property
    def kind(self) -> str: ...
    @property
    def anchor(self) -> str | None: ...
    @property
    def page(self) -> int | None: ...
    @property
    def x(self) -> float | None: ...
    @property
    def y(self) -> float | None: ...
    @property
    def width(self) -> float | None: ...
    @property
    def height(self) -> float | None: ...


class Place(NamedTuple):
    """``page`` counts from 1; the rest is in points from the top left of the page as it is shown."""

    page: int
    x: float
    y: float
    width: float
    height: float


def places_of(field: FieldLike, anchors: Iterable[Anchor], sizes: Sequence[tuple[float, float]] = ()) -> list[Place]:
    """All places of *field*; none if its anchor does not stand in the document. With the *sizes* of the pages, what
    stands at an anchor near the edge is moved onto the page."""
    if field.anchor is not None:
        return [at_anchor(field.kind, one, sizes) for one in anchors if one.text == field.anchor]
    page, x, y, width, height = field.page, field.x, field.y, field.width, field.height
    if page is None or x is None or y is None or width is None or height is None:
        return []
    return [Place(page, x, y, width, height)]


def at_anchor(kind: str, anchor: Anchor, sizes: Sequence[tuple[float, float]]) -> Place:
    """The place of a field that begins where its anchor does and stands on the same line."""
    width, height = AT_ANCHOR[kind]
    x, y = anchor.x, anchor.y + anchor.height - height
    if anchor.page <= len(sizes):
        wide, high = sizes[anchor.page - 1]
        width, height = min(width, wide), min(height, high)
        x, y = min(x, wide - width), min(y, high - height)
    return Place(anchor.page, max(x, 0.0), max(y, 0.0), width, height)
