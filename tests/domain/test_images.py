"""Which bytes are a picture that may be shown to visitors."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.errors import Invalid
from aureum.domain.images import JPEG, MOST_BYTES, PNG, Picture, picture


def png(width: int = 40, height: int = 20) -> bytes:
    """A picture of one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + b"\x1f\x4f\xa3" * width for _ in range(min(height, 10)))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg(width: int = 40, height: int = 20) -> bytes:
    """The beginning of one: an application segment, then the frame."""
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF" + bytes(10) + b"\xff\xc0" + frame + bytes(20)


def test_what_is_one() -> None:
    assert picture(png()) == Picture("image/png", 40, 20)
    assert picture(jpeg(300, 200)) == Picture("image/jpeg", 300, 200)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (b"", "PNG or JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"GIF89a" + bytes(40), "PNG or JPEG"),
        (PNG + bytes(10), "PNG or JPEG"),
        (png(0, 20), "PNG or JPEG"),
        (png(2_001, 20), "2000 pixels"),
        (jpeg(20, 2_001), "2000 pixels"),
        (png() + bytes(MOST_BYTES), "200 KB"),
    ],
)
def test_what_is_none(image: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        picture(image)


@given(st.sampled_from((PNG, JPEG, b"")), st.binary(max_size=80))
def test_no_bytes_break_it(begin: bytes, rest: bytes) -> None:
    try:
        found = picture(begin + rest)
    except Invalid:
        return
    assert found.media in ("image/png", "image/jpeg") and 1 <= found.width <= 2_000
