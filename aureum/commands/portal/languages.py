"""The language in which the person of an address last signed in to the portal: letters to the address are in it."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import AsyncConnection

from aureum.commands.portal.addresses import client_address_of
from aureum.store.cipher import TenantKey

OF_ADDRESSES = """
SELECT address_key, language FROM portal_languages
 WHERE tenant_id = %(tenant)s AND address_key = ANY (%(clients)s)
"""

FORGET_LANGUAGES = "DELETE FROM portal_languages WHERE tenant_id = %(tenant)s AND address_key = ANY (%(clients)s)"
"""Of persons who are erased."""


async def languages_of(
    connection: AsyncConnection[Any], tenant_key: TenantKey, addresses: Iterable[str]
) -> Mapping[str, str]:
    """The languages of those *addresses* whose persons have signed in."""
    keys = {client_address_of(tenant_key, one).key: one for one in addresses}
    if not keys:
        return {}
    about = {"tenant": tenant_key.tenant_id, "clients": list(keys)}
    rows = await (await connection.execute(OF_ADDRESSES, about)).fetchall()
    return {keys[bytes(key)]: language for key, language in rows}
