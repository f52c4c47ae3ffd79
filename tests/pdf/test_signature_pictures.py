"""Drawn signatures: of a PNG only the ink is kept, and whatever else comes is refused with a sentence."""

import io
import struct
import zlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from aureum.domain.errors import Invalid
from aureum.pdf.signature_pictures import EMPTY, KEPT_HEIGHT, KEPT_WIDTH, MOST_BYTES, NOT_ONE, TOO_LARGE, drawn


def as_png(image: Image.Image, **options: PngImagePlugin.PngInfo) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def strokes(mode: str = "RGBA", size: tuple[int, int] = (600, 200)) -> Image.Image:
    """What a finger draws: on nothing, or on white."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(100, 150), (200, 50), (300, 150), (420, 60)], fill=(10, 20, 90, 255), width=5)
    if mode == "RGBA":
        return image
    paper = Image.new("RGBA", size, "white")
    return Image.alpha_composite(paper, image).convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L", "P", "1"])
def test_only_the_ink_is_kept(mode: str) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "<script>alert(1)</script>", zip=True)
    kept = drawn(as_png(strokes(mode), pnginfo=told))
    image = Image.open(io.BytesIO(kept))
    assert (image.format, image.mode, image.info) == ("PNG", "LA", {})
    ink, solid = image.split()
    assert ink.getextrema() == (0, 0), "the ink is black"
    low, high = solid.getextrema()
    assert low == 0 and isinstance(high, int) and high > 150
    assert 300 < image.width < 340 and 80 < image.height < 120, "cut to the ink"
    assert len(kept) < MOST_BYTES and drawn(kept) == kept, "what was kept once stays as it is"


def test_a_large_drawing_is_kept_smaller() -> None:
    image = Image.new("L", (2_000, 1_000), 255)
    ImageDraw.Draw(image).ellipse((10, 10, 1_990, 990), outline=0, width=9)
    kept = Image.open(io.BytesIO(drawn(as_png(image))))
    assert kept.width <= KEPT_WIDTH and kept.height <= KEPT_HEIGHT


def speck() -> bytes:
    image = Image.new("L", (600, 200), 255)
    image.putpixel((5, 5), 0)
    return as_png(image)


def jpeg() -> bytes:
    file = io.BytesIO()
    strokes("RGB").save(file, "JPEG")
    return file.getvalue()


def bomb() -> bytes:
    """Three kilobytes that say that they are 50,000 pixels wide and high."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(3_000_000), 9)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


REFUSED: Mapping[str, tuple[bytes, str]] = {
    "nothing": (as_png(Image.new("RGBA", (600, 200), (0, 0, 0, 0))), EMPTY),
    "white": (as_png(Image.new("RGB", (600, 200), "white")), EMPTY),
    "a speck": (speck(), EMPTY),
    "a JPEG": (jpeg(), NOT_ONE),
    "no bytes": (b"", NOT_ONE),
    "an SVG": (b"<svg onload='alert(1)'/>", NOT_ONE),
    "half a PNG": (as_png(strokes())[:200], NOT_ONE),
    "a header": (as_png(strokes())[:20], NOT_ONE),
    "a bomb": (bomb(), TOO_LARGE),
    "too wide": (as_png(Image.new("1", (2_001, 10))), TOO_LARGE),
    "too many bytes": (as_png(strokes()) + bytes(MOST_BYTES), TOO_LARGE),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_signature_is_refused_with_a_sentence(what: str) -> None:
    data, sentence = REFUSED[what]
    with pytest.raises(Invalid) as refused:
        drawn(data)
    assert str(refused.value) == sentence


@given(st.data())
def test_broken_bytes_are_refused_and_nothing_else_happens(data: st.DataObject) -> None:
    whole = bytearray(as_png(strokes("L", (120, 40))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(30, len(whole)))
    try:
        kept = drawn(bytes(whole[:cut]))
    except Invalid as refused:
        assert str(refused) in (EMPTY, NOT_ONE, TOO_LARGE)
    else:
        assert Image.open(io.BytesIO(kept)).mode == "LA"
