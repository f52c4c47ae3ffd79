"""Guards of appends, any mix of them over groups, beside a model that decides one append after the other."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain.errors import Unavailable
from aureum.store.append import Append, Outcome, Remember, call
from aureum.store.groups import Waiting, take
from aureum.store.guards import AtMost, Guard, Once, Unchanged, Unique
from aureum.store.postgres.connection import Connection
from aureum.store.writer import AppendWriter
from tests.examples import examples
from tests.store.appends import an_append, connected, log_of, new_tenants, remember

TENANTS = 2
SECONDS = 600

MINUTE_LATER = "UPDATE rate_limits SET window_start = window_start - interval '60 seconds' WHERE tenant_id = %s"
TEN_MINUTES_LATER = "UPDATE recent_streams SET expires_at = expires_at - interval '10 minutes' WHERE tenant_id = %s"
CHANGED = "UPDATE heads SET directory_version = directory_version + 1 WHERE tenant_id = %s"
ERASED = "DELETE FROM subject_keys WHERE tenant_id = %s"
NAMES = "SELECT purpose, name, stream_id FROM taken_names WHERE tenant_id = %s"
COUNTS = "SELECT convert_from(bucket, 'UTF8'), used FROM rate_limits WHERE tenant_id = %s"
BEGUN = "SELECT once, stream_id FROM recent_streams WHERE tenant_id = %s"


@dataclass
class Model:
    """What a tenant's guards know."""

    position: int = 0
    directory_version: int = 1
    streams: dict[UUID, int] = field(default_factory=dict)
    erased: set[UUID] = field(default_factory=set)
    names: dict[tuple[str, str], UUID] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    begun: dict[bytes, tuple[UUID, int]] = field(default_factory=dict)
    remembered: dict[bytes, Remember] = field(default_factory=dict)
    held_before: dict[bytes, UUID] = field(default_factory=dict)
    """Before the group: a stream that grows in it has not grown yet for who sends the same at the same moment."""

    def decide(self, append: Append) -> tuple[str, Any]:
        """The outcome of *append*, and what it says besides; what is appended holds from now on."""
        guards = {type(guard): guard for guard in append.guards}
        match guards.get(Unchanged):
            case Unchanged(version) if version != self.directory_version:
                return "stale", None
        match guards.get(Once):
            case Once(key) if key in self.held_before:
                return "again", self.held_before[key].bytes
        if append.remember and append.remember.key in self.remembered:
            before = self.remembered[append.remember.key]
            same = before.request == append.remember.request
            return ("done", before.answer) if same else ("reused", None)
        match guards.get(AtMost):
            case AtMost(counter, most) if self.counts.get(counter, 0) >= most:
                return "limited", None
        if append.expected_version and self.streams.get(append.stream_id, 0) != append.expected_version:
            return "version", None
        match guards.get(Unique):
            case Unique(purpose, name) if (purpose, name) in self.names:
                return "taken", None
        return "appended", self.keep(append)

    def holding(self) -> dict[bytes, UUID]:
        """What has begun a stream that is unchanged since."""
        return {
            key: stream
            for key, (stream, version) in self.begun.items()
            if self.streams[stream] == version and stream not in self.erased
        }

    def keep(self, append: Append) -> int:
        """Append; the position."""
        self.position += len(append.events)
        position = self.position
        self.streams[append.stream_id] = append.expected_version + len(append.events)
        for other in append.also:
            self.position += len(other.events)
            self.streams[other.stream_id] = len(other.events)
        for guard in append.guards:
            match guard:
                case Once(key):
                    self.begun[key] = append.stream_id, self.streams[append.stream_id]
                case AtMost(counter):
                    self.counts[counter] = self.counts.get(counter, 0) + 1
                case Unique(purpose, name):
                    self.names[purpose, name] = append.stream_id
        if append.remember:
            self.remembered[append.remember.key] = append.remember
        return position


@dataclass(frozen=True)
class Wish:
    """An append to come: ``stream`` is the place of one that there is then (None: a new one)."""

    tenant: int
    stream: int | None
    late: bool
    events: int
    also: int
    key: tuple[int, int] | None
    guards: tuple[Guard, ...]

    def append(self, tenant_id: UUID, model: Model) -> Append:
        """The append, decided on what there is."""
        streams = sorted(model.streams, key=str)
        stream = streams[self.stream % len(streams)] if self.stream is not None and streams else None
        expected = 0 if stream is None else max(1, model.streams[stream] - self.late)
        return an_append(
            tenant_id,
            stream,
            expected,
            self.events,
            subject_key=b"" if stream else b"wrapped",
            guards=tuple(guard for guard in self.guards if stream is None or not isinstance(guard, Once)),
            remember=self.key and remember(str(self.key[0]), str(self.key[1]), f"answer {uuid4()}"),
            also=tuple(an_append(tenant_id, subject_key=b"wrapped") for _ in range(self.also)),
        )


