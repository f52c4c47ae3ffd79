"""The fonts of stamps and certificate pages, and which letters they lack.

Noto Sans is for text, Caveat for typed signatures; both are embedded. Where Caveat lacks a letter, the italic of Noto
Sans has it (Greek, and the marks of Vietnamese). Scripts that must be shaped, and those with thousands of letters, are
drawn as outlines (``shaped``). A typed signature that none of these can show whole is refused before it is made: the
signer draws it. Text must be shown in any case: a letter of any other script is written as its number in Unicode.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple

from aureum.pdf.shaped import INKLESS, JOINERS, face_of, shaped
from aureum.pdf.shaped import has as shaped_has

if TYPE_CHECKING:
    from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]  # it has no types

Font = Literal["AureumText", "AureumItalic", "AureumHand"]

TEXT: Font = "AureumText"
ITALIC: Font = "AureumItalic"
HAND: Font = "AureumHand"

FILES: dict[Font, tuple[str, str]] = {
    TEXT: ("fontpkg_noto_sans", "NotoSans[wdth,wght].ttf"),
    ITALIC: ("fontpkg_noto_sans", "NotoSans-Italic[wdth,wght].ttf"),
    HAND: ("fontpkg_caveat", "Caveat[wght].ttf"),
}

ALPHABETS = frozenset({"LATIN", "GREEK", "CYRILLIC", "MODIFIER", "COMBINING"})
"""Scripts whose letters stand one after the other. Others must be shaped, which is not done here."""


class Run(NamedTuple):
    """A part of a text in one font, or in outlines of a *face*."""

    font: str
    text: str
    face: str | None = None


def missing_letters(text: str) -> str:
    """The letters of a typed signature that cannot be shown, each once; empty if there are none."""
    shown = "".join(run.text for run in runs(text) if run.face is not None)
    missing = [
        letter
        for letter in dict.fromkeys(composed(text))
        if letter not in shown and not any(has(font, letter) for font in FILES)
    ]
    return "".join(missing)


def signature_font(text: str) -> Font:
    """The font of a typed signature: one for the whole of it."""
    return next((font for font in (HAND, ITALIC) if all(has(font, letter) for letter in composed(text))), TEXT)


def runs(text: str, font: Font = TEXT) -> Iterator[Run]:
    """*text* in the order of its letters, each in a font that shows it, and in *font* if that does. Blanks and signs
    between letters of one face go along with them, so that the whole has the order of its script."""
    for face, part in in_faces(composed(text)):
        if face is not None:
            yield Run("", part, face)
            continue
        for name, letters in groupby((placed(letter, font) for letter in part), key=lambda run: run.font):
            yield Run(name, "".join(run.text for run in letters))


def in_faces(text: str) -> Iterator[tuple[str | None, str]]:
    """The parts of *text*, each with the face whose outlines show it, if it has one."""
    languages = {face_of(letter) for letter in text} & {"Japanese", "Korean"}
    han = languages.pop() if len(languages) == 1 else "Chinese"
    part, between, now = "", "", None
    for letter in text:
        face = face_of(letter)
        face = han if face == "Chinese" else face
        if now is not None and face is None and neutral(letter) and shaped_has(now, letter):
            between += letter
            continue
        if face == now:
            part, between = part + between + letter, ""
            continue
        if part:
            yield now, part
        if between and face is not None:
            yield None, between
            between = ""
        part, between, now = between + letter, "", face
    if part:
        yield now, part
    if between:
        yield None, between


def neutral(letter: str) -> bool:
    """Whether it has no direction of its own."""
    return letter in JOINERS or unicodedata.category(letter)[0] in "ZPNSM"


@lru_cache(4096)
def placed(letter: str, font: Font) -> Run:
    """In which font one letter stands that has no face, and as what."""
    own = next((one for one in (font, TEXT) if has(one, letter)), None)
    if own is not None:
        return Run(own, letter)
    return Run(TEXT, f"[U+{ord(letter):04X}]" if letter.isprintable() else " ")


def composed(text: str) -> str:
    """Letters and their marks as one, where Unicode has that."""
    return unicodedata.normalize("NFC", text)


def has(font: Font, letter: str) -> bool:
    """Whether *letter* is right when it is simply put after the one before."""
    category = unicodedata.category(letter)[0]
    if category in "LM" and unicodedata.name(letter, "").split(" ")[0] not in ALPHABETS:
        return False
    return category != "C" and letter not in INKLESS and ord(letter) in loaded(font).face.charToGlyph


@cache
def loaded(font: Font) -> TTFont:
    """The font, known to reportlab by its name."""
    from reportlab.pdfbase.pdfmetrics import registerFont  # type: ignore[import-untyped]  # it has no types
    from reportlab.pdfbase.ttfonts import TTFont

    package, file = FILES[font]
    made = TTFont(font, str(files(package).joinpath("files", file)))
    registerFont(made)
    return made


def ready(font: str) -> str:
    """*font*, so that reportlab can draw with it."""
    loaded(font)
    return font


def width(text: str, size: float, font: Font = TEXT) -> float:
    """How wide *text* is, in points."""
    return size * sum(width_of(run) for run in runs(text, font))


@lru_cache(4096)
def width_of(run: Run) -> float:
    """How wide a part of a text is, at the size 1."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    if run.face is not None:
        return shaped(run.text, run.face).advance
    return float(stringWidth(run.text, ready(run.font), 1))
