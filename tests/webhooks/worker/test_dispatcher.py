"""Which deliveries a worker takes, and what it does with those that it cannot send."""

import asyncio
import errno
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from structlog.testing import capture_logs

from aureum.background.persevering import persevere
from aureum.domain import ids
from aureum.store.event_store import EventStore
from aureum.webhooks.queue import lanes
from aureum.webhooks.sending.results import Failure, SendResult
from aureum.webhooks.sending.sender import Sender
from aureum.webhooks.worker.counters import Counters
from aureum.webhooks.worker.dispatcher import OWN_FAULT_PAUSE, Dispatcher
from aureum.webhooks.worker.endpoints import Endpoints
from aureum.webhooks.worker.worker_settings import WorkerSettings
from tests.stores import open_brokerage, opened_store
from tests.webhooks.queue.queued import enqueue, queue
from tests.webhooks.tenants import attempts, change_endpoint, register
from tests.webhooks.waiting import run, until

OK = SendResult(200, None, 1, b"", None)


class Scripted(Sender):
    """Sends nothing: remembers the URLs and the messages, waits until it may go on, and does what it is told."""

    def __init__(self, act: Callable[[], SendResult] = lambda: OK) -> None:
        super().__init__()
        self.act = act
        self.urls: list[str] = []
        self.messages: list[str] = []
        self.go_on = asyncio.Event()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> SendResult:
        self.urls.append(url)
        self.messages.append(headers["webhook-id"])
        await self.go_on.wait()
        return self.act()


@asynccontextmanager
async def dispatching(store: EventStore, sender: Sender, **settings: Any) -> AsyncIterator[Dispatcher]:
    """A dispatcher whose completions are written, and whose rounds are the test's own."""
    dispatcher = Dispatcher(store.database, Endpoints(store), sender, WorkerSettings(**settings), Counters())
    done = asyncio.Event()
    completing = asyncio.create_task(persevere("complete", dispatcher.completer.round, done))
    try:
        yield dispatcher
    finally:
        done.set()
        completing.cancel()
        await asyncio.gather(completing, return_exceptions=True)


async def tenant_with(store: EventStore, endpoints: int, deliveries: int) -> tuple[UUID, list[UUID]]:
    """A tenant, its endpoints on a host of their own, and so many due deliveries for each."""
    tenant = await open_brokerage(store)
    host = f"{tenant.hex}.example.com"
    registered = [await register(store, tenant, f"http://{host}/{place}") for place in range(endpoints)]
    for endpoint in registered:
        await enqueue(store, tenant, endpoint, range(1, deliveries + 1))
    return tenant, registered


def test_a_fault_of_ours_is_charged_to_no_endpoint(database_url: str) -> None:
    def out_of_files() -> SendResult:
        raise OSError(errno.EMFILE, "Webhooks cannot be sent: too many open files")

    async def scenario() -> None:
        sender = Scripted(out_of_files)
        sender.go_on.set()
        async with opened_store(database_url) as store, dispatching(store, sender) as dispatcher:
            tenant, (endpoint,) = await tenant_with(store, 1, 1)
            with capture_logs() as logs:
                await dispatcher.claim([tenant], 8)
                await dispatcher.finish(10)
            assert await queue(store, tenant) == {(endpoint, 1): ("due", 0, None)}
            assert len(await attempts(store, tenant)) == 0
            ((pause,),) = await store.database.rows("SELECT due_at - now() FROM webhook_deliveries")
            assert OWN_FAULT_PAUSE - timedelta(seconds=4) < pause <= OWN_FAULT_PAUSE
            assert [(log["event"], log["error"]) for log in logs] == [("webhook_own_fault", "OSError")]

    run(scenario())


def test_what_is_claimed_while_stopping_is_given_back(database_url: str) -> None:
    async def scenario() -> None:
        sender = Scripted()
        async with opened_store(database_url) as store, dispatching(store, sender) as dispatcher:
            tenant, (endpoint,) = await tenant_with(store, 1, 3)
            dispatcher.stop()
            await dispatcher.claim([tenant], 8)
            await dispatcher.finish(10)
            assert sender.urls == []
            assert await queue(store, tenant) == {(endpoint, p): ("due", 0, None) for p in (1, 2, 3)}
            # It claims no more either.
            dispatcher.hint(tenant)
            await dispatcher.round()
            assert dispatcher.tasks == {}

    run(scenario())


def test_what_might_outlive_its_lease_is_not_sent(database_url: str) -> None:
    async def scenario() -> None:
        sender = Scripted()
        sender.go_on.set()
        async with opened_store(database_url) as store, dispatching(store, sender) as dispatcher:
            tenant, (endpoint,) = await tenant_with(store, 1, 1)
            # A worker that stood still after its claim, for almost as long as the lease.
            settings = dispatcher.settings
            hosts = dispatcher.hosts
            (one,) = await lanes.claim(store.database, dispatcher.owner, {tenant: 1}, limit=1, share=8, hosts=hosts)
            hosts.began(one.host)
            await dispatcher.deliver(one, time.monotonic() - (settings.lease_seconds - settings.timeout_seconds) - 1)
            assert sender.urls == []
            assert await queue(store, tenant) == {(endpoint, 1): ("due", 0, None)}

    run(scenario())


