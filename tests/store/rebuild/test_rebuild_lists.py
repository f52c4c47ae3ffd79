"""Every list that can be rebuilt comes out byte for byte as appends have written it, wherever the copy ended.

The lists are those of ``REBUILDABLE``; what may happen to their resources stands in ``MAKERS``, a line a list.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.commands.importing.removing import forget_properties
from aureum.domain import (
    contact,
    contact_card,
    envelope,
    envelope_parts,
    envelope_template,
    ids,
    lead,
    property,
    task,
    tour,
)
from aureum.domain.activities import ActivityFields, HasActivities
from aureum.domain.aggregate import Aggregate, PersonErased
from aureum.domain.conversation import Conversation
from aureum.domain.envelope_ceremony import Presence
from aureum.domain.envelope_draft import EnvelopeFields
from aureum.domain.key_dates import KeyDate, KeyDates
from aureum.domain.lead_events import LOST_REASONS
from aureum.domain.of_contact import SIDES
from aureum.domain.shortlist import REACTIONS, Shortlist
from aureum.domain.subscriber import Subscriber
from aureum.domain.template_roles import Role
from aureum.registry import AGGREGATES
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.rebuild import list as rebuild_list
from aureum.store.rebuild import rebuild as rebuilding
from aureum.store.rebuild.claim import RebuildClaim
from aureum.store.rebuild.list import ListRebuild
from aureum.store.rebuild.rebuild import REBUILDABLE, rebuild
from tests.store.read_models import BEFORE
from tests.stores import LEAD_NUMBERS, new_lead, new_property, new_task, new_tour, open_brokerage, opened_store

LISTS = [model for model in REBUILDABLE if isinstance(model, ListRebuild)]

Dice = random.Random
Decisions = list[Callable[[], Any]]
Makers = tuple[Callable[[int, Dice], Aggregate], Callable[[Any, Dice], Decisions]]
"""What begins a stream (the number is another one each time), and what can be decided about it later."""

TEXTS = ("Jane", 'Zoë "Zo" O\\Neil\n', "🏡", "a\u2028b", "[erased]")
CONTACTS = [ids.new_id() for _ in range(3)]
PEOPLE = (None, *CONTACTS)
TIMES = (None, "2025-01-20T00:00:00.000Z", "2026-02-01T10:30:00.000Z")


def a_lead(number: int, dice: Dice) -> Aggregate:
    suspect = dice.random() < 0.4
    return new_lead(number, status=dice.choice(lead.STATUSES), first_name=dice.choice(TEXTS), suspect=suspect)


def activities(one: HasActivities, dice: Dice) -> Decisions:
    """What may happen with the activities of a lead or contact: those of them that stand are corrected and removed."""
    at, text, numbers = ids.now(), dice.choice(TEXTS), list(one.activities)
    note = ActivityFields(
        type="note", direction=None, outcome=None, duration=None, text=text, happened_at="2026-01-31T12:00:00.000Z"
    )
    log: Decisions = [lambda: one.log_activity(note, at, dice.choice(PEOPLE))]
    later: Decisions = [
        lambda: one.correct_activity(dice.choice(numbers), {"text": text + "!"}, at, None),
        lambda: one.remove_activity(dice.choice(numbers), at, None),
    ]
    return log + later if numbers else log


ROUTED = {"mode": "semantic", "why": "even", "matched": []}


def about_a_lead(one: lead.Lead, dice: Dice) -> Decisions:
    at, text = ids.now(), dice.choice(TEXTS)
    always: Decisions = [
        lambda: one.assign(dice.choice(PEOPLE), at),
        lambda: one.change_details({dice.choice(("last_name", "message", "notes")): text}, at),
        lambda: one.clear(at, dice.choice(PEOPLE), dice.choice((None, ROUTED))),
    ]
    once_cleared: Decisions = [
        lambda: one.change_status(dice.choice(lead.STATUSES), at),
        lambda: one.convert(ids.new_id(), at),
        lambda: one.change_contact(dice.choice(CONTACTS), at),
        lambda: one.pass_on("not_answered", 30, at, dice.choice(PEOPLE), ROUTED, None),
        lambda: one.remain(30, at) if one.assigned_to else None,
        *activities(one, dice),
    ]
    while_lost: Decisions = [
        lambda: one.give_lost_reason({"reason": dice.choice(LOST_REASONS), "note": text}, at),
        lambda: one.give_lost_reason({"reason": None}, at),
    ]
    once_cleared += while_lost if one.status == "lost" else []
    return always if one.suspect else always + once_cleared


def a_property(number: int, dice: Dice) -> Aggregate:
    return new_property(
        f"property-{number}",
        title=dice.choice(TEXTS),
        price=dice.choice(("0", "4500000.5")),
        is_featured=dice.random() < 0.5,
        mls="A",
        mls_id=dice.choice((None, f"00{number}")),
    )


def about_a_property(one: property.Property, dice: Dice) -> Decisions:
    at = ids.now()
    if one.removed:
        return [lambda: None]
    return [
        lambda: one.remove(at) if dice.random() < 0.4 else None,
        lambda: one.change_status(dice.choice(property.STATUSES), at),
        lambda: one.change_details({"bathrooms": dice.choice((None, "2.5", "3")), "title": dice.choice(TEXTS)}, at),
        lambda: one.change_details({"mls_id": dice.choice((None, one.slug))}, at),
        lambda: one.change_photos(
            [{"url": f"https://example.com/{dice.random()}.jpg", "alt": dice.choice(TEXTS)}][: dice.randrange(2)], at
        ),
    ]


def a_contact(_: int, dice: Dice) -> Aggregate:
    return contact.Contact.add(
        ids.new_id(),
        ids.now(),
        first_name=dice.choice(TEXTS),
        last_name="Doe",
        email="jane@example.com",
        phone=None,
        phone_e164=None,
        tags=dice.sample(TEXTS, 2),
        lead_id=dice.choice(PEOPLE),
        created_by=None,
    )


def about_a_contact(one: contact.Contact, dice: Dice) -> Decisions:
    at = ids.now()
    other = a_contact(0, dice)
    assert isinstance(other, contact.Contact)
    other.change_details({"email": dice.choice(("", *TEXTS)), "phone": dice.choice((None, "555"))}, at)
    merged = dice.choice([*one.merges, None])
    undone = contact_card.card_of(other)
    return [
        lambda: one.tell_apart(dice.choice(CONTACTS), at),
        lambda: one.absorb(other, at),
        lambda: one.release(merged, undone, at) if merged else None,
        lambda: one.merge_into(other.id, at),
        lambda: one.separate(at) if one.merged_into else None,
        lambda: one.change_details({dice.choice(("first_name", "email")): dice.choice(TEXTS)}, at),
        lambda: one.classify(at, type=dice.choice(contact.TYPES), tags=dice.sample(TEXTS, dice.randrange(3))),
        lambda: one.classify(at, score=dice.randrange(contact.HIGHEST_SCORE)),
        *activities(one, dice),
    ]


def a_task(_: int, dice: Dice) -> Aggregate:
    return new_task(
        title=dice.choice(TEXTS),
        status=dice.choice(task.STATUSES),
        due_date=dice.choice(TIMES),
        assigned_to=dice.choice(PEOPLE),
        contact_id=dice.choice(PEOPLE),
        created_by=dice.choice(PEOPLE),
    )


def about_a_task(one: task.Task, dice: Dice) -> Decisions:
    at = ids.now()
    return [
        lambda: one.change_status(dice.choice(task.STATUSES), at),
        lambda: one.assign(dice.choice(PEOPLE), at),
        lambda: one.change_details({"due_date": dice.choice(TIMES), "lead_id": dice.choice(PEOPLE)}, at),
        lambda: one.change_contact(dice.choice(CONTACTS), at),
        lambda: one.complete(at),
    ]


FIXED: dict[str, Any] = {
    "local_start": "2026-02-01T10:30",
    "time_zone": "America/Boise",
    "starts_at": "2026-02-01T17:30:00.000Z",
}


def a_tour(number: int, dice: Dice) -> Aggregate:
    listing_id, suspect = dice.choice((None, "007")), dice.random() < 0.4
    start = dice.choice(({}, FIXED))
    return new_tour(
        number=number, name=dice.choice(TEXTS), listing_id=listing_id, at=ids.now(), suspect=suspect, **start
    )


def about_a_tour(one: tour.Tour, dice: Dice) -> Decisions:
    at = ids.now()
    steps = tour.NEXT[one.status]
    always: Decisions = [
        lambda: one.assign(dice.choice(PEOPLE), at),
        lambda: one.clear(at),
        lambda: one.change_details({"message": dice.choice(TEXTS), "property_id": dice.choice(PEOPLE)}, at),
    ]
    while_open: Decisions = [
        lambda: None if one.suspect else one.change_status(dice.choice(steps), at),
        lambda: None if one.suspect else one.miss(at),
        lambda: one.reschedule(dice.choice((FIXED, dict.fromkeys(FIXED), {"preferred_date": "2026-02-02"})), at),
    ]
    if one.local_start is not None and not one.suspect and len(one.calendar_sent) < tour.MOST_SENT:
        while_open.append(lambda: one.send_calendar(dice.choice(TEXTS), dice.choice((None, "1 Palm Dr")), at))
    return always + while_open if steps else always


def a_subscriber(number: int, dice: Dice) -> Aggregate:
    if dice.random() < 0.3:
        parts = [
            one_subscriber(f"jane{number}@{domain}", dice) for domain in ("bücher.example", "xn--bcher-kva.example")
        ]
        parts[0].unsubscribe(ids.now())
        return Subscriber.unite(ids.new_id(), ids.now(), dice.sample(parts, dice.randint(1, 2)))
    return one_subscriber(f"jane{number}@example.com", dice)


def one_subscriber(email: str, dice: Dice) -> Subscriber:
    return Subscriber.subscribe(
        ids.new_id(),
        ids.now(),
        email=email,
        first_name=dice.choice(TEXTS),
        interests=dice.sample(TEXTS, 2),
        source_domain="b1.example.com",
        suspect=dice.random() < 0.3,
    )


def about_a_subscriber(one: Subscriber, dice: Dice) -> Decisions:
    at, name, suspect = ids.now(), dice.choice((None, *TEXTS)), dice.random() < 0.3
    given: dict[str, Any] = {"first_name": name, "source_domain": None, "suspect": suspect}
    return [
        lambda: one.subscribe_again(at, interests=dice.sample(TEXTS, 1), **given),
        lambda: one.unsubscribe(at),
        lambda: one.merge(ids.new_id(), at),
    ]


def an_envelope(_: int, dice: Dice) -> Aggregate:
    one = envelope.Envelope.draft(
        ids.new_id(),
        ids.now(),
        EnvelopeFields(
            subject="Offer",
            message=dice.choice((None, *TEXTS)),
            contact_id=dice.choice(PEOPLE),
            lead_id=dice.choice(PEOPLE),
            template_id=None,
            provider="docusign" if dice.random() < 0.2 else "built_in",
            in_order=dice.random() < 0.5,
            deadline_days=1,
            assigned_to=None,
            created_by=dice.choice(PEOPLE),
        ),
    )
    if dice.random() < 0.9:
        change_draft(one, dice)
        if dice.random() < 0.8:
            one.send(ids.now())
    if dice.random() < 0.5 and one.state == "sent":
        sign_all(one)
    return one


def change_draft(one: envelope.Envelope, dice: Dice) -> None:
    """A document, two signers and a copy, and their fields."""
    at = ids.now()
    document = envelope_parts.Document(ids.new_id(), dice.choice(TEXTS), "ab" * 32, 100, 2, ("/sig/",))
    one.attach(document, at)
    for order, role in ((1, "signer"), (2, "signer"), (1, "copy")):
        person = envelope_parts.Recipient(
            ids.new_id(), role, dice.choice(TEXTS), f"{one.version}@example.com", None, order
        )
        one.add_recipient(person, at)
    signers = [person for person in one.recipients.values() if person.role == "signer"]
    fields = [
        envelope_parts.Field(ids.new_id(), person.id, document.id, "signature", anchor="/sig/") for person in signers
    ]
    one.place_fields(fields, at)


def sign_all(one: envelope.Envelope) -> None:
    at = ids.now()
    shown = {document.id: document.sha256 for document in one.documents.values()}
    here, typed = Presence(at), envelope_parts.Signature("typed", typed="Zoë")
    for person in [person for person in one.recipients.values() if person.role == "signer"]:
        if one.provider == "docusign":
            one.record_provider_status(person.id.hex, "signed", at, recipient_id=person.id)
            continue
        one.open_document(person.id, here, at)
        one.consent(person.id, "en-1", here, at)
        one.sign(person.id, shown, typed, {}, here, at)


def about_an_envelope(one: envelope.Envelope, dice: Dice) -> Decisions:
    at, text, here = ids.now(), dice.choice(TEXTS), Presence(ids.now())
    always: Decisions = [
        lambda: one.assign(dice.choice(PEOPLE), at),
        lambda: one.change_contact(dice.choice(CONTACTS), at),
    ]
    if one.state == "draft":
        documents, people = list(one.documents), list(one.recipients)
        removing: Decisions = [
            lambda: one.remove_document(dice.choice(documents), at) if documents else None,
            lambda: one.remove_recipient(dice.choice(people), at) if people else None,
        ]
        return always + removing + [lambda: one.change({"subject": text, "lead_id": dice.choice(PEOPLE)}, at)]
    if one.state == "completing":
        sealed = dict.fromkeys(one.documents, envelope_parts.Sealed("cd" * 32, 200))
        return [lambda: one.complete(sealed, "ef" * 32, at + timedelta(days=900), at)]
    if one.state == "completed":
        return [*always, lambda: one.purge(at, announced=True)]
    if one.state != "sent":
        return always
    person = next(person for person in one.recipients.values() if person.state in envelope_parts.SENT_TO[:3])
    sent: Decisions = [
        lambda: one.void(text, at),
        lambda: one.expire(at + timedelta(days=3)),
        lambda: one.extend(one.deadline + timedelta(days=1), at) if one.deadline else None,
        lambda: one.remind(person.id, at) if person.reminded_at is None else None,
        lambda: one.open_document(person.id, here, at),
    ]
    if one.provider == "docusign":
        return [*always, *sent, lambda: one.link_provider("theirs", at)]
    email = f"{one.version}@example.org"
    sent += [
        lambda: one.reassign(person.id, ids.new_id(), "Other", email, None, at),
        lambda: one.decline(person.id, text, here, at),
    ]
    return always + sent


def a_template(_: int, dice: Dice) -> Aggregate:
    fields = envelope_template.TemplateFields(
        name="Offer",
        subject="Offer",
        message=dice.choice((None, *TEXTS)),
        in_order=True,
        deadline_days=1,
        created_by=dice.choice(PEOPLE),
    )
    return envelope_template.EnvelopeTemplate.add(ids.new_id(), ids.now(), fields)


def about_a_template(one: envelope_template.EnvelopeTemplate, dice: Dice) -> Decisions:
    at, roles = ids.now(), [Role(text) for text in dice.sample(TEXTS, 2)]
    document = envelope_parts.Document(ids.new_id(), dice.choice(TEXTS), "ab" * 32, 100, 2, ("/sig/",))
    always: Decisions = [
        lambda: one.change({"message": dice.choice(TEXTS), "deadline_days": dice.randint(1, 9)}, at),
        lambda: one.change_roles(roles, at),
        lambda: one.attach(document, at),
    ]
    if not (one.documents and one.roles):
        return always
    there = dice.choice(list(one.documents))
    field = envelope_parts.Field(ids.new_id(), one.roles[0].id, there, "signature", anchor="/sig/")
    return [
        *always,
        lambda: one.place_fields([*one.fields, field], at),
        lambda: one.remove_document(there, at),
    ]


def a_conversation(_: int, __: Dice) -> Aggregate:
    return Conversation.begin(ids.new_id(), ids.now())


def about_a_conversation(one: Conversation, dice: Dice) -> Decisions:
    at = ids.now()
    return [
        lambda: one.send(dice.choice(SIDES), dice.choice(TEXTS), at, dice.choice(PEOPLE)),
        lambda: one.read(dice.choice(SIDES), at),
    ]


def a_shortlist(_: int, __: Dice) -> Aggregate:
    return Shortlist.begin(ids.new_id(), ids.now())


def about_a_shortlist(one: Shortlist, dice: Dice) -> Decisions:
    at, known = ids.now(), list(one.entries.values())
    always: Decisions = [
        lambda: one.send(dice.choice(CONTACTS), dice.choice((None, *TEXTS)), at, dice.choice(PEOPLE)),
        lambda: one.save(dice.choice(CONTACTS), at),
    ]
    later: Decisions = [
        lambda: one.react(dice.choice(known).property_id, dice.choice(REACTIONS), dice.choice((None, *TEXTS)), at),
        lambda: one.remove(known[0].property_id, known[0].by, at),
    ]
    return always + later if known else always


def key_dates(_: int, __: Dice) -> Aggregate:
    return KeyDates.begin(ids.new_id(), ids.now())


def about_key_dates(one: KeyDates, dice: Dice) -> Decisions:
    dates = [KeyDate(f"2027-03-{dice.randint(10, 31)}", dice.choice(TEXTS), dice.choice((None, *TEXTS)))]
    return [lambda: one.set(dates * dice.randrange(3), ids.now())]


MAKERS: dict[str, Makers] = {
    "lead_list": (a_lead, about_a_lead),
    "property_list": (a_property, about_a_property),
    "contact_list": (a_contact, about_a_contact),
    "task_list": (a_task, about_a_task),
    "tour_list": (a_tour, about_a_tour),
    "envelope_list": (an_envelope, about_an_envelope),
    "envelope_template_list": (a_template, about_a_template),
    "subscriber_list": (a_subscriber, about_a_subscriber),
    "conversation_list": (a_conversation, about_a_conversation),
    "shortlists": (a_shortlist, about_a_shortlist),
    "key_dates": (key_dates, about_key_dates),
}


def makers_of(name: str) -> Makers:
    """What makes events for the list *name*; the test fails if nothing does."""
    if name not in MAKERS:
        pytest.fail(f"{name} can be rebuilt, but nothing is made for it here: give it a line in MAKERS.")
    return MAKERS[name]


@pytest.mark.parametrize("name", sorted({model.NAME for model in LISTS} | set(MAKERS)))
def test_every_kind_of_event_is_made(name: str) -> None:
    begin, about = makers_of(name)
    dice = random.Random(1)
    made: set[str] = set()
    for number in range(100):
        one = begin(number, dice)
        for _ in range(5):
            dice.choice(about(one, dice))()
        made |= {event.TOPIC for event in one.collect_events()}  # type: ignore[attr-defined]  # of our own base
    # Erasing removes rows by statements of its own: tests/http/api/people verifies all lists after it.
    assert made == {event.TOPIC for event in AGGREGATES[type(one)] if not issubclass(event, PersonErased)}


def test_what_must_be_unique_goes_from_one_to_another_behind_the_copy(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            rebuildable = {model.NAME: model for model in LISTS}["property_list"]
            copy, dice = rebuildable.copy, random.Random(1)
            a, b = [a_property(number, dice) for number in (1, 2)]

            async def save(one: Any, mls_id: str | None) -> None:
                before = await store.load(tenant_id, one.id)
                changed = before.aggregate() or one
                changed.change_details({"mls_id": mls_id}, ids.now())
                await store.append(tenant_id, changed, before, command="Change", origin=Origin(COMMAND_LINE))

            async def copy_before_they_swap(
                log: Any, claim: RebuildClaim, until: int, told: Callable[[int], None]
            ) -> int:
                done = await copy(log, claim, until, told)
                for one, mls_id in ((a, None), (b, "1"), (a, "2")):
                    await save(one, mls_id)
                return done

            await save(a, "1")
            await save(b, "2")
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(rebuildable, "copy", copy_before_they_swap)
                await rebuild(store.database.url, store.keys, "property_list", tenant_id)
            assert await shown(store, rebuildable, tenant_id) == await folded(store, rebuildable, tenant_id)

    asyncio.run(scenario())


@pytest.mark.parametrize("name", [model.NAME for model in LISTS])
def test_rebuilt_rows_are_the_inline_rows(module_database_url: str, name: str) -> None:
    """Whatever was decided, in batches of any size, copied up to any position, and with appends behind the copy."""
    makers = makers_of(name)
    rebuildable = {model.NAME: model for model in LISTS}[name]
    copy = rebuildable.copy

    @settings(max_examples=10, deadline=None)
    @given(commands, commands, st.integers(0, 20), st.integers(1, 5), st.integers(1, 5))
    def come_out_the_same(
        first: list[tuple[int, int]], later: list[tuple[int, int]], cut: int, batch: int, follow: int
    ) -> None:
        async def scenario() -> None:
            async with opened_store(module_database_url) as store:
                tenant_id, neighbour = [await open_brokerage(store) for _ in range(2)]
                streams: list[UUID] = []
                await obey(store, tenant_id, makers, streams, first)
                await obey(store, neighbour, makers, [], first)
                inline: list[list[Any]] = []

                async def copy_while_others_append(
                    log: Any, claim: RebuildClaim, until: int, told: Callable[[int], None]
                ) -> int:
                    done = await copy(log, claim, min(cut, until), told)
                    await obey(store, tenant_id, makers, streams, later)
                    inline.append(await shown(store, rebuildable, tenant_id))
                    return done

                patch.setattr(rebuildable, "copy", copy_while_others_append)
                made = await rebuild(store.database.url, store.keys, name, tenant_id)

                rebuilt = await shown(store, rebuildable, tenant_id)
                assert [rebuilt] == inline
                assert rebuilt == await folded(store, rebuildable, tenant_id)
                assert made.rows == len(rebuilt) == len(streams)
                assert await versions(store, name, tenant_id) <= {2}
                assert await versions(store, name, neighbour) <= {1}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rebuild_list, "BATCH_EVENTS", batch)
            patch.setattr(rebuild_list, "BATCH_ROWS", batch)
            patch.setattr(rebuilding, "FOLLOW_POSITIONS", follow)
            patch.setattr(rebuilding, "NEAR", follow)
            asyncio.run(scenario())

    come_out_the_same()


commands = st.lists(st.tuples(st.integers(-3, 5), st.integers(0, 2**16)), max_size=10)
"""Below 0 a stream begins, else one of those that are there decides; and what the dice say."""


async def obey(
    store: EventStore, tenant_id: UUID, makers: Makers, streams: list[UUID], given: list[tuple[int, int]]
) -> None:
    """Begin streams and let them decide; *streams* are those of the tenant."""
    begin, about = makers
    for which, seed in given:
        dice = random.Random(seed)
        begins = which < 0 or not streams
        before = NO_STREAM if begins else await store.load(tenant_id, streams[which % len(streams)])
        one: Any = begin(await store.number_of(LEAD_NUMBERS), dice) if begins else before.aggregate()
        for _ in range(dice.randrange(3)):
            dice.choice(about(one, dice))()
        await store.append(tenant_id, one, before, command="Change", origin=Origin(COMMAND_LINE))
        if begins:
            streams.append(one.id)
        if one.removed:
            streams.remove(one.id)
            async with store.database.transaction(tenant_id) as connection:
                await forget_properties(connection, tenant_id, [one])


SHOWN = """
SELECT {columns} FROM {table}
 WHERE tenant_id = %(tenant)s
   AND read_version = (SELECT {table}_version FROM heads WHERE tenant_id = %(tenant)s)
 ORDER BY {id}
