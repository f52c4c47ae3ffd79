"""The queue against a model of it, on three endpoints of one tenant: in no order, keyed, first in first out.

Two workers, and any order of projecting, replaying, claiming, finishing, losing leases, disabling and time passing.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from aureum.domain import ids
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.store.event_store import EventStore
from aureum.webhooks.queue.health import Health, Result, after
from aureum.webhooks.queue.lanes import Claim, due_tenants
from aureum.webhooks.queue.leases import give_back, reap
from aureum.webhooks.sending.results import Failure
from tests.examples import examples
from tests.stores import open_brokerage, opened_store
from tests.webhooks.queue.queued import claim, completion, enqueue, expire, queue, write
from tests.webhooks.tenants import attempts, change_endpoint, register

WORKERS = (uuid4(), uuid4())
STEPS = ("leases_end", "project", "replay", "give_back", "hour", "disable")
MODES = ("parallel", "keyed", "fifo")
HOUR = timedelta(hours=1)
REPLAY = uuid4()

Key = tuple[UUID, int]


@dataclass(frozen=True)
class Delivery:
    """What the model knows of one row; ``waits``: it is due, but only in an hour. ``key``: of a keyed endpoint."""

    attempt: int = 0
    owner: UUID | None = None
    waits: bool = False
    expired: bool = False
    replayed: bool = False
    key: int | None = None


def in_mode(mode: str, endpoint: WebhookEndpoint) -> None:
    endpoint.change_details({"mode": mode}, ids.now())


class Queue(RuleBasedStateMachine):
    """One tenant of its own in the database of the test."""

    runner: asyncio.Runner
    store: EventStore

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(asyncio.wait_for(coroutine, 10))

    def execute(self, statement: str, **parameters: Any) -> list[Any]:
        rows: list[Any] = self.wait(self.store.database.rows(statement, {"tenant": self.tenant} | parameters))
        return rows

    @initialize()
    def open(self) -> None:
        self.tenant = self.wait(open_brokerage(self.store))
        self.endpoints = [self.wait(register(self.store, self.tenant)) for _ in MODES]
        self.modes = dict(zip(self.endpoints, MODES, strict=True))
        for endpoint, mode in self.modes.items():
            self.wait(change_endpoint(self.store, self.tenant, endpoint, partial(in_mode, mode)))
        self.rows: dict[Key, Delivery] = {}
        self.health = {endpoint: Health() for endpoint in self.endpoints}
        self.disabled: set[UUID] = set()
        self.next_position = 1
        # Every claim that was ever made and not answered yet, even if another worker holds the delivery by now.
        self.claims: list[tuple[UUID, Claim]] = []
        self.outcomes: Counter[str] = Counter()
        for endpoint in range(len(MODES)):
            self.project(endpoint, 10, replayed=False)

    # One rule for all steps: hypothesis leaves out some rules of a machine in every run, and a queue without claims or
    # without lost leases shows nothing. Every step draws the same, whatever the queue holds: which of two lanes gives
    # the odd delivery depends on their ids, which are new in every run.
    @rule(
        step=st.sampled_from(["claim", "complete", "claim", "complete", "claim", "complete", *STEPS]),
        worker=st.sampled_from(WORKERS),
        number=st.integers(1, 12),
        share=st.integers(1, 10),
        error=st.sampled_from([None, None, None, Failure.TIMEOUT, Failure.HTTP_5XX]),
        yes=st.booleans(),
        place=st.integers(0, 99),
    )
    def step(
        self, step: str, worker: UUID, number: int, share: int, error: Failure | None, yes: bool, place: int
    ) -> None:
        match step:
            case "claim":
                self.claim(worker, number, share)
            case "complete":
                self.complete(worker, number, error, yes)
            case "give_back" if self.claims:
                self.give_back(place % len(self.claims))
            case "leases_end":
                self.leases_end(worker, yes)
            case "project" | "replay":
                self.project(place % len(MODES), 1 + number % 3, replayed=step == "replay")
            case "disable":
                self.disable(self.endpoints[place % len(MODES)])
            case "hour":
                self.an_hour_passes()

    def in_flight(self, endpoint: UUID) -> int:
        return sum(row.owner is not None for (e, _), row in self.rows.items() if e == endpoint)

    def room(self, endpoint: UUID, share: int) -> int:
        """What a claim may take of a lane."""
        health = self.health[endpoint]
        if endpoint in self.disabled or (health.open_until is not None and health.open_until > datetime.now(UTC)):
            return 0
        one = health.openings > 0 or self.modes[endpoint] == "fifo"
        return max(0, (1 if one else min(health.slots, share)) - self.in_flight(endpoint))

    def claimable(self, endpoint: UUID) -> list[int]:
        """What is due: in an order, the first of each row alone."""
        rows: dict[tuple[bool, Any], list[tuple[int, Delivery]]] = defaultdict(list)
        for (e, position), row in sorted(self.rows.items()):
            if e == endpoint:
                of = {"parallel": position, "keyed": row.key, "fifo": None}[self.modes[endpoint]]
                rows[row.replayed, of].append((position, row))
        return [position for (position, row), *_ in rows.values() if row.owner is None and not row.waits]

    def project(self, endpoint: int, number: int, *, replayed: bool) -> None:
        positions = range(self.next_position, self.next_position + number)
        self.next_position += number
        endpoint_id = self.endpoints[endpoint]
        keyed = self.modes[endpoint_id] == "keyed"
        keys = {p: p % 3 if keyed else None for p in positions}
        self.wait(enqueue(self.store, self.tenant, endpoint_id, positions))
        self.execute(
            "UPDATE webhook_deliveries SET key = CASE WHEN %(keyed)s THEN position %% 3 END, replay_id = %(replay)s"
            " WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s AND position >= %(since)s",
            keyed=keyed,
            replay=REPLAY if replayed else None,
            endpoint=endpoint_id,
            since=positions.start,
        )
        self.rows |= {(endpoint_id, p): Delivery(replayed=replayed, key=keys[p]) for p in positions}

    def claim(self, worker: UUID, limit: int, share: int) -> None:
        room = {e: self.room(e, share) for e in self.endpoints}
        claimable = {e: self.claimable(e) for e in self.endpoints}
        expected = {e: min(room[e], len(claimable[e])) for e in self.endpoints}
        found: list[Claim] = []
        for _ in self.endpoints:
            # One that takes little may meet a lane that was due too early; it then says when it really is, and the next
            # one finds the others.
            room_left = limit - len(found)
            if room_left:
                found += self.wait(claim(self.store.database, worker, self.tenant, limit=room_left, share=share))
        taken = Counter(c.endpoint_id for c in found)
        assert len(found) == min(limit, sum(expected.values()))
        assert all(number <= expected[e] for e, number in taken.items())
        assert all(one.position in claimable[one.endpoint_id] for one in found)
        for e in self.endpoints:
            left = [
                self.rows[e, p].replayed
                for p in claimable[e]
                if p not in {c.position for c in found if c.endpoint_id == e}
            ]
            if any(self.rows[e, c.position].replayed for c in found if c.endpoint_id == e):
                assert all(left), "a replayed delivery was taken before a live one"
        for one in found:
            key = one.endpoint_id, one.position
            row = self.rows[key]
            assert one.attempt == row.attempt + 1
            assert one.slots == self.health[one.endpoint_id].slots
            assert one.troubled == (self.health[one.endpoint_id].window_from is not None)
            self.rows[key] = replace(row, attempt=row.attempt + 1, owner=worker, expired=False)
            self.claims.append((worker, one))
        if not found:
            # It left the lanes that it saw with what is really due next.
            assert self.tenant not in self.wait(due_tenants(self.store.database, 1_000)) or share < 8

    def holds(self, worker: UUID, one: Claim) -> bool:
        row = self.rows.get((one.endpoint_id, one.position))
        return row is not None and row.owner == worker and row.attempt == one.attempt

    def complete(self, worker: UUID, number: int, error: Failure | None, last: bool) -> None:
        """One worker's outcomes, oldest first, whether it still holds the deliveries or not."""
        batch = [one for holder, one in self.claims if holder == worker][:number]
        self.claims = [pair for pair in self.claims if pair[0] != worker or pair[1] not in batch]
        if not batch:
            return
        pause = HOUR if error is not None and not last else None
        written = self.wait(
            write(self.store.database, worker, [completion(o, error=error, pause=pause) for o in batch])
        )
        for one in batch:
            key = one.endpoint_id, one.position
            outcome = "delivered" if error is None else "failed" if pause else "exhausted"
            outcome = outcome if self.holds(worker, one) else "superseded"
            assert written[self.tenant, *key, one.attempt] == outcome
            self.outcomes[outcome] += 1
            if outcome == "failed":
                self.rows[key] = replace(self.rows[key], owner=None, waits=True, expired=False)
            elif outcome != "superseded":
                del self.rows[key]
        for endpoint in {one.endpoint_id for one in batch}:
            own = [one for one in batch if one.endpoint_id == endpoint]
            self.fares(endpoint, [Result(error is None, error is Failure.TIMEOUT) for _ in own], own)

    def fares(self, endpoint: UUID, results: list[Result], claims: list[Claim]) -> None:
        """What attempts tell of an endpoint: the rules themselves have tests of their own."""
        if results[0].succeeded and not any(one.troubled for one in claims) and self.modes[endpoint] == "parallel":
            return
        health = after(self.health[endpoint], results, datetime.now(UTC), 0.5)
        opened = health.openings > self.health[endpoint].openings
        (stored,) = self.execute(
            "SELECT slots, failures, window_tried, window_failed, openings FROM webhook_lanes"
            " WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s",
            endpoint=endpoint,
        )
        assert stored == (health.slots, health.failures, health.tried, health.failed, health.openings)
        if opened:
            # By chance it may be open for two seconds: here until an hour passes.
            until = datetime.now(UTC) + HOUR / 2
            self.execute(
                "UPDATE webhook_lanes SET open_until = %(until)s, next_due = greatest(next_due, %(until)s)"
                " WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s",
                endpoint=endpoint,
                until=until,
            )
            health = replace(health, open_until=until)
        self.health[endpoint] = health

    def give_back(self, place: int) -> None:
        worker, one = self.claims.pop(place)
        self.wait(give_back(self.store.database, worker, one))
        if self.holds(worker, one):
            key = one.endpoint_id, one.position
            self.rows[key] = replace(self.rows[key], attempt=one.attempt - 1, owner=None, expired=False)

    def leases_end(self, worker: UUID, noticed: bool) -> None:
        """A worker stands still for too long, and the reaper may have come by before it goes on."""
        self.wait(expire(self.store, self.tenant, worker))
        self.rows = {key: replace(row, expired=row.expired or row.owner == worker) for key, row in self.rows.items()}
        if noticed:
            concerned = any(row.expired for row in self.rows.values())
            assert (self.tenant in self.wait(reap(self.store.database))) == concerned
            self.rows = {
                key: replace(row, owner=None, expired=False) if row.expired else row for key, row in self.rows.items()
            }

    def disable(self, endpoint: UUID) -> None:
        """Disable or enable it again; the projector tells its lane."""
        if endpoint in self.disabled:
            self.disabled.discard(endpoint)
            self.wait(change_endpoint(self.store, self.tenant, endpoint, lambda e: e.enable(ids.now())))
            self.execute(
                "UPDATE webhook_lanes SET next_due = greatest(now(), open_until)"
                " WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s",
                endpoint=endpoint,
            )
        else:
            self.disabled.add(endpoint)
            self.wait(change_endpoint(self.store, self.tenant, endpoint, lambda e: e.disable("staff", ids.now())))

    def an_hour_passes(self) -> None:
        self.execute("UPDATE webhook_deliveries SET due_at = due_at - interval '1 hour' WHERE tenant_id = %(tenant)s")
        self.execute(
            "UPDATE webhook_lanes SET next_due = next_due - interval '1 hour', "
            "open_until = open_until - interval '1 hour', window_from = window_from - interval '1 hour', "
            "failing_since = failing_since - interval '1 hour' WHERE tenant_id = %(tenant)s"
        )
        self.rows = {key: replace(row, waits=False) for key, row in self.rows.items()}
        self.health = {
            endpoint: replace(
                health,
                open_until=health.open_until and health.open_until - HOUR,
                window_from=health.window_from and health.window_from - HOUR,
                failing_since=health.failing_since and health.failing_since - HOUR,
            )
            for endpoint, health in self.health.items()
        }

    @invariant()
    def the_database_agrees(self) -> None:
        if not hasattr(self, "rows"):
            return
        states = {
            key: ("due" if row.owner is None else "leased", row.attempt, row.owner) for key, row in self.rows.items()
        }
        assert self.wait(queue(self.store, self.tenant)) == states
        # What may be claimed is found: no lane sleeps over something that is due.
        if any(self.room(e, 8) and self.claimable(e) for e in self.endpoints):
            assert self.tenant in self.wait(due_tenants(self.store.database, 1_000))
        for endpoint, mode in self.modes.items():
            held = [row for (e, _), row in self.rows.items() if e == endpoint and row.owner is not None]
            if mode == "fifo":
                assert len(held) <= 1
            if mode == "keyed":
                assert all(number == 1 for number in Counter((row.replayed, row.key) for row in held).values())

    def teardown(self) -> None:
        if not hasattr(self, "rows"):
            return
        logged = Counter(outcome for _, _, outcome, _, _ in self.wait(attempts(self.store, self.tenant)))
        assert logged == self.outcomes
        # What is left would be found by the next example's looks at all tenants.
        for table in ("webhook_deliveries", "webhook_lanes"):
            self.execute(f"DELETE FROM {table} WHERE tenant_id = %(tenant)s")


def test_the_queue_does_what_its_model_does(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opening = opened_store(database_url)
        Queue.runner, Queue.store = runner, runner.run(opening.__aenter__())
        try:
            run_state_machine_as_test(
                Queue,
                settings=settings(
                    max_examples=examples(30),
                    stateful_step_count=40,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow],
                    phases=(Phase.explicit, Phase.reuse, Phase.generate),
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
