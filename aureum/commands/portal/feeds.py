"""The calendar feed of a client: made and shown once, renewed, revoked. Only the hash of its secret is kept. What it
shows is what the address opens when it is read, so that a feed ends with what it stands on."""

from datetime import datetime
from uuid import UUID

from aureum.commands.calendar_feeds import hash_token
from aureum.commands.portal.addresses import ClientAddress, client_address_of, opened, sealed
from aureum.store.cipher import TenantKey
from aureum.store.postgres.database import Database

OPEN = """
INSERT INTO portal_feeds (tenant_id, address_key, address, token_hash)
VALUES (%(tenant)s, %(key)s, %(address)s, %(token)s)
ON CONFLICT (tenant_id, address_key) DO UPDATE SET token_hash = excluded.token_hash, made_at = excluded.made_at
RETURNING made_at
"""

REVOKE = "DELETE FROM portal_feeds WHERE tenant_id = %(tenant)s AND address_key = %(key)s RETURNING 1"

MADE = "SELECT made_at FROM portal_feeds WHERE tenant_id = %(tenant)s AND address_key = %(key)s"

FIND = "SELECT address_key, address FROM portal_feeds WHERE tenant_id = %(tenant)s AND token_hash = %(token)s"

FORGET_FEEDS = "DELETE FROM portal_feeds WHERE tenant_id = %(tenant)s AND address_key = ANY (%(clients)s)"
"""Of persons who are erased."""


async def open_client_feed(database: Database, tenant_key: TenantKey, address: str, token: str) -> None:
    """The address's feed has this secret; the one before is dead. Raises Unavailable."""
    client = client_address_of(tenant_key, address)
    about = {"tenant": tenant_key.tenant_id, "key": client.key, "address": sealed(tenant_key, client)}
    await database.rows(OPEN, about | {"token": hash_token(token)})


async def revoke_client_feed(database: Database, tenant_key: TenantKey, address: str) -> None:
    """The address of the feed shows nothing from now on. Raises Unavailable."""
    key = client_address_of(tenant_key, address).key
    await database.rows(REVOKE, {"tenant": tenant_key.tenant_id, "key": key})


async def feed_made(database: Database, tenant_key: TenantKey, address: str) -> datetime | None:
    """When the address's feed was made, if there is one. Raises Unavailable."""
    key = client_address_of(tenant_key, address).key
    rows = await database.rows(MADE, {"tenant": tenant_key.tenant_id, "key": key})
    return rows[0][0] if rows else None


async def client_of_feed(database: Database, tenant_key: TenantKey, token: str) -> ClientAddress | None:
    """Whose feed has this secret at the brokerage, if any. Raises Unavailable."""
    about: dict[str, UUID | bytes] = {"tenant": tenant_key.tenant_id, "token": hash_token(token)}
    rows = await database.rows(FIND, about)
    return opened(tenant_key, bytes(rows[0][0]), bytes(rows[0][1])) if rows else None
