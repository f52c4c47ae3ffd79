"""Signing in by mail: a request writes one row, the worker mails a link and a code, and one of them is used once.

Programs that scan mails open every link and press every button. So a link signs in only the browser that asked, which
keeps a nonce (*pending*); any other browser takes the code. A wrong code is counted before the next one is looked at,
by the sign-in where the browser has its nonce, else by the address.

Every request writes the same rows and takes as long, whether there is such a client or not.
"""

import secrets
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.commands.api_keys import hash_key
from aureum.commands.hashing import network_of
from aureum.commands.login_limits import hashed
from aureum.commands.portal.addresses import client_address_of, opened, sealed
from aureum.commands.portal.opening import opened_by
from aureum.domain.errors import TooMany
from aureum.store.cipher import TenantKey
from aureum.store.postgres.database import Database

TOKEN_PREFIX = "autp_"  # noqa: S105  it is how a token begins, not one

MINUTES = 15
TRIES = 5
HOURS = 12

MOST_OF_ADDRESS = 3
MOST_OF_CLIENT = 20
MOST_OF_NETWORK = 200
"""Requests within 15 minutes: what is above the first gets no mail, what is above the others is refused."""

COUNT = """
INSERT INTO login_failures AS f (account_and_address, failures, since)
SELECT bucket, 1, now() FROM unnest(%(buckets)s::bytea[]) AS bucket
ON CONFLICT (account_and_address) DO UPDATE SET
       failures = CASE WHEN f.since > now() - interval '15 minutes' THEN f.failures + 1 ELSE 1 END,
       since = CASE WHEN f.since > now() - interval '15 minutes' THEN f.since ELSE now() END
RETURNING account_and_address, failures, since + interval '15 minutes'
"""
"""The rows in the order of their keys, so that no two requests wait for each other."""

ASK = """
INSERT INTO portal_sign_ins (pending_hash, tenant_id, address_key, address, host, language, following, waits,
                             expires_at)
VALUES (%(pending)s, %(tenant)s, %(key)s, %(address)s, %(host)s, %(language)s, %(following)s, %(waits)s,
        now() + %(minutes)s * interval '1 minute')
"""

ASKED_BEFORE = """
SELECT 1 FROM portal_sign_ins
 WHERE pending_hash = %(pending)s AND tenant_id = %(tenant)s AND address_key = %(key)s
   AND used_at IS NULL AND expires_at > now()
"""

OF_PENDING = """
SELECT address_key FROM portal_sign_ins
 WHERE pending_hash = %(pending)s AND tenant_id = %(tenant)s AND expires_at > now()
"""

USE_LINK = """
UPDATE portal_sign_ins SET used_at = now(), waits = false
 WHERE pending_hash = %(pending)s AND tenant_id = %(tenant)s AND link_hash = %(link)s
   AND used_at IS NULL AND tries < %(most)s AND expires_at > now()
RETURNING pending_hash, address_key, address, following, true
"""

TRY_CODE = """
UPDATE portal_sign_ins
   SET tries = tries + 1, used_at = CASE WHEN code_hash = %(code)s THEN now() END
 WHERE pending_hash = %(pending)s AND tenant_id = %(tenant)s
   AND used_at IS NULL AND tries < %(most)s AND expires_at > now()
RETURNING pending_hash, address_key, address, following, used_at IS NOT NULL
"""

USE_CODE = """
UPDATE portal_sign_ins SET used_at = now(), waits = false
 WHERE pending_hash = (
           SELECT s.pending_hash FROM portal_sign_ins s
            WHERE s.tenant_id = %(tenant)s AND s.address_key = %(key)s AND s.code_hash = %(code)s
              AND s.used_at IS NULL AND s.tries < %(most)s AND s.expires_at > now()
            LIMIT 1
       )
   AND used_at IS NULL AND tries < %(most)s
RETURNING pending_hash, address_key, address, NULL, true
"""
"""The last conditions once more: they are judged again where another request used the row meanwhile."""

START = """
WITH asked AS (
    SELECT s.tenant_id, s.address_key, s.address FROM portal_sign_ins s
     WHERE s.pending_hash = %(pending)s AND s.used_at IS NOT NULL
       FOR SHARE
)
INSERT INTO portal_sessions (token_hash, tenant_id, address_key, address, contacts, expires_at)
SELECT %(token)s, tenant_id, address_key, address, %(contacts)s, now() + %(hours)s * interval '1 hour' FROM asked
RETURNING 1
"""
"""Of a person who was erased meanwhile no row is left; an erasure that comes now waits, and deletes the session too."""

END = "DELETE FROM portal_sessions WHERE token_hash = %(token)s"


class AskSignIn(BaseModel):
    """A person wants to sign in with this address. ``client`` is the address that requests are counted for, ``host``
    the one at which the person asked, ``following`` the page to go to afterwards, ``pending`` the nonce that the
    browser has already."""

    model_config = ConfigDict(frozen=True)

    email: str
    client: str
    host: str
    language: str
    following: str | None = None
    pending: SecretStr | None = None


class UseCode(BaseModel):
    """The code of the mail, from the browser with this ``pending`` nonce or, without one, for this ``email``.
    ``before`` is the token of a session that ends with it."""

    model_config = ConfigDict(frozen=True)

    code: SecretStr
    client: str
    pending: SecretStr | None = None
    email: str = ""
    before: SecretStr | None = None


