"""Between whom an append chooses: the longest not chosen, the fewest times chosen, never beyond what each may."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aureum.commands.leads import NUMBERS
from aureum.domain import ids
from aureum.domain.errors import DayFull
from aureum.domain.routing.turns import NEVER, Taken, whose_turn
from aureum.store.append import Append, Outcome
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.guards import Choice, Turn
from aureum.store.metadata import VISITOR, Origin
from aureum.store.postgres.database import Database
from aureum.store.writer import AppendWriter
from tests.conftest import MASTER_KEY
from tests.stores import new_lead, open_brokerage, opened_store

ANA, BEN, CORA = (UUID(int=number) for number in (1, 2, 3))
ROWS = "SELECT assigned_to, doc FROM lead_list WHERE tenant_id = %(tenant)s AND lead_id = %(lead)s"
CHAINED = """
SELECT count(*) FROM events WHERE tenant_id = %(tenant)s AND position(%(placeholder)s IN encode(data, 'escape')) > 0
"""


def turn(*users: UUID, most: dict[UUID, int] | None = None, window: str = "monday", fewest: bool = False) -> Turn:
    placeholder = ids.new_id() if len(users) > 1 else users[0]
    choices = tuple(Choice(user, ids.to_wire(user), (most or {}).get(user)) for user in users)
    return Turn(placeholder, ids.to_wire(placeholder), choices, window, fewest)


async def chosen(store: EventStore, tenant_id: UUID, of: Turn) -> UUID:
    """Whom the append of a lead chooses; everywhere the same one."""
    lead = new_lead(number=await store.number_of(NUMBERS), assigned_to=of.placeholder, routing={"mode": "round_robin"})
    appended = await store.append(
        tenant_id, lead, NO_STREAM, command="CaptureLead", origin=Origin(VISITOR), guards=(of,)
    )
    assert appended.chosen is not None
    stored = (await store.load(tenant_id, lead.id)).aggregate()
    ((assigned_to, doc),) = await store.database.tenant_rows(tenant_id, ROWS, {"tenant": tenant_id, "lead": lead.id})
    assert stored.assigned_to == assigned_to == appended.chosen and ids.to_wire(appended.chosen) in doc
    if len(of.choices) > 1:
        about = {"tenant": tenant_id, "placeholder": str(of.placeholder)}
        assert of.placeholder_shown not in doc
        assert await store.database.rows(CHAINED, about) == [(0,)]
    return appended.chosen


def on_a_tenant(url: str, scenario: Callable[[EventStore, UUID], Awaitable[None]]) -> None:
    async def run() -> None:
        async with opened_store(url) as store:
            await scenario(store, await open_brokerage(store))

    asyncio.run(run())


def test_each_in_turn_then_the_one_who_waited_longest(module_database_url: str) -> None:
    async def scenario(store: EventStore, tenant_id: UUID) -> None:
        everyone = [await chosen(store, tenant_id, turn(CORA, ANA, BEN)) for _ in range(6)]
        # Of those who were never chosen, the first in their order.
        assert everyone == [CORA, ANA, BEN] * 2
        assert await chosen(store, tenant_id, turn(ANA, BEN)) == ANA
        assert await chosen(store, tenant_id, turn(BEN)) == BEN
        assert await chosen(store, tenant_id, turn(ANA, BEN, CORA)) == CORA
        other = await open_brokerage(store)
        assert await chosen(store, other, turn(ANA, BEN)) == ANA

    on_a_tenant(module_database_url, scenario)


def test_the_fewest_in_a_window(module_database_url: str) -> None:
    async def scenario(store: EventStore, tenant_id: UUID) -> None:
        for user in (ANA, ANA, BEN):
            await chosen(store, tenant_id, turn(user))
        assert await chosen(store, tenant_id, turn(ANA, BEN, fewest=True)) == BEN
        # Equals: the one who waited longest.
        assert await chosen(store, tenant_id, turn(BEN, ANA, fewest=True)) == ANA
        assert await chosen(store, tenant_id, turn(ANA, BEN, window="tuesday", fewest=True)) == BEN

    on_a_tenant(module_database_url, scenario)


def test_nothing_is_appended_while_a_choice_is_full(module_database_url: str) -> None:
    async def scenario(store: EventStore, tenant_id: UUID) -> None:
        most = {ANA: 1, BEN: 2}
        assert await chosen(store, tenant_id, turn(ANA, BEN, most=most)) == ANA
        with pytest.raises(DayFull) as full:
            await chosen(store, tenant_id, turn(ANA, BEN, CORA, most=most))
        assert full.value.names == {ANA}
        assert await chosen(store, tenant_id, turn(BEN, CORA, most=most)) == BEN
        # Another window, another count.
        assert await chosen(store, tenant_id, turn(ANA, BEN, most=most, window="tuesday")) == ANA

    on_a_tenant(module_database_url, scenario)


def test_appends_of_one_call_take_turns(module_database_url: str) -> None:
    async def scenario(store: EventStore, tenant_id: UUID) -> None:
        await chosen(store, tenant_id, turn(ANA, BEN, CORA))
        many = await asyncio.gather(*(chosen(store, tenant_id, turn(ANA, BEN, CORA)) for _ in range(32)))
        counts = Counter(many) + Counter([ANA])
        assert counts == {ANA: 11, BEN: 11, CORA: 11}

    on_a_tenant(module_database_url, scenario)


def test_the_fewest_count_what_the_same_call_has_chosen(module_database_url: str) -> None:
    async def scenario(store: EventStore, tenant_id: UUID) -> None:
        for _ in range(3):
            await chosen(store, tenant_id, turn(ANA))
        many = await asyncio.gather(*(chosen(store, tenant_id, turn(ANA, BEN, CORA, fewest=True)) for _ in range(12)))
        assert Counter(many) == {ANA: 2, BEN: 5, CORA: 5}
        # The next day all begin with none, in the same call as those of the day before.
        days = [turn(ANA, BEN, CORA, fewest=True, window=day) for day in ("monday", "tuesday", "tuesday", "tuesday")]
        assert len({await chosen(store, tenant_id, turn(*(ANA, BEN, CORA), fewest=True)) for _ in range(3)}) == 3
        _, *next_day = await asyncio.gather(*(chosen(store, tenant_id, day) for day in days))
        assert len(set(next_day)) == 3

    on_a_tenant(module_database_url, scenario)


def test_nothing_is_appended_once_the_same_call_has_filled_a_choice(module_database_url: str) -> None:
    async def scenario(store: EventStore, tenant_id: UUID) -> None:
        most = {ANA: 2, BEN: 9}
        many = await asyncio.gather(
            *(chosen(store, tenant_id, turn(ANA, BEN, most=most)) for _ in range(8)), return_exceptions=True
        )
        assert Counter(one for one in many if isinstance(one, UUID)) == {ANA: 2, BEN: 1}
        full = [one for one in many if isinstance(one, DayFull)]
        assert len(full) == 5 and all(one.names == {ANA} for one in full)

    on_a_tenant(module_database_url, scenario)


LINES = (
    turn(ANA, BEN, CORA),
    turn(BEN, ANA),
    turn(CORA),
    turn(ANA, BEN, CORA, fewest=True),
    turn(CORA, BEN, most={BEN: 1_000_000}),
)
"""Each is the same one for all appends of a brokerage, as for the forms of a moment: its choices are sent once."""

IN_ORDER = """
SELECT position, stream_id FROM events WHERE tenant_id = %(tenant)s AND type = 'lead.captured' ORDER BY position
"""


class Watched(AppendWriter):
    """Remembers the calls that the database refused. The writer repeats their appends one by one, which hides it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.refused: list[Exception] = []

    async def _call(self, appends: list[Append]) -> list[Outcome]:
        try:
            return await super()._call(appends)
        except Exception as error:
            self.refused.append(error)
            raise


