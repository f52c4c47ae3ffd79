"""From the log to messages and deliveries: exactly once, for all that want them, even if a worker is killed."""

import asyncio

import pytest
from structlog.testing import capture_logs

from aureum.domain.aggregate import ERASED
from aureum.store.event_store import EventStore
from aureum.webhooks.telling.projector import Projected, project, tenants_behind
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.killing import killed, make_mortal
from tests.webhooks.telling.projecting import catch_up, message_bodies, parked
from tests.webhooks.tenants import change, change_brokerage, checkpoint_of, deliveries, head_of, register
from tests.webhooks.waiting import run


def test_each_save_is_delivered_once_to_each_endpoint_that_wants_it(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            both = await register(store, tenant)  # position 1
            created = await register(store, tenant, events=("lead.created",))  # 2
            await register(store, tenant, events=("task.created",))  # 3
            lead = await capture(store, tenant)  # 4
            await change(store, tenant, lead.id, "contacted", "qualified")  # 5 and 6
            await catch_up(store)
            assert await deliveries(store, tenant) == [*sorted([(both, 4), (created, 4)]), (both, 6)]
            first, second = await message_bodies(store, tenant)
            assert (first["event"], first["sequence"]) == ("lead.created", 4)
            assert first["data"]["email"] == "jane@example.com"
            assert second["changes"] == {"status": {"from": "new", "to": "qualified"}}
            assert await checkpoint_of(store, tenant) == await head_of(store, tenant) == 6
            assert await project(store, tenant) == Projected()

    run(scenario())


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_batches_may_end_anywhere_within_an_append(database_url: str, limit: int) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            lead = await capture(store, tenant)
            for statuses in (("contacted", "qualified", "showing"), ("offer", "converted"), ("lost",)):
                await change(store, tenant, lead.id, *statuses)
            await catch_up(store, limit)
            assert await deliveries(store, tenant) == [(endpoint, position) for position in (2, 5, 7, 8)]
            bodies = await message_bodies(store, tenant)
            assert [body["changes"]["status"] for body in bodies[1:]] == [
                {"from": "new", "to": "showing"},
                {"from": "showing", "to": "converted"},
                {"from": "converted", "to": "lost"},
            ]

    run(scenario())


def test_an_endpoint_hears_of_nothing_older_than_itself(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            await capture(store, tenant)  # position 1
            early = await register(store, tenant)  # 2
            await capture(store, tenant)  # 3
            late = await register(store, tenant)  # 4
            await capture(store, tenant)  # 5
            await catch_up(store)
            assert await deliveries(store, tenant) == [(early, 3), *sorted([(early, 5), (late, 5)])]

    run(scenario())


def test_a_tenant_without_endpoints_is_not_read(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            await capture(store, tenant)
            assert await tenants_behind(store) == []
            assert await project(store, tenant) == Projected()
            assert await checkpoint_of(store, tenant) is None

    run(scenario())


def test_a_tenant_on_a_smaller_plan_or_disabled_waits_and_loses_nothing(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            small, shut = await open_brokerage(store, plan="Grow"), await open_brokerage(store)
            small_endpoint, shut_endpoint = await register(store, small), await register(store, shut)
            await catch_up(store)
            await change_brokerage(store, shut, disabled=True)
            for tenant in (small, shut):
                await capture(store, tenant)
                await capture(store, tenant)
            assert await tenants_behind(store) == []
            await change_brokerage(store, small, plan="Elite")
            await change_brokerage(store, shut, disabled=False)
            await catch_up(store)
            assert await deliveries(store, small) == [(small_endpoint, 2), (small_endpoint, 3)]
            assert await deliveries(store, shut) == [(shut_endpoint, 2), (shut_endpoint, 3)]

    run(scenario())


def test_an_erased_person_is_shown_with_placeholders(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            await register(store, tenant)
            lead = await capture(store, tenant)
            await store.database.rows("DELETE FROM subject_keys WHERE subject_id = %(lead)s", {"lead": lead.id})
            await catch_up(store)
            (body,) = await message_bodies(store, tenant)
            assert body["data"]["email"] == body["data"]["firstName"] == ERASED
            assert body["data"]["status"] == "new"
            assert await parked(store, tenant) == []

    run(scenario())


@pytest.mark.parametrize(
    ("breaking", "reason"),
    [
        ("UPDATE events SET data = 'no JSON' WHERE stream_id = %(lead)s AND version = 2", "JSONDecodeError"),
        ("UPDATE events SET type = 'lead.teleported' WHERE stream_id = %(lead)s AND version = 2", "UnknownEventType"),
        ("UPDATE events SET schema_version = 9 WHERE stream_id = %(lead)s AND version = 2", "UnknownEventType"),
        ("UPDATE events SET data = '{\"timestamp\": 0}' WHERE stream_id = %(lead)s AND version = 2", "AttributeError"),
    ],
)
def test_a_poison_event_is_parked_for_all_to_see_and_the_others_go_on(
    database_url: str, breaking: str, reason: str
) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)  # position 1
            lead = await capture(store, tenant)  # 2
            await change(store, tenant, lead.id, "contacted")  # 3
            await change(store, tenant, lead.id, "qualified")  # 4
            other = await capture(store, tenant)  # 5
            await store.database.rows(breaking, {"lead": lead.id})
            with capture_logs() as logs:
                await catch_up(store)
            assert await deliveries(store, tenant) == [(endpoint, 2), (endpoint, 5)]
            assert await parked(store, tenant) == [(3, 3, reason), (4, 3, reason)]
            assert [log["position"] for log in logs if log["event"] == "webhook_parked"] == [3, 4]
            assert "jane" not in str(logs).lower()
            await change(store, tenant, other.id, "contacted")
            await catch_up(store)
            assert await checkpoint_of(store, tenant) == await head_of(store, tenant)
            assert (endpoint, 6) in await deliveries(store, tenant)

    run(scenario())


@pytest.mark.parametrize(
    "breaking",
    [
        "UPDATE subject_keys SET wrapped = 'a key that was wrapped for someone else' WHERE subject_id = %(lead)s",
        "UPDATE events SET data = '{}' WHERE stream_id = %(lead)s",
        "UPDATE events SET type = 'mystery.happened' WHERE stream_id = %(lead)s",
    ],
)
def test_a_stream_that_cannot_be_read_at_all_is_parked(database_url: str, breaking: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            lead = await capture(store, tenant)
            await capture(store, tenant)
            await store.database.rows(breaking, {"lead": lead.id})
            await catch_up(store)
            assert await deliveries(store, tenant) == [(endpoint, 3)]
            assert [(position, cause) for position, cause, _ in await parked(store, tenant)] == [(2, 2)]

    run(scenario())


def test_two_projectors_at_once_project_each_event_once(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as other:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant)
            captured: list[int] = []

            async def write() -> None:
                for _ in range(60):
                    lead = await capture(store, tenant)
                    await change(store, tenant, lead.id, "contacted", "lost")
                captured.append(await head_of(store, tenant))

            async def follow(projector: EventStore) -> list[int]:
                seen = []
                while not captured or await checkpoint_of(store, tenant) != captured[0]:
                    seen.append((await project(projector, tenant, 7)).deliveries)
                    await asyncio.sleep(0)
                return seen

            _, one, two = await asyncio.gather(write(), follow(store), follow(other))
            found = await deliveries(store, tenant)
            assert found == [(endpoint, position) for position in range(2, 182) if (position - 2) % 3 != 1]
            assert sum(one) + sum(two) == len(found) == 120
            assert any(one) and any(two)

    run(scenario())


STATEMENTS = 13
"""Of one batch, from BEGIN to COMMIT."""


def test_a_projector_that_is_killed_before_any_statement_leaves_nothing_or_all(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, opened_store(database_url) as victim:
            await make_mortal(victim)
            for statement in range(1, STATEMENTS + 2):
                tenant = await open_brokerage(store)
                endpoint = await register(store, tenant)
                lead = await capture(store, tenant)
                await catch_up(store)
                await change(store, tenant, lead.id, "contacted", "qualified")
                await capture(store, tenant)
                assert await killed(victim, tenant, statement, project(victim, tenant)) == (statement <= STATEMENTS)
                await catch_up(store)
                assert await deliveries(store, tenant) == [(endpoint, position) for position in (2, 4, 5)]
                assert len(await message_bodies(store, tenant)) == 3
                assert await checkpoint_of(store, tenant) == 5

    run(scenario())
