"""The fonts of stamps and certificate pages, and which letters they lack.

Noto Sans is for text, Caveat for typed signatures; both are embedded. Where Caveat lacks a letter, the italic of Noto
Sans has it (Greek, and the marks of Vietnamese). A typed signature that neither can show whole is refused before it is
made: the signer draws it. Text must be shown in any case. Chinese, Japanese and Korean letters are left to the fonts
that every reader has for them, and a letter of any other script is written as its number in Unicode.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, NamedTuple

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

HAN, KANA, HANGUL = "STSong-Light", "HeiseiMin-W3", "HYSMyeongJo-Medium"
OTHERS = {
    "CJK": HAN,
    "IDEOGRAPHIC": HAN,
    "FULLWIDTH": HAN,
    "HIRAGANA": KANA,
    "KATAKANA": KANA,
    "KATAKANA-HIRAGANA": KANA,
    "HANGUL": HANGUL,
}
"""Fonts that are named and not embedded, by the first word of a letter's name."""


class Run(NamedTuple):
    """A part of a text in one font."""

    font: str
    text: str


def missing_letters(text: str) -> str:
    """The letters of a typed signature that cannot be shown, each once; empty if there are none."""
    missing = [letter for letter in dict.fromkeys(composed(text)) if not any(has(font, letter) for font in FILES)]
    return "".join(missing)


def signature_font(text: str) -> Font:
    """The font of a typed signature: one for the whole of it."""
    return next((font for font in (HAND, ITALIC) if all(has(font, letter) for letter in composed(text))), TEXT)


def runs(text: str, font: Font = TEXT) -> Iterator[Run]:
    """*text* in the order of its letters, each in a font that shows it, and in *font* if that does."""
    name, part = "", ""
    for letter in composed(text):
        one, shown = placed(letter, font)
        if one != name and part:
            yield Run(name, part)
            part = ""
        name, part = one, part + shown
    if part:
        yield Run(name, part)


@lru_cache(4096)
def placed(letter: str, font: Font) -> Run:
    """In which font one letter stands, and as what."""
    own = next((one for one in (font, TEXT) if has(one, letter)), None)
    other = OTHERS.get(unicodedata.name(letter, "").split(" ")[0])
    if own is not None:
        return Run(own, letter)
    if other is not None:
        return Run(other, letter)
    return Run(TEXT, f"[U+{ord(letter):04X}]" if letter.isprintable() else " ")


def composed(text: str) -> str:
    """Letters and their marks as one, where Unicode has that."""
    return unicodedata.normalize("NFC", text)


def has(font: Font, letter: str) -> bool:
    """Whether *letter* is right when it is simply put after the one before."""
    category = unicodedata.category(letter)[0]
    if category in "LM" and unicodedata.name(letter, "").split(" ")[0] not in ALPHABETS:
        return False
    return category != "C" and ord(letter) in loaded(font).face.charToGlyph


@cache
def loaded(font: Font) -> TTFont:
    """The font, known to reportlab by its name."""
    from reportlab.pdfbase.pdfmetrics import registerFont  # type: ignore[import-untyped]  # it has no types
    from reportlab.pdfbase.ttfonts import TTFont

    package, file = FILES[font]
    made = TTFont(font, str(files(package).joinpath("files", file)))
    registerFont(made)
    return made


@cache
def ready(font: str) -> str:
    """*font*, so that reportlab can draw with it."""
    if font in FILES:
        loaded(font)
    else:
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]  # it has no types
        from reportlab.pdfbase.pdfmetrics import registerFont

        registerFont(UnicodeCIDFont(font))
    return font


def width(text: str, size: float, font: Font = TEXT) -> float:
    """How wide *text* is, in points."""
    return size * sum(width_of(letter, font) for letter in composed(text))


@lru_cache(4096)
def width_of(letter: str, font: Font) -> float:
    """How wide one letter is, at the size 1."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    run = placed(letter, font)
    return float(stringWidth(run.text, ready(run.font), 1))
