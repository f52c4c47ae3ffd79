"""E-mail addresses in one form: every spelling of a mailbox is the same, and mailboxes that differ stay apart."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aureum.domain.emails import is_email, is_plain, one_form, spellings, trimmed

ALIKE = [
    ("nora@bücher.example", "nora@xn--bcher-kva.example"),
    ("nora@bücher.example", "nora@bu\u0308cher.example"),
    ("nora@BÜCHER.example", "Nora@XN--BCHER-KVA.EXAMPLE"),
    ("zoë@example.com", "zoe\u0308@example.com"),
    ("ZOË@example.com", "zoë@EXAMPLE.com"),
    ("ｎｏｒａ@example.com", "nora@example.com"),
    ("nora@ｅｘａｍｐｌｅ.com", "nora@example.com"),
    ("nora@example。com", "nora@example.com"),
    ("\u200bnora@example.com\ufeff", "nora@example.com"),
    ("\u202anora@example.com\u202c", "nora@example.com"),
    ("\u00a0\t nora@example.com\u2060\u00ad\n", "nora@example.com"),
    ("ﬁnn@example.com", "finn@example.com"),
    ("ΝΟΡΑ@παράδειγμα.example", "νορα@xn--hxajbheg2az3al.example"),
    ("李@例子.example", "李@xn--fsqu00a.example"),
    ("nora@straße.example", "nora@xn--strae-oqa.example"),
]

APART = [
    ("nora@straße.example", "nora@strasse.example"),
    ("straße@example.com", "strasse@example.com"),
    ("zoë@example.com", "zoe@example.com"),
    ("nora@faß.example", "nora@fass.example"),
    ("nora@βόλος.example", "nora@βόλοσ.example"),
    ("nora.b@example.com", "norab@example.com"),
    ("nora+a@example.com", "nora@example.com"),
    ("nora@bucher.example", "nora@bücher.example"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_spellings_of_one_mailbox(one: str, other: str) -> None:
    assert one_form(one) == one_form(other)
    assert is_email(trimmed(one)) and is_email(trimmed(other)), "both can be given"


@pytest.mark.parametrize(("one", "other"), APART)
def test_two_mailboxes(one: str, other: str) -> None:
    assert one_form(one) != one_form(other)


def test_the_form_itself() -> None:
    assert one_form(" Nora.B@Bücher.Example ") == "nora.b@xn--bcher-kva.example"
    assert one_form("Nora@Example.com") == "nora@example.com"


def test_an_address_is_shown_as_it_was_given() -> None:
    assert trimmed("\u200b Nora@Bücher.example\ufeff") == "Nora@Bücher.example"
    assert trimmed(" Nora@Example.com\r\n") == "Nora@Example.com"
    assert trimmed("\u200b\u00a0") == ""


def test_what_a_search_may_know_an_address_by() -> None:
    assert spellings("Nora@Example.com") == ("Nora@Example.com",)
    both = {"nora@bücher.example", "nora@xn--bcher-kva.example"}
    assert set(spellings("nora@bücher.example")) == set(spellings("nora@xn--bcher-kva.example")) == both


@pytest.mark.parametrize(
    "text", ["", "@", "nora", "nora@", "@example.com", "a@b@c", "x@a..b", "x@xn--.de", "x@i❤.ws", "x@" + "ä" * 300]
)
def test_what_is_no_address_has_a_form_as_well(text: str) -> None:
    assert one_form(one_form(text)) == one_form(text)


TEXT = st.text(max_size=20)
MARKS = st.text(st.sampled_from(" \t\n\u00a0\u00ad\u200b\u200e\u202a\u2060\ufeff\ufe0f\u3164"), max_size=4)


@given(TEXT, TEXT)
@example("¨", "a.example")
@example("a\uff20b", "c.example")
@example("İ", "İ.example")
@example("a", "¨.example")
@example("a", "\uff20.example")
def test_the_form_of_a_form_is_itself(local: str, domain: str) -> None:
    form = one_form(f"{local}@{domain}")
    assert one_form(form) == form


LETTERS = st.characters(codec="utf-8", categories=("L", "N"))


@given(st.text(LETTERS, min_size=1, max_size=8), MARKS, MARKS)
def test_normal_forms_and_marks_around_are_one(local: str, before: str, behind: str) -> None:
    address = f"{local}@bücher.example"
    form = one_form(address)
    for kind in ("NFC", "NFD", "NFKC", "NFKD"):
        assert one_form(before + unicodedata.normalize(kind, address) + behind) == form


@given(st.from_regex(r"[A-Za-z0-9.+_-]{1,20}@([A-Za-z0-9]{1,9}\.){1,3}[A-Za-z]{2,4}", fullmatch=True))
def test_a_plain_address_only_loses_its_case(address: str) -> None:
    assert is_plain(address)
    assert one_form(address) == address.lower()
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in address)
    assert one_form(wide) == one_form(address.swapcase()) == address.lower()


def test_every_character_has_one_form() -> None:
    for number in (*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE0200)):
        if unicodedata.normalize("NFKC", chr(number)).lower() == chr(number) and chr(number).isalnum():
            continue
        for address in (f"a{chr(number)}@example.com", f"a@b{chr(number)}c.example"):
            form = one_form(address)
            assert one_form(form) == form, ascii(address)