few = st.integers(0, 2)
guards = st.tuples(
    st.none() | st.builds(Unchanged, st.integers(1, 2)),
    st.none() | st.builds(Once, few.map(lambda number: bytes([number])), st.just(SECONDS)),
    st.none() | st.builds(AtMost, few.map(str), st.integers(1, 3)),
    st.none() | st.builds(Unique, st.sampled_from(("slug", "number")), few.map(str)),
).map(lambda given: tuple(guard for guard in given if guard is not None))
wishes = st.builds(
    Wish,
    tenant=st.integers(0, TENANTS - 1),
    stream=st.none() | few,
    late=st.booleans(),
    events=st.integers(1, 2),
    also=st.integers(0, 1),
    key=st.none() | st.tuples(few, st.integers(0, 1)),
    guards=guards,
)
happenings = st.sampled_from([MINUTE_LATER, TEN_MINUTES_LATER, CHANGED, ERASED])
steps = st.lists(st.lists(wishes, min_size=1, max_size=8) | happenings, min_size=1, max_size=6)


def groups(appends: list[Append]) -> Iterator[list[Append]]:
    """As the writer makes them."""
    waiting = [Waiting(append, asyncio.get_running_loop().create_future()) for append in appends]
    while waiting:
        group, waiting = take(waiting, 64)
        yield [one.append for one in group]


def happen(model: Model, what: str) -> None:
    """To a tenant."""
    match what:
        case str() if what == MINUTE_LATER:
            model.counts.clear()
        case str() if what == TEN_MINUTES_LATER:
            model.begun.clear()
        case str() if what == CHANGED:
            model.directory_version += 1
        case str() if what == ERASED:
            model.erased |= set(model.streams)


def said(outcome: Outcome) -> Any:
    """What the outcome says besides its word."""
    return outcome.position if outcome.outcome == "appended" else outcome.answer


async def beside_the_model(url: str, given: list[Any]) -> None:
    async with connected(url) as connection:
        tenants = await new_tenants(connection, TENANTS)
        models = {tenant: Model() for tenant in tenants}
        for step in given:
            if isinstance(step, str):
                for tenant in tenants:
                    await connection.execute(step.encode(), [tenant])
                    happen(models[tenant], step)
                continue
            appends = [wish.append(tenants[wish.tenant], models[tenants[wish.tenant]]) for wish in step]
            for group in groups(appends):
                for model in models.values():
                    model.held_before = model.holding()
                outcomes = await call(connection, group, "5s")
                order = sorted(range(len(group)), key=lambda place: group[place].tenant_id)
                for place in order:
                    decided = models[group[place].tenant_id].decide(group[place])
                    assert (outcomes[place].outcome, said(outcomes[place])) == decided
                    assert (outcomes[place].retry_at is not None) == (decided[0] == "limited")
        for tenant, model in models.items():
            await compare(connection, tenant, model)


async def compare(connection: Connection, tenant: UUID, model: Model) -> None:
    """The tables with the model."""

    async def rows(query: str) -> list[Any]:
        return await (await connection.execute(query.encode(), [tenant])).fetchall()

    log = await log_of(connection, tenant)
    assert len(log) == model.position
    assert {stream: version for _, stream, version in log} == model.streams
    assert {(purpose, name): stream for purpose, name, stream in await rows(NAMES)} == model.names
    counts = dict(await rows(COUNTS))
    assert {counter: counts[counter] for counter in model.counts} == model.counts
    begun = dict(await rows(BEGUN))
    assert {key: begun[key] for key in model.holding()} == model.holding()


def test_any_mix_of_guards_is_decided_in_order(module_database_url: str) -> None:
    @settings(max_examples=examples(120), deadline=None)
    @given(steps)
    def comes_out_like_the_model(given: list[Any]) -> None:
        asyncio.run(beside_the_model(module_database_url, given))

    comes_out_like_the_model()


@pytest.mark.parametrize(
    "guard", [Once(b"key", SECONDS), Unique("slug", "maple")], ids=lambda guard: type(guard).__name__
)
def test_the_same_of_another_tenant_is_another(module_database_url: str, guard: Guard) -> None:
    async def run() -> None:
        async with connected(module_database_url) as connection:
            tenants = await new_tenants(connection, 2)
            appends = [an_append(tenant, guards=(guard,), subject_key=b"wrapped") for tenant in tenants]
            assert [outcome.outcome for outcome in await call(connection, appends, "5s")] == ["appended"] * 2

    asyncio.run(run())


def test_a_held_tenant_decides_nothing(module_database_url: str) -> None:
    async def run() -> None:
        async with connected(module_database_url) as connection, connected(module_database_url) as holder:
            (tenant,) = await new_tenants(connection, 1)
            guards = (AtMost("counter", 1), Once(b"once", SECONDS), Unique("slug", "maple"), Unchanged(1))
            append = an_append(tenant, guards=guards, subject_key=b"wrapped")
            async with holder.transaction():
                await holder.execute("SELECT FROM heads WHERE tenant_id = %s FOR UPDATE", [tenant])
                (outcome,) = await call(connection, [append], "50ms", skip_locked=True)
                assert outcome.outcome == "held"
            (outcome,) = await call(connection, [append], "5s")
            assert outcome.outcome == "appended"

    asyncio.run(run())


def test_a_database_of_another_version_is_told_so(database_url: str) -> None:
    """Whose appends have a column more."""

    async def run() -> None:
        async with AppendWriter(database_url) as writer, connected(database_url) as connection:
            (tenant,) = await new_tenants(connection, 1)
            assert (await writer.append(an_append(tenant))).outcome == "appended"
            await connection.execute("ALTER TYPE append_item ADD ATTRIBUTE another integer")
            with pytest.raises(Unavailable, match="not of this program's version"):
                await writer.append(an_append(tenant))

    asyncio.run(run())
