"""API keys: issued once, shown once, revoked for good."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.conflicts import deciding_again
from aureum.domain import ids
from aureum.domain.api_key import RATE_LIMIT, ApiKey
from aureum.domain.errors import NotFound
from aureum.store.event_store import NO_STREAM, Appended, EventStore, Idempotency
from aureum.store.metadata import Origin

KEY_PREFIX = "aur_"
NO_KEY = "There is no such API key."

SHOWN_CHARACTERS = 12
"""Enough to tell keys apart, far too little to guess one: 8 of 43 random characters."""


class IssueApiKey(BaseModel):
    """An integrator's program gets a key. ``rate_limit`` counts requests a minute. It ends by itself at
    ``expires_at``."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    name: str
    rate_limit: int = RATE_LIMIT
    expires_at: datetime | None = None


def hash_key(key: str) -> bytes:
    """What is kept of a key. It has 256 random bits: a slow hash would add nothing but time to every request."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def new_key() -> str:
    """A new, random key."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


async def issue_api_key(store: EventStore, command: IssueApiKey, origin: Origin) -> tuple[ApiKey, str]:
    """The key's aggregate, and the key itself, this once. Raises Invalid, NotFound (no such brokerage)."""
    key = new_key()
    api_key, _ = await issue_api_key_once(store, command, key, origin, None)
    return api_key, key


async def issue_api_key_once(
    store: EventStore, command: IssueApiKey, key: str, origin: Origin, idempotency: Idempotency | None
) -> tuple[ApiKey, Appended]:
    """The same for a request that may come twice; *key* is a new one."""
    api_key = ApiKey.issue(
        ids.new_id(),
        ids.now(),
        name=command.name,
        prefix=key[:SHOWN_CHARACTERS],
        key_hash=hash_key(key).hex(),
        rate_limit=command.rate_limit,
        expires_at=command.expires_at,
    )
    appended = await store.append(
        command.tenant_id, api_key, NO_STREAM, command="IssueApiKey", origin=origin, idempotency=idempotency
    )
    return api_key, appended


async def revoke_api_key(store: EventStore, tenant_id: UUID, key_id: UUID, origin: Origin) -> ApiKey:
    """From the next request on the key opens nothing. Raises NotFound."""

    async def once() -> ApiKey:
        stream = await store.load(tenant_id, key_id)
        api_key = stream.aggregate()
        if not isinstance(api_key, ApiKey):
            raise NotFound(NO_KEY)
        api_key.revoke(ids.now())
        await store.append(tenant_id, api_key, stream, command="RevokeApiKey", origin=origin)
        return api_key

    return await deciding_again(once)
