"""Following the logs for a consumer: each event once and in order, whatever fails, and no tenant held up by another."""

import asyncio
import math
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from structlog.testing import capture_logs

from aureum.background.follower import Batch, Consumer, Follower, Handled, follow, tenants_behind
from aureum.background.reading import POSITION
from aureum.store.event_store import EventStore
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.waiting import run, until

NOTE = "INSERT INTO noted (tenant_id, position) SELECT %(tenant)s, unnest(%(positions)s::bigint[])"
Handle = Callable[[Batch], Awaitable[Handled[int]]]


class Broken(Exception):
    """What a consumer may raise."""


def noting(fails: Callable[[Batch], bool]) -> Handle:
    """Writes each position down; a batch for which *fails* holds breaks, half of them after they are written."""

    async def handle(batch: Batch) -> Handled[int]:
        breaks, late = fails(batch), random.random() < 0.5
        if breaks and not late:
            raise Broken

        async def write() -> None:
            positions = [row[POSITION] for row in batch.rows]
            await batch.connection.execute(NOTE, {"tenant": batch.tenant_id, "positions": positions})
            if breaks:
                raise Broken

        return Handled(len(batch.rows), write)

    return handle


async def noted(store: EventStore) -> dict[UUID, list[int]]:
    found = defaultdict(list)
    for tenant_id, position in await store.database.rows("SELECT tenant_id, position FROM noted ORDER BY n"):
        found[tenant_id].append(position)
    return found


async def prepared(store: EventStore, tenants: int) -> list[UUID]:
    """Brokerages with ten leads each, and where positions are written down."""
    table = "CREATE TABLE noted (n bigint GENERATED ALWAYS AS IDENTITY, tenant_id uuid, position bigint)"
    async with store.database.connection() as connection:
        await connection.execute(table)
    opened = [await open_brokerage(store) for _ in range(tenants)]
    for tenant in opened:
        for _ in range(10):
            await capture(store, tenant)
    return opened


async def caught_up(store: EventStore, consumer: Consumer[Any], tenants: list[UUID]) -> None:
    """Follow with batches that break now and then, several at a time."""

    async def once(tenant: UUID) -> None:
        try:
            await follow(store, consumer, tenant, limit=random.randint(1, 4))
        except Broken:
            return

    while behind := [tenant for tenant in await tenants_behind(store, consumer) if tenant in tenants]:
        await asyncio.gather(*(once(tenant) for tenant in behind for _ in range(2)))


def test_each_event_is_handled_once_and_in_order_whatever_breaks(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenants = await prepared(store, 3)
            consumer = Consumer("notes", noting(lambda _: random.random() < 0.3))
            async with asyncio.timeout(30):
                await caught_up(store, consumer, tenants)
            found = await noted(store)
            assert {tenant: found[tenant] for tenant in tenants} == {tenant: list(range(1, 11)) for tenant in tenants}

    run(scenario())


def test_a_tenant_whose_events_break_is_put_aside(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            broken, *fine = await prepared(store, 3)
            heard: list[UUID] = []
            consumer = Consumer("notes", noting(lambda batch: batch.tenant_id == broken))
            follower = Follower(store, consumer, lambda tenant, _: heard.append(tenant), 0.05)
            stop = asyncio.Event()

            async def rounds() -> None:
                while not stop.is_set():
                    await follower.round()

            with capture_logs() as logs:
                following = asyncio.create_task(rounds())
                await until(lambda: set(fine) <= set(heard))
                for tenant in fine:
                    await capture(store, tenant)
                await until(lambda: all(heard.count(tenant) >= 2 for tenant in fine))
                stop.set()
                await following
            (told,) = [log for log in logs if log["event"] == "log_not_followed"]
            assert (told["consumer"], told["tenant"], told["error"]) == ("notes", str(broken), "Broken")
            assert (await noted(store))[fine[0]] == list(range(1, 12))

    run(scenario())


def test_a_backlog_is_worked_off_and_what_was_recorded_long_ago_is_found(database_url: str) -> None:
    """With many tenants, only those with new events are looked at most of the time."""
    long_ago = "UPDATE heads SET recorded_at = '-infinity' WHERE tenant_id = %(tenant)s"

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            old, new = await prepared(store, 2)
            follower = Follower(store, Consumer("notes", noting(lambda _: False), most=4), lambda *_: None, 0)
            await store.database.rows(long_ago, {"tenant": old})

            async def rounds(number: int) -> dict[UUID, list[int]]:
                for _ in range(number):
                    await follower.round()
                    follower.next_look = math.inf
                return await noted(store)

            # A look at all of them, and batches of four.
            found = await rounds(3)
            assert found[old] == found[new] == list(range(1, 11))
            for tenant in (old, new):
                await capture(store, tenant)
            await store.database.rows(long_ago, {"tenant": old})
            found = await rounds(2)
            assert (len(found[old]), len(found[new])) == (10, 11)
            follower.next_look = 0
            assert len((await rounds(1))[old]) == 11

    run(scenario())
