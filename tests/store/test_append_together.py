"""New streams that are appended together with another one: all of them are in the log, or none."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.contact import Contact
from aureum.domain.errors import Conflict, KeyReused, NotFound
from aureum.domain.lead import Lead
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency, Stream
from aureum.store.metadata import VISITOR, Origin
from aureum.store.postgres.connection import Connection
from tests.examples import examples
from tests.store.appends import connected, log_of
from tests.stores import capture, new_lead, open_brokerage, opened_store

AT = ids.now()
ORIGIN = Origin(VISITOR, request_id="request")
TRACES = """
SELECT (SELECT count(*) FROM events WHERE tenant_id = %(tenant)s AND stream_id = %(stream)s),
       (SELECT count(*) FROM contact_list WHERE tenant_id = %(tenant)s AND contact_id = %(stream)s),
       (SELECT count(*) FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(stream)s)
"""
MOMENTS = "SELECT count(DISTINCT recorded_at) FROM events WHERE tenant_id = %(tenant)s AND position > 1"


def a_contact(contact_id: UUID | None = None, *, changed: bool = False) -> Contact:
    """A contact that is not stored yet, of one event or of two."""
    made = Contact.add(
        contact_id or ids.new_id(),
        AT,
        first_name="Jane",
        last_name="Doe",
        email="jane@example.com",
        phone=None,
        phone_e164=None,
        lead_id=None,
        created_by=None,
    )
    if changed:
        made.classify(AT, type="SELLER")
    return made


def once(key: str, request: str = "request") -> Idempotency:
    """An idempotency key, under which something is said that names it."""
    return Idempotency(key.encode(), request.encode(), lambda _: f"said to {key}".encode())


async def together(
    store: EventStore, tenant_id: UUID, before: Stream, *also: Contact, key: Idempotency | None = None
) -> Appended:
    """Two events of a lead, and the contacts."""
    lead: Lead = before.aggregate()
    lead.convert(also[0].id, lead.modified_on)
    return await store.append(tenant_id, lead, before, command="ConvertLead", origin=ORIGIN, idempotency=key, also=also)


Scenario = Callable[[EventStore, Connection, UUID], Awaitable[None]]


def on_a_tenant(url: str, scenario: Scenario) -> None:
    """A scenario on a brokerage of its own."""

    async def run() -> None:
        async with opened_store(url) as store, connected(url) as connection:
            await scenario(store, connection, await open_brokerage(store))

    asyncio.run(run())


async def absent(store: EventStore, tenant_id: UUID, contact: Contact) -> bool:
    """Whether nothing of the contact is there: no event, no row, no key."""
    return await store.database.rows(TRACES, {"tenant": tenant_id, "stream": contact.id}) == [(0, 0, 0)]


def test_all_streams_stand_in_the_log_one_behind_the_other(module_database_url: str) -> None:
    async def scenario(store: EventStore, connection: Connection, tenant_id: UUID) -> None:
        lead = await capture(store, tenant_id)
        first, second = a_contact(changed=True), a_contact()

        appended = await together(store, tenant_id, await store.load(tenant_id, lead.id), first, second)

        assert appended.position == 3, "that of the lead's own last event"
        assert await log_of(connection, tenant_id) == [
            (1, lead.id, 1),
            (2, lead.id, 2),
            (3, lead.id, 3),
            (4, first.id, 1),
            (5, first.id, 2),
            (6, second.id, 1),
        ]
        stream = await store.load(tenant_id, first.id)
        assert [recorded.metadata["append"] for recorded in stream.events] == [[1, 2], [2, 2]]
        assert {recorded.metadata["command"] for recorded in stream.events} == {"ConvertLead"}
        assert await store.database.rows(MOMENTS, {"tenant": tenant_id}) == [(1,)]
        found: Contact = stream.aggregate()
        assert (found.first_name, found.type) == ("Jane", "SELLER"), "encrypted with a key of its own"
        for contact in (first, second):
            assert await store.database.rows(TRACES, {"tenant": tenant_id, "stream": contact.id}) == [
                (contact.version, 1, 1)
            ]

    on_a_tenant(module_database_url, scenario)


def test_a_conflict_of_the_first_refuses_all(module_database_url: str) -> None:
    async def scenario(store: EventStore, connection: Connection, tenant_id: UUID) -> None:
        lead = await capture(store, tenant_id)
        before = await store.load(tenant_id, lead.id)
        winner, loser = a_contact(), a_contact()

        answers = await asyncio.gather(
            together(store, tenant_id, before, winner),
            together(store, tenant_id, before, loser, key=once("loser")),
            return_exceptions=True,
        )

        assert isinstance(answers[0], Appended) and isinstance(answers[1], Conflict)
        assert len(await log_of(connection, tenant_id)) == 4
        assert await absent(store, tenant_id, loser)
        assert await store.remembered(tenant_id, once("loser")) is None

    on_a_tenant(module_database_url, scenario)


def test_one_that_has_begun_already_refuses_all(module_database_url: str) -> None:
    async def scenario(store: EventStore, connection: Connection, tenant_id: UUID) -> None:
        lead = await capture(store, tenant_id)
        begun, other = a_contact(), a_contact()
        await store.append(tenant_id, begun, NO_STREAM, command="AddContact", origin=ORIGIN)
        before = await store.load(tenant_id, lead.id)

        with pytest.raises(Conflict):
            await together(store, tenant_id, before, other, a_contact(begun.id), key=once("key"))

        assert await log_of(connection, tenant_id) == [(1, lead.id, 1), (2, begun.id, 1)]
        assert await absent(store, tenant_id, other)
        assert await store.remembered(tenant_id, once("key")) is None
        assert (await together(store, tenant_id, before, other, key=once("key"))).position == 4

    on_a_tenant(module_database_url, scenario)


def test_under_a_key_all_of_it_happens_once(module_database_url: str) -> None:
    async def scenario(store: EventStore, connection: Connection, tenant_id: UUID) -> None:
        lead = await capture(store, tenant_id)
        before = await store.load(tenant_id, lead.id)
        first, again, other = a_contact(), a_contact(), a_contact()
        await together(store, tenant_id, before, first, key=once("key"))
        log = await log_of(connection, tenant_id)

        # The stream has grown meanwhile, too: the key counts before that.
        replayed = await together(store, tenant_id, before, again, key=once("key"))
        with pytest.raises(KeyReused):
            await together(store, tenant_id, before, other, key=once("key", "another request"))

        assert (replayed.position, replayed.remembered) == (None, b"said to key")
        assert await log_of(connection, tenant_id) == log and len(log) == 4
        assert await absent(store, tenant_id, again) and await absent(store, tenant_id, other)

    on_a_tenant(module_database_url, scenario)


def test_of_an_unknown_tenant_nothing_is_stored(module_database_url: str) -> None:
    async def scenario(store: EventStore, connection: Connection, tenant_id: UUID) -> None:
        nowhere, contact = ids.new_id(), a_contact()

        with pytest.raises(NotFound):
            await store.append(nowhere, new_lead(), NO_STREAM, command="x", origin=ORIGIN, also=(contact,))

        assert await absent(store, nowhere, contact)

    on_a_tenant(module_database_url, scenario)


LEADS = 3
TENANTS = 2


@dataclass(frozen=True)
class Wish:
    """A wish: a lead is to be converted, or only its notes changed (no contacts), maybe under an idempotency key."""

    tenant: int
    lead: int
    contacts: int
    key: int | None


wishes = st.builds(
    Wish,
    tenant=st.integers(0, TENANTS - 1),
    lead=st.integers(0, LEADS - 1),
    contacts=st.integers(0, 2),
    key=st.none() | st.integers(0, 1),
)
waves = st.lists(st.lists(wishes, min_size=1, max_size=8), min_size=1, max_size=3)
"""The wishes of a wave are decided at the same moment, on what the waves before have left."""

LEAD_IDS = tuple(ids.new_id() for _ in range(LEADS))


async def granted(store: EventStore, tenant_id: UUID, wish: Wish, before: Stream, contacts: list[Contact]) -> str:
    """What the caller hears."""
    lead: Lead = before.aggregate()
    if contacts:
        lead.convert(contacts[0].id, AT)
    lead.change_details({"notes": f"{len(before.events)} events"}, AT)
    key = None if wish.key is None else once(str(wish.key), str((wish.lead, wish.contacts)))
    try:
        done = await store.append(
            tenant_id, lead, before, command="Wish", origin=ORIGIN, idempotency=key, also=contacts
        )
    except (Conflict, KeyReused) as error:
        return type(error).__name__
    return "appended" if done.remembered is None else done.remembered.decode()


async def carried_out(
    store: EventStore, connection: Connection, wished: list[list[Wish]]
) -> tuple[list[list[str]], list[list[Any]]]:
    """The answers of each wave, and the logs afterwards, with each contact's place among the wishes for its id."""
    tenants = [await open_brokerage(store) for _ in range(TENANTS)]
    for tenant_id in tenants:
        for lead_id in LEAD_IDS:
            await capture(store, tenant_id, lead_id=lead_id, at=AT)
    names: dict[UUID, object] = {lead_id: lead_id for lead_id in LEAD_IDS}
    answers = []
    for number, wave in enumerate(wished):
        asked = []
        for place, wish in enumerate(wave):
            contacts = [a_contact(changed=bool(more)) for more in range(wish.contacts)]
            names |= {contact.id: (number, place, more) for more, contact in enumerate(contacts)}
            before = await store.load(tenants[wish.tenant], LEAD_IDS[wish.lead])
            asked.append((tenants[wish.tenant], wish, before, contacts))
        answers.append(await asyncio.gather(*(granted(store, *one) for one in asked)))
    logs = [
        [(names[stream_id], version) for _, stream_id, version in await log_of(connection, tenant_id)]
        for tenant_id in tenants
    ]
    for tenant_id in tenants:
        rows = await store.database.rows(CONTACTS, {"tenant": tenant_id})
        logs.append(sorted((str(names[contact_id]), version) for contact_id, version in rows))
    return answers, logs


