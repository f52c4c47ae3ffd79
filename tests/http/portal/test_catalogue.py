"""Every text of the portal is there in every language, filled with the same values."""

import re

import pytest
from babel.messages.catalog import Message

from aureum.http.portal.catalogue import FIRST, LANGUAGES, language_of, translations
from tests.http.portal.texts import marked, stored

OTHERS = [language for language in LANGUAGES if language != FIRST]
VALUE = re.compile(r"%\(\w+\)[sd]")


def texts_of(said: object) -> list[str]:
    return [said] if isinstance(said, str) else [str(one) for one in said] if isinstance(said, (list, tuple)) else []


def lacks(message: Message, known: Message | None) -> bool:
    """Whether a translation is missing, unsure or shows other values."""
    if known is None or known.fuzzy:
        return True
    shown = set(VALUE.findall(texts_of(message.id)[-1]))
    translated = texts_of(known.string)
    return not all(text.strip() and set(VALUE.findall(text)) | {"%(num)s"} >= shown for text in translated) or not all(
        set(VALUE.findall(text)) <= shown for text in translated
    )


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language: str) -> None:
    catalogue, found = stored(language), marked()
    missing = [message.id for message in found if message.id and lacks(message, catalogue.get(message.id))]
    assert missing == [], "python -m tests.http.portal.texts adds them, and a person translates them"
    unused = [message.id for message in catalogue if message.id and found.get(message.id) is None]
    assert unused == [], "python -m tests.http.portal.texts takes them away"


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_is_what_pages_show(language: str) -> None:
    shown = translations(language)
    for message in stored(language):
        if isinstance(message.id, str) and message.id:
            assert shown.gettext(message.id) == message.string


@pytest.mark.parametrize(
    ("wished", "cookie", "language"),
    [
        ("es", "", "es"),
        ("es-MX,en;q=0.5", "", "es"),
        ("fr,es;q=0.2", "", "es"),
        ("en-US,es;q=0.9", "", "en"),
        ("es;q=0,de", "", "en"),
        ("fr", "", "en"),
        ("", "", "en"),
        (";;;q=,,\0", "", "en"),
        ("en", "aureum-portal-language=es", "es"),
        ("es", "aureum-portal-language=xx", "es"),
    ],
)
def test_the_language_is_the_chosen_or_the_preferred_one(wished: str, cookie: str, language: str) -> None:
    headers = [(b"accept-language", wished.encode()), (b"cookie", cookie.encode())]
    assert language_of({"type": "http", "headers": headers}) == language
