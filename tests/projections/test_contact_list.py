"""The contact list's rows: the document of the aggregate, whatever happened to it, and the keys that it is found by."""

import unicodedata
from datetime import timedelta
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.aggregate import ERASED
from aureum.domain.contact import HIGHEST_SCORE, TYPES, Contact
from aureum.domain.emails import spellings
from aureum.projections import contact_list
from aureum.projections.contact_search import asked, fold, found_by, quoted, typos

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
visible = texts.filter(lambda text: text.strip() != "")
tags = st.lists(visible, max_size=4)
changes = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "first_name": visible,
            "last_name": visible,
            "email": st.none() | texts,
            "phone": st.none() | texts,
            "type": st.sampled_from(TYPES),
            "tags": tags,
            "score": st.integers(0, HIGHEST_SCORE),
        },
    ),
    max_size=5,
)


def added(**fields: Any) -> Contact:
    """A contact that nobody stored yet."""
    given: dict[str, Any] = {"first_name": "John", "last_name": "Smith", "email": None, "phone": None}
    given |= {"phone_e164": None, "lead_id": None, "created_by": None}
    return Contact.add(ids.new_id(), ids.now(), **given | fields)


@given(visible, visible, tags, changes)
def test_the_row_is_the_aggregate(first: str, last: str, its_tags: list[str], saves: list[dict[str, Any]]) -> None:
    contact = added(first_name=first, last_name=last, tags=its_tags)
    for number, save in enumerate(saves, start=1):
        at = contact.created_on + timedelta(seconds=number)
        classes = {name: save[name] for name in ("type", "tags", "score") if name in save}
        contact.change_details({name: value for name, value in save.items() if name not in classes}, at)
        contact.classify(at, **classes)

    row = reduce(contact_list.step, contact.pending_events, None)

    assert row is not None
    assert row["doc"] == contact_list.document(contact, contact.id, contact.created_on, contact.modified_on)
    assert (row["contact_id"], row["stream_version"], row["type"]) == (contact.id, contact.version, contact.type)
    assert row["updated_at"] == contact.modified_on
    names = (contact.first_name, contact.last_name, *spellings(contact.email or ""))
    assert (row["search"], row["found_by"]) == found_by(names, contact.tags, contact.type)


def test_an_erased_contact_is_found_by_nothing_that_it_was() -> None:
    contact = added(first_name=ERASED, last_name=ERASED, email=ERASED)
    contact.change_details({"email": "john@example.com"}, ids.now())
    first, second = contact.collect_events()
    second.__dict__["details"] = ERASED

    row = reduce(contact_list.step, (first, second), None)

    assert row is not None and "john" not in row["found_by"] and row["doc"]["email"] == ERASED


def test_the_step_leaves_other_rows_alone() -> None:
    row = reduce(contact_list.step, added().pending_events, None)
    assert contact_list.step(row, "an event of another aggregate") is row
    assert contact_list.LIST.rows((), ["an event of another aggregate"]) == []


@given(texts, texts)
def test_a_part_of_a_text_folds_to_a_part_of_the_folded_text(before: str, after: str) -> None:
    assert fold(before + after) == fold(before) + fold(after)
    assert not any(unicodedata.combining(letter) for letter in fold(before))


def test_case_and_accents_are_left_aside() -> None:
    for texts in (
        ("Zoë", "ZOË", "zoe"),
        ("İzmir", "izmir"),
        ("Groß", "GROSS"),
        ("Łukasz", "lukasz"),
        ("Σίσυφος", "ΣΙΣΥΦΟΣ"),
    ):
        assert len({fold(text) for text in texts}) == 1, texts


def test_a_word_has_itself_and_itself_less_a_letter() -> None:
    assert set(typos("anna")) == {"Tanna", "Tnna", "Tana", "Tann"}


def test_a_contacts_keys() -> None:
    search, keys = found_by(("Al", "O'Neil", None), ["v i p"], "BUYER")
    assert search == "al o'neil"
    words = ["Tneil", "Teil", "Tnil", "Tnel", "Tnei", "Toneil", "Tneil", "Toeil", "Tonil", "Tonel", "Tonei"]
    parts = ["al", "l", "o'n", "'ne", "nei", "eil", "il", "l"]
    assert keys == " ".join(sorted(map(quoted, {*words, *parts, "Gv i p", "KBUYER"})))


def test_a_blank_search_asks_for_nothing() -> None:
    for blank in (None, "", "  \t\u3000", "\u0301"):
        assert asked(blank, None, "BUYER") is None
    assert asked("", "vip", "BUYER") == ("Gvip & KBUYER", "[]")
