"""Who counts as one person: the same address and the same name, however either is written; nothing less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.aggregate import ERASED
from aureum.domain.people import recognized_by, words_of

ZOE = recognized_by("zoe@example.com", "Zoë", "van Dam")


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("zoe@example.com", ("zoe", "VAN DAM")),
        (" ZOE@Example.COM ", ("Zoë", "van Dam")),
        ("zoe@example.com", ("van Dam", "Zoë")),
        ("zoe@example.com", ("Dam, Zoe van",)),
        ("zoe@example.com", ("Zoe\u0308  van-Dam",)),
        ("ｚｏｅ@example.com", ("Zoë van", "Dam.")),
    ],
)
def test_one_person_however_it_is_written(email: str, name: tuple[str, ...]) -> None:
    assert ZOE is not None and recognized_by(email, *name) == ZOE


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("zoe@example.com", ("Zoë",)),
        ("zoe@example.com", ("Z.", "van Dam")),
        ("zoe@example.com", ("Zoë Q.", "van Dam")),
        ("zoe@example.com", ("Zoë Zoë", "van Dam")),
        ("zoe@example.com", ("Max", "van Dam")),
        ("zoe+1@example.com", ("Zoë", "van Dam")),
        ("zoë@example.com", ("Zoë", "van Dam")),
        ("zoe@example.org", ("Zoë", "van Dam")),
    ],
)
def test_what_only_suggests_is_another(email: str, name: tuple[str, ...]) -> None:
    assert recognized_by(email, *name) not in (None, ZOE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("O'Neil", "Pat"), ("pat", "o’neil")),
        (("小明", "王"), ("王小明",)),
        (("王 小明",), ("小明", "王")),
        (("Straße", "Ann"), ("ann", "STRASSE")),
        (("İpek", "Kılıç"), ("ipek", "kilic")),
        (("Øystein", "Åse"), ("oystein", "ase")),
        (("Łukasz", "Đoko"), ("lukasz", "doko")),
        (("محمد", "علي"), ("علي", "محمد")),
        (("김", "민준"), ("김민준",)),
    ],
)
def test_names_of_many_scripts(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert words_of(" ".join(one)) == words_of(" ".join(other)) != []


@pytest.mark.parametrize("name", [("", ""), (" ", "-"), ("🙂", ""), ("...", "'"), ("\u200b", "")])
def test_without_a_name_nobody_is_recognized(name: tuple[str, ...]) -> None:
    assert recognized_by("zoe@example.com", *name) is None


@pytest.mark.parametrize("email", [None, "", "zoe", ERASED])
def test_without_an_address_nobody_is_recognized(email: str | None) -> None:
    assert recognized_by(email, "Zoë", "van Dam") is None


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4))
def test_any_name_is_compared_whatever_its_order_and_case(parts: list[str]) -> None:
    words = words_of(" ".join(parts))
    assert words_of(" ".join(reversed(parts))) == words == words_of(" ".join(words))
    assert recognized_by("a@example.com", *parts) == recognized_by("A@EXAMPLE.com", *reversed(parts))


@given(st.text(st.characters(codec="ascii")))
def test_the_short_way_of_ascii_leads_to_the_same_words(name: str) -> None:
    assert sorted([*words_of(name), "e"]) == words_of(f"{name} é")
