"""Claims due deliveries and makes their attempts: so many at once, fairly between endpoints and tenants.

Where to look first comes from hints: a tenant that was just projected, one whose lane was full a moment ago. Looking at
all tenants every half second finds the rest: retries, other workers' projections, what a dead worker held.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from uuid import UUID, uuid4

import structlog

from aureum.background.hosts import Hosts
from aureum.background.waiting import wait_for
from aureum.domain.errors import DomainError, NodeAway, Unavailable
from aureum.log import places
from aureum.store.postgres.database import Database
from aureum.webhooks.queue import lanes
from aureum.webhooks.queue.completions import Completer, Completion
from aureum.webhooks.queue.lane_health import Trouble
from aureum.webhooks.queue.lanes import Claim
from aureum.webhooks.queue.leases import give_back
from aureum.webhooks.sending.results import UNREACHED
from aureum.webhooks.sending.sender import Sender
from aureum.webhooks.worker.attempts import Attempts, ids_of
from aureum.webhooks.worker.counters import Counters
from aureum.webhooks.worker.endpoints import Endpoints
from aureum.webhooks.worker.worker_settings import WorkerSettings

log = structlog.get_logger()

OWN_FAULT_PAUSE = timedelta(seconds=5)
"""After a fault of ours, which no endpoint is charged for."""

LOOK_AT = 64
"""Tenants that one look at all of them brings."""

SLOW_SECONDS = 1.0
SLOW_TIMES = 8
"""An attempt that takes longer than a second gives its slot back: an attempt that hangs costs memory, not
work. The worker holds no more than eight times its slots in all, and a tenant twice them."""

WRITE_SECONDS = 3.0
"""How long a worker that is told to stop waits until outcomes are written."""

TENANTS_A_CLAIM = 16
"""Tenants that one claim serves. A worker claims once at a time: then it knows how much room each host has. On Citus a
claim serves one: a node that dies amid a transaction of several leaves locks on all of them, for a minute."""


class Dispatcher:
    """One a worker, which runs its rounds, and the completer's."""

    def __init__(
        self,
        database: Database,
        endpoints: Endpoints,
        sender: Sender,
        settings: WorkerSettings,
        counters: Counters,
    ) -> None:
        self.database = database
        self.endpoints = endpoints
        self.attempts = Attempts(endpoints, sender, settings, counters)
        self.settings = settings
        self.counters = counters
        self.owner = uuid4()
        self.completer = Completer(database, self.owner, self._written, self._disable)
        self.hosts = Hosts(max(1, settings.slots // 2))
        self.hints: dict[UUID, None] = {}
        self.unserved: set[UUID] = set()
        self.under_way: Counter[UUID] = Counter()
        self.quick: Counter[UUID] = Counter()
        self.tasks: dict[asyncio.Task[bool], asyncio.TimerHandle] = {}
        self.slow: set[asyncio.Task[bool]] = set()
        self.wake = asyncio.Event()
        self.next_look = 0.0
        self.stopping = False

    def hint(self, tenant_id: UUID) -> None:
        """This tenant probably has something due."""
        self.hints[tenant_id] = None
        self.wake.set()

    def stop(self) -> None:
        """Claim nothing more, and give back what is not being sent yet."""
        self.stopping = True
        self.wake.set()

    async def round(self) -> None:
        """Claim for the tenants that were hinted at, or wait for a hint, a free slot or the next look at all tenants.

        Raises Unavailable.
        """
        self.wake.clear()
        now = time.monotonic()
        if now >= self.next_look:
            self.next_look = now + self.settings.poll_seconds
            self.counters.hosts_open(self.hosts.open)
            for tenant_id in await lanes.due_tenants(self.database, LOOK_AT, self.hosts.full()):
                self.hints.setdefault(tenant_id)
        while self.hints and not self.stopping and (free := self.free) > 0:
            most = 1 if self.database.citus else TENANTS_A_CLAIM
            some = list(islice(self.hints, min(most, free)))
            for tenant_id in some:
                del self.hints[tenant_id]
            try:
                await self.claim(some, free)
            except NodeAway:
                # The next look at all tenants finds those whose node answers.
                continue
            if time.monotonic() >= self.next_look:
                return
        if not self.wake.is_set():
            await wait_for(self.wake, self.next_look - time.monotonic())

    @property
    def free(self) -> int:
        """How many attempts may begin: none while too much waits to be written down."""
        slots, held = self.settings.slots, len(self.tasks) + len(self.completer.waiting)
        return min(slots - len(self.tasks) + len(self.slow), slots * SLOW_TIMES - held)

    async def finish(self, seconds: float, writing: float = WRITE_SECONDS) -> None:
        """Wait so many seconds for the attempts that are under way, and *writing* seconds until they are written down;
        those that take longer are left to their leases."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=seconds)
        await wait_for(self.completer.idle, writing)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def claim(self, tenants: Sequence[UUID], free: int) -> None:
        """Claim up to *free* deliveries of some tenants, the same for each, and begin to make them. Raises Unavailable.

        Half of the slots at most are one tenant's, and one host's, an eighth of that one endpoint's: no dead system
        stops the others.
        """
        # The claim that took the last of a tenant's share ended at its limit: it gives the next hint.
        rooms = {t: room for t in tenants if (room := min(free // len(tenants), self.room(t))) > 0}
        if not rooms:
            return
        started = time.monotonic()
        claims = await lanes.claim(
            self.database,
            self.owner,
            rooms,
            limit=free,
            share=max(1, self.settings.slots // 16),
            hosts=self.hosts,
            lease_seconds=self.settings.lease_seconds,
        )
        loop = asyncio.get_running_loop()
        for claim in claims:
            self.hosts.began(claim.host)
            task = loop.create_task(self.deliver(claim, started))
            self.under_way[claim.tenant_id] += 1
            self.quick[claim.tenant_id] += 1
            self.tasks[task] = loop.call_later(SLOW_SECONDS, self._slow, claim, task)
            task.add_done_callback(partial(self._done, claim))
        got = Counter(claim.tenant_id for claim in claims)
        for tenant_id, room in rooms.items():
            if got[tenant_id] == room:
                # There may be more: for another claim, or for when one of these has ended.
                if self.room(tenant_id) > 0:
                    self.hints.setdefault(tenant_id)
                else:
                    self.unserved.add(tenant_id)
        self.counters.flying(len(self.tasks))

    def room(self, tenant_id: UUID) -> int:
        """How many attempts a tenant may begin."""
        slots = self.settings.slots
        return min(max(1, slots // 2) - self.quick[tenant_id], 2 * slots - self.under_way[tenant_id])

    def _slow(self, claim: Claim, task: asyncio.Task[bool]) -> None:
        """It takes its time: another delivery may have its slot."""
        self.slow.add(task)
        decrease(self.quick, claim.tenant_id)
        # A tenant that found no room may have some now.
        self.hints.setdefault(claim.tenant_id)
        self.wake.set()

    def _done(self, claim: Claim, task: asyncio.Task[bool]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("webhook_delivery_broke", error=type(error).__name__, trace=places(error), **ids_of(claim))
        self.tasks.pop(task).cancel()
        if task in self.slow:
            self.slow.discard(task)
        else:
            decrease(self.quick, claim.tenant_id)
        decrease(self.under_way, claim.tenant_id)
        if not self.tasks:
            self.counters.flying(0)
        if task.cancelled() or task.exception() is not None or not task.result():
            self._over(claim)
        elif len(self.tasks) - len(self.slow) == self.settings.slots - 1:
            # There was no free slot.
            self.wake.set()

    def _over(self, claim: Claim) -> None:
        """Its lease has ended: those may be claimed for whom there was no room beside it."""
        if claim.filled or claim.tenant_id in self.unserved:
            self.unserved.discard(claim.tenant_id)
            self.hints.setdefault(claim.tenant_id)
        self.wake.set()

    def _written(self, completion: Completion, outcome: str) -> None:
        self.counters.ended(outcome)
        self._over(completion.claim)

    async def deliver(self, claim: Claim, claimed: float) -> bool:
        """Make the attempt and have its outcome written; whether it was made. *claimed* is when the lease began, or a
        little earlier."""
        try:
            left = self.settings.lease_seconds - (time.monotonic() - claimed)
            if self.stopping or left < self.settings.timeout_seconds:
                # What may outlive its lease would be sent twice.
                self.hosts.given_up(claim.host)
                await give_back(self.database, self.owner, claim)
                return False
            completion = await self.attempts.make(claim, claimed)
            if completion is None:
                self.hosts.given_up(claim.host)
                await give_back(self.database, self.owner, claim, OWN_FAULT_PAUSE)
                return False
            reached = completion.error not in UNREACHED
            self.hosts.ended(claim.host, reached, time.monotonic(), random.random())  # noqa: S311  spreads load
            self.counters.attempted(completion.error, completion.duration_ms / 1000)
            self.completer.complete(completion)
        except Unavailable:
            # Its lease ends by itself.
            log.warning("webhook_not_given_back", **ids_of(claim))
            return False
        return True

    async def _disable(self, trouble: Trouble) -> None:
        """The endpoint wants to hear nothing any more, or has not for days. What cannot be recorded now is found again
        when its next attempt has failed."""
        about = {"tenant": str(trouble.tenant_id), "endpoint": str(trouble.endpoint_id), "reason": trouble.reason}
        try:
            await self.endpoints.disable(trouble.tenant_id, trouble.endpoint_id, trouble.reason)
            log.warning("webhook_endpoint_disabled", **about)
        except DomainError as error:
            log.warning("webhook_endpoint_not_disabled", error=type(error).__name__, **about)


def decrease(counter: Counter[UUID], tenant_id: UUID) -> None:
    """One less; a count of zero is removed."""
    counter[tenant_id] -= 1
    if not counter[tenant_id]:
        del counter[tenant_id]
