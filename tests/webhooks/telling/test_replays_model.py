"""Whatever happens in which order, and whatever is killed: an endpoint hears of everything since its registration, in
the same bytes each time, and nothing twice that was not asked for twice.

Random logs, endpoints that rest, a projector that lags, replays, redeliveries, pruning; connections that are lost
before any statement of a projector or of a replay.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aureum.store.event_store import EventStore
from aureum.webhooks.telling import replays
from aureum.webhooks.telling.projector import project
from aureum.webhooks.telling.replays import feed
from tests.examples import examples
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.control import disable, enable, finish, redeliver, replay
from tests.webhooks.killing import killed, make_mortal
from tests.webhooks.telling.projecting import catch_up
from tests.webhooks.tenants import change, head_of, register

STATUSES = ("contacted", "qualified", "showing", "offer", "lost", "new")

OPERATIONS = st.one_of(
    st.tuples(st.just("capture"), st.integers(1, 3)),
    st.tuples(st.just("change"), st.integers(1, 4)),
    st.tuples(st.just("rest"), st.just(0)),
    st.tuples(st.just("wake"), st.integers(0, 2)),
    st.tuples(st.just("project"), st.integers(1, 6)),
    st.tuples(st.just("feed"), st.just(0)),
    st.tuples(st.just("deliver"), st.integers(0, 3)),
    st.tuples(st.just("give up"), st.integers(0, 3)),
    st.tuples(st.just("prune"), st.just(0)),
    st.tuples(st.just("replay"), st.sampled_from(["all", "failed", "missing"])),
    st.tuples(st.just("redeliver"), st.integers(0, 20)),
    st.tuples(st.just("kill projector"), st.integers(1, 22)),
    st.tuples(st.just("kill feeder"), st.integers(1, 18)),
)

BODIES = """
SELECT m.position, m.body
  FROM webhook_messages m
  JOIN webhook_deliveries d ON d.tenant_id = m.tenant_id AND d.position = m.position
 WHERE m.tenant_id = %(tenant)s
"""

PRUNE = """
DELETE FROM webhook_messages m
 WHERE m.tenant_id = %(tenant)s
   AND NOT EXISTS (
           SELECT FROM webhook_deliveries d WHERE d.tenant_id = m.tenant_id AND d.position = m.position
       )
"""


@dataclass
class Replaying:
    """A tenant with one endpoint; what it was told, and what was asked to be sent again."""

    store: EventStore
    victim: EventStore
    tenant: UUID
    endpoint: UUID
    leads: list[UUID] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    tried: set[int] = field(default_factory=set)
    delivered: Counter[int] = field(default_factory=Counter)
    allowed: Counter[int] = field(default_factory=Counter)
    bodies: dict[int, bytes] = field(default_factory=dict)
    rests: bool = False

    async def saved(self) -> None:
        self.expected.add(await head_of(self.store, self.tenant))

    async def capture(self, leads: int) -> None:
        for _ in range(leads):
            self.leads.append((await capture(self.store, self.tenant)).id)
            await self.saved()

    async def change(self, events: int) -> None:
        if self.leads:
            lead = (await self.store.load(self.tenant, self.leads[-1])).aggregate()
            others = [status for status in STATUSES if status != lead.status]
            await change(self.store, self.tenant, self.leads[-1], *others[:events])
            await self.saved()

    async def rest(self, _: int) -> None:
        if not self.rests:
            await disable(self.store, self.tenant, self.endpoint)
            self.rests = True

    async def wake(self, meanwhile: int) -> None:
        if self.rests:
            await enable(self.store, self.tenant, self.endpoint, before_append=lambda: self.capture(meanwhile))
            self.rests = False

    async def project(self, limit: int) -> None:
        await project(self.store, self.tenant, limit)

    async def feed(self, _: int) -> None:
        await feed(self.store, self.tenant)

    async def deliver(self, leave: int) -> None:
        for position in await self.attempt("delivered", leave):
            self.delivered[position] += 1

    async def give_up(self, leave: int) -> None:
        await self.attempt("exhausted", leave)

    async def attempt(self, outcome: str, leave: int) -> list[int]:
        """Attempt what is queued, but for the first of it. A disabled endpoint's waits."""
        if self.rests:
            return []
        rows = await self.store.database.rows(BODIES, {"tenant": self.tenant})
        for position, body in rows:
            assert self.bodies.setdefault(position, body) == body
        keep = tuple(sorted(position for position, _ in rows)[:leave])
        sent = [position for _, position in await finish(self.store, self.tenant, outcome, keep)]
        assert set(sent) | set(keep) == {position for position, _ in rows}, "each delivery has its message"
        self.tried |= set(sent)
        return sent

    async def prune(self, _: int) -> None:
        await self.store.database.rows(PRUNE, {"tenant": self.tenant})

    async def replay(self, which: str) -> None:
        await replay(self.store, self.tenant, self.endpoint, since=3, which=which)
        if which == "all":
            self.allowed.update(self.expected)

    async def redeliver(self, choice: int) -> None:
        if self.expected:
            position = sorted(self.expected)[choice % len(self.expected)]
            await redeliver(self.store, self.tenant, self.endpoint, position)
            self.allowed[position] += 1

    async def kill_projector(self, statement: int) -> None:
        await killed(self.victim, self.tenant, statement, project(self.victim, self.tenant, 4))

    async def kill_feeder(self, statement: int) -> None:
        await killed(self.victim, self.tenant, statement, feed(self.victim, self.tenant))

    async def settle(self) -> None:
        """Let all that is under way come to its end."""
        await self.wake(0)
        for _ in range(200):
            await catch_up(self.store)
            await self.feed(0)
            await self.deliver(0)
            running = "SELECT 1 FROM webhook_replays WHERE tenant_id = %(tenant)s AND state = 'running'"
            if not await self.store.database.rows(running, {"tenant": self.tenant}):
                return
        raise AssertionError("A replay never ends.")


async def live_through(url: str, operations: list[tuple[str, Any]]) -> None:
    async with opened_store(url) as store, opened_store(url) as victim:
        await make_mortal(victim)
        tenant = await open_brokerage(store)
        # What was before it is none of its business.
        await capture(store, tenant)
        replaying = Replaying(store, victim, tenant, await register(store, tenant))
        for name, argument in operations:
            await getattr(replaying, name.replace(" ", "_"))(argument)
        await replaying.settle()
        assert replaying.tried == replaying.expected
        for position in replaying.expected:
            assert replaying.delivered[position] <= 1 + replaying.allowed[position]
        await replay(store, tenant, replaying.endpoint, since=3, which="missing")
        await replaying.settle()
        assert set(replaying.delivered) == replaying.expected
        first = dict(replaying.bodies)
        await replaying.prune(0)
        await replay(store, tenant, replaying.endpoint, since=3)
        await replaying.settle()
        assert replaying.bodies == first
        left = "SELECT 1 FROM webhook_deliveries WHERE tenant_id = %(tenant)s"
        assert await store.database.rows(left, {"tenant": tenant}) == []


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(operations=st.lists(OPERATIONS, max_size=25))
def test_an_endpoint_hears_of_everything_since_its_registration(
    module_database_url: str, operations: list[tuple[str, Any]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replays, "BATCH", 3)
        asyncio.run(asyncio.wait_for(live_through(module_database_url, operations), 60))
