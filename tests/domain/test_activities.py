"""What is logged with a person, corrected and taken back; and why a lead is lost: given, when, then."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.activities import (
    AHEAD,
    DIRECTIONS,
    EARLIEST,
    FIELDS,
    LONGEST_CALL,
    MOST,
    OUTCOMES,
    ActivityFields,
    HasActivities,
    happened,
    said,
)
from aureum.domain.aggregate import ERASED, replay
from aureum.domain.contact import Contact
from aureum.domain.errors import Invalid, NotAllowed, NotFound, WrongState
from aureum.domain.ids import aureum_time
from aureum.domain.lead import STATUSES, Lead
from aureum.domain.lead_events import LOST_REASONS, lost_because
from tests.stores import new_lead

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANA, BO = UUID(int=1), UUID(int=2)

texts = st.text(min_size=1).filter(lambda text: bool(text.strip()))
whens = st.integers(0, 13_000).map(lambda days: EARLIEST + timedelta(days=days, milliseconds=days))
activities = st.one_of(
    st.builds(ActivityFields, type=st.just("note"), direction=st.none(), outcome=st.none(), duration=st.none(),
              text=texts, happened_at=whens.map(aureum_time)),
    st.builds(ActivityFields, type=st.just("call"), direction=st.sampled_from((None, *DIRECTIONS)),
              outcome=st.sampled_from((None, *OUTCOMES)), duration=st.none() | st.integers(0, LONGEST_CALL),
              text=st.none() | st.text(), happened_at=whens.map(aureum_time)),
    st.builds(ActivityFields, type=st.just("email"), direction=st.sampled_from((None, *DIRECTIONS)),
              outcome=st.none(), duration=st.none(), text=st.none() | st.text(), happened_at=whens.map(aureum_time)),
    st.builds(ActivityFields, type=st.just("visit"), direction=st.none(), outcome=st.none(), duration=st.none(),
              text=st.none() | st.text(), happened_at=whens.map(aureum_time)),
)  # fmt: skip


def a_note(text: str = "Called back.") -> ActivityFields:
    return ActivityFields(
        type="note", direction=None, outcome=None, duration=None, text=text, happened_at=aureum_time(AT)
    )


def a_lead(**fields: Any) -> Lead:
    return new_lead(**fields)


def a_contact() -> Contact:
    return Contact.add(
        UUID(int=9), AT, first_name="Jo", last_name="", email=None, phone=None, phone_e164=None, lead_id=None,
        created_by=None,
    )  # fmt: skip


commands = st.one_of(
    st.tuples(st.just("log"), activities),
    st.tuples(st.just("correct"), st.integers(1, 12), activities),
    st.tuples(st.just("remove"), st.integers(1, 12)),
)


@given(st.sampled_from((a_lead, a_contact)), st.lists(commands, max_size=12))
def test_what_stands_is_what_was_logged_corrected_and_not_removed(make: Any, run: list[Any]) -> None:
    """Against a dictionary; and an activity's events say of themselves what they replace."""
    of: HasActivities = make()
    model: dict[int, dict[str, Any]] = {}
    for command in run:
        match command:
            case "log", fields:
                of.log_activity(fields, AT, ANA)
                model[of.version] = said(fields)
            case "correct", number, fields if number in model:
                before = of.version
                of.correct_activity(number, said(fields), AT, None)
                assert (of.version == before) == (said(fields) == model[number])
                if of.version > before:
                    assert of.pending_events[-1].previous == model[number]  # type: ignore[attr-defined]
                model[number] = said(fields)
            case "remove", number if number in model:
                of.remove_activity(number, AT, None)
                assert of.pending_events[-1].previous == model.pop(number)  # type: ignore[attr-defined]
            case _:
                with pytest.raises(NotFound):
                    of.remove_activity(command[1], AT, None)
    assert {number: said(one) for number, one in of.activities.items()} == model
    assert list(of.activities) == sorted(of.activities)
    assert replay(of.collect_events()).activities == of.activities


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("type", {"type": "fax"}),
        ("text", {"text": None}),
        ("text", {"text": " \n"}),
        ("direction", {"direction": "inbound"}),
        ("direction", {"type": "visit", "direction": "outbound"}),
        ("direction", {"type": "call", "direction": "up"}),
        ("outcome", {"type": "email", "outcome": "answered"}),
        ("outcome", {"type": "call", "outcome": "maybe"}),
        ("duration", {"type": "visit", "duration": 60}),
        ("duration", {"type": "call", "duration": -1}),
        ("duration", {"type": "call", "duration": LONGEST_CALL + 1}),
    ],
)
def test_what_cannot_be_logged_nor_corrected_to(field: str, fields: dict[str, Any]) -> None:
    lead = a_lead()
    lead.log_activity(a_note(), AT, ANA)
    lead.collect_events()
    wrong = ActivityFields(**(said(a_note()) | fields))
    with pytest.raises(Invalid, match=f"^{field}") as refused:
        lead.log_activity(wrong, AT, ANA)
    assert refused.value.field == field
    with pytest.raises(Invalid, match=f"^{field}"):
        lead.correct_activity(2, fields, AT, None)
    assert not lead.pending_events and lead.activities[2].text == "Called back."


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        EARLIEST - timedelta(microseconds=1),
        AT + AHEAD + timedelta(milliseconds=1),
        datetime(9999, 12, 31, tzinfo=UTC),
    ],
)
def test_what_did_not_happen_yet_or_before_there_were_records(moment: datetime) -> None:
    with pytest.raises(Invalid, match=r"^at must be between 1990-01-01"):
        happened(moment, AT)
    assert happened(AT + AHEAD, AT) == "2026-01-02T12:00:00.000Z"


