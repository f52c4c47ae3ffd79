"""What a worker does for mail now and then: reap leases, observe, remove erased and old mails."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from aureum.background.waiting import wait_for
from aureum.mail.queue import leases
from aureum.mail.queue.observing import observe
from aureum.mail.queue.retention import drop_erased, prune_mails
from aureum.mail.sending.sender import file_of, prune_files
from aureum.mail.worker.dispatcher import MailDispatcher
from aureum.store.postgres.database import Database

REAP_SECONDS = 1.0
OBSERVE_SECONDS = 10.0
ERASED_SECONDS = 60.0
PRUNE_SECONDS = 600.0


def mail_maintenance(
    database: Database, dispatcher: MailDispatcher, stop: asyncio.Event
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """Each chore's name and one round of it, which ends with the wait for the next. *database* is for those that may
    take their time."""
    directory = dispatcher.settings.directory

    async def reap() -> None:
        for tenant_id in await leases.reap(dispatcher.database):
            dispatcher.hint(tenant_id)
        await wait_for(stop, REAP_SECONDS)

    async def look() -> None:
        dispatcher.attempts.counters.observed(await observe(database))
        await wait_for(stop, OBSERVE_SECONDS)

    async def forget() -> None:
        began = time.monotonic()
        await drop_erased(database, partial(file_of, directory))
        # It looks at all mails: where these are many, it takes no more than a hundredth of the time.
        await wait_for(stop, max(ERASED_SECONDS, 100 * (time.monotonic() - began)))

    async def prune() -> None:
        await prune_mails(database)
        # Also where there is a server by now: files of before may be left.
        await asyncio.to_thread(prune_files, directory)
        await wait_for(stop, PRUNE_SECONDS)

    return {"reap mail": reap, "observe mail": look, "forget mail": forget, "prune mail": prune}
