"""Addresses that mail servers have refused for good, per tenant. A visitor's address gets no more mail, but for codes
that the visitor asks for. An agent's gets a few more. An accepted mail ends this.
"""

from collections.abc import Iterable
from typing import Any

from psycopg import AsyncConnection

from aureum.mail.queue.sealing import recipient_digest
from aureum.store.cipher import TenantKey

MOST_TIMES = 5
"""How often an agent's address, or that of a client who asks for a code, may bounce in a row before nothing is sent
there any more."""

BOUNCED = "SELECT recipient, times FROM mail_bounces WHERE tenant_id = %(tenant)s AND recipient = ANY (%(recipients)s)"


async def bounces(connection: AsyncConnection[Any], tenant_key: TenantKey, addresses: Iterable[str]) -> dict[str, int]:
    """How often in a row each of *addresses* has bounced; only those that have."""
    digests = {recipient_digest(tenant_key, address): address for address in addresses}
    if not digests:
        return {}
    about = {"tenant": tenant_key.tenant_id, "recipients": list(digests)}
    found = await (await connection.execute(BOUNCED, about, binary=True)).fetchall()
    return {digests[bytes(digest)]: times for digest, times in found}
