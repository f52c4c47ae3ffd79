"""Fields stand where they are placed, or at each occurrence of their anchor, and always on the page."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.pdf.anchors import Anchor
from aureum.pdf.inspecting import inspect
from aureum.pdf.places import AT_ANCHOR, Place, places_of
from tests.pdf.papers import LETTER, paper


@dataclass(frozen=True)
class Field:
    kind: str = "signature"
    anchor: str | None = None
    page: int | None = None
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None


def test_a_field_stands_where_it_was_placed() -> None:
    field = Field("text", page=2, x=10, y=20, width=30, height=40)
    assert places_of(field, ()) == [Place(2, 10, 20, 30, 40)]


def test_a_field_stands_at_each_of_its_anchors() -> None:
    found = inspect(paper([["First", "/ini:buyer/"], ["Second"], ["/ini:buyer/ and /sig:buyer/"]]))
    first, third = places_of(Field("initials", "/ini:buyer/"), found.anchors, found.sizes)
    assert (first.page, third.page) == (1, 3)
    assert first.x == pytest.approx(72, abs=1) and first.y + first.height == pytest.approx(72 + 16, abs=4)
    (signature,) = places_of(Field("signature", "/sig:buyer/"), found.anchors, found.sizes)
    assert signature.page == 3 and signature.x > 120
    assert places_of(Field("signature", "/sig:seller/"), found.anchors) == []


@given(
    st.sampled_from(sorted(AT_ANCHOR)),
    st.floats(-50, 700),
    st.floats(-50, 900),
    st.tuples(st.floats(5, 700), st.floats(5, 900)),
)
def test_a_field_at_an_anchor_stays_on_its_page(kind: str, x: float, y: float, size: tuple[float, float]) -> None:
    (place,) = places_of(Field(kind, "/a:b/"), [Anchor("/a:b/", 1, x, y, 40, 10)], [size])
    assert place.x >= 0 and place.y >= 0
    assert place.x + place.width <= size[0] + 1e-6 and place.y + place.height <= size[1] + 1e-6
    assert LETTER[0] > place.width > 0
