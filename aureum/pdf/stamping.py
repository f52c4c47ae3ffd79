"""What signers have filled in, drawn at its places: signatures, initials, dates, names, texts and check marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

from aureum.pdf.fonts import HAND, TEXT, Font, ready, runs, signature_font, width, width_of
from aureum.pdf.shaped import draw_shaped

Kind = Literal["signature", "initials", "date", "name", "text", "checkbox"]

SIZES: dict[Kind, float] = {"signature": 28, "initials": 24, "date": 11, "name": 11, "text": 11, "checkbox": 11}
"""The largest letters, in points."""

SMALLEST = 3.0
CAPTION = 5.0
Ink = tuple[float, float, float]

BLACK: Ink = (0, 0, 0)
GREY: Ink = (0.3, 0.3, 0.3)
BLUE: Ink = (0.05, 0.1, 0.35)
"""Of signatures: that of a pen."""


@dataclass(frozen=True)
class Stamp:
    """One field. ``page`` counts from 1; the rest is in points from the top left of the page as it is shown.

    A signature is a *picture* (PNG) or its *text*. *caption* stands small below it. A checkbox is checked if it has any
    text.
    """

    kind: Kind
    page: int
    x: float
    y: float
    width: float
    height: float
    text: str = ""
    picture: bytes | None = None
    caption: str = ""


def draw_stamps(canvas: Any, stamps: Sequence[Stamp], height: float) -> None:
    """Draw *stamps* on a page of that *height*."""
    for stamp in stamps:
        canvas.saveState()
        canvas.translate(stamp.x, height - stamp.y - stamp.height)
        draw(canvas, stamp)
        canvas.restoreState()


def draw(canvas: Any, stamp: Stamp) -> None:
    """Draw one stamp, whose lower left corner is the origin."""
    below = CAPTION + 1 if stamp.caption and stamp.height >= 3 * CAPTION else 0
    wide, high = stamp.width, stamp.height - below
    if stamp.picture is not None:
        from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]  # it has no types

        image = ImageReader(BytesIO(stamp.picture))
        canvas.drawImage(image, 0, below, wide, high, mask="auto", preserveAspectRatio=True, anchor="sw")
    elif stamp.kind == "checkbox":
        if stamp.text:
            side = min(wide, high)
            canvas.setLineWidth(max(side / 9, 0.5))
            canvas.lines(
                [(side * 0.15, side * 0.5, side * 0.4, side * 0.2), (side * 0.4, side * 0.2, side * 0.85, side * 0.8)]
            )
    elif stamp.text:
        signs = stamp.kind in ("signature", "initials")
        font = signature_font(stamp.text) if signs else TEXT
        size = fitting(stamp.text, font, wide, high, SIZES[stamp.kind])
        base = below + max((high - size) / 2, 0) + size * 0.22
        draw_text(canvas, stamp.text, 0, base, size, font, BLUE if signs else BLACK)
    if below:
        draw_text(canvas, stamp.caption, 0, 1, fitting(stamp.caption, TEXT, wide, CAPTION, CAPTION), TEXT, GREY)


def fitting(text: str, font: Font, wide: float, high: float, most: float) -> float:
    """The size at which *text* fits."""
    size = min(most, high if font == HAND else high * 0.8)
    takes = width(text, size, font)
    return max(size * wide / takes if takes > wide else size, SMALLEST)


def draw_text(canvas: Any, text: str, x: float, y: float, size: float, font: Font = TEXT, ink: Ink = BLACK) -> None:
    """Draw a line of text, in several fonts if it must be."""
    canvas.setFillColorRGB(*ink)
    for run in runs(text, font):
        if run.face is None:
            canvas.setFont(ready(run.font), size)
            canvas.drawString(x, y, run.text)
        else:
            draw_shaped(canvas, run.text, run.face, x, y, size)
        x += size * width_of(run)
