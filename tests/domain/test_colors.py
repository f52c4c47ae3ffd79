"""Colours that white text can be read on."""

from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.colors import HEX, LEAST_CONTRAST, WHITE, contrast, readable

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_the_contrasts_of_the_standard() -> None:
    assert contrast("#000000", WHITE) == 21 and contrast(WHITE, WHITE) == 1
    assert round(contrast("#767676", WHITE), 2) == 4.54 and round(contrast("#777777", WHITE), 2) == 4.48


@given(COLORS)
def test_a_darker_one_is_found_and_can_be_read(color: str) -> None:
    found = readable(color)
    assert HEX.fullmatch(found) and contrast(found, WHITE) >= LEAST_CONTRAST
    assert contrast(found, WHITE) >= contrast(color, WHITE)
    assert readable(found) == found
