"""The queue against a model of it, on a real database: any order of claims, outcomes, lost leases and late answers."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from aureum.store.event_store import EventStore
from aureum.webhooks.completions import write
from aureum.webhooks.lanes import SLOTS, SLOTS_AFTER_TIMEOUT, Claim, claim, due_tenants, give_back, reap
from aureum.webhooks.sender import Failure
from tests.stores import open_brokerage, opened_store
from tests.webhooks.tenants import attempts, register
from tests.webhooks.test_lanes import completion, enqueue, expire, queue, slots_of

WORKERS = (uuid4(), uuid4())
ENDPOINTS = 2
HOUR = timedelta(hours=1)

Key = tuple[UUID, int]


@dataclass(frozen=True)
class Delivery:
    """What the model knows of one row; ``waits``: it is due, but only in an hour."""

    attempt: int = 0
    owner: UUID | None = None
    waits: bool = False
    expired: bool = False


class Queue(RuleBasedStateMachine):
    """One tenant of its own in the database of the test."""

    runner: asyncio.Runner
    store: EventStore

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(asyncio.wait_for(coroutine, 10))

    @initialize()
    def open(self) -> None:
        self.tenant = self.wait(open_brokerage(self.store))
        self.endpoints = [self.wait(register(self.store, self.tenant)) for _ in range(ENDPOINTS)]
        self.rows: dict[Key, Delivery] = {}
        self.slots: dict[UUID, int] = {}
        self.next_position = 1
        # Every claim that was ever made and not answered yet, whoever may hold the delivery by now.
        self.claims: list[tuple[UUID, Claim]] = []
        self.outcomes: Counter[str] = Counter()
        for endpoint in range(ENDPOINTS):
            self.project(endpoint, 10)

    def in_flight(self, endpoint: UUID) -> int:
        return sum(row.owner is not None for (e, _), row in self.rows.items() if e == endpoint)

    def due(self, endpoint: UUID) -> list[int]:
        return sorted(p for (e, p), row in self.rows.items() if e == endpoint and row.owner is None and not row.waits)

    # One rule for all steps: hypothesis leaves out some rules of a machine in every run, and a queue without claims or
    # without lost leases shows nothing. Every step draws the same, whatever the queue holds: which of two lanes gives
    # the odd delivery depends on their ids, which are new in every run.
    @rule(
        step=st.sampled_from(["claim", "complete", "leases_end", "claim", "complete", "project", "give_back", "hour"]),
        worker=st.sampled_from(WORKERS),
        number=st.integers(1, 12),
        share=st.integers(1, 10),
        error=st.sampled_from([None, None, Failure.TIMEOUT, Failure.HTTP_5XX]),
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
            case "project":
                self.project(place % ENDPOINTS, 1 + number % 3)
            case "hour":
                self.an_hour_passes()

    def project(self, endpoint: int, number: int) -> None:
        positions = range(self.next_position, self.next_position + number)
        self.next_position += number
        self.wait(enqueue(self.store, self.tenant, self.endpoints[endpoint], positions))
        self.slots.setdefault(self.endpoints[endpoint], SLOTS)
        self.rows |= {(self.endpoints[endpoint], position): Delivery() for position in positions}

    def claim(self, worker: UUID, limit: int, share: int) -> None:
        found = self.wait(claim(self.store.database, worker, self.tenant, limit=limit, share=share))
        room = {e: max(0, min(self.slots.get(e, 0), share) - self.in_flight(e)) for e in self.endpoints}
        expected = {e: min(room[e], len(self.due(e))) for e in self.endpoints}
        taken = Counter(c.endpoint_id for c in found)
        assert len(found) == min(limit, sum(expected.values()))
        assert all(number <= expected[e] for e, number in taken.items())
        # Evenly: no lane takes more than one above another that has more to give.
        assert all(
            taken[e] <= taken[other] + 1 or taken[other] == expected[other] for e in taken for other in self.endpoints
        )
        for one in found:
            key = one.endpoint_id, one.position
            row = self.rows[key]
            assert row.owner is None and not row.waits
            assert one.attempt == row.attempt + 1
            assert one.slots == self.slots[one.endpoint_id]
            assert one.more == (len(found) == limit or taken[one.endpoint_id] == room[one.endpoint_id])
            self.rows[key] = Delivery(row.attempt + 1, worker)
            self.claims.append((worker, one))

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
            if error is Failure.TIMEOUT:
                self.slots[one.endpoint_id] = SLOTS_AFTER_TIMEOUT
            elif error is None and one.slots < SLOTS:
                self.slots[one.endpoint_id] = SLOTS
            if outcome == "failed":
                self.rows[key] = Delivery(one.attempt, waits=True)
            elif outcome != "superseded":
                del self.rows[key]

    def give_back(self, place: int) -> None:
        worker, one = self.claims.pop(place)
        self.wait(give_back(self.store.database, worker, one))
        if self.holds(worker, one):
            self.rows[one.endpoint_id, one.position] = Delivery(one.attempt - 1)

    def leases_end(self, worker: UUID, noticed: bool) -> None:
        """A worker stands still for too long, and the reaper may have come by before it goes on."""
        self.wait(expire(self.store, self.tenant, worker))
        self.rows = {key: replace(row, expired=row.expired or row.owner == worker) for key, row in self.rows.items()}
        if noticed:
            concerned = any(row.expired for row in self.rows.values())
            assert (self.tenant in self.wait(reap(self.store.database))) == concerned
            self.rows = {key: Delivery(row.attempt) if row.expired else row for key, row in self.rows.items()}

    def an_hour_passes(self) -> None:
        statement = "UPDATE webhook_deliveries SET due_at = due_at - interval '1 hour' WHERE tenant_id = %(tenant)s"
        self.wait(self.store.database.rows(statement, {"tenant": self.tenant}))
        self.rows = {key: replace(row, waits=False) for key, row in self.rows.items()}

    @invariant()
    def the_database_agrees(self) -> None:
        if not hasattr(self, "rows"):
            return
        states = {
            key: ("due" if row.owner is None else "leased", row.attempt, row.owner) for key, row in self.rows.items()
        }
        assert self.wait(queue(self.store, self.tenant)) == states
        assert self.wait(slots_of(self.store, self.tenant)) == self.slots
        has_room = any(self.due(e) and self.in_flight(e) < self.slots[e] for e in self.slots)
        assert (self.tenant in self.wait(due_tenants(self.store.database, 1_000))) == has_room

    def teardown(self) -> None:
        if not hasattr(self, "rows"):
            return
        logged = Counter(outcome for _, _, outcome, _, _ in self.wait(attempts(self.store, self.tenant)))
        assert logged == self.outcomes
        # What is left would be found by the next example's looks at all tenants.
        for table in ("webhook_deliveries", "webhook_lanes"):
            statement = f"DELETE FROM {table} WHERE tenant_id = %(tenant)s"
            self.wait(self.store.database.rows(statement, {"tenant": self.tenant}))


def test_the_queue_does_what_its_model_does(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opening = opened_store(database_url)
        Queue.runner, Queue.store = runner, runner.run(opening.__aenter__())
        try:
            run_state_machine_as_test(
                Queue,
                settings=settings(
                    max_examples=20,
                    stateful_step_count=40,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow],
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
