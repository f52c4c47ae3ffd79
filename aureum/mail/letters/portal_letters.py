"""Letters with codes to clients of the portal: one link and one code to sign in, and a code that proves a new address.

They are made here, in the transaction that queues the mail: so they exist in the sealed mail and, as hashes, in
``portal_sign_ins`` and ``portal_moves``, and nowhere else. An address that opens nothing gets no mail to sign in.
"""

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from aureum.commands.api_keys import hash_key
from aureum.commands.portal.addresses import ClientAddress, opened
from aureum.commands.portal.opening import Opened, opened_by
from aureum.commands.portal.sign_in import MINUTES, code_hash
from aureum.domain.errors import NodeAway
from aureum.mail.letter import Letter, Recipient
from aureum.mail.letters import links
from aureum.mail.letters.about import LetterSettings, about_brokerage
from aureum.mail.letters.confirming import given_name
from aureum.mail.letters.headers import usable
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore

WAITING = """
SELECT s.number, s.tenant_id, s.address_key, s.address, s.host, s.language, b.plan
  FROM portal_sign_ins s
  LEFT JOIN brokerages b ON b.tenant_id = s.tenant_id AND NOT b.disabled
 WHERE s.waits AND s.expires_at > now()
 ORDER BY s.number LIMIT 100
"""

DISMISS = "UPDATE portal_sign_ins SET waits = false WHERE number = %(number)s AND waits RETURNING 1"

TAKE = """
UPDATE portal_sign_ins SET waits = false, link_hash = %(link)s, code_hash = %(code)s
 WHERE number = %(number)s AND waits AND used_at IS NULL AND expires_at > now()
RETURNING 1
"""
"""Two workers send one mail."""


MOVES = """
SELECT m.number, m.tenant_id, m.contact_id, m.address_key, m.address, m.language FROM portal_moves m
 WHERE m.waits AND m.expires_at > now()
 ORDER BY m.number LIMIT 100
"""

DISMISS_MOVE = "UPDATE portal_moves SET waits = false WHERE number = %(number)s AND waits RETURNING 1"

TAKE_MOVE = """
UPDATE portal_moves SET waits = false, code_hash = %(code)s
 WHERE number = %(number)s AND waits AND expires_at > now()
RETURNING 1
"""


class SignInAsked(NamedTuple):
    """A request by a client, and what the address opens."""

    number: int
    tenant_id: UUID
    address: ClientAddress
    opened: Opened
    host: str
    language: str


async def sign_ins_asked(store: EventStore) -> list[SignInAsked]:
    """Requests that are to be mailed; those of addresses that open nothing are dismissed. Raises Unavailable."""
    asked = []
    for number, tenant_id, key, stored, host, language, plan in await store.database.rows(WAITING):
        try:
            tenant_key = await store.tenant_key(tenant_id)
            address = opened(tenant_key, bytes(key), bytes(stored))
            opens = Opened() if plan is None else await opened_by(store.database, tenant_key, address, plan)
        except NodeAway:
            # Of its own brokerages alone: the requests of others are not kept from their mails.
            continue
        if opens.subject_id is None or usable(address.text) is None:
            await store.database.rows(DISMISS, {"number": number})
        else:
            asked.append(SignInAsked(number, tenant_id, address, opens, host, language))
    return asked


async def sign_in(
    connection: AsyncConnection[Any], tenant_key: TenantKey, asked: SignInAsked, settings: LetterSettings
) -> Sequence[Letter]:
    """The letter with the link and the code, in a transaction of *connection* that takes the request."""
    about = await about_brokerage(connection, asked.tenant_id, settings, asked.host)
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(1_000_000):06}"
    kept = {
        "number": asked.number,
        "link": hash_key(token),
        "code": code_hash(tenant_key, asked.address.key, code),
    }
    if about is None or await (await connection.execute(TAKE, kept)).fetchone() is None:
        return []
    name = given_name(asked.opened.name) or ""
    fields = {
        "first_name": name,
        "code": code,
        "minutes": MINUTES,
        "link": links.to_portal(about.link, f"sign-in/{token}"),
    }
    recipient = Recipient(asked.address.text, name, None, asked.opened.subject_id)
    # No event makes it, and each request is a letter of its own: positions of events are above zero.
    return [Letter("portal_sign_in", recipient, usable(about.reply_to), asked.language, fields, -asked.number)]


class MoveAsked(NamedTuple):
    """A client wants this contact to have the address, as the client gave it."""

    number: int
    tenant_id: UUID
    contact_id: UUID
    key: bytes
    given: str
    language: str


async def moves_asked(store: EventStore) -> list[MoveAsked]:
    """New addresses that are to be proved; those that no mail can reach are dismissed. Raises Unavailable."""
    asked = []
    for number, tenant_id, contact_id, key, stored, language in await store.database.rows(MOVES):
        try:
            tenant_key = await store.tenant_key(tenant_id)
        except NodeAway:
            continue
        given = tenant_key.open_client(bytes(stored), bytes(key)).decode()
        if usable(given) is None:
            await store.database.rows(DISMISS_MOVE, {"number": number})
        else:
            asked.append(MoveAsked(number, tenant_id, contact_id, bytes(key), given, language))
    return asked


async def new_address(
    connection: AsyncConnection[Any], tenant_key: TenantKey, asked: MoveAsked, settings: LetterSettings
) -> Sequence[Letter]:
    """The letter with the code, in a transaction of *connection* that takes the request. It goes to a person who may
    not be the client, so it has no name."""
    about = await about_brokerage(connection, asked.tenant_id, settings)
    code = f"{secrets.randbelow(1_000_000):06}"
    kept = {"number": asked.number, "code": code_hash(tenant_key, asked.key, code)}
    address = usable(asked.given)
    if about is None or address is None or await (await connection.execute(TAKE_MOVE, kept)).fetchone() is None:
        return []
    fields = {"code": code, "minutes": MINUTES, "link": links.to_portal(about.link, "data/address/code")}
    recipient = Recipient(address, "", None, asked.contact_id)
    return [Letter("portal_address", recipient, usable(about.reply_to), asked.language, fields, -asked.number)]
