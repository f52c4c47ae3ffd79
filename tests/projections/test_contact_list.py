"""The contact list's rows: the document of the aggregate, whatever happened to it, and what it is found by."""

from datetime import timedelta
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.aggregate import ERASED
from aureum.domain.contact import HIGHEST_SCORE, TYPES, Contact
from aureum.projections import contact_list
from aureum.projections.search import found_by

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
    """A contact that is not stored yet."""
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
    names, phones = (contact.first_name, contact.last_name), (contact.phone, contact.phone_e164)
    assert row["search"] == found_by((), name=names, email=contact.email, phones=phones)
    assert row["tags"] == list(contact.tags)


def test_an_erased_contact_is_found_by_nothing_that_it_was() -> None:
    contact = added(first_name=ERASED, last_name=ERASED, email=ERASED)
    contact.change_details({"email": "john@example.com"}, ids.now())
    first, second = contact.collect_events()
    second.__dict__["details"] = ERASED

    row = reduce(contact_list.step, (first, second), None)

    assert row is not None and "john" not in row["search"] and row["doc"]["email"] == ERASED


def test_the_step_leaves_other_rows_alone() -> None:
    row = reduce(contact_list.step, added().pending_events, None)
    assert contact_list.step(row, "an event of another aggregate") is row
    assert contact_list.LIST.rows((), ["an event of another aggregate"]) == []
