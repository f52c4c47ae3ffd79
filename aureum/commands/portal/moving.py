"""A client changes the client's own address: a code that is mailed to the new address proves it.

A session asks for one change at a time, and the address changes only with the code of the mail that it asked for. Then
the contact has the new address, by the event that any correction records. Sessions of the address before end, the
browser gets one of the new address, and the worker writes to the address before.

If the process is killed between two of these steps, the same code in the same browser goes on, or the client signs in
with the address that the contact has by then.
"""

import secrets
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.commands.api_keys import hash_key
from aureum.commands.changes import change
from aureum.commands.contacts import NO_CONTACT
from aureum.commands.login_limits import hashed
from aureum.commands.portal.addresses import ClientAddress, client_address_of
from aureum.commands.portal.browsers import with_mark
from aureum.commands.portal.feeds import FORGET_FEEDS
from aureum.commands.portal.limits import MOST_OF_CLIENT, MOST_OF_KNOWN, TRIES, count, refuse
from aureum.commands.portal.opening import Asking, by_contact, opened_by
from aureum.commands.portal.sign_in import HOURS, MINUTES, TOKEN_PREFIX, SignedIn, code_hash
from aureum.domain.contact import Contact
from aureum.domain.emails import one_form, trimmed
from aureum.domain.errors import AlreadyTaken, StaleVersion
from aureum.domain.ids import to_wire
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore
from aureum.store.metadata import Origin
from aureum.store.postgres.database import Database

COMMAND = "ChangeOwnAddress"
"""As the events name it. The worker writes to the address before (``mail/letters/client_occasions.py``)."""

ASK = """
INSERT INTO portal_moves (session_hash, tenant_id, contact_id, address_key, address, former_key, language, waits,
                          expires_at)
VALUES (%(session)s, %(tenant)s, %(contact)s, %(key)s, %(address)s, %(former)s, %(language)s, true,
        now() + %(minutes)s * interval '1 minute')
ON CONFLICT (session_hash) DO UPDATE SET
       number = excluded.number, contact_id = excluded.contact_id, address_key = excluded.address_key,
       address = excluded.address, language = excluded.language, waits = true, code_hash = NULL, tries = 0,
       proved_at = NULL, asked_at = now(), expires_at = excluded.expires_at
"""

TRY_CODE = """
UPDATE portal_moves
   SET tries = tries + 1, proved_at = CASE WHEN code_hash = %(code)s THEN now() END
 WHERE session_hash = %(session)s AND tenant_id = %(tenant)s AND tries < %(most)s AND expires_at > now()
RETURNING contact_id, proved_at IS NOT NULL
"""

OF_SESSION = """
SELECT address_key, address FROM portal_moves
 WHERE session_hash = %(session)s AND tenant_id = %(tenant)s AND expires_at > now()
"""

START = """
WITH asked AS (
    DELETE FROM portal_moves WHERE session_hash = %(session)s AND proved_at IS NOT NULL
    RETURNING tenant_id, address_key, former_key
), ended AS (
    DELETE FROM portal_sessions s USING asked a
     WHERE s.tenant_id = a.tenant_id AND s.address_key = a.former_key AND s.contacts ? %(contact)s
)
INSERT INTO portal_sessions (token_hash, tenant_id, address_key, address, contacts, expires_at)
SELECT %(token)s, tenant_id, address_key, %(address)s, %(contacts)s, now() + %(hours)s * interval '1 hour' FROM asked
RETURNING 1
"""
"""Of a person who was erased meanwhile no row is left."""


class AddressTaken(AlreadyTaken):
    """Another contact has this address. The brokerage can merge the two."""

    def __init__(self, email: str) -> None:
        super().__init__()
        self.email = email


class AskMove(BaseModel):
    """The client of this session wants the contact to have the address ``email`` instead of ``former``. ``client`` is
    the address that requests are counted for."""

    model_config = ConfigDict(frozen=True)

    session: SecretStr
    contact_id: UUID
    former: str
    email: str
    language: str
    client: str


class Move(BaseModel):
    """The ``code`` of the mail to the new address, from the session that asked. ``known`` are the browser's marks."""

    model_config = ConfigDict(frozen=True)

    session: SecretStr
    former: str
    code: SecretStr
    client: str
    plan: str
    known: str | None = None


class Proved(NamedTuple):
    """A new address that the code has proved, as the client gave it, and the contact that gets it."""

    contact_id: UUID
    given: str
    address: ClientAddress


