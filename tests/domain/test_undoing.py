"""Undoing: after any changes, what a save changed is as it was before, unless something changed it since; and a replay
of the events, from which read models are rebuilt, says the same."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.activities import ActivityFields, HasActivities, happened
from aureum.domain.aggregate import Aggregate, replay
from aureum.domain.contact import TYPES
from aureum.domain.errors import DomainError, Invalid, WrongState
from aureum.domain.lead import STATUSES
from aureum.domain.setting_back import set_back
from aureum.domain.undoing import PARTS, plan, undoable
from aureum.projections import contact_list, lead_list, property_list, task_list, tour_list
from tests import stores
from tests.domain.test_contact import added

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANA, BEN = UUID(int=1), UUID(int=2)
WORDS = st.sampled_from(("a", "b", "c"))
AGENTS = st.sampled_from((None, ANA, BEN))

Change = Callable[[Any], None]


def call(name: str, *arguments: Any, **named: Any) -> Change:
    return lambda of: getattr(of, name)(*arguments, **named)


def details(*names: str) -> st.SearchStrategy[Change]:
    return st.dictionaries(st.sampled_from(names), WORDS, min_size=1).map(
        lambda found: call("change_details", found, AT)
    )


def note(text: str) -> Change:
    said = ActivityFields(
        type="note", direction=None, outcome=None, duration=None, text=text, happened_at=happened(AT, AT)
    )
    return call("log_activity", said, AT, ANA)


def on_activity(action: str, *arguments: Any) -> Change:
    """Correct or remove the first activity that is there."""

    def changed(of: HasActivities) -> None:
        number = next(iter(of.activities), 0)
        getattr(of, action)(number, *arguments, AT, None)

    return changed


ACTIVITIES = st.one_of(
    WORDS.map(note),
    WORDS.map(lambda text: on_activity("correct_activity", {"text": text})),
    st.just(on_activity("remove_activity")),
)
STATUS = st.sampled_from(STATUSES).map(lambda status: call("change_status", status, AT))
ASSIGN = AGENTS.map(lambda agent: call("assign", agent, AT))
LOST = st.sampled_from(("price", "timing", None)).map(lambda reason: call("give_lost_reason", {"reason": reason}, AT))
PHONE = WORDS.map(lambda phone: call("change_details", {"phone": phone, "phone_e164": phone}, AT))
START = {"local_start": "2025-03-09T10:00:00", "time_zone": "America/Boise", "starts_at": "2025-03-09T16:00:00.000Z"}

KINDS: dict[str, tuple[Callable[[], Aggregate], st.SearchStrategy[Change], Any, Any]] = {
    "lead": (
        stores.new_lead,
        st.one_of(STATUS, STATUS, LOST, ASSIGN, details("first_name", "subject", "notes"), PHONE, ACTIVITIES),
        lead_list.LIST.step,
        lead_list.document,
    ),
    "contact": (
        added,
        st.one_of(
            details("first_name", "last_name", "email"),
            PHONE,
            st.builds(lambda tag, kind: call("classify", AT, tags=(tag,), type=kind), WORDS, st.sampled_from(TYPES)),
            ACTIVITIES,
        ),
        contact_list.LIST.step,
        contact_list.document,
    ),
    "property": (
        stores.new_property,
        st.one_of(
            details("title", "mls", "mls_id", "description"),
            st.sampled_from(("1", "2")).map(lambda price: call("change_details", {"price": price}, AT)),
            st.sampled_from(("ACTIVE", "SOLD")).map(lambda status: call("change_status", status, AT)),
        ),
        property_list.LIST.step,
        property_list.document,
    ),
    "task": (
        stores.new_task,
        st.one_of(
            details("title", "description"),
            ASSIGN,
            AGENTS.map(lambda lead: call("change_details", {"lead_id": lead}, AT)),
            st.sampled_from(("pending", "in_progress", "completed")).map(lambda one: call("change_status", one, AT)),
        ),
        task_list.LIST.step,
        task_list.document,
    ),
    "tour": (
        stores.new_tour,
        st.one_of(
            details("name", "listing_id"),
            PHONE,
            ASSIGN,
            st.sampled_from(("confirmed", "completed", "cancelled")).map(lambda one: call("change_status", one, AT)),
            st.just(call("miss", AT)),
            st.sampled_from((START, {"preferred_date": "2025-03-09"})).map(lambda one: call("reschedule", one, AT)),
        ),
        tour_list.LIST.step,
        tour_list.document,
    ),
}


def whole(of: Aggregate) -> dict[str, Any]:
    """The parts of it, and what its activities say."""
    kept = of.activities if isinstance(of, HasActivities) else {}
    parts = {part: [getattr(of, name, None) for name in names] for part, names in PARTS[type(of)].items()}
    return {**parts, "activities": sorted((one.text or "", str(one.logged_by)) for one in kept.values())}


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_what_is_undone_is_as_it_was_unless_it_changed_since(kind: str, data: st.DataObject) -> None:
    begun, change, step, document = KINDS[kind]
    of = begun()
    saves = [range(1, of.version + 1)]
    for save in data.draw(st.lists(st.lists(change, min_size=1, max_size=3), min_size=1, max_size=6)):
        before = of.version
        for one in save:
            try:
                one(of)
            except DomainError:
                continue
        if of.version > before:
            saves.append(range(before + 1, of.version + 1))
    if len(saves) == 1:
        return
    chosen = data.draw(st.integers(1, len(saves) - 1))
    events = list(of.pending_events)
    states = [whole(replay(events[:version])) for version in range(1, len(events) + 1)]
    before_it, behind_it, since = (
        states[saves[chosen][0] - 2],
        states[saves[chosen][-1] - 1],
        states[saves[chosen][-1] :],
    )
    by_version = {version: save for save in saves for version in save}
    undoing = plan(events, saves[chosen])
    assert bool(undoing.back) == (saves[chosen][0] in undoable(events, by_version))

    try:
        set_back(of, undoing.back, AT, None)
    except (Invalid, WrongState):
        # Such as a tour that is over, which cannot be moved: then nothing of it is appended.
        assert kind == "tour"
        return

    after = whole(of)
    for part in after:
        if part == "activities":
            continue
        touched = any(state[part] != behind_it[part] for state in since)
        wanted = states[-1][part] if touched else before_it[part]
        assert after[part] == wanted, (part, undoing)
    if not since:
        assert after == before_it, "what was saved last is undone wholly"
    # A replay of the events, and the read model that is made of them, say the same.
    kept = list(of.pending_events)
    assert whole(replay(kept)) == after
    row: Any = None
    for event in kept:
        row = step(row, event)
    assert row["doc"] == document(of, of.id, of.created_on, of.modified_on)


def test_a_tour_that_was_called_off_by_mistake_is_on_again() -> None:
    tour = stores.new_tour()
    tour.change_status("confirmed", AT)
    tour.change_status("cancelled", AT)
    undoing = plan(tour.pending_events, {3})
    set_back(tour, undoing.back, AT, None)
    assert tour.status == "confirmed"
    tour.change_status("completed", AT)


def test_a_contact_that_was_made_of_a_lead_stays() -> None:
    lead = stores.new_lead(status="offer")
    lead.convert(UUID(int=7), AT)
    undoing = plan(lead.pending_events, {2, 3})
    assert (dict(undoing.back), undoing.left) == ({"status": ("offer", None, None)}, ["contact_id"])
    set_back(lead, undoing.back, AT, None)
    assert (lead.status, lead.contact_id) == ("offer", UUID(int=7))


def test_several_saves_are_undone_together() -> None:
    contact = added(score=1)
    for score in (2, 3, 4):
        contact.classify(AT, score=score)
    assert plan(contact.pending_events, {2, 3, 4}).back == {"score": (1,)}
    assert plan(contact.pending_events, {2, 4}).back == {"score": (3,)}, "the second save was someone else's"
    assert plan(contact.pending_events, {2, 3}).left == ["score"]