"""

STREAMS = "SELECT stream_id FROM events WHERE tenant_id = %(tenant)s AND version = 1 ORDER BY stream_id"


async def shown(store: EventStore, rebuildable: ListRebuild, tenant_id: UUID) -> list[Any]:
    """What people read now: every column."""
    return await store.database.rows(rebuildable.model.statement(SHOWN), {"tenant": tenant_id})


async def folded(store: EventStore, rebuildable: ListRebuild, tenant_id: UUID) -> list[Any]:
    """The same as the events have it, each stream folded from its beginning."""
    model = rebuildable.model
    rows = []
    for (stream_id,) in await store.database.rows(STREAMS, {"tenant": tenant_id}):
        stream = (await store.load(tenant_id, stream_id)).events
        place = {"tenant": tenant_id, "position": stream[-1].position}
        before = [moment for (moment,) in await store.database.rows(BEFORE, place)]
        for row in model.rows((), [recorded.event for recorded in stream]):
            row = model.counted(row, *before or [None])
            rows.append(tuple(row[column] for column in model.columns))
    return rows


async def versions(store: EventStore, name: str, tenant_id: UUID) -> set[int]:
    """The versions of which there are rows."""
    query = f"SELECT DISTINCT read_version FROM {name} WHERE tenant_id = %(tenant)s"
    return {version for (version,) in await store.database.rows(query, {"tenant": tenant_id})}
