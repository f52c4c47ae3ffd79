"""Templates of envelopes: fields stand only where a role signs in a document that is there, whatever is tried in
whatever order; and the row that the list keeps says the same as the aggregate."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.aggregate import replay
from aureum.domain.envelope_parts import MOST_DOCUMENTS, Document, Field
from aureum.domain.envelope_template import EnvelopeTemplate, TemplateFields
from aureum.domain.errors import Invalid, NotFound
from aureum.domain.template_roles import Role, role_id
from aureum.projections import envelope_template_list

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
BUYER, SELLER, AGENT = Role("buyer"), Role("seller", order=2), Role("agent", "copy")


def added(**fields: Any) -> EnvelopeTemplate:
    given = {"name": "Offer", "subject": "Your offer", "message": None, "in_order": True, "deadline_days": 30}
    return EnvelopeTemplate.add(ids.new_id(), AT, TemplateFields(**(given | {"created_by": None} | fields)))


def a_document(*anchors: str) -> Document:
    return Document(ids.new_id(), "Offer.pdf", "ab" * 32, 1_000, 2, anchors, ((612.0, 792.0), (612.0, 792.0)))


def at_anchor(document: Document, role: str = "buyer", anchor: str = "/sig/") -> Field:
    return Field(ids.new_id(), role_id(role), document.id, "signature", anchor=anchor)


def filled() -> tuple[EnvelopeTemplate, Document]:
    one, document = added(), a_document("/sig/")
    one.change_roles([BUYER, SELLER, AGENT], AT)
    one.attach(document, AT)
    one.place_fields([at_anchor(document), at_anchor(document, "seller")], AT)
    return one, document


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Invalid) as error:
        work()
    return f"{error.value.field}: {error.value}"


def test_what_belongs_together_goes_together() -> None:
    one, document = filled()
    one.change_roles([SELLER, Role("buyer", "copy"), AGENT], AT)
    assert [field.recipient_id for field in one.fields] == [SELLER.id], "the buyer signs no longer"
    one.remove_document(document.id, AT)
    assert one.fields == () and set(one.kept_documents) == set()
    with pytest.raises(NotFound):
        one.remove_document(document.id, AT)


def test_what_is_wrong_is_refused_with_the_reason() -> None:
    one, document = filled()
    assert "name: " in refused(lambda: added(name=" ")) and "subject: " in refused(
        lambda: one.change({"subject": ""}, AT)
    )
    assert "deadlineDays" in refused(lambda: one.change({"deadline_days": 121}, AT))
    assert "name of its own" in refused(lambda: one.change_roles([BUYER, BUYER], AT))
    assert "such as buyer" in refused(lambda: one.change_roles([Role("x" * 51)], AT))
    assert "signer, copy" in refused(lambda: one.change_roles([Role("buyer", "boss")], AT))
    assert "at most 20 roles" in refused(lambda: one.change_roles([Role(str(n)) for n in range(21)], AT))
    for field, why in (
        (at_anchor(document, "agent"), "that signs"),
        (at_anchor(document, "tenant"), "that signs"),
        (at_anchor(a_document("/sig/")), "document of this template"),
        (at_anchor(document, anchor="/other/"), "does not stand in Offer.pdf"),
        (Field(ids.new_id(), BUYER.id, document.id, "date", page=3, x=1, y=1, width=1, height=1), "has 2 pages"),
        (Field(ids.new_id(), BUYER.id, document.id, "date", page=1, x=600, y=1, width=50, height=1), "on its page"),
    ):
        assert why in refused(lambda field=field: one.place_fields([field], AT))  # type: ignore[misc]
    for _ in range(MOST_DOCUMENTS - 1):
        one.attach(a_document(), AT)
    assert "at most 10 documents" in refused(lambda: one.attach(a_document(), AT))


def test_a_document_comes_in_the_place_of_another() -> None:
    one, document = filled()
    other = a_document()
    one.attach(other, AT)
    on_page = Field(ids.new_id(), BUYER.id, document.id, "date", page=2, x=1, y=1, width=1, height=1)
    one.place_fields([*one.fields, on_page], AT)
    for _ in range(MOST_DOCUMENTS - 2):
        one.attach(a_document(), AT)
    same, without = a_document("/sig/", "/date/"), replace(a_document(), pages=1, sizes=((612.0, 792.0),))
    before = one.fields
    one.attach(same, AT, document.id)
    assert list(one.documents)[:2] == [same.id, other.id], "it stands where the other stood"
    assert one.fields == tuple(replace(field, document_id=same.id) for field in before)
    one.attach(without, AT, same.id)
    assert one.fields == (), "it has neither the mark nor the page"
    with pytest.raises(NotFound):
        one.attach(a_document(), AT, document.id)


WHAT = st.sampled_from(["roles", "attach", "replace", "remove", "fields", "change"])
STEPS = st.lists(st.tuples(WHAT, st.integers(0, 5)))


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_the_row_says_what_the_aggregate_says(steps: list[tuple[str, int]]) -> None:
    one = added()
    for what, number in steps:
        documents = list(one.documents.values())
        signing = [role.name for role in one.roles if role.role == "signer"]
        match what:
            case "roles":
                one.change_roles([[], [BUYER], [BUYER, AGENT], [SELLER], [AGENT], [SELLER, BUYER]][number], AT)
            case "attach" if len(documents) < MOST_DOCUMENTS:
                one.attach(a_document("/sig/"), AT)
            case "replace" if documents:
                one.attach(a_document(*["/sig/"][number % 2 :]), AT, documents[number % len(documents)].id)
            case "remove" if documents:
                one.remove_document(documents[number % len(documents)].id, AT)
            case "fields" if documents and signing:
                if "/sig/" in (document := documents[number % len(documents)]).anchors:
                    one.place_fields([*one.fields, at_anchor(document, signing[0])], AT)
            case "change":
                one.change({"message": str(number), "in_order": number > 2, "name": f"Offer {number}"}, AT)
    assert all(field.anchor in one.documents[field.document_id].anchors for field in one.fields)
    assert {field.recipient_id for field in one.fields} <= {role.id for role in one.roles if role.role == "signer"}
    shown, events = envelope_template_list.document(one), one.collect_events()
    row = reduce(envelope_template_list.step, events, None)
    assert row is not None and orjson.dumps(row["doc"]) == orjson.dumps(shown)
    again = replay(events)
    assert (again.roles, again.documents, again.fields) == (one.roles, one.documents, one.fields)
