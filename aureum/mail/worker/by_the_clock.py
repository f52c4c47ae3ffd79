"""Letters that no event makes: digests in the morning, letters to owners about domains at which nothing arrives, links
for passwords that were forgotten, and codes for clients who sign in to the portal or change their address there."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from psycopg import AsyncConnection

from aureum.background.waiting import wait_for
from aureum.domain.errors import NodeAway, Unavailable
from aureum.domain.ids import now
from aureum.log import places
from aureum.mail.letter import Letter
from aureum.mail.letters.account_letters import Asked, reset, resets_asked
from aureum.mail.letters.digesting import digest, digests_due, forget_old
from aureum.mail.letters.portal_letters import (
    MoveAsked,
    SignInAsked,
    moves_asked,
    new_address,
    sign_in,
    sign_ins_asked,
)
from aureum.mail.letters.retention import retention, tenants_with_retention
from aureum.mail.letters.silence import silence, tenants_with_silence
from aureum.mail.worker.consumer import mails_of
from aureum.mail.worker.mail_settings import MailSettings
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore

DIGEST_SECONDS = 15.0
SILENCE_SECONDS = 600.0
RETENTION_SECONDS = 600.0
RESET_SECONDS = 1.0

log = structlog.get_logger()

Write = Callable[[AsyncConnection[Any], TenantKey], Awaitable[Sequence[Letter]]]


def by_the_clock(
    store: EventStore, settings: MailSettings, hint: Callable[[UUID], None], stop: asyncio.Event
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """Each chore's name and one round of it, which ends with the wait for the next. *hint* is called with each
    brokerage that has a new mail."""

    async def digests() -> None:
        for due in await digests_due(store.database):
            write = partial(digest, due=due, settings=settings.letters)
            if await queued(store, settings, due.tenant_id, write):
                hint(due.tenant_id)
        await wait_for(stop, DIGEST_SECONDS)

    async def silent_domains() -> None:
        for tenant_id in await tenants_with_silence(store.database):
            if await queued(store, settings, tenant_id, silent(tenant_id)):
                hint(tenant_id)
        await forget_old(store.database)
        await wait_for(stop, SILENCE_SECONDS)

    async def lost_leads() -> None:
        for tenant_id in await tenants_with_retention(store.database):
            if await queued(store, settings, tenant_id, expiring(tenant_id)):
                hint(tenant_id)
        await wait_for(stop, RETENTION_SECONDS)

    async def forgotten_passwords() -> None:
        for asked in await resets_asked(store.database):
            if await queued(store, settings, asked.tenant_id, link_for(asked)):
                hint(asked.tenant_id)
        await wait_for(stop, RESET_SECONDS)

    async def clients_signing_in() -> None:
        for asked in await sign_ins_asked(store):
            if await queued(store, settings, asked.tenant_id, code_for(asked)):
                hint(asked.tenant_id)
        for move in await moves_asked(store):
            if await queued(store, settings, move.tenant_id, proof_for(move)):
                hint(move.tenant_id)
        await wait_for(stop, RESET_SECONDS)

    def code_for(asked: SignInAsked) -> Write:
        return lambda connection, key: sign_in(connection, key, asked, settings.letters)

    def proof_for(asked: MoveAsked) -> Write:
        return lambda connection, key: new_address(connection, key, asked, settings.letters)

    def link_for(asked: Asked) -> Write:
        return lambda connection, _: reset(connection, asked, settings.letters)

    def silent(tenant_id: UUID) -> Write:
        return lambda connection, _: silence(connection, tenant_id, settings.letters)

    def expiring(tenant_id: UUID) -> Write:
        return lambda connection, _: retention(connection, tenant_id, settings.letters)

    return {
        "digests": digests,
        "silent domains": silent_domains,
        "lost leads": lost_leads,
        "forgotten passwords": forgotten_passwords,
        "clients signing in": clients_signing_in,
    }


async def queued(store: EventStore, settings: MailSettings, tenant_id: UUID, write: Write) -> int:
    """Queue the letters of *write*, in the transaction that decides them; how many mails. A brokerage that fails holds
    up no other. Raises Unavailable."""
    try:
        tenant_key = await store.tenant_key(tenant_id)
        async with store.database.connection() as connection:
            await connection.execute("BEGIN")
            letters = await write(connection, tenant_key)
            moments = dict.fromkeys((letter.position for letter in letters), now())
            handled = await mails_of(settings, connection, tenant_key, letters, moments)
            await handled.write()
            await connection.execute("COMMIT")
    except NodeAway:
        # It is asked for again in the next round.
        return 0
    except Unavailable:
        raise
    except Exception as error:
        log.error("letters_failed", tenant=str(tenant_id), error=type(error).__name__, trace=places(error))
        return 0
    return handled.result
