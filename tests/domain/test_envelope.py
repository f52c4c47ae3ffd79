"""Envelopes: whatever is tried in whatever order, nothing is signed out of turn, late, twice or unseen, and nothing is
completed early; and the row that the list keeps says the same as the aggregate."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aureum.domain import ids
from aureum.domain.aggregate import replay
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_ceremony import Presence
from aureum.domain.envelope_draft import EnvelopeFields
from aureum.domain.envelope_parts import Document, Field, Recipient, Sealed, Signature
from aureum.domain.envelope_rules import NotAsShown, SignInTooOld
from aureum.domain.errors import DomainError, Invalid, NotFound, WrongState
from aureum.projections import envelope_list, envelope_recipients, envelope_shown, envelope_timers

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TYPED = Signature("typed", typed="Jane Doe")


def drafted(*, in_order: bool = True, deadline_days: int = 30, provider: str = "built_in") -> Envelope:
    return Envelope.draft(
        ids.new_id(),
        AT,
        EnvelopeFields(
            subject="Offer",
            message=None,
            contact_id=None,
            lead_id=None,
            template_id=None,
            provider=provider,
            in_order=in_order,
            deadline_days=deadline_days,
            assigned_to=None,
            created_by=None,
        ),
    )


def a_document(name: str = "Offer.pdf", *anchors: str) -> Document:
    return Document(ids.new_id(), name, "ab" * 32, 1_000, 2, anchors, ((612.0, 792.0), (612.0, 792.0)))


def a_person(number: int, order: int = 1, role: str = "signer") -> Recipient:
    return Recipient(ids.new_id(), role, f"Person {number}", f"person{number}@example.com", None, order)


def a_field(document: Document, person: Recipient, kind: str = "signature", **values: Any) -> Field:
    return Field(ids.new_id(), person.id, document.id, kind, page=1, x=10, y=10, width=100, height=20, **values)


def ready(orders: tuple[int, ...] = (1,), *, copies: int = 0, **of: Any) -> Envelope:
    """A draft that can be sent."""
    one = drafted(**of)
    document = a_document()
    one.attach(document, AT)
    people = [a_person(number, order) for number, order in enumerate(orders)]
    people += [a_person(100 + number, role="copy") for number in range(copies)]
    for person in people:
        one.add_recipient(person, AT)
    one.place_fields([a_field(document, person) for person in people if person.role == "signer"], AT)
    return one


def shown(one: Envelope) -> dict[UUID, str]:
    return {document.id: document.sha256 for document in one.documents.values()}


def sealed(one: Envelope) -> dict[UUID, Sealed]:
    return {document: Sealed("cd" * 32, 2_000) for document in one.documents}


def there(at: datetime) -> Presence:
    return Presence(at, "203.0.113.9", "A browser")


def sign(one: Envelope, person: UUID, at: datetime, **values: Any) -> None:
    """All that a signer does."""
    one.open_document(person, there(at), at)
    one.consent(person, "en-1", there(at), at)
    one.sign(person, shown(one), TYPED, values.get("values", {}), there(at), at)


def same(one: Envelope) -> None:
    """The events say what the aggregate says, and so do the rows of the read models."""
    events = list(one.pending_events)
    again = replay(events)
    row = reduce(envelope_list.step, events, None)
    assert row is not None
    if not one.erased:
        assert orjson.loads(orjson.dumps(row["doc"])) == envelope_shown.document(one) == envelope_shown.document(again)
        assert row["state"] == one.state and row["assigned_to"] == one.assigned_to
    assert envelope_timers.rows(events[:-1], events[-1:])[0]["due_at"] == (None if one.erased else one.due_at())
    found = envelope_recipients.rows(events[:-1], events[-1:])
    assert {found_one["state"] for found_one in found} <= {other.state for other in one.recipients.values()}


STEPS = st.sampled_from((timedelta(0), timedelta(minutes=5), timedelta(hours=20), DAY, 3 * DAY, 9 * DAY))


class Envelopes(RuleBasedStateMachine):
    """Everything that may be asked of an envelope, by any recipient, at any time."""

    @initialize(
        orders=st.lists(st.integers(1, 3), min_size=1, max_size=4),
        in_order=st.booleans(),
        copies=st.integers(0, 1),
        days=st.sampled_from((1, 10, 30)),
        send=st.booleans(),
    )
    def begin(self, orders: list[int], in_order: bool, copies: int, days: int, send: bool) -> None:
        self.one = ready(tuple(orders), copies=copies, in_order=in_order, deadline_days=days)
        self.at = AT
        self.signed: dict[UUID, datetime] = {}
        if send:
            self.one.send(AT)

    def tried(self, act: Callable[[], None]) -> bool:
        """Whether it was done; what is refused changes nothing."""
        before = self.one.version
        try:
            act()
        except DomainError:
            assert self.one.version == before
            return False
        return self.one.version > before

    @rule(step=STEPS)
    def wait(self, step: timedelta) -> None:
        self.at += step

    @rule()
    def send(self) -> None:
        self.tried(lambda: self.one.send(self.at))

    def person(self, dice: int) -> Recipient:
        people = list(self.one.recipients.values())
        return people[dice % len(people)]

    dice = st.integers(0, 20)

    @precondition(lambda self: self.one.recipients)
    @rule(dice=dice)
    def read(self, dice: int) -> None:
        self.tried(lambda: self.one.open_document(self.person(dice).id, there(self.at), self.at))

    @precondition(lambda self: self.one.recipients)
    @rule(dice=dice)
    def agree(self, dice: int) -> None:
        self.tried(lambda: self.one.consent(self.person(dice).id, "en-1", there(self.at), self.at))

    @precondition(lambda self: self.one.recipients)
    @rule(dice=dice, seen=st.sampled_from(("all", "all", "all", "none", "other")), age=st.integers(0, 20))
    def sign(self, dice: int, seen: str, age: int) -> None:
        one, person = self.one, self.person(dice)
        saw = {"all": shown(one), "none": {}, "other": dict.fromkeys(shown(one), "ef" * 32)}[seen]
        presence = there(self.at - timedelta(minutes=age))
        before = one.recipients
        if self.tried(lambda: one.sign(person.id, saw, TYPED, {}, presence, self.at)):
            assert seen == "all" and age <= 15
            assert person.id not in self.signed and person.role == "signer"
            assert one.deadline is not None and self.at < one.deadline
            assert before[person.id].state == "consented"
            if one.in_order:
                first = [other for other in before.values() if other.signs and other.order < person.order]
                assert all(other.state == "signed" for other in first)
            self.signed[person.id] = self.at

    @precondition(lambda self: self.one.recipients)
    @rule(dice=dice)
    def act_in_one_go(self, dice: int) -> None:
        for act in (self.read, self.agree):
            act(dice=dice)
        self.sign(dice=dice, seen="all", age=0)

    @precondition(lambda self: self.one.recipients)
    @rule(dice=dice)
    def decline(self, dice: int) -> None:
        if dice > 16:
            self.tried(lambda: self.one.decline(self.person(dice).id, "No", there(self.at), self.at))

    @precondition(lambda self: self.one.recipients)
    @rule(dice=dice, by_itself=st.booleans())
    def remind(self, dice: int, by_itself: bool) -> None:
        person = self.person(dice)
        if self.tried(lambda: self.one.remind(person.id, self.at, by_itself=by_itself)):
            assert person.reminded_at is None or self.at >= person.reminded_at + DAY

    @precondition(lambda self: self.one.recipients)
    @rule(dice=dice, number=st.integers(0, 9))
    def reassign(self, dice: int, number: int) -> None:
        new, name = ids.new_id(), f"Other {number}"
        self.tried(
            lambda: self.one.reassign(self.person(dice).id, new, name, f"other{number}@example.com", None, self.at)
        )

    @rule(days=st.integers(1, 130))
    def extend(self, days: int) -> None:
        self.tried(lambda: self.one.extend(AT + days * DAY, self.at))

    @rule()
    def complete(self) -> None:
        one = self.one
        signers = [person for person in one.recipients.values() if person.signs]
        if self.tried(lambda: one.complete(sealed(one), "ef" * 32, self.at + 700 * DAY, self.at)):
            assert signers and all(person.id in self.signed for person in signers)

    @rule(dice=dice)
    def end(self, dice: int) -> None:
        one = self.one
        if dice == 0:
            self.tried(lambda: one.void("Changed", self.at))
        if dice == 1:
            state = one.state
            if self.tried(lambda: one.purge(self.at, announced=True)) and one.erased:
                assert state in ("draft", "declined", "voided", "expired", "completed")

    @rule()
    def clock(self) -> None:
        self.tried(lambda: self.one.act_by_the_clock(self.at))
        due = None if self.one.erased else self.one.due_at()
        assert due is None or due > self.at or self.one.state == "completed"

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "one"):
            return
        one = self.one
        same(one)
        if one.erased:
            return
        if one.state == "completed":
            assert {person.id for person in one.recipients.values() if person.signs} <= set(self.signed)
        # What is open always waits for a person who was told so.
        if one.state == "sent":
            assert any(person.state in ("invited", "viewed", "consented") for person in one.recipients.values())


TestEnvelopes = Envelopes.TestCase
TestEnvelopes.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_deal_from_the_draft_to_the_purge() -> None:
    one = ready((1, 1, 2), copies=1)
    first, second, last, copy = one.recipients
    one.send(AT)
    one.send(AT)
    assert [person.state for person in one.recipients.values()] == ["invited", "invited", "waiting", "waiting"]
    with pytest.raises(WrongState, match="not your turn"):
        one.open_document(last, there(AT), AT)
    sign(one, second, AT)
    sign(one, first, AT + DAY)
    version = one.version
    sign(one, first, AT + 2 * DAY)
    assert one.version == version, "signing twice records nothing"
    assert one.recipients[last].state == "invited"
    sign(one, last, AT + 2 * DAY)
    assert one.state == "completing" and not one.may_read(one.recipients[copy])
    with pytest.raises(WrongState, match="Void it first"):
        one.purge(AT + 2 * DAY)
    one.complete(sealed(one), "ef" * 32, AT + 700 * DAY, AT + 2 * DAY)
    one.complete(sealed(one), "00" * 32, AT + 900 * DAY, AT + 3 * DAY)
    assert one.certificate_sha256 == "ef" * 32 and one.may_read(one.recipients[copy])
    with pytest.raises(WrongState, match="is kept until"):
        one.purge(AT + 3 * DAY)
    one.purge(AT + 3 * DAY, announced=True)
    one.purge(AT + 16 * DAY, announced=True)
    assert one.purge_at == AT + 17 * DAY and one.state == "completed"
    one.purge(AT + 17 * DAY)
    assert one.erased and one.state == "purged"
    same(one)


def test_what_is_lacking_is_said_before_it_is_sent() -> None:
    one = drafted()
    with pytest.raises(Invalid, match="no document"):
        one.send(AT)
    document = a_document("Offer.pdf", "/sig:buyer/")
    one.attach(document, AT)
    with pytest.raises(Invalid, match="no signer"):
        one.send(AT)
    jane = a_person(1)
    one.add_recipient(jane, AT)
    with pytest.raises(Invalid, match="Person 1 has no signature field"):
        one.send(AT)
    for anchor, sent in (("/sig:seller/", False), ("/sig:buyer/", True)):
        one.place_fields([Field(ids.new_id(), jane.id, document.id, "signature", anchor=anchor)], AT)
        if sent:
            one.send(AT)
        else:
            with pytest.raises(Invalid, match="/sig:seller/ does not stand in"):
                one.send(AT)
    with pytest.raises(WrongState, match="was sent"):
        one.attach(a_document(), AT)


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"page": 3}, "has 2 pages"),
        ({"page": 0}, "page from 1"),
        ({"x": 600.0}, "lie on its page"),
        ({"kind": "stamp"}, "kind of a field"),
        ({"anchor": "/sig/"}, "either an anchor"),
        ({"width": None}, "needs an anchor, or all of"),
        ({"recipient_id": ids.new_id()}, "a signer of this envelope"),
        ({"document_id": ids.new_id()}, "a document of this envelope"),
    ],
)
def test_a_field_stands_somewhere(values: dict[str, Any], refused: str) -> None:
    one, document, jane = drafted(), a_document(), a_person(1)
    one.attach(document, AT)
    one.add_recipient(jane, AT)
    place: dict[str, Any] = {"page": 1, "x": 10.0, "y": 10.0, "width": 100.0, "height": 20.0, "kind": "signature"}
    field = {"id": ids.new_id(), "recipient_id": jane.id, "document_id": document.id, **place} | values
    with pytest.raises(Invalid, match=refused):
        one.place_fields([Field(**field)], AT)


def test_an_address_is_one_recipient_in_any_spelling() -> None:
    one = drafted()
    one.add_recipient(a_person(1), AT)
    other = Recipient(ids.new_id(), "copy", "Jane", " PERSON1@Example.COM", None, 1)
    with pytest.raises(Invalid, match="address"):
        one.add_recipient(other, AT)
    with pytest.raises(NotFound):
        one.recipient_of("person1@example.com")


def test_only_what_the_signer_saw_is_signed_and_soon_after_the_sign_in() -> None:
    one = ready()
    (jane,) = one.recipients
    one.send(AT)
    with pytest.raises(WrongState, match="Agree"):
        one.sign(jane, shown(one), TYPED, {}, there(AT), AT)
    one.open_document(jane, there(AT), AT)
    one.consent(jane, "en-1", there(AT), AT)
    with pytest.raises(NotAsShown):
        one.sign(jane, dict.fromkeys(shown(one), "00" * 32), TYPED, {}, there(AT), AT)
    with pytest.raises(SignInTooOld):
        one.sign(jane, shown(one), TYPED, {}, there(AT), AT + timedelta(minutes=15, milliseconds=1))
    one.sign(jane, shown(one), TYPED, {}, there(AT), AT + timedelta(minutes=15))


def test_required_fields_are_filled_in() -> None:
    one, document, jane = drafted(), a_document(), a_person(1)
    one.attach(document, AT)
    one.add_recipient(jane, AT)
    text, box = a_field(document, jane, "text", label="Price"), a_field(document, jane, "checkbox")
    one.place_fields([a_field(document, jane), text, box, a_field(document, jane, "date")], AT)
    one.send(AT)
    one.open_document(jane.id, there(AT), AT)
    one.consent(jane.id, "en-1", there(AT), AT)
    for values, refused in (
        ({}, "Fill in the field Price"),
        ({text.id: "  ", box.id: "true"}, "Fill in the field Price"),
        ({text.id: "1", box.id: "false"}, "checkbox"),
        ({text.id: "1", box.id: "yes"}, "true or false"),
        ({text.id: "1", box.id: "true", ids.new_id(): "x"}, "one of your own fields"),
        ({text.id: "1" * 1_001, box.id: "true"}, "at most 1000"),
    ):
        with pytest.raises(Invalid, match=refused):
            one.sign(jane.id, shown(one), TYPED, values, there(AT), AT)
    one.sign(jane.id, shown(one), TYPED, {text.id: "1", box.id: "true"}, there(AT), AT)
    assert one.state == "completing"


def test_reminders_come_by_themselves_and_end() -> None:
    one = ready(deadline_days=120)
    (jane,) = one.recipients
    one.send(AT)
    assert one.due_at() == AT + 3 * DAY
    one.remind(jane, AT + 3 * DAY - timedelta(hours=1))
    with pytest.raises(WrongState, match="within the last day"):
        one.remind(jane, AT + 3 * DAY)
    assert one.due_at() == AT + 4 * DAY - timedelta(hours=1)
    one.act_by_the_clock(AT + 4 * DAY)
    one.act_by_the_clock(AT + 7 * DAY)
    assert one.recipients[jane].reminders == 2 and one.due_at() == AT + 120 * DAY
    with pytest.raises(WrongState, match="more than 30 days ago"):
        one.remind(jane, AT + 31 * DAY)
    one.act_by_the_clock(AT + 120 * DAY)
    assert one.state == "expired" and one.recipients[jane].state == "expired"
    assert one.may_read(one.recipients[jane]), "the documents stay readable"


def test_a_provider_tells_late_and_twice() -> None:
    one = ready((1, 2), provider="docusign")
    first, second = one.recipients
    one.send(AT)
    one.link_provider("their-id", AT)
    with pytest.raises(WrongState, match="DocuSign"):
        one.consent(first, "en-1", there(AT), AT)
    one.record_provider_status("event-2", "signed", AT, recipient_id=first)
    one.record_provider_status("event-2", "signed", AT, recipient_id=first)
    one.record_provider_status("event-1", "viewed", AT, recipient_id=first)
    assert one.recipients[first].state == "signed" and one.recipients[second].state == "invited"
    one.record_provider_status("event-3", "signed", AT, recipient_id=second)
    assert one.state == "completing"
    one.record_provider_status("event-4", "voided", AT)
    assert one.state == "completing"
    with pytest.raises(WrongState):
        ready().record_provider_status("event", "signed", AT, recipient_id=first)
    same(one)


def test_a_worker_that_comes_late_reminds_once() -> None:
    """Also after the time in which staff may remind; then nothing is due before the deadline."""
    one = ready()
    one.send(AT)
    one.extend(AT + 84 * DAY, AT)
    late = AT + 31 * DAY
    (jane,) = one.recipients
    with pytest.raises(WrongState, match="more than 30 days ago"):
        one.remind(jane, late)
    one.act_by_the_clock(late)
    assert one.recipients[jane].reminded_at == late and one.due_at() == one.deadline == AT + 84 * DAY
    version = one.version
    one.act_by_the_clock(late + DAY)
    assert one.version == version
