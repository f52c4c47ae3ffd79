"""The texts that signers agree to: what was shown once stays, letter by letter, and each says what the law asks for."""

from aureum.domain.consent_texts import CURRENT, TEXTS, current

GOLDEN = {
    "2026-11.en": "de15b16cfd00f47c55bed464becdef21b83936e83654a93366fd38aee735cabd",
    "2026-11.es": "f88c9688531dc211aa29cee820b914715f68a8c35d5efe86e9c93d184f3c5045",
}
"""A text that changes needs a new version, beside the old one."""


def test_no_text_that_was_shown_ever_changes() -> None:
    assert {version: text.sha256 for version, text in TEXTS.items()} == GOLDEN


def test_each_language_has_a_text_with_the_same_points() -> None:
    assert set(CURRENT) == {"en", "es"}
    assert {len(text.paragraphs) for text in CURRENT.values()} == {7}
    assert all(text.version.endswith(f".{language}") for language, text in CURRENT.items())
    assert all(TEXTS[text.version] is text for text in CURRENT.values())
    assert current("fr") is CURRENT["en"]
