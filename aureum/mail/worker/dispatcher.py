"""Claims due mails and hands them over: a limited number at once, fairly between tenants, none while the server is
away.

Hints name the tenants with new mails. Looking at all tenants twice a second finds the rest: retries, other workers'
mails, and those of a dead worker. A server that cannot be reached, or accepts nothing, is probed with one mail at a
time, at growing intervals. The other mails wait, and use up no attempt.
"""

import asyncio
import random
import time
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import structlog

from aureum.background.hosts import Host, Hosts
from aureum.background.waiting import wait_for
from aureum.domain.errors import NodeAway, Unavailable
from aureum.log import places
from aureum.mail.queue import leases
from aureum.mail.queue.leases import Claim
from aureum.mail.sending.outcome import UNHEALTHY, Outcome
from aureum.mail.sending.sender import Sender
from aureum.mail.worker.attempts import Attempts
from aureum.mail.worker.counters import MailCounters
from aureum.mail.worker.mail_settings import MailSettings
from aureum.store.event_store import EventStore

log = structlog.get_logger()

LOOK_AT = 64
"""How many tenants one look finds."""

LONGEST_OPEN = timedelta(minutes=1)
"""The longest pause between probes. They cost next to nothing."""


class MailDispatcher:
    """One a worker, which runs its rounds."""

    def __init__(
        self, store: EventStore, sender: Sender, settings: MailSettings, counters: MailCounters, poll_seconds: float
    ) -> None:
        self.database = store.database
        self.sender = sender
        self.settings = settings
        self.poll_seconds = poll_seconds
        self.owner = uuid4()
        self.attempts = Attempts(store, sender, settings, counters, self.owner)
        self.hosts = Hosts(settings.slots, LONGEST_OPEN)
        self.hints: dict[UUID, None] = {}
        self.under_way: Counter[UUID] = Counter()
        self.tasks: set[asyncio.Task[None]] = set()
        self.wake = asyncio.Event()
        self.next_look = 0.0
        self.stopping = False

    def hint(self, tenant_id: UUID) -> None:
        """This tenant probably has something due."""
        self.hints[tenant_id] = None
        self.wake.set()

    def stop(self) -> None:
        """Claim nothing more."""
        self.stopping = True
        self.wake.set()

    async def round(self) -> None:
        """Claim for the tenants that have something due, or wait for a hint, a free slot or the next look at all.

        Raises Unavailable.
        """
        self.wake.clear()
        if time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + self.poll_seconds
            # While nothing may begin there is nothing to look for.
            for tenant_id in await leases.due_tenants(self.database, LOOK_AT) if self.free else ():
                self.hints.setdefault(tenant_id)
        full: list[UUID] = []
        while self.hints and not self.stopping and (free := self.free) > 0:
            tenant_id = next(iter(self.hints))
            waiting = len(self.hints)
            del self.hints[tenant_id]
            room = min(max(1, free // waiting), self.share - self.under_way[tenant_id])
            if room <= 0:
                full.append(tenant_id)
            elif await self._claim(tenant_id, room) == room:
                # There may be more: behind the others.
                self.hints.setdefault(tenant_id)
        for tenant_id in full:
            self.hints.setdefault(tenant_id)
        if not self.wake.is_set():
            await wait_for(self.wake, max(0.0, self.next_look - time.monotonic()))

    @property
    def free(self) -> int:
        """How many attempts may begin."""
        return self.hosts.room(self.hosts.known.get(self.sender.name, Host()), time.monotonic())

    @property
    def share(self) -> int:
        """How many attempts of one tenant may be under way: half of all, so that a tenant with slow mails leaves room
        for others."""
        return max(1, self.settings.slots // 2)

    async def _claim(self, tenant_id: UUID, room: int) -> int:
        """Claim up to *room* mails of a tenant and begin to send them; how many there were. There are none while its
        node is away. Raises Unavailable."""
        claimed = time.monotonic()
        try:
            claims = await leases.claim(self.database, self.owner, tenant_id, room, self.settings.lease_seconds)
        except NodeAway:
            return 0
        for one in claims:
            self.hosts.began(self.sender.name)
            self.under_way[tenant_id] += 1
            task = asyncio.get_running_loop().create_task(self._send(one, claimed))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return len(claims)

    async def _send(self, one: Claim, claimed: float) -> None:
        """One attempt, from the claim to its outcome in the database."""
        about = {"tenant": str(one.tenant_id), "mail": str(one.mail_id), "kind": one.kind}
        outcome: Outcome | None = None
        try:
            if self.stopping:
                await leases.give_back(self.database, self.owner, one)
                return
            outcome = await self.attempts.make(one, claimed, self._pause)
        except Unavailable:
            # Its lease ends by itself, and the mail goes out again.
            log.warning("mail_outcome_not_written", **about)
        except Exception as error:
            log.error("mail_attempt_broke", error=type(error).__name__, trace=places(error), **about)
        finally:
            self._over(one, outcome)

    def _over(self, one: Claim, outcome: Outcome | None) -> None:
        if outcome is None:
            # No attempt was made, which says nothing about the server.
            self.hosts.given_up(self.sender.name)
        else:
            chance = random.random()  # noqa: S311  it spreads load
            self.hosts.ended(self.sender.name, outcome.failure not in UNHEALTHY, time.monotonic(), chance)
        self.under_way[one.tenant_id] -= 1
        if not self.under_way[one.tenant_id]:
            del self.under_way[one.tenant_id]
        self.wake.set()

    def _pause(self) -> timedelta:
        """How long a mail waits at least if the server is at fault."""
        host = self.hosts.known[self.sender.name]
        return timedelta(seconds=max(1.0, self.hosts.pause(host, time.monotonic())))

    async def finish(self, seconds: float) -> None:
        """Wait so many seconds for the attempts that are under way; those that take longer are left to their leases."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=seconds)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.sender.close()
