"""Documents for tests: letters of some pages, drawn by reportlab as an office's programs draw them."""

import io
from collections.abc import Sequence

LETTER = (612.0, 792.0)


def paper(pages: Sequence[Sequence[str]], *, size: tuple[float, float] = LETTER, ink: str = "#000000") -> bytes:
    """A PDF with these lines on its pages."""
    from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # it has no types

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=size, invariant=True)
    for lines in pages:
        canvas.setFillColor(ink)
        for place, line in enumerate(lines):
            canvas.drawString(72, size[1] - 72 - 16 * place, line)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def contract(pages: int = 2, *, anchors: Sequence[str] = ()) -> bytes:
    """A contract of some pages; the last has the *anchors*, each on a line of its own."""
    text = [[f"Page {number}: the buyer pays the price at closing."] for number in range(1, pages + 1)]
    text[-1] = [*text[-1], *(f"Sign here: {anchor}" for anchor in anchors)]
    return paper(text)
