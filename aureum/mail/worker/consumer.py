"""The consumer with which the worker follows the logs for mail: it makes mails of a tenant's events."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from email import message_from_bytes, policy
from typing import Any
from uuid import UUID

import structlog
from psycopg import AsyncConnection

from aureum.background.follower import Batch, Consumer, Handled
from aureum.background.reading import POSITION, RECORDED_AT
from aureum.log import places
from aureum.mail.letter import Letter
from aureum.mail.letters.composing import AboutBrokerage, rendered
from aureum.mail.letters.kinds import KINDS
from aureum.mail.letters.telling import letters_of
from aureum.mail.queue.bounces import MOST_TIMES, bounces
from aureum.mail.queue.queueing import BEFORE, NO_LINK, NOT_MADE, UNUSABLE, Mail, add_mails, message_id, subject_keys
from aureum.mail.queue.sealing import About
from aureum.mail.worker.mail_settings import MailSettings
from aureum.store.cipher import TenantKey

log = structlog.get_logger()

EVENTS = 100
"""How many events are handled at once. Writing the mails of more would hold up the worker's other tasks."""

SLICE = 4
"""Mails that are written in one go, in some milliseconds; then the process's other tasks have their turn."""

BROKERAGE = "SELECT name, color FROM brokerages WHERE tenant_id = %(tenant)s"


def mail_consumer(settings: MailSettings) -> Consumer[int]:
    """The consumer whose mails come from the sender of *settings*; its result is how many were made."""

    async def handle(batch: Batch) -> Handled[int]:
        letters = await letters_of(batch.tenant_key, batch.connection, batch.rows, settings.letters)
        times = {row[POSITION]: row[RECORDED_AT] for row in batch.rows}
        return await mails_of(settings, batch.connection, batch.tenant_key, letters, times)

    return Consumer("mail", handle, most=EVENTS)


async def mails_of(
    settings: MailSettings,
    connection: AsyncConnection[Any],
    tenant_key: TenantKey,
    letters: Sequence[Letter],
    times: Mapping[int, datetime],
) -> Handled[int]:
    """*letters* as mails, and how they are put into the queue. *times*: when the event at each position was stored."""
    if not letters:
        return Handled(0, nothing)
    tenant = {"tenant": tenant_key.tenant_id}
    named = await (await connection.execute(BROKERAGE, tenant, binary=True)).fetchone()
    name, color = named or ("Aureum", None)
    about = AboutBrokerage(name) if color is None else AboutBrokerage(name, color)
    bounced = await bounces(connection, tenant_key, {letter.recipient.address for letter in letters})
    keys = await subject_keys(connection, tenant_key.tenant_id, subjects_of(letters))
    mails = []
    for place, letter in enumerate(letters):
        if place % SLICE == 0:
            await asyncio.sleep(0)
        at, times_bounced = times[letter.position], bounced.get(letter.recipient.address, 0)
        mails.append(mail_of(settings, tenant_key, letter, about, at, times_bounced))

    async def write() -> None:
        await add_mails(connection, tenant_key, mails, keys)

    return Handled(len(mails), write)


async def nothing() -> None:
    """Nothing is to be written."""


def subjects_of(letters: Sequence[Letter]) -> list[UUID]:
    """Whose data the letters hold."""
    return list({s for letter in letters if (s := letter.recipient.subject_id) is not None})


def mail_of(
    settings: MailSettings, tenant_key: TenantKey, letter: Letter, about: AboutBrokerage, at: datetime, bounced: int
) -> Mail:
    """*letter* as a mail; one that cannot be sent says why. *bounced*: how often its address has."""
    recipient = letter.recipient
    identifier = message_id(tenant_key, letter.position, letter.kind, recipient.address, settings.domain)
    message: bytes | None = None
    error, subject = None, ""
    try:
        message = rendered(letter, about, identifier, settings.sender, at)
        subject = str(message_from_bytes(message, policy=policy.default)["Subject"])
    except ValueError:
        error = UNUSABLE
    except Exception as wrong:
        # A fault of ours. The brokerage's other mails go out, and this one is listed as failed.
        error = NOT_MADE
        about_it = {"tenant": str(tenant_key.tenant_id), "kind": letter.kind, "position": letter.position}
        log.error("mail_not_made", error=type(wrong).__name__, trace=places(wrong), **about_it)
    if error is None and KINDS[letter.kind].secret and letter.fields.get("link") is None:
        error, message = NO_LINK, None
    # A secret letter is one that its recipient waits for, such as a code to sign in.
    waited_for = recipient.user_id is not None or KINDS[letter.kind].secret
    if error is None and bounced >= (MOST_TIMES if waited_for else 1):
        error = BEFORE
    return Mail(
        kind=letter.kind,
        position=letter.position,
        about=About(recipient.address, recipient.name, subject),
        subject_id=recipient.subject_id,
        user_id=recipient.user_id,
        message=message,
        not_before=letter.not_before,
        recorded_at=at,
        error=error,
        also_about=letter.also_about,
    )
