"""The catalogue of what mails say: one file a language in ``texts/``, by kind of letter; ``common`` is for all kinds.

A sentence is found for a kind first, and then among the common ones. What it is filled with is never read as a sentence
itself, and in HTML it is escaped.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "es")
"""In which mails are written. The first is for all who speak none of them."""

Texts = Mapping[str, Mapping[str, str]]


@cache
def catalogue(language: str) -> Texts:
    """All sentences of a language, by kind and key."""
    return tomllib.loads((files("aureum.mail.letters") / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


def written_in(language: str) -> str:
    """The language of a mail to a person who uses *language* (BCP 47): that one, or the first that there is."""
    primary = language.partition("-")[0].lower()
    return primary if primary in LANGUAGES else LANGUAGES[0]


def sentence(language: str, kind: str, key: str) -> str:
    """The text of *key* for a kind of letter, with its placeholders. Raises KeyError."""
    texts = catalogue(language)
    own = texts[kind]
    return own[key] if key in own else texts["common"][key]
