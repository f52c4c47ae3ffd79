"""Names of scripts that must be shaped: no letter is lost, none is shown as a box, and they run in their direction."""

import unicodedata
from io import BytesIO

import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # it has no types

from aureum.pdf.fonts import missing_letters, runs, width
from aureum.pdf.shaped import FACES, in_order, shaped
from aureum.pdf.stamping import Stamp, draw_stamps

NAMES = {
    "Arabic": "محمد علي",
    "Hebrew": "שלמה כהן",
    "Devanagari": "प्रियंका शर्मा",
    "Bengali": "শ্রেয়া ঘোষ",
    "Tamil": "முருகன்",
    "Telugu": "శ్రీనివాస్",
    "Thai": "สมชาย ใจดี",
    "Khmer": "សុខា",
    "Japanese": "山田 たろう",
    "Korean": "김민준",
    "Chinese": "李小龍",
}


def ink(stamp: Stamp) -> int:
    """How many dark points its page has."""
    file = BytesIO()
    canvas = Canvas(file, (400, 200))
    draw_stamps(canvas, [stamp], 200)
    canvas.showPage()
    canvas.save()
    assert b"/BaseFont" not in file.getvalue().replace(b"/BaseFont /Helvetica ", b""), "outlines need no font"
    shown = pypdfium2.PdfDocument(file.getvalue())[0].render(scale=2).to_pil().convert("L")
    return sum(shown.histogram()[:128])


@pytest.mark.parametrize("face", FACES)
def test_a_name_of_every_script_is_typed_and_shown(face: str) -> None:
    name = NAMES[face]
    assert missing_letters(name) == "" and [run.face for run in runs(name)] == [face]
    shapes = shaped(unicodedata.normalize("NFC", name), face).shapes
    assert shapes and 0 not in [one.number for one in shapes], "the first shape of a font is the box"
    assert ink(Stamp("signature", 1, 10, 10, 300, 60, name)) > 1_000


def test_what_a_shape_looks_like_is_in_a_file_once() -> None:
    name, file = NAMES["Chinese"], BytesIO()
    canvas = Canvas(file, (400, 200))
    for _ in range(2):
        draw_stamps(canvas, [Stamp("text", 1, 10, 10, 300, 20, name * 50)] * 5, 200)
        canvas.showPage()
    canvas.save()
    assert file.getvalue().count(b"/Subtype /Form") == len(set(name))


def test_letters_join_and_run_from_right_to_left() -> None:
    apart = {shaped(letter, "Arabic").shapes[0].number for letter in "محم"}
    assert apart.isdisjoint(one.number for one in shaped("محمد", "Arabic").shapes), "letters that join look otherwise"
    shin, lamed = (shaped(letter, "Hebrew").shapes[0].number for letter in "של")
    assert [one.number for one in shaped("של", "Hebrew").shapes] == [lamed, shin]
    assert list(in_order("אב 12.5 גד", "Hebrew")) == [(" גד", "rtl"), ("12.5", "ltr"), ("אב ", "rtl")]
    assert [(run.face, run.text) for run in runs("Ann שלמה כהן, 12")] == [
        (None, "Ann "),
        ("Hebrew", "שלמה כהן"),
        (None, ", 12"),
    ]


@pytest.mark.parametrize("letter", "\u3164\u115f\u1160\uffa0\u17b4\u17b5\u061c\u034f\u200b\u200e\u202e\u2066\u2800")
def test_a_letter_without_ink_is_no_signature(letter: str) -> None:
    assert missing_letters(letter) == letter
    assert missing_letters(f"김{letter}준") == letter


LETTERS = st.sampled_from([*"".join(NAMES.values()), *" ab1.,-(łЖ\u200d\u0301🏠გ"])


@settings(max_examples=200, deadline=None)
@given(st.text(LETTERS, max_size=30))
def test_no_letter_is_lost(text: str) -> None:
    whole, shown = unicodedata.normalize("NFC", text), ""
    for run in runs(text):
        shown += (
            run.text if run.face is None or 0 not in [one.number for one in shaped(run.text, run.face).shapes] else "□"
        )
    for letter in "🏠გ\u200d":
        number = f"[U+{ord(letter):04X}]" if letter.isprintable() else " "
        whole, shown = whole.replace(letter, number), shown.replace(letter, number)
    assert shown == whole
    assert width(text, 10) >= 0
