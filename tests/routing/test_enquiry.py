"""What is compared of an enquiry: cut, masked, without what is not wanted, with the words of page and listing."""

import pytest

from aureum.routing.enquiry import Enquiry, Listing, page_words, prepared
from aureum.routing.negation import without_negations
from aureum.routing.protected import protected
from aureum.routing.text import LIMIT, clean, segments, shortened

LIST = protected()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("We do not want a condo, we want a yard and a garden", ", we want a yard and a garden"),
        ("Not a farm but a small house close to the river", "but a small house close to the river"),
        ("no HOA please, a ranch with a barn and corrals", ", a ranch with a barn and corrals"),
        ("I'm not interested in new builds. An old house with a porch.", ". An old house with a porch."),
        ("no busco apartamento, quiero una casa con terreno grande", ", quiero una casa con terreno grande"),
        (
            "We are not first-time buyers, we want a bigger house with a view",
            "We are, we want a bigger house with a view",
        ),
        ("We aren't real estate investors, we want a home with a yard", ", we want a home with a yard"),
        ("I am not familiar with VA loans. I am a veteran.", "I am not familiar with VA loans. I am a veteran."),
        ("I'm not sure sellers take less for a ranch", "I'm not sure sellers take less for a ranch"),
        ("not a condo", "not a condo"),
        ("We are not sure what our home is worth today", "We are not sure what our home is worth today"),
        ("I have no idea how to buy my first home", "I have no idea how to buy my first home"),
        ("We can't wait to own a cabin in the woods", "We can't wait to own a cabin in the woods"),
    ],
)
def test_what_is_not_wanted_is_left_out_if_enough_remains(text: str, left: str) -> None:
    assert without_negations(text) == left


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("/listings/412-lakeshore-dr?utm_source=condo#top", "lakeshore dr"),
        ("https://horses.example.com/homes/ranch_with_barn.html", "ranch with barn"),
        ("/contact", ""),
        ("", ""),
        ("/%E2%9C%93/vineyard", "vineyard"),
    ],
)
def test_a_page_has_words(page: str, words: str) -> None:
    assert page_words(page) == words


def test_page_and_listing_belong_to_the_enquiry_and_the_client_wrote_neither() -> None:
    enquiry = Enquiry(
        "Is this available?", "Hi", "/homes/old-mill-barn", Listing("The Mill", "condo", "450000", "Nampa")
    )
    ready = prepared(enquiry, LIST)
    assert ready.text == "Hi. Is this available? old mill barn. The Mill, condo, Nampa, 450000."
    assert ready.written == "Hi. Is this available?"


def test_a_listings_words_are_masked_too() -> None:
    enquiry = Enquiry("Call me", page="/st-mary-catholic-church-lofts", listing=Listing("By the mosque"))
    assert prepared(enquiry, LIST).text == "Call me. st mary lofts."


@pytest.mark.parametrize(
    "message",
    [
        *(
            "",
            " ",
            "\0",
            "\ud800",
            "😀😀😀",
            "你好，我想买房子",
            "x" * 20_000,
            "a " * 10_000,
            "(" * 20_000,
            "not " * 5_000,
            "not " + "first time " * 2_000,
        ),
        *(
            "█" * 5_000,
            ",." * 10_000,
            "don't want " * 2_000,
            "\n" * 20_000,
            "ﷺ" * 20_000,
            "1" * 20_000,
            "I not " * 4_000,
        ),
    ],
    ids=lambda message: ascii(message[:8]),
)
def test_any_text_is_made_ready(message: str) -> None:
    ready = prepared(Enquiry(message, message, message, Listing(message, message), (message,)), LIST)
    assert len(ready.text) <= 2 * LIMIT and isinstance(ready.text.encode(), bytes)


def test_twenty_thousand_characters_are_cut_between_words() -> None:
    ready = prepared(Enquiry("A ranch with a barn. " + "meadow " * 3_000), LIST)
    assert len(ready.text) <= LIMIT and ready.text.startswith("A ranch with a barn.") and ready.text.endswith("meadow.")
    assert shortened("word " * 10, 12) == "word word"


def test_segments_joined_are_the_text() -> None:
    text = "One, two and three; $450,000 (or 3.5) - four\nfive"
    parts = segments(text)
    assert "".join(part + separator for part, separator in parts) == text
    assert [part for part, _ in parts] == ["One", "two ", "three", "$450,000 ", "or 3.5", "four", "five"]


def test_clean_text_can_be_stored() -> None:
    assert clean("a\0b\ud800c\u200b\te\u0301\n") == "a b c\u200b \u00e9"