@settings(max_examples=15, deadline=None)
@example([[(False, LINES[0])] * 11, [(False, LINES[0])] * 2])
@example([[(False, LINES[2]), (True, LINES[1]), *[(False, LINES[0])] * 8], [(False, LINES[0])] * 4])
@given(calls=st.lists(st.lists(st.tuples(st.booleans(), st.sampled_from(LINES)), max_size=24), min_size=1, max_size=3))
def test_whatever_is_appended_together_each_has_its_turn(
    module_database_url: str, calls: list[list[tuple[bool, Turn]]]
) -> None:
    async def run() -> None:
        async with Database(module_database_url) as database, Watched(module_database_url) as writer:
            store = EventStore(database, writer, TenantKeys(MasterKey(MASTER_KEY)))
            tenants = [await open_brokerage(store), await open_brokerage(store)]
            asked: dict[UUID, Turn] = {}

            async def append(tenant_id: UUID, of: Turn) -> UUID:
                number = await store.number_of(NUMBERS)
                lead = new_lead(number=number, assigned_to=of.placeholder, routing={"mode": "round_robin"})
                asked[lead.id] = of
                origin = Origin(VISITOR)
                appended = await store.append(
                    tenant_id, lead, NO_STREAM, command="CaptureLead", origin=origin, guards=(of,)
                )
                assert appended.chosen is not None
                found[lead.id] = appended.chosen
                return lead.id

            found: dict[UUID, UUID] = {}
            for call in calls:
                await asyncio.gather(*(append(tenants[second], of) for second, of in call))
            assert writer.refused == []
            for tenant_id in tenants:
                taken: dict[UUID, Taken] = {}
                for position, lead_id in await store.database.rows(IN_ORDER, {"tenant": tenant_id}):
                    of = asked[lead_id]
                    choices = [choice.id for choice in of.choices]
                    expected = whose_turn(choices, taken, of.window, fewest=of.fewest)
                    assert found[lead_id] == expected
                    taken[expected] = Taken(position, of.window, taken.get(expected, NEVER).times + 1)

    asyncio.run(run())
