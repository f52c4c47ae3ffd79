"""Calendar feeds: made and shown once, renewed, revoked. Only the user does it, for the user's own."""

import hashlib
import secrets
from uuid import UUID

from aureum.commands.conflicts import deciding_again
from aureum.domain import ids
from aureum.domain.calendar_feed import CalendarFeed, feed_of
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

TOKEN_BYTES = 16


def new_token() -> str:
    """The secret of an address: 128 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """What is stored of it. It is random: no salt and no slow hash is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


async def open_feed(
    store: EventStore,
    tenant_id: UUID,
    user_id: UUID,
    token: str,
    origin: Origin,
    *,
    details: bool,
    idempotency: Idempotency | None = None,
) -> tuple[CalendarFeed, Appended]:
    """The user's feed with this secret. An address that there was before is dead. Raises Conflict, and what
    ``EventStore.append`` raises."""
    kept = hash_token(token).hex()

    async def once() -> tuple[CalendarFeed, Appended]:
        stream = await store.load(tenant_id, feed_of(user_id))
        feed = stream.aggregate()
        if isinstance(feed, CalendarFeed):
            feed.renew(max(ids.now(), feed.modified_on), token_hash=kept, details=details)
        else:
            feed, stream = CalendarFeed.open(user_id, ids.now(), token_hash=kept, details=details), NO_STREAM
        appended = await store.append(
            tenant_id, feed, stream, command="OpenFeed", origin=origin, idempotency=idempotency
        )
        return feed, appended

    return await deciding_again(once)


async def revoke_feed(store: EventStore, tenant_id: UUID, user_id: UUID, origin: Origin) -> None:
    """From the next request on the address shows nothing. A user who has none is left as it is."""

    async def once() -> None:
        stream = await store.load(tenant_id, feed_of(user_id))
        feed = stream.aggregate()
        if isinstance(feed, CalendarFeed):
            feed.revoke(max(ids.now(), feed.modified_on))
            await store.append(tenant_id, feed, stream, command="RevokeFeed", origin=origin)

    await deciding_again(once)
