"""Pages of a document as pictures, and the text on them for screen readers. PDFium reads the document.

Letters stay sharp: a page of text becomes a PNG with 16 shades, or with the colors that it has. A page with a photo
becomes a WebP. To be called in a process with limits: the document comes from a stranger.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH = 1240
"""Of a picture, in pixels: 150 a inch on letter paper. Small print stays legible when a phone enlarges it."""

TALLEST = 2 * WIDTH
"""A page that is higher than this becomes a narrower picture."""

MOST_TEXT = 20_000
"""Characters of a page's text. A printed page has about 3,000."""

SHADES = 16
FEW_COLORS = 4_096
"""Letters of several colors, smoothed at their edges, and a logo. A photo has more."""

SCANNED = 0.25
"""A page with so large a part between black and white is a photo, which 16 shades would spoil."""


class ShownPage(NamedTuple):
    """A page as a client sees it: the picture, the size of the page in points, and the page's text."""

    media: str
    picture: bytes
    width: float
    height: float
    text: str


def shown_pages(data: bytes, numbers: Sequence[int]) -> list[ShownPage]:
    """The pages of a document by their *numbers*, from 1; those that the document lacks are left out."""
    import pypdfium2  # type: ignore[import-untyped]  # it has no types; 40 ms to import

    document = pypdfium2.PdfDocument(data)
    try:
        document.init_forms()  # draws what was typed into the document's own form
        return [_shown(document[number - 1]) for number in numbers if 1 <= number <= len(document)]
    finally:
        document.close()


def _shown(page: Any) -> ShownPage:
    width, height = page.get_size()
    scale = min(WIDTH / width, TALLEST / height)
    media, picture = encoded(page.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB"))
    return ShownPage(media, picture, width, height, _text(page))


def _text(page: Any) -> str:
    """What a screen reader says of the page: lines, without control characters."""
    found: str = page.get_textpage().get_text_range()[:MOST_TEXT]
    lines = ("".join(letter for letter in line if letter.isprintable()).strip() for line in found.splitlines())
    return "\n".join(line for line in lines if line)


def encoded(image: "Image") -> tuple[str, bytes]:
    """A picture with its media type: as small as its colors allow."""
    from PIL import Image, ImageChops

    red, green, blue = image.split()
    if ImageChops.difference(red, green).getbbox() or ImageChops.difference(green, blue).getbbox():
        if image.getcolors(FEW_COLORS) is None:
            return "image/webp", _saved(image, "WEBP", quality=75, method=2)
        few = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        return "image/png", _saved(few, "PNG")
    counts = green.histogram()
    if sum(counts[32:224]) > SCANNED * sum(counts):
        return "image/webp", _saved(green, "WEBP", quality=75, method=2)
    return "image/png", _saved(_in_shades(green), "PNG", bits=4)


def _in_shades(gray: "Image") -> "Image":
    """The picture with a palette of grays: half a byte for a pixel."""
    from PIL import Image

    step = 256 // SHADES
    few = Image.frombytes("P", gray.size, gray.point([value // step for value in range(256)]).tobytes())
    few.putpalette([shade * 255 // (SHADES - 1) for shade in range(SHADES) for _ in "rgb"])
    return few


def _saved(image: "Image", kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
