"""Appends that share a call come out as if each had gone alone."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from aureum.domain import ids
from aureum.domain.errors import Conflict, KeyReused
from aureum.domain.lead import STATUSES, Lead
from aureum.store.event_store import EventStore, Idempotency, Stream
from aureum.store.metadata import VISITOR, Origin
from tests.examples import examples
from tests.store.appends import connected, log_of
from tests.stores import new_lead, open_brokerage, opened_store

TENANTS = 2
LEADS = 4


@dataclass(frozen=True)
class Change:
    """A wish: the lead gets this status (None: these notes), maybe under an Idempotency-Key."""

    tenant: int
    lead: int
    status: str | None
    notes: str
    key: int | None


changes = st.builds(
    Change,
    tenant=st.integers(0, TENANTS - 1),
    lead=st.integers(0, LEADS - 1),
    status=st.none() | st.sampled_from(STATUSES),
    notes=st.sampled_from(("called", "written")),
    key=st.none() | st.integers(0, 2),
)
waves = st.lists(st.lists(changes, min_size=1, max_size=12), max_size=4)
"""The changes of a wave are decided at the same moment, on what the waves before have left."""

LEAD_IDS = tuple(ids.new_id() for _ in range(LEADS))
AT = ids.now()


def decided(change: Change, before: Stream) -> Lead:
    """What the change makes of the lead; of one that is not there yet, that it is captured."""
    lead: Lead | None = before.aggregate()
    if lead is None:
        return new_lead(change.lead, lead_id=LEAD_IDS[change.lead], at=AT, notes=change.notes)
    if change.status is not None:
        lead.change_status(change.status, AT)
    else:
        lead.change_details({"notes": change.notes}, AT)
    return lead


async def answer(store: EventStore, tenants: list[UUID], change: Change, before: Stream) -> str:
    """What the caller hears."""
    idempotency = None
    if change.key is not None:
        said = f"{change.status} {change.notes}".encode()
        idempotency = Idempotency(b"key %d" % change.key, str(change).encode(), lambda _: said)
    lead = decided(change, before)
    tenant_id, origin = tenants[change.tenant], Origin(VISITOR, request_id="request")
    try:
        done = await store.append(tenant_id, lead, before, command="Change", origin=origin, idempotency=idempotency)
    except (Conflict, KeyReused) as error:
        return type(error).__name__
    if done.remembered is not None:
        return done.remembered.decode()
    return "nothing to do" if done.position is None else "appended"


async def carried_out(store: EventStore, wished: list[list[Change]]) -> tuple[list[UUID], list[list[str]]]:
    """Tenants of their own, and the answers of each wave."""
    tenants = [await open_brokerage(store) for _ in range(TENANTS)]
    for tenant_id in tenants:
        await store.tenant_key(tenant_id)
    answers = []
    for wave in wished:
        streams = [await store.load(tenants[change.tenant], LEAD_IDS[change.lead]) for change in wave]
        pairs = zip(wave, streams, strict=True)
        answers.append(await asyncio.gather(*(answer(store, tenants, change, before) for change, before in pairs)))
    return tenants, answers


TABLES = (
    # Not updated_at: it is no earlier than the append before was recorded.
    "SELECT lead_id, number, stream_version, status, source, assigned_to, doc FROM lead_list "
    "WHERE tenant_id = %s ORDER BY lead_id",
    "SELECT status, leads FROM lead_counts WHERE tenant_id = %s ORDER BY status",
    "SELECT subject_id FROM subject_keys WHERE tenant_id = %s ORDER BY subject_id",
    "SELECT key, request_hash FROM idempotency_keys WHERE tenant_id = %s ORDER BY key",
)


async def stored(store: EventStore, connection: AsyncConnection[Any], tenant_id: UUID) -> list[Any]:
    """Everything that must not depend on who shared a call with whom."""
    streams = [await store.load(tenant_id, lead_id) for lead_id in LEAD_IDS]
    events = [[(type(r.event), vars(r.event), r.metadata) for r in stream.events] for stream in streams]
    tables = [await (await connection.execute(query, [tenant_id])).fetchall() for query in TABLES]
    counted = Counter(lead.status for stream in streams if (lead := stream.aggregate()) is not None)
    assert {status: leads for status, leads in tables[1] if leads} == counted
    return [events, tables]


def nothing_twice(wave: list[Change]) -> bool:
    """Whether no stream and no key stands twice in the wave: then even the order is that of the wishes."""
    streams = {(change.tenant, change.lead) for change in wave}
    keys = [(change.tenant, change.key) for change in wave if change.key is not None]
    return len(streams) == len(wave) and len(set(keys)) == len(keys)


def test_grouped_as_alone(module_database_url: str) -> None:
    with asyncio.Runner() as runner:
        opened = AsyncExitStack()
        together, alone = (
            runner.run(opened.enter_async_context(opened_store(module_database_url, grouped=grouped)))
            for grouped in (True, False)
        )
        connection = runner.run(opened.enter_async_context(connected(module_database_url)))

        async def compare(wished: list[list[Change]]) -> None:
            of_group, group_answers = await carried_out(together, wished)
            of_single, single_answers = await carried_out(alone, wished)
            assert group_answers == single_answers
            for ours, theirs in zip(of_group, of_single, strict=True):
                assert await stored(together, connection, ours) == await stored(alone, connection, theirs)
                group_log, single_log = await log_of(connection, ours), await log_of(connection, theirs)
                if all(map(nothing_twice, wished)):
                    assert group_log == single_log

        @settings(max_examples=examples(40), deadline=None)
        @given(waves)
        def come_out_the_same(wished: list[list[Change]]) -> None:
            runner.run(compare(wished))

        try:
            come_out_the_same()
        finally:
            runner.run(opened.aclose())