async def ask_move(database: Database, tenant_key: TenantKey, command: AskMove) -> None:
    """The worker mails a code to the new address, whether it is known or not. Raises TooMany, Unavailable."""
    address, former = client_address_of(tenant_key, command.email), client_address_of(tenant_key, command.former)
    limits = {
        hashed(f"portal\n\n{command.client}"): MOST_OF_CLIENT,
        hashed(f"portal move from\n\n{tenant_key.tenant_id}\n{former.key.hex()}"): MOST_OF_KNOWN,
        hashed(f"portal move to\n\n{tenant_key.tenant_id}\n{address.key.hex()}"): MOST_OF_KNOWN,
    }
    refuse(await count(database, tuple(limits)), limits)
    given = trimmed(command.email).encode("utf-8", "replace")
    about = {
        "session": hash_key(command.session.get_secret_value()),
        "tenant": tenant_key.tenant_id,
        "contact": command.contact_id,
        "key": address.key,
        "address": tenant_key.seal_client(given, address.key),
        "former": former.key,
        "language": command.language,
        "minutes": MINUTES,
    }
    await database.rows(ASK, about)


async def move(store: EventStore, tenant_key: TenantKey, command: Move, origin: Origin) -> SignedIn | None:
    """The contact has the new address, and the browser a session of it; None for a wrong code, and for one that does
    not work any more.

    Raises AddressTaken, StaleVersion if the contact has another address meanwhile, NotFound, TooMany, Conflict, and
    what ``EventStore.append`` raises.
    """
    database = store.database
    proved = await proved_by(database, tenant_key, command)
    if proved is None:
        return None
    former = client_address_of(tenant_key, command.former)
    others = (await by_contact(Asking(database, tenant_key, proved.address))).contacts.keys()
    if others - {to_wire(proved.contact_id)}:
        raise AddressTaken(proved.given)

    def decide(contact: Contact, at: datetime) -> None:
        has = one_form(contact.email or "")
        if has == proved.address.text:
            return
        if has != former.text:
            raise StaleVersion
        contact.change_details({"email": proved.given}, at)

    await change(
        store,
        tenant_key.tenant_id,
        proved.contact_id,
        Contact,
        decide,
        command=COMMAND,
        origin=origin,
        missing=NO_CONTACT,
    )
    signed_in = await start(database, tenant_key, command, proved)
    if (await opened_by(database, tenant_key, former, command.plan)).subject_id is None:
        await database.rows(FORGET_FEEDS + " RETURNING 1", {"tenant": tenant_key.tenant_id, "clients": [former.key]})
    return signed_in


async def proved_by(database: Database, tenant_key: TenantKey, command: Move) -> Proved | None:
    """What the code proves, if it is right. It is counted before it is looked at. Raises AddressTaken, TooMany,
    Unavailable."""
    client = hashed(f"portal code\n\n{command.client}")
    refuse(await count(database, (client,)), {client: MOST_OF_CLIENT})
    about = {"session": hash_key(command.session.get_secret_value()), "tenant": tenant_key.tenant_id}
    rows = await database.rows(OF_SESSION, about)
    if not rows:
        return None
    key = bytes(rows[0][0])
    given = tenant_key.open_client(bytes(rows[0][1]), key).decode()
    code = "".join(command.code.get_secret_value().split())
    try:
        tried = await database.rows(TRY_CODE, about | {"code": code_hash(tenant_key, key, code), "most": TRIES})
    except psycopg.errors.UniqueViolation as error:
        raise AddressTaken(given) from error
    if not tried or not tried[0][1]:
        return None
    return Proved(tried[0][0], given, ClientAddress(one_form(given), key))


async def start(database: Database, tenant_key: TenantKey, command: Move, proved: Proved) -> SignedIn | None:
    """The session of the new address. Those of the address before end. Raises Unavailable."""
    opens = await opened_by(database, tenant_key, proved.address, command.plan)
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    about = {
        "session": hash_key(command.session.get_secret_value()),
        "token": hash_key(token),
        "contact": to_wire(proved.contact_id),
        "address": tenant_key.seal_client(proved.address.text.encode("utf-8", "replace"), proved.address.key),
        "contacts": Jsonb(dict(opens.contacts)),
        "hours": HOURS,
    }
    if not await database.rows(START, about):
        return None
    return SignedIn(token, None, with_mark(tenant_key, proved.address.key, command.known))