class SignedIn(NamedTuple):
    """The token of the new session, which is shown only now, and the page that follows."""

    token: str
    following: str | None


def code_hash(tenant_key: TenantKey, address_key: bytes, code: str) -> bytes:
    """What is kept of a code: it has too few digits for a hash without a key."""
    return tenant_key.digest(b"portal code", address_key + code.encode("utf-8", "replace"))


async def ask_sign_in(database: Database, tenant_key: TenantKey, command: AskSignIn) -> str:
    """The nonce for the browser that asked. The worker mails if the address opens anything. A browser that asks again
    when no more mails are sent keeps its nonce, with which the newest mail works. Raises TooMany, Unavailable."""
    address = client_address_of(tenant_key, command.email)
    mails = hashed(f"portal mail\n\n{tenant_key.tenant_id}\n{address.key.hex()}")
    client, network = (f"portal\n\n{command.client}", f"portal network\n\n{network_of(command.client)}")
    limits = {hashed(client): MOST_OF_CLIENT, hashed(network): MOST_OF_NETWORK}
    counted = await count(database, (mails, *limits))
    refuse(counted, limits)
    mailed = counted[mails][0] <= MOST_OF_ADDRESS
    if not mailed and command.pending is not None:
        before = command.pending.get_secret_value()
        known = {"pending": hash_key(before), "tenant": tenant_key.tenant_id, "key": address.key}
        if await database.rows(ASKED_BEFORE, known):
            return before
    pending = secrets.token_urlsafe(32)
    about = {
        "pending": hash_key(pending),
        "tenant": tenant_key.tenant_id,
        "key": address.key,
        "address": sealed(tenant_key, address),
        "host": command.host,
        "language": command.language,
        "following": command.following,
        "waits": mailed,
        "minutes": MINUTES,
    }
    await database.rows(ASK, about)
    return pending


async def use_link(
    database: Database, tenant_key: TenantKey, token: str, pending: str | None, plan: str, before: str | None = None
) -> SignedIn | None:
    """A session for the browser that asked, by the link's *token*; None for every other browser, and for a link that
    does not work any more. Then nothing is used up. Raises Unavailable."""
    if pending is None:
        return None
    about = {"pending": hash_key(pending), "link": hash_key(token)}
    return await used(database, tenant_key, USE_LINK, about, plan, before)


async def use_code(database: Database, tenant_key: TenantKey, command: UseCode, plan: str) -> SignedIn | None:
    """A session by the code; None for a wrong code, and for one that does not work any more. Raises TooMany,
    Unavailable."""
    code = "".join(command.code.get_secret_value().split())
    client = hashed(f"portal code\n\n{command.client}")
    refuse(await count(database, (client,)), {client: MOST_OF_CLIENT})
    before = None if command.before is None else command.before.get_secret_value()
    if command.pending is not None:
        asked = {"tenant": tenant_key.tenant_id, "pending": hash_key(command.pending.get_secret_value())}
        rows = await database.rows(OF_PENDING, asked)
        if not rows:
            return None
        about = asked | {"code": code_hash(tenant_key, bytes(rows[0][0]), code)}
        return await used(database, tenant_key, TRY_CODE, about, plan, before)
    address = client_address_of(tenant_key, command.email)
    tries = hashed(f"portal code of address\n\n{tenant_key.tenant_id}\n{address.key.hex()}")
    if (await count(database, (tries,)))[tries][0] > TRIES:
        return None
    about = {"key": address.key, "code": code_hash(tenant_key, address.key, code)}
    return await used(database, tenant_key, USE_CODE, about, plan, before)


async def used(
    database: Database, tenant_key: TenantKey, statement: str, about: dict[str, Any], plan: str, before: str | None
) -> SignedIn | None:
    """The session, if *statement* uses a sign-in up. Only then is the address looked up: what it opens would show in
    the time that a wrong code takes. If its contacts change meanwhile, the session ends with its first request."""
    rows = await database.rows(statement, about | {"tenant": tenant_key.tenant_id, "most": TRIES})
    if not rows or not rows[0][4]:
        return None
    pending, key, stored, following, _ = rows[0]
    opens = await opened_by(database, tenant_key, opened(tenant_key, bytes(key), bytes(stored)), plan)
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session = {
        "pending": pending,
        "token": hash_key(token),
        "contacts": Jsonb(dict(opens.contacts)),
        "hours": HOURS,
    }
    if not await database.rows(START, session):
        return None
    if before is not None:
        await database.rows(END, {"token": hash_key(before)})
    return SignedIn(token, following)


async def count(database: Database, buckets: tuple[bytes, ...]) -> dict[bytes, tuple[int, Any]]:
    """How often each was counted in 15 minutes, with this time, and until when that holds."""
    rows = await database.rows(COUNT, {"buckets": sorted(buckets)})
    return {bytes(bucket): (number, until) for bucket, number, until in rows}


def refuse(counted: dict[bytes, tuple[int, Any]], limits: dict[bytes, int]) -> None:
    """Raises TooMany for what was counted more often than its limit."""
    over = [counted[bucket][1] for bucket, most in limits.items() if counted[bucket][0] > most]
    if over:
        raise TooMany(max(over))
