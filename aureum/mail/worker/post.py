"""All that a worker does for mail: following the logs, sending, and the chores."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from aureum.background.follower import Follower
from aureum.mail.worker.by_the_clock import by_the_clock
from aureum.mail.worker.consumer import mail_consumer
from aureum.mail.worker.counters import MailCounters
from aureum.mail.worker.dispatcher import MailDispatcher
from aureum.mail.worker.mail_settings import MailSettings
from aureum.mail.worker.maintenance import mail_maintenance
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database

Loops = Mapping[str, Callable[[], Awaitable[None]]]
"""The name of each loop and one round of it."""


class Post:
    """One a worker, which runs the loops."""

    def __init__(
        self,
        store: EventStore,
        unhurried: Database,
        settings: MailSettings,
        counters: MailCounters,
        poll_seconds: float,
        stop: asyncio.Event,
    ) -> None:
        self.dispatcher = MailDispatcher(store, settings.new_sender(), settings, counters, poll_seconds)
        self.follower = Follower(store, mail_consumer(settings), self._made, poll_seconds)
        self.chores: Loops = {
            **mail_maintenance(unhurried, self.dispatcher, stop),
            **by_the_clock(store, settings, self.dispatcher.hint, stop),
        }
        self.work: Loops = {"follow for mail": self.follower.round, "send mail": self.dispatcher.round}
        """What is not to be cancelled in the middle of a round."""

    def _made(self, tenant_id: UUID, mails: int) -> None:
        if mails:
            self.dispatcher.hint(tenant_id)

    def stop(self) -> None:
        """End the rounds that are under way."""
        self.dispatcher.stop()
        self.follower.wake.set()