def test_an_agent_changes_only_what_that_agent_logged() -> None:
    lead = a_lead()
    lead.log_activity(a_note(), AT, ANA)
    lead.log_activity(a_note(), AT, None)
    for number, agent in ((2, BO), (3, ANA)):
        with pytest.raises(NotAllowed):
            lead.correct_activity(number, {"text": "No."}, AT, agent)
        with pytest.raises(NotAllowed):
            lead.remove_activity(number, AT, agent)
    lead.correct_activity(2, {"text": "Yes."}, AT, ANA)
    lead.remove_activity(3, AT, None)
    assert {number: one.text for number, one in lead.activities.items()} == {2: "Yes."}


def test_there_is_a_most_of_them() -> None:
    contact = a_contact()
    for _ in range(MOST):
        contact.log_activity(a_note(), AT, ANA)
    with pytest.raises(WrongState, match="5000"):
        contact.log_activity(a_note(), AT, ANA)
    contact.remove_activity(2, AT, None)
    contact.log_activity(a_note(), AT, ANA)


def test_nothing_is_logged_on_suspected_spam() -> None:
    lead = a_lead(suspect=True)
    with pytest.raises(WrongState, match="clear it first"):
        lead.log_activity(a_note(), AT, ANA)


@pytest.mark.parametrize("kind", [Lead, Contact])
def test_of_an_erased_person_it_is_known_that_there_was_something(kind: Any) -> None:
    of = a_lead() if kind is Lead else a_contact()
    erased = {"previous": ERASED, "text": ERASED}
    common = {"originator_id": of.id, "timestamp": AT, "logged_by": ANA}
    rest = {name: said(a_note())[name] for name in FIELDS if name != "text"}
    kind.ActivityLogged(**common, **rest, originator_version=2, text=ERASED).mutate(of)
    kind.ActivityCorrected(**common, **rest, **erased, number=2, originator_version=3).mutate(of)
    assert of.activities[2].text == ERASED
    kind.ActivityRemoved(**common, number=2, previous=ERASED, originator_version=4).mutate(of)
    assert not of.activities


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from((None, *LOST_REASONS)), st.none() | st.text())))
def test_a_reason_holds_while_the_lead_is_lost(steps: list[tuple[str, str | None, str | None]]) -> None:
    lead, given_once, reason, note = a_lead(), False, None, None
    for status, new_reason, new_note in steps:
        was, holding = lead.version, (reason, note) if given_once else None
        lead.change_status(status, AT)
        if status != "lost":
            reason = note = None
            assert lost_because(lead) == ((None, None) if given_once else None)
            if new_reason is not None or new_note is not None:
                with pytest.raises(Invalid, match="while status is lost"):
                    lead.give_lost_reason({"reason": new_reason, "note": new_note}, AT)
            continue
        lead.give_lost_reason({"reason": new_reason, "note": new_note}, AT)
        given_once = given_once or (new_reason, new_note) != (None, None)
        reason, note = new_reason, new_note
        assert lost_because(lead) == ((reason, note) if given_once else None)
        if holding == (reason, note):
            assert lead.version <= was + 1
    with pytest.raises(Invalid, match=r"^lost_reason must be one of: price"):
        lead.change_status("lost", AT)
        lead.give_lost_reason({"reason": "weather"}, AT)
