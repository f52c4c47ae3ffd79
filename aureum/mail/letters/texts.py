"""The catalogue of mail texts: one file per language in ``texts/``, by kind of letter; ``common`` is for all kinds.

A sentence is looked up for its kind first, then among the common ones. The values that fill it are never read as
sentences themselves, and are escaped in HTML.
"""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files

from aureum.routing.language import ENGLISH, language_asked_for, language_of

LANGUAGES = ("en", "es")
"""The languages of mails. The first is for people who speak none of them."""

READ_OF_WORDS = 2_000
"""The characters of a text that its language is detected from."""

Texts = Mapping[str, Mapping[str, str]]


@cache
def catalogue(language: str) -> Texts:
    """All sentences of a language, by kind and key."""
    return tomllib.loads((files("aureum.mail.letters") / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


def written_in(language: str) -> str:
    """The language of a mail to a person who uses *language* (BCP 47): that one, or the first of ``LANGUAGES``."""
    primary = language.partition("-")[0].lower()
    return primary if primary in LANGUAGES else LANGUAGES[0]


def sentence(language: str, kind: str, key: str) -> str:
    """The text of *key* for a kind of letter, with its placeholders. Raises KeyError."""
    texts = catalogue(language)
    own = texts[kind]
    return own[key] if key in own else texts["common"][key]


def moment_in_words(at: datetime, language: str) -> str:
    """A wall time: ``Friday, December 4, 2026, at 3:30 PM``."""
    common = catalogue(language)["common"]
    return common["moment"].format(
        weekday=common["weekdays"].split()[at.weekday()],
        day=at.day,
        month=common["months"].split()[at.month - 1],
        year=at.year,
        clock=f"{at.hour % 12 or 12}:{at:%M %p}" if language == LANGUAGES[0] else f"{at:%H:%M}",
    )


def language_for(words: str) -> str:
    """The language of a letter to a visitor who wrote *words*: that of the words, or the one that they ask for."""
    read = words[:READ_OF_WORDS]
    language = language_of(read)
    if language == ENGLISH:
        language = language_asked_for(read) or ENGLISH
    return written_in(language)
