"""What a row is found by and what a search asks, as text: case, accents, phones, addresses, scripts and typos."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.projections.search import PHONE, Word, asked, fold, found_by

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
letters = st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789éßøжあ漢")
single = letters.filter(lambda letter: len(fold(letter)) == 1)
words = st.text(letters, min_size=1, max_size=12)


def like(pattern: str) -> re.Pattern[str]:
    """What a pattern for LIKE finds."""
    pieces = re.findall(r"\\(.)|(%)|(_)|(.)", pattern, re.DOTALL)
    made = "".join(".*" if many else "." if one else re.escape(said or plain) for said, many, one, plain in pieces)
    return re.compile(f"\\A{made}\\Z", re.DOTALL)


def holds(word: Word, stored: str) -> bool:
    """Whether a row is found that has this text, as PostgreSQL decides it."""
    if any(like(pattern).search(stored) for pattern in word.likes):
        return True
    return bool(word.typo and any(like(one).search(stored) for one in word.near) and re.search(word.typo, stored))


def finds(search: str, stored: str, *, forgiving: bool = False) -> bool:
    """Whether *search* finds it; with *forgiving* as where nothing else is found."""
    what = asked(search)
    assert what is not None
    said: list[dict[str, Any]] = orjson.loads(what.forgiving if forgiving else what.exact)
    return all(holds(Word(**word), stored) for word in said)


@given(texts, texts)
def test_a_part_of_a_text_folds_to_a_part_of_the_folded_text(before: str, after: str) -> None:
    assert fold(before + after) == fold(before) + fold(after)
    assert not any(unicodedata.combining(letter) for letter in fold(before))


def test_case_and_accents_are_left_aside() -> None:
    for alike in (
        ("Zoë", "ZOË", "zoe"),
        ("İzmir", "izmir"),
        ("Groß", "GROSS"),
        ("Łukasz", "lukasz"),
        ("Σίσυφος", "ΣΙΣΥΦΟΣ"),
        ("٣۴5", "345"),
    ):
        assert len({fold(text) for text in alike}) == 1, alike


def test_a_blank_search_asks_for_nothing() -> None:
    for blank in (None, "", "  \t\u3000", "\u0301", "\x02"):
        assert asked(blank) is None


@given(texts, texts, texts)
def test_what_is_stored_is_ascii_and_has_no_nul(first: str, last: str, email: str) -> None:
    stored = found_by((first,), name=(first, last), email=email, phones=(last,))
    assert stored.isascii() and "\0" not in stored
    assert stored == "" or stored.endswith(" ")


@given(st.lists(words, min_size=1, max_size=4), st.data())
def test_a_name_is_found_by_the_beginnings_of_its_words_in_any_order(name: list[str], data: st.DataObject) -> None:
    stored = found_by((), name=name)
    begun = [word[: data.draw(st.integers(1, len(word)))] for word in data.draw(st.permutations(name))]
    assert finds(" ".join(begun), stored)
    assert finds(" ".join(begun).upper(), stored)


PHONES = {
    "208-555-0123": "+12085550123",
    "(208) 555 0123": "+12085550123",
    "+1.208.555.0123": "+12085550123",
    "020 7946 0958": "+442079460958",
    "12345": None,
}


@pytest.mark.parametrize(("phone", "e164"), PHONES.items())
@given(data=st.data())
def test_a_phone_is_found_by_any_run_of_its_digits(phone: str, e164: str | None, data: st.DataObject) -> None:
    stored = found_by((), phones=(phone, e164))
    for written in filter(None, (phone, e164)):
        digits = re.sub(r"\D", "", written)
        begin = data.draw(st.integers(0, len(digits) - 4))
        run = digits[begin : data.draw(st.integers(begin + 4, len(digits)))]
        between = data.draw(st.sampled_from(("", "-", ".", " ", ") ", "/")))
        assert finds(between.join(run), stored), (run, between)
        assert finds(written, stored)
    assert not finds("98765", stored)


@given(
    st.from_regex(r"[a-z0-9]{1,8}([._+-][a-z0-9]{1,8}){0,2}@[a-z0-9]{1,9}(\.[a-z]{2,5}){1,2}", fullmatch=True),
    st.data(),
)
def test_an_address_is_found_whole_and_in_part(email: str, data: st.DataObject) -> None:
    stored = found_by((), email=email)
    begin = data.draw(st.integers(0, len(email) - 1))
    assert finds(email.upper(), stored)
    assert finds(email[begin : data.draw(st.integers(begin + 1, len(email)))], stored)


def one_typo(draw: Callable[..., Any], word: str) -> str:
    """*word* with one letter too many, too few, another one, or two swapped."""
    place = draw(st.integers(0, len(word) - 1))
    letter = draw(single)
    edits = [
        word[:place] + letter + word[place:],
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place + 1 :],
        word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :],
    ]
    return str(draw(st.sampled_from(edits)))


@given(st.text(single, min_size=3, max_size=15), st.data())
def test_a_typo_is_forgiven(word: str, data: st.DataObject) -> None:
    """But in a number, which may be a part of a phone."""
    typed = one_typo(data.draw, word)
    if len(typed) >= 2 and not PHONE.fullmatch(typed):
        assert finds(typed, found_by((), name=("Jo", word)), forgiving=True), typed


@given(words.filter(lambda word: len(word) > 3), st.data())
def test_two_typos_are_none(word: str, data: st.DataObject) -> None:
    """Two letters that no word here has."""
    places = sorted(data.draw(st.lists(st.integers(1, len(word) - 1), min_size=2, max_size=2, unique=True)))
    typed = f"{word[: places[0]]}q{word[places[0] : places[1]]}w{word[places[1] :]}"
    stored = found_by((), name=(word.replace("q", "k").replace("w", "v"),))
    assert not finds(typed.replace("é", "e"), stored, forgiving=True)


@pytest.mark.parametrize(
    ("first", "last", "found", "not_found"),
    [
        ("小龍", "李", ("李小龍", "小龍李", "李 小龍", "小龍 李", "龍", "李小"), ("王", "李龍")),
        ("太郎", "山田", ("山田太郎", "太郎山田", "山田"), ("田山",)),
        ("민수", "김", ("김민수", "민수"), ("박",)),
        ("Иван", "Петров", ("иван", "ПЕТР", "петров иван"), ("сидоров",)),
        ("Bruce", "Lee", ("lee,bruce", "Lee; Bruce", "lee、bruce"), ("leebruce",)),
    ],
)
def test_names_of_all_scripts(first: str, last: str, found: tuple[str, ...], not_found: tuple[str, ...]) -> None:
    for stored in (found_by((), name=(first, last)), found_by((), name=(f"{first} {last}",))):
        for search in found:
            assert finds(search, stored), search
        for search in not_found:
            assert not finds(search, stored), search
