"""What people ask for by events in the log is granted once: a delivery again, a test of an endpoint."""

from datetime import UTC, datetime
from functools import reduce
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from aureum.domain import ids
from aureum.projections import (
    contact_list,
    envelope_emits,
    envelope_list,
    lead_list,
    property_list,
    task_list,
    tour_list,
)
from aureum.projections.changes import changes
from aureum.registry import ALL_EVENTS as EVENTS
from aureum.store.event_store import EventStore
from aureum.webhooks.telling.projector import project
from aureum.webhooks.telling.samples import sample
from tests.domain.test_contact import added
from tests.domain.test_envelope import AT, ready
from tests.domain.test_property import listed
from tests.domain.test_task import created
from tests.domain.test_tour import new_tour
from tests.stores import capture, new_lead, open_brokerage, opened_store
from tests.webhooks.control import cancel, change_endpoint, disable, finish, ping, redeliver, remove, replay
from tests.webhooks.killing import killed, make_mortal
from tests.webhooks.telling.projecting import catch_up
from tests.webhooks.tenants import change, deliveries, register
from tests.webhooks.waiting import run

ROWS = """
SELECT position, state, due_at = (
           SELECT m.recorded_at FROM webhook_messages m
            WHERE m.tenant_id = d.tenant_id AND m.position = d.position
       ) AS first, attempt, base, replay_id
  FROM webhook_deliveries d
 ORDER BY position
"""


async def rows(store: EventStore) -> list[tuple[Any, ...]]:
    """Of each delivery: position, state, whether due since its message was recorded, attempt, base, replay."""
    return [tuple(row) for row in await store.database.rows(ROWS)]


async def message(store: EventStore, position: int) -> Any:
    query = "SELECT message_id, event, stream_id, body, recorded_at FROM webhook_messages WHERE position = %(position)s"
    found = await store.database.rows(query, {"position": position})
    return found[0] if found else None


