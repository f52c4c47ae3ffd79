"""Signatures that were drawn: a small PNG comes in, and a PNG of our own making is kept.

Of what came in only the ink is taken: how dark each point is. So nothing else that a file can hold (texts, profiles,
other formats, a second picture) gets into the evidence or into a sealed document. Both sides of the picture are known
before it is unpacked, so that a small file cannot become a large one.
"""

import io
import struct
from typing import TYPE_CHECKING

from aureum.domain.errors import Invalid
from aureum.domain.images import PNG

if TYPE_CHECKING:
    from PIL.Image import Image

FIELD = "signature"
MOST_BYTES = 64 * 1024
WIDEST, HIGHEST = 2_000, 1_000
LEAST_SIDE = 8
"""Of the ink, in pixels: less is a slip of the finger."""

KEPT_WIDTH, KEPT_HEIGHT = 900, 300
"""Of the picture that is kept: enough for print at the size of a field."""

FAINT = 24
"""Below this darkness a point is paper."""

EMPTY = "Draw your signature in the box first, or type your name instead."
NOT_ONE = "This drawing cannot be read. Draw your signature again, or type your name instead."
TOO_LARGE = "This drawing is too large. Draw your signature with fewer strokes, or type your name instead."


def drawn(data: bytes) -> bytes:
    """The signature in *data*, a PNG, as a PNG with black ink on nothing, cut to the ink. Raises Invalid, with a
    sentence for the signer."""
    if len(data) > MOST_BYTES:
        raise Invalid(FIELD, TOO_LARGE)
    if not data.startswith(PNG) or len(data) < 33 or data[12:16] != b"IHDR":
        raise Invalid(FIELD, NOT_ONE)
    width, height = struct.unpack(">II", data[16:24])
    if not (0 < width <= WIDEST and 0 < height <= HIGHEST):
        raise Invalid(FIELD, TOO_LARGE)
    ink = _ink(data)
    box = ink.point([0] * FAINT + [255] * (256 - FAINT)).getbbox()
    if box is None or max(box[2] - box[0], box[3] - box[1]) < LEAST_SIDE:
        raise Invalid(FIELD, EMPTY)
    kept = ink.crop(box)
    kept.thumbnail((KEPT_WIDTH, KEPT_HEIGHT))
    return _png(kept)


def _ink(data: bytes) -> "Image":
    """How dark each point is, from 0 (paper, or nothing) to 255."""
    from PIL import Image, ImageChops, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
            opened.load()
            picture = opened.convert("RGBA")
    except (OSError, SyntaxError, ValueError, struct.error) as error:  # what Pillow raises for broken files
        raise Invalid(FIELD, NOT_ONE) from error
    return ImageChops.multiply(ImageOps.invert(picture.convert("L")), picture.getchannel("A"))


def _png(ink: "Image") -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.merge("LA", (Image.new("L", ink.size, 0), ink)).save(file, "PNG", optimize=True)
    return file.getvalue()
