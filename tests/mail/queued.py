"""Mails in the queue without a letter: for tests of the queue and the worker."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.mail.queue.queueing import Mail, add_mails, message_id, subject_keys
from aureum.mail.queue.sealing import About
from aureum.mail.worker.counters import MailCounters
from aureum.mail.worker.mail_settings import MailSettings
from aureum.settings.smtp import SmtpServer
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.event_store import EventStore
from aureum.webhooks.worker.worker_settings import WorkerSettings
from aureum.worker.worker import run_worker
from tests.conftest import MASTER_KEY

SENDER = "crm@example.com"


async def queue_mails(
    store: EventStore,
    tenant_id: UUID,
    addresses: Sequence[str],
    *,
    first: int = 1,
    at: datetime | None = None,
    subject_id: UUID | None = None,
    user_id: UUID | None = None,
) -> None:
    """A mail to each address, as if each had an event of its own, from the position *first* on."""
    tenant_key = await store.tenant_key(tenant_id)
    mails = []
    for position, address in enumerate(addresses, first):
        mail = EmailMessage()
        mail["To"], mail["Subject"] = address, f"Mail {position}"
        mail["Message-ID"] = message_id(tenant_key, position, "lead_assigned", address, "example.com")
        mail.set_content("A text.")
        about = About(address, "", f"Mail {position}")
        content = mail.as_bytes()
        mails.append(Mail("lead_assigned", position, about, subject_id, user_id, content, None, at or ids.now()))
    async with store.database.connection() as connection:
        keys = await subject_keys(connection, tenant_id, [subject_id] if subject_id else [])
        await add_mails(connection, tenant_key, mails, keys)


async def states(store: EventStore, tenant_id: UUID) -> list[tuple[int, str, int, str | None]]:
    """Position, state, attempts and error of each mail of a tenant."""
    query = "SELECT position, state, attempt, error FROM mails WHERE tenant_id = %(tenant)s ORDER BY position, mail_id"
    return [tuple(row) for row in await store.database.rows(query, {"tenant": tenant_id})]


async def until_states(
    store: EventStore, tenant_id: UUID, condition: Callable[[list[tuple[int, str, int, str | None]]], bool]
) -> None:
    """Wait until what ``states`` says is so."""
    async with asyncio.timeout(60):
        while True:
            if condition(await states(store, tenant_id)):
                return
            await asyncio.sleep(0.02)


def at_once(attempt: int, age: timedelta) -> timedelta:
    """A schedule without end or patience."""
    return timedelta(milliseconds=50)


@asynccontextmanager
async def mailing(url: str, server: SmtpServer | None, directory: Path, **settings: Any) -> AsyncIterator[MailCounters]:
    """A worker in this process that sends mail, stopped as it is stopped by SIGTERM."""
    stop, counters = asyncio.Event(), MailCounters()
    given: dict[str, Any] = {"pause_after": at_once} | settings
    worker = asyncio.create_task(
        run_worker(
            url,
            TenantKeys(MasterKey(MASTER_KEY)),
            stop,
            settings=WorkerSettings(poll_seconds=0.05),
            mail=MailSettings(SENDER, server, directory, **given),
            mail_counters=counters,
        )
    )
    try:
        yield counters
    finally:
        stop.set()
        await asyncio.wait_for(worker, 60)
