"""The catalogue: every language says the same, and says all that the templates ask for."""

from string import Formatter

import pytest

from aureum.mail.letters.kinds import KINDS
from aureum.mail.letters.texts import LANGUAGES, catalogue, written_in


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_the_same_sentences_with_the_same_placeholders(language: str) -> None:
    first, other = catalogue(LANGUAGES[0]), catalogue(language)
    assert first.keys() == other.keys() == {"common", *KINDS}
    for kind in first:
        assert list(first[kind]) == list(other[kind]), kind
        for key, text in first[kind].items():
            assert placeholders(text) == placeholders(other[kind][key]), (kind, key)
            assert other[kind][key] != text, f"{kind}.{key} is not translated"


def test_a_mail_is_written_in_a_language_that_there_is() -> None:
    assert [written_in(tag) for tag in ("es", "es-MX", "ES", "en-GB", "vi", "")] == ["es", "es", "es", "en", "en", "en"]