def test_a_finished_delivery_is_made_again_from_the_front_of_the_queue(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            lead = await capture(store, tenant)
            await change(store, tenant, lead.id, "contacted", "qualified")  # position 4
            await catch_up(store)
            await finish(store, tenant, "failed")
            first = await message(store, 4)
            await redeliver(store, tenant, endpoint, 4)
            await redeliver(store, tenant, endpoint, 4)
            await catch_up(store)
            assert await rows(store) == [(4, "due", True, 1, 1, None)]
            await finish(store, tenant, "exhausted")
            # Its message may have been pruned since: it is made again, to the last byte.
            await store.database.rows("DELETE FROM webhook_messages")
            await store.database.rows("UPDATE webhook_lanes SET next_due = 'infinity'")
            await redeliver(store, tenant, endpoint, 4)
            await redeliver(store, tenant, endpoint, 2)
            await catch_up(store)
            assert await rows(store) == [(2, "due", True, 1, 1, None), (4, "due", True, 2, 2, None)]
            assert await message(store, 4) == first
            assert await store.database.rows("SELECT next_due <= now() FROM webhook_lanes") == [(True,)]

    run(scenario())


def test_a_delivery_that_waits_comes_first_and_one_that_is_being_sent_stays(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            for _ in range(3):
                await capture(store, tenant)  # positions 2 to 4
            await catch_up(store)
            update = store.database.rows
            await update(
                "UPDATE webhook_deliveries SET due_at = now() + interval '1 day', attempt = 7,"
                " replay_id = CASE WHEN position = 2 THEN gen_random_uuid() END"
            )
            await update(
                "UPDATE webhook_deliveries SET state = 'leased', lease_owner = gen_random_uuid(), lease_until = now()"
                " WHERE position = 3"
            )
            for position in (2, 3):
                await redeliver(store, tenant, endpoint, position)
            await catch_up(store)
            assert await rows(store) == [
                (2, "due", True, 7, 7, None),
                (3, "leased", False, 7, 0, None),
                (4, "due", False, 7, 0, None),
            ]

    run(scenario())


def test_there_is_nothing_to_do_for_who_is_gone(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            stays, rests, gone = [await register(store, tenant) for _ in range(3)]
            await capture(store, tenant)  # position 4
            await catch_up(store)
            await finish(store, tenant)
            await disable(store, tenant, rests)
            await remove(store, tenant, gone)
            for endpoint in (rests, gone, ids.new_id()):
                await redeliver(store, tenant, endpoint, 4)
                await ping(store, tenant, endpoint)
            for position in (1, 3, 999):
                await redeliver(store, tenant, stays, position)
            await catch_up(store)
            assert await deliveries(store, tenant) == []

    run(scenario())


def test_a_test_sends_one_sample_to_its_endpoint_alone(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await register(store, tenant)
            position = await ping(store, tenant, endpoint, "property.updated")
            await catch_up(store)
            assert await deliveries(store, tenant) == [(endpoint, position)]
            identifier, event, _, body, _ = first = await message(store, position)
            assert identifier == f"test_{ids.to_wire(tenant)[1:]}_{position}"
            assert event == "property.updated"
            told = orjson.loads(body)
            assert list(told) == ["event", "timestamp", "data", "id", "sequence", "changes"]
            assert (told["event"], told["id"], told["sequence"]) == (event, identifier, position)
            assert told["changes"]["status"] == {"from": "ACTIVE", "to": "PENDING"}
            # That one, too, is made again where it is wanted again.
            await finish(store, tenant)
            await store.database.rows("DELETE FROM webhook_messages")
            await redeliver(store, tenant, endpoint, position)
            await catch_up(store)
            assert await message(store, position) == first
            assert await deliveries(store, tenant) == [(endpoint, position)]

    run(scenario())


def test_a_keyed_endpoint_gets_a_row_for_what_it_asks_for(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            await change_endpoint(store, tenant, endpoint, mode="keyed")
            await capture(store, tenant)  # position 3
            await catch_up(store)
            keys = "SELECT position, key FROM webhook_deliveries ORDER BY position"
            ((_, live),) = await store.database.rows(keys)
            await finish(store, tenant)
            await redeliver(store, tenant, endpoint, 3)
            await ping(store, tenant, endpoint)
            await catch_up(store)
            (again, tested) = await store.database.rows(keys)
            assert again == (3, live)
            assert 0 <= tested[1] < 16

    run(scenario())


def test_a_request_that_cannot_be_read_is_logged_and_passed_over(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            position = await ping(store, tenant, endpoint)
            await capture(store, tenant)
            await store.database.rows("UPDATE events SET data = '{' WHERE type = 'webhook_ping.requested'")
            with capture_logs() as logs:
                assert (await project(store, tenant)).requests == 1
            assert [(log["event"], log["position"]) for log in logs] == [("webhook_request_unreadable", position)]
            assert await deliveries(store, tenant) == [(endpoint, position + 1)]

    run(scenario())


STATEMENTS = 19
"""Of a batch that asks for everything, from BEGIN to COMMIT."""


def test_a_projector_that_is_killed_before_any_statement_grants_nothing_or_all(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as victim:
            await make_mortal(victim)
            for statement in range(1, STATEMENTS + 2):
                tenant = await open_brokerage(store)
                endpoint = await register(store, tenant)
                await capture(store, tenant)  # position 2
                await catch_up(store)
                await finish(store, tenant)
                await store.database.rows("DELETE FROM webhook_messages")
                job = await replay(store, tenant, endpoint)
                await redeliver(store, tenant, endpoint, 2)
                position = await ping(store, tenant, endpoint)
                await cancel(store, tenant, job)
                assert await killed(victim, tenant, statement, project(victim, tenant)) == (statement <= STATEMENTS)
                assert len(await deliveries(store, tenant)) in (0, 2)
                await catch_up(store)
                assert await deliveries(store, tenant) == [(endpoint, 2), (endpoint, position)]

    run(scenario())


def sent_envelope() -> dict[str, Any]:
    """What webhooks are told of an envelope that was sent."""
    envelope = ready()
    envelope.send(AT)
    events = list(envelope.pending_events)
    row = reduce(envelope_list.step, events, None)
    assert row is not None
    return envelope_emits.data(row["doc"], events[-1])


def documents() -> dict[str, Any]:
    """A real resource of each kind."""
    at = datetime(2025, 1, 15, tzinfo=UTC)
    lead, contact, house, tour, task = new_lead(), added(), listed(), new_tour(), created()
    return {
        "lead": lead_list.document(lead, lead.id, at, at),
        "contact": contact_list.document(contact, contact.id, at, at),
        "property": property_list.document(house, house.id, at, at),
        "showing": tour_list.document(tour, tour.id, at, at),
        "task": task_list.document(task, task.id, at, at),
        "document": sent_envelope(),
    }


@pytest.mark.parametrize("event", EVENTS)
def test_samples_have_the_shape_of_real_resources(event: str) -> None:
    data, changed = sample(event)
    kind = event.partition(".")[0]
    assert list(data) == list(documents()[kind])
    assert ids.from_wire(data["id"]) is not None
    if event.endswith(".updated"):
        assert changed == changes(sample(f"{kind}.created")[0], data) != {}
    else:
        assert changed is None
    assert (event == "task.completed") == (data.get("status") == "completed")
