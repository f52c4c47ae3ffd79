"""Pages as pictures: in the size of a screen, small, with their text, and whatever form the page has."""

import io

import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest
from PIL import Image

from aureum.pdf.rendering import TALLEST, WIDTH, ShownPage, encoded, shown_pages
from tests.pdf.papers import contract, paper


def opened(page: ShownPage) -> Image.Image:
    return Image.open(io.BytesIO(page.picture))


def test_pages_of_a_contract_are_small_pictures_with_their_text() -> None:
    first, third = shown_pages(contract(3), (1, 3))
    assert (first.media, first.width, first.height) == ("image/png", 612, 792)
    picture = opened(first)
    assert picture.format == "PNG" and picture.width == WIDTH and picture.height == round(792 * WIDTH / 612)
    assert first.text == "Page 1: the buyer pays the price at closing."
    assert third.text.startswith("Page 3:")
    dark = sum(picture.convert("L").histogram()[:64])
    assert 1_000 < dark < picture.width * picture.height / 50, "there are letters on white paper"
    assert len(first.picture) < 20_000


def test_a_page_that_the_document_lacks_is_left_out() -> None:
    assert [page.text[:7] for page in shown_pages(contract(2), (0, -1, 2, 3))] == ["Page 2:"]


def test_colors_stay_colors() -> None:
    (page,) = shown_pages(paper([["SOLD"] * 5], ink="#cc0000"), (1,))
    picture = opened(page).convert("RGB")
    assert page.media == "image/png" and len(page.picture) < 40_000
    counted = picture.getcolors(256)
    assert counted is not None
    red, green, blue = min(color for _, color in counted if isinstance(color, tuple))
    assert red > 180 and green < 30 and blue < 30


def test_a_photo_keeps_its_colors() -> None:
    red = Image.linear_gradient("L")
    photo = Image.merge("RGB", (red, red.rotate(90), red.rotate(180)))
    media, data = encoded(photo)
    assert media == "image/webp" and len(data) < 40_000
    assert Image.open(io.BytesIO(data)).getcolors(4_096) is None


def test_a_gray_photo_keeps_its_shades() -> None:
    gradient = Image.linear_gradient("L").convert("RGB")
    media, data = encoded(gradient)
    assert media == "image/webp"
    shades = Image.open(io.BytesIO(data)).convert("L").getcolors()
    assert shades is not None and len(shades) > 100


@pytest.mark.parametrize("size", [(20, 14_400), (14_400, 20), (14_400, 14_400), (3, 3)])
def test_a_page_of_any_form_becomes_no_large_picture(size: tuple[float, float]) -> None:
    (page,) = shown_pages(paper([["Wide or high"]], size=size), (1,))
    picture = opened(page)
    assert picture.width <= WIDTH and picture.height <= TALLEST
    assert (page.width, page.height) == size


def test_control_characters_in_a_page_are_no_text() -> None:
    (page,) = shown_pages(paper([["One\x07two", "", "three"]]), (1,))
    assert all(line.isprintable() for line in page.text.split("\n")) and page.text.endswith("three")


def test_what_is_no_document_is_refused_by_the_library() -> None:
    with pytest.raises(pypdfium2.PdfiumError):
        shown_pages(b"%PDF-1.7 nothing follows", (1,))
