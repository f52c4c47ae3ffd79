"""The language in which the person of an address last signed in to the portal: letters to the address are in it. One
that the person chose there counts until the person chooses another, whatever the next browser prefers."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from aureum.commands.api_keys import hash_key
from aureum.commands.portal.addresses import client_address_of
from aureum.store.cipher import TenantKey
from aureum.store.postgres.database import Database

OF_ADDRESSES = """
SELECT address_key, language, chosen FROM portal_languages
 WHERE tenant_id = %(tenant)s AND address_key = ANY (%(clients)s)
"""

CHOOSE = """
INSERT INTO portal_languages AS l (tenant_id, address_key, language, chosen)
SELECT s.tenant_id, s.address_key, %(language)s, true FROM portal_sessions s
 WHERE s.token_hash = %(token)s AND s.expires_at > now()
   FOR SHARE
ON CONFLICT (tenant_id, address_key) DO UPDATE SET language = excluded.language, chosen = true
"""
"""Of a person who was erased meanwhile no session is left."""

FORGET_LANGUAGES = "DELETE FROM portal_languages WHERE tenant_id = %(tenant)s AND address_key = ANY (%(clients)s)"
"""Of persons who are erased."""


class Spoken(NamedTuple):
    """A language, and whether the person chose it in the portal."""

    language: str
    chosen: bool


async def choose_language(database: Database, token: str, language: str) -> None:
    """The client of this session has chosen. Raises Unavailable."""
    await database.rows(CHOOSE, {"token": hash_key(token), "language": language})


async def languages_of(
    connection: AsyncConnection[Any], tenant_key: TenantKey, addresses: Iterable[str]
) -> Mapping[str, Spoken]:
    """The languages of those *addresses* whose persons have signed in."""
    keys = {client_address_of(tenant_key, one).key: one for one in addresses}
    if not keys:
        return {}
    about = {"tenant": tenant_key.tenant_id, "clients": list(keys)}
    rows = await (await connection.execute(OF_ADDRESSES, about)).fetchall()
    return {keys[bytes(key)]: Spoken(language, chosen) for key, language, chosen in rows}
