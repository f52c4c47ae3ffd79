"""Makes one attempt of a claimed mail: opens it, hands it over, and writes the outcome."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aureum.domain.errors import Unavailable
from aureum.mail.queue.completions import complete, drop
from aureum.mail.queue.leases import Claim, give_back
from aureum.mail.queue.schedule import LONGEST
from aureum.mail.queue.sealing import mail_key, open_about, open_message, seal_answer
from aureum.mail.sending.outcome import FINAL, OF_SERVER, Outcome
from aureum.mail.sending.sender import Sender
from aureum.mail.worker.counters import MailCounters
from aureum.mail.worker.mail_settings import MailSettings
from aureum.store.event_store import EventStore

log = structlog.get_logger()

MOST_ANSWER = 500

AGAIN_SECONDS = 0.2
"""How soon to try again to write an outcome that the database could not take."""

EXPIRED = "expired"
"""The error of a mail that a fault of the server or of our settings held up for ``LONGEST``."""


class Attempts:
    """The attempts of one worker, which *owner* stands for."""

    def __init__(
        self, store: EventStore, sender: Sender, settings: MailSettings, counters: MailCounters, owner: UUID
    ) -> None:
        self.store = store
        self.sender = sender
        self.settings = settings
        self.counters = counters
        self.owner = owner

    async def make(self, one: Claim, claimed: float, held_for: Callable[[], timedelta]) -> Outcome | None:
        """One attempt; None if there was nothing to attempt. *claimed* is when the claim was asked for, by the
        monotonic clock. *held_for* tells how long a mail waits if the server is at fault.

        Raises Unavailable.
        """
        tenant_key = await self.store.tenant_key(one.tenant_id)
        key = mail_key(tenant_key, one.subject_id, one.wrapped)
        if key is None or one.erased or one.message is None:
            # The person was erased after it was queued.
            await drop(self.store.database, self.owner, one)
            return None
        about = open_about(key, one.tenant_id, one.mail_id, one.about)
        message = open_message(key, one.tenant_id, one.mail_id, one.message)
        outcome = await self.sender.send(one.mail_id, about.address, message)
        ended_at = one.claimed_at + timedelta(seconds=time.monotonic() - claimed)
        age, lease = ended_at - one.queued_at, claimed + self.settings.lease_seconds
        said = await while_held(lease, lambda: self._write(one, key, outcome, age, held_for))
        if said is not None:
            self.counters.ended(said)
            if said == "sent" and one.attempt == 1:
                self.counters.accepted_first(ended_at - one.recorded_at)
        return outcome

    async def _write(
        self, one: Claim, key: AESGCM, outcome: Outcome, age: timedelta, held_for: Callable[[], timedelta]
    ) -> str | None:
        """Write *outcome*. Returns what it is counted as; None if another worker has the mail by now. Raises
        Unavailable."""
        failure, database = outcome.failure, self.store.database
        told = {"tenant": str(one.tenant_id), "mail": str(one.mail_id), "kind": one.kind, "code": outcome.code}
        error: str | None = failure
        pause: timedelta | None = None
        if failure in OF_SERVER and age < LONGEST:
            log.warning("mail_held", server=self.sender.name, error=error, **told)
            return "held" if await give_back(database, self.owner, one, held_for(), error) else None
        if failure in OF_SERVER:
            error = EXPIRED
        elif failure is not None and failure not in FINAL:
            pause = self.settings.pause_after(one.attempt - one.base, age)
        answer = f"{outcome.code or ''} {outcome.answer}".strip()[:MOST_ANSWER]
        sealed = seal_answer(key, one.tenant_id, one.mail_id, answer) if answer else None
        bounced = outcome.bounced
        held = await complete(database, self.owner, one, error=error, answer=sealed, pause=pause, bounced=bounced)
        if not held:
            return None
        if failure is None:
            return "sent"
        log.warning("mail_retried" if pause is not None else "mail_failed", error=error, **told)
        return "retried" if pause is not None else "bounced" if bounced else "failed"


async def while_held(until: float, write: Callable[[], Awaitable[str | None]]) -> str | None:
    """What *write* returns. It is tried again while the database is away, for as long as the mail is held, so that an
    accepted mail is not sent twice. Raises Unavailable."""
    while True:
        try:
            return await write()
        except Unavailable:
            if time.monotonic() + AGAIN_SECONDS >= until:
                raise
        await asyncio.sleep(AGAIN_SECONDS)