def test_half_of_the_slots_at_most_are_one_tenants_and_all_are_used_again(database_url: str) -> None:
    async def scenario() -> None:
        sender = Scripted()
        # One look at all tenants in the beginning, and no other: the rest is what the dispatcher remembers.
        async with (
            opened_store(database_url) as store,
            dispatching(store, sender, slots=16, poll_seconds=60.0) as dispatcher,
        ):
            greedy, _ = await tenant_with(store, 10, 4)
            modest, _ = await tenant_with(store, 1, 1)
            stop = asyncio.Event()
            rounds = asyncio.create_task(persevere("dispatch", dispatcher.round, stop))
            await until(lambda: dispatcher.under_way.total() == 9)
            assert dispatcher.under_way == {greedy: 8, modest: 1}
            assert dispatcher.counters.in_flight == 9
            # A claim that is refused its room now is made when there is some.
            await dispatcher.claim([greedy], 1)
            sender.go_on.set()
            await until(lambda: dispatcher.counters.delivered == 41)
            stop.set()
            dispatcher.stop()
            await rounds
            assert Counter(sender.urls).total() == 41
            assert await queue(store, greedy) == await queue(store, modest) == {}
            assert dispatcher.under_way == {}
            assert dispatcher.counters.in_flight == 0

    run(scenario())


def test_a_tenant_that_holds_its_share_is_claimed_for_as_soon_as_it_holds_less(database_url: str) -> None:
    async def scenario() -> None:
        sender = Scripted()
        async with (
            opened_store(database_url) as store,
            dispatching(store, sender, slots=16, poll_seconds=60.0) as dispatcher,
        ):
            tenant, _ = await tenant_with(store, 8, 1)
            await dispatcher.claim([tenant], 16)
            # The first claim takes half of what the host may have, the second the rest.
            await dispatcher.claim([tenant], 16)
            assert dispatcher.under_way == {tenant: 8}
            # What comes now has lanes of its own, none of which was full before.
            await enqueue(store, tenant, await register(store, tenant, "http://late.example.com/"), [9])
            await dispatcher.claim([tenant], 8)
            assert dispatcher.under_way == {tenant: 8}
            sender.go_on.set()
            dispatcher.next_look = time.monotonic() + 60
            async with asyncio.timeout(40):
                while len(sender.urls) < 9:
                    await dispatcher.round()

    run(scenario())


def test_a_lane_that_was_full_is_gone_on_with_at_once(database_url: str) -> None:
    async def scenario() -> None:
        sender = Scripted()
        sender.go_on.set()
        # The next look at all tenants is far away: only what the dispatcher remembers makes it go on.
        async with (
            opened_store(database_url) as store,
            dispatching(store, sender, poll_seconds=60.0) as dispatcher,
        ):
            tenant, _ = await tenant_with(store, 1, 100)
            async with asyncio.timeout(40):
                while await queue(store, tenant):
                    await dispatcher.round()
            assert len(sender.urls) == 100

    run(scenario())


def test_where_there_is_an_order_a_delivery_is_given_up_after_four_attempts(database_url: str) -> None:
    async def scenario() -> None:
        sender = Scripted(lambda: SendResult(500, Failure.HTTP_5XX, 1, b"", None))
        sender.go_on.set()
        async with (
            opened_store(database_url) as store,
            dispatching(store, sender, pause_after=lambda *_: timedelta(0)) as dispatcher,
        ):
            tenant, (endpoint,) = await tenant_with(store, 1, 2)
            await change_endpoint(store, tenant, endpoint, lambda e: e.change_details({"mode": "fifo"}, ids.now()))
            async with asyncio.timeout(40):
                while len(sender.urls) < 5 or dispatcher.completer.waiting:
                    dispatcher.hint(tenant)
                    await dispatcher.round()
            made = [(position, attempt, outcome) for position, attempt, outcome, *_ in await attempts(store, tenant)]
            # Not in the order of their times: the database's clock is read before it waits for what ended before.
            expected = [(1, 1, "failed"), (1, 2, "failed"), (1, 3, "failed"), (1, 4, "exhausted"), (2, 1, "failed")]
            assert sorted(made) == expected
            first, *_, second = sender.messages
            assert sender.messages == [first] * 4 + [second] and first != second

    run(scenario())


def test_what_takes_long_leaves_its_slot_to_others(database_url: str) -> None:
    async def scenario() -> None:
        sender = Scripted()
        async with opened_store(database_url) as store, dispatching(store, sender, slots=4) as dispatcher:
            for _ in range(6):
                await tenant_with(store, 1, 1)
            stop = asyncio.Event()
            rounds = asyncio.create_task(persevere("dispatch", dispatcher.round, stop))
            await until(lambda: len(sender.urls) == 4)
            assert dispatcher.free == 0
            # No answer comes: after a second the others have their turn all the same.
            await until(lambda: len(sender.urls) == 6)
            assert dispatcher.under_way.total() == 6
            sender.go_on.set()
            await until(lambda: dispatcher.counters.delivered == 6)
            stop.set()
            dispatcher.stop()
            await rounds
            assert (dispatcher.free, dispatcher.slow, dispatcher.quick) == (4, set(), {})

    run(scenario())
