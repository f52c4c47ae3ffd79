"""Sessions of clients: a browser that has signed in, for twelve hours.

They are rows (docs/decisions/sessions.md). A session remembers the contacts of its address, each with those that were
merged into it. Every request compares them with those of the moment: once a contact was merged, separated, erased or
has another address, the session is over. So no append has to look for sessions. Erasing a person, and a plan or a
brokerage that ends, delete them besides.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from aureum.commands.api_keys import hash_key
from aureum.commands.portal.addresses import opened
from aureum.commands.portal.opening import Opened, opened_by
from aureum.commands.portal.sign_in import END
from aureum.store.cipher import TenantKey
from aureum.store.postgres.database import Database

FIND = """
SELECT address_key, address, contacts, signed_in_at, expires_at FROM portal_sessions
 WHERE token_hash = %(token)s AND tenant_id = %(tenant)s AND expires_at > now()
"""

REMEMBER = "UPDATE portal_sessions SET contacts = %(contacts)s WHERE token_hash = %(token)s"

FORGET_SIGN_INS = "DELETE FROM portal_sign_ins WHERE tenant_id = %(tenant)s AND address_key = ANY (%(clients)s)"
FORGET_SESSIONS = "DELETE FROM portal_sessions WHERE tenant_id = %(tenant)s AND address_key = ANY (%(clients)s)"
FORGET_MOVES = """
DELETE FROM portal_moves
 WHERE tenant_id = %(tenant)s AND (address_key = ANY (%(clients)s) OR former_key = ANY (%(clients)s))
"""
"""Of persons who are erased. The sign-ins first: one that is being used holds its row until its session is there."""


@dataclass(frozen=True)
class ClientSession:
    """A client who has signed in: the address in its one form, and what it opens."""

    address: str
    opened: Opened
    signed_in_at: datetime
    expires_at: datetime

    @property
    def contact_ids(self) -> tuple[UUID, ...]:
        """The contacts that have the address."""
        return self.opened.contact_ids


async def find_session(database: Database, tenant_key: TenantKey, token: str, plan: str) -> ClientSession | None:
    """The session of *token* at this brokerage; None if it is over. Raises Unavailable."""
    about = {"token": hash_key(token), "tenant": tenant_key.tenant_id}
    rows = await database.rows(FIND, about)
    if not rows:
        return None
    key, stored, contacts, signed_in_at, expires_at = rows[0]
    address = opened(tenant_key, bytes(key), bytes(stored))
    opens = await opened_by(database, tenant_key, address, plan)
    unchanged = all(opens.contacts.get(one) == merged for one, merged in contacts.items())
    if opens.subject_id is None or not unchanged:
        await end_session(database, token)
        return None
    if opens.contacts.keys() != contacts.keys():
        await database.rows(REMEMBER, about | {"contacts": Jsonb(dict(opens.contacts))})
    return ClientSession(address.text, opens, signed_in_at, expires_at)


async def end_session(database: Database, token: str) -> None:
    """The token opens nothing any more. Raises Unavailable."""
    await database.rows(END, {"token": hash_key(token)})
