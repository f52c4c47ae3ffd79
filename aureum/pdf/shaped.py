"""Text of scripts whose letters join, move or run from right to left, and of scripts with thousands of letters: Arabic,
Hebrew, Devanagari, Bengali, Tamil, Telugu, Thai, Khmer, Chinese, Japanese, Korean.

reportlab draws letters one after the other. HarfBuzz says here which shapes such a text has and where they stand, and
they are drawn as outlines, so that nothing depends on what a reader has installed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from uharfbuzz import Font  # type: ignore[import-untyped]  # it has no types


class Face(NamedTuple):
    """A font of a package, and which one it is in its file."""

    package: str
    file: str
    number: int = 0


CJK = "noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc"

FACES: dict[str, Face] = {
    "Arabic": Face("fontpkg_noto_sans_arabic", "files/NotoSansArabic[wdth,wght].ttf"),
    "Hebrew": Face("fontpkg_heebo", "files/Heebo[wght].ttf"),
    "Devanagari": Face("fontpkg_noto_sans_devanagari", "files/NotoSansDevanagari[wdth,wght].ttf"),
    "Bengali": Face("fontpkg_hind_siliguri", "files/HindSiliguri-Regular.ttf"),
    "Tamil": Face("fontpkg_noto_sans_tamil", "files/NotoSansTamil[wdth,wght].ttf"),
    "Telugu": Face("fontpkg_noto_sans_telugu", "files/NotoSansTelugu[wdth,wght].ttf"),
    "Thai": Face("fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf"),
    "Khmer": Face("fontpkg_noto_sans_khmer", "files/NotoSansKhmer[wdth,wght].ttf"),
    "Japanese": Face(*CJK, 0),
    "Korean": Face(*CJK, 1),
    "Chinese": Face(*CJK, 2),
}

SCRIPTS: dict[str, str] = {
    **{name.upper(): name for name in FACES},
    "CJK": "Chinese",
    "IDEOGRAPHIC": "Chinese",
    "FULLWIDTH": "Chinese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "KATAKANA-HIRAGANA": "Japanese",
    "HANGUL": "Korean",
}
"""The face of a letter, by the first word of its name."""

JOINERS = "\u200c\u200d"
"""What says whether two letters join. It shows nothing by itself."""

INKLESS = "\u034f\u17b4\u17b5"
"""Marks that show nothing, whatever the font has for them."""

LEFTWARDS = ("Arabic", "Hebrew")
"""Faces whose letters run from right to left."""

NUMBERS = re.compile(r"([0-9\u0660-\u0669\u06f0-\u06f9]+(?:[.,:/-][0-9\u0660-\u0669\u06f0-\u06f9]+)*)")
"""What runs from left to right among them."""


EM = 1_000
AROUND = (-20 * EM, -5 * EM, 20 * EM, 5 * EM)
"""At the size ``EM``, what no shape is larger than."""

Step = tuple[str, tuple[float, ...]]
"""What is drawn of an outline, and where."""


class Shape(NamedTuple):
    """A shape of a font, and where it stands, at the size 1."""

    number: int
    x: float
    y: float


class Shaped(NamedTuple):
    """The shapes of a text, and how wide it is."""

    shapes: tuple[Shape, ...]
    advance: float


def face_of(letter: str) -> str | None:
    """The face that shows *letter*; None if there is none."""
    name = SCRIPTS.get(unicodedata.name(letter, "").split(" ")[0])
    return name if name is not None and has(name, letter) else None


@lru_cache(4096)
def has(face: str, letter: str) -> bool:
    """Whether the face shows the letter. A letter without ink, such as the filler of Hangul, is not shown, except for
    blanks: a signature of such letters would be an empty one."""
    if letter in JOINERS:
        return True
    number = None if letter in INKLESS else loaded(face).get_nominal_glyph(ord(letter))
    return number is not None and (letter.isspace() or bool(outline(face, number)))


@cache
def loaded(face: str) -> Font:
    """The font, at the size 1."""
    from uharfbuzz import Blob, Face, Font

    one = FACES[face]
    return Font(Face(Blob.from_file_path(str(files(one.package).joinpath(one.file))), one.number))


@lru_cache(1024)
def shaped(text: str, face: str) -> Shaped:
    """The shapes of *text*, which is all of one face."""
    shapes: list[Shape] = []
    x = 0.0
    for part, direction in in_order(text, face):
        more = shaped_part(part, face, direction)
        shapes += [Shape(one.number, x + one.x, one.y) for one in more.shapes]
        x += more.advance
    return Shaped(tuple(shapes), x)


def in_order(text: str, face: str) -> Iterator[tuple[str, str]]:
    """The parts of *text* from the left to the right, each with its direction."""
    if face not in LEFTWARDS:
        yield text, "ltr"
        return
    for number, part in reversed(list(enumerate(NUMBERS.split(text)))):
        if part:
            yield part, "ltr" if number % 2 else "rtl"


def shaped_part(text: str, face: str, direction: str) -> Shaped:
    """The shapes of a part in one direction."""
    from uharfbuzz import Buffer, shape

    font, buffer = loaded(face), Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = direction
    shape(font, buffer)
    em, x = font.face.upem, 0
    shapes = []
    for info, at in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        shapes.append(Shape(info.codepoint, (x + at.x_offset) / em, at.y_offset / em))
        x += at.x_advance
    return Shaped(tuple(shapes), x / em)


@lru_cache(4096)
def outline(face: str, number: int) -> tuple[Step, ...]:
    """How a shape is drawn, at the size 1."""
    from uharfbuzz import DrawFuncs

    font, funcs = loaded(face), DrawFuncs()
    em = font.face.upem
    steps: list[Step] = []

    def step(what: str) -> Any:
        return lambda *at: steps.append((what, tuple(value / em for value in at[:-1])))

    funcs.set_move_to_func(step("move"))
    funcs.set_line_to_func(step("line"))
    funcs.set_cubic_to_func(step("curve"))
    funcs.set_quadratic_to_func(step("arc"))
    funcs.set_close_path_func(step("close"))
    font.draw_glyph(number, funcs)
    return tuple(steps)


def draw_shaped(canvas: Any, text: str, face: str, x: float, y: float, size: float) -> None:
    """Draw *text* from *x* on the line *y*, in the color that fills. What a shape looks like is in the file once: a
    signer may fill many fields with long texts."""
    for one in shaped(text, face).shapes:
        if not outline(face, one.number):
            continue
        name = f"{face}{one.number}"
        if not canvas.hasForm(name):
            canvas.beginForm(name, *AROUND)
            draw_outline(canvas, outline(face, one.number))
            canvas.endForm()
        canvas.saveState()
        canvas.transform(size / EM, 0, 0, size / EM, x + size * one.x, y + size * one.y)
        canvas.doForm(name)
        canvas.restoreState()


def draw_outline(canvas: Any, steps: Iterable[Step]) -> None:
    """Draw a shape from the origin, at the size ``EM``."""
    path = canvas.beginPath()
    here = (0.0, 0.0)
    for what, relative in steps:
        at = [EM * value for value in relative]
        match what:
            case "move":
                path.moveTo(*at)
            case "line":
                path.lineTo(*at)
            case "curve":
                path.curveTo(*at)
            case "arc":
                # Its one point that bends is two thirds of the way to each point of a curve.
                (left, base), (bend_x, bend_y, end_x, end_y) = here, at
                path.curveTo(
                    left + (bend_x - left) * 2 / 3,
                    base + (bend_y - base) * 2 / 3,
                    end_x + (bend_x - end_x) * 2 / 3,
                    end_y + (bend_y - end_y) * 2 / 3,
                    end_x,
                    end_y,
                )
            case _:
                path.close()
        here = (at[-2], at[-1]) if at else here
    canvas.drawPath(path, stroke=0, fill=1, fillMode=1)
