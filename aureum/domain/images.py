"""Pictures that may be shown to visitors: PNG and JPEG, told by their bytes. Other kinds, such as SVG, which can hold
scripts, are refused.
"""

import struct
from typing import NamedTuple

from aureum.domain.errors import Invalid

MOST_BYTES = 200_000
MOST_PIXELS = 2_000
"""Of each side."""

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG behind which the size stands."""

NOT_ONE = "image must be a PNG or JPEG picture. Other kinds, such as SVG, are not accepted."
TOO_LARGE = f"image must have at most {MOST_BYTES // 1000} KB."
TOO_MANY_PIXELS = f"image must be at most {MOST_PIXELS} pixels wide and high."


class Picture(NamedTuple):
    """What a picture is, in pixels."""

    media: str
    width: int
    height: int


def picture(image: bytes) -> Picture:
    """What *image* is. Raises Invalid for what is no such picture, or is too large."""
    if len(image) > MOST_BYTES:
        raise Invalid("image", TOO_LARGE)
    found = _png(image) if image.startswith(PNG) else _jpeg(image) if image.startswith(JPEG) else None
    if found is None or not (found.width and found.height):
        raise Invalid("image", NOT_ONE)
    if max(found.width, found.height) > MOST_PIXELS:
        raise Invalid("image", TOO_MANY_PIXELS)
    return found


def _png(image: bytes) -> Picture | None:
    if len(image) < 33 or image[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", image[16:24])
    return Picture("image/png", width, height)


def _jpeg(image: bytes) -> Picture | None:
    """The segments of a JPEG, up to the one that has the size."""
    place = 2
    while place + 9 <= len(image) and image[place] == 0xFF:
        marker, (length,) = image[place + 1], struct.unpack(">H", image[place + 2 : place + 4])
        if marker in FRAMES:
            height, width = struct.unpack(">HH", image[place + 5 : place + 9])
            return Picture("image/jpeg", width, height)
        if length < 2:
            return None
        place += 2 + length
    return None