CONTACTS = "SELECT contact_id, stream_version FROM contact_list WHERE tenant_id = %(tenant)s"


def test_grouped_as_alone(module_database_url: str) -> None:
    async def compare(wished: list[list[Wish]]) -> None:
        async with (
            opened_store(module_database_url) as grouped,
            opened_store(module_database_url, grouped=False) as alone,
            connected(module_database_url) as connection,
        ):
            group_answers, group_logs = await carried_out(grouped, connection, wished)
            single_answers, single_logs = await carried_out(alone, connection, wished)
            assert group_answers == single_answers
            for ours, theirs in zip(group_logs, single_logs, strict=True):
                # An append that names a stream or key which stands in the group already waits for the next group.
                assert sorted(ours, key=str) == sorted(theirs, key=str)
                if all(map(nothing_twice, wished)):
                    assert ours == theirs

    @settings(max_examples=examples(25), deadline=None)
    @given(waves)
    def come_out_the_same(wished: list[list[Wish]]) -> None:
        asyncio.run(compare(wished))

    come_out_the_same()


def nothing_twice(wave: list[Wish]) -> bool:
    """Whether no stream and no key stands twice in the wave: then even the order is that of the wishes."""
    streams = {(wish.tenant, wish.lead) for wish in wave}
    keys = [(wish.tenant, wish.key) for wish in wave if wish.key is not None]
    return len(streams) == len(wave) and len(set(keys)) == len(keys)
