"""Signing in by mail: a request writes one row, the worker mails a link and a code, and one of them is used once.

Programs that scan mails open every link and press every button. So a link signs in only the browser that asked, which
keeps a nonce (*pending*); any other browser takes the code. A wrong code is counted before the next one is looked at,
by the sign-in where the browser has its nonce, else by the address (``limits.py``). The nonce of a request that got no
mail stands for its address.

Every request writes the same rows and takes as long, whether there is such a client or not.
"""

import secrets
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.commands.api_keys import hash_key
from aureum.commands.login_limits import hashed
from aureum.commands.portal.addresses import client_address_of, opened, sealed
from aureum.commands.portal.browsers import is_known, with_mark
from aureum.commands.portal.limits import MOST_OF_CLIENT, TRIES, count, count_guess, count_mail, may_try, refuse
from aureum.commands.portal.opening import opened_by
from aureum.store.cipher import TenantKey
from aureum.store.postgres.database import Database

TOKEN_PREFIX = "autp_"  # noqa: S105  it is how a token begins, not one

MINUTES = 15
HOURS = 12

ASK = """
INSERT INTO portal_sign_ins (pending_hash, tenant_id, address_key, address, host, language, language_chosen, following,
                             waits, unmailed, expires_at)
VALUES (%(pending)s, %(tenant)s, %(key)s, %(address)s, %(host)s, %(language)s, %(chosen)s, %(following)s, %(waits)s,
        NOT %(waits)s, now() + %(minutes)s * interval '1 minute')
"""

ASKED_BEFORE = """
SELECT 1 FROM portal_sign_ins
 WHERE pending_hash = %(pending)s AND tenant_id = %(tenant)s AND address_key = %(key)s
   AND used_at IS NULL AND expires_at > now()
"""

OF_PENDING = """
SELECT address_key, unmailed FROM portal_sign_ins
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
    SELECT s.tenant_id, s.address_key, s.address, s.language, s.language_chosen FROM portal_sign_ins s
     WHERE s.pending_hash = %(pending)s AND s.used_at IS NOT NULL
       FOR SHARE
), spoken AS (
    INSERT INTO portal_languages AS l (tenant_id, address_key, language, chosen)
    SELECT tenant_id, address_key, language, language_chosen FROM asked
    ON CONFLICT (tenant_id, address_key) DO UPDATE SET
           language = CASE WHEN l.chosen AND NOT excluded.chosen THEN l.language ELSE excluded.language END,
           chosen = l.chosen OR excluded.chosen, signed_in_at = excluded.signed_in_at
)
INSERT INTO portal_sessions (token_hash, tenant_id, address_key, address, contacts, expires_at)
SELECT %(token)s, tenant_id, address_key, address, %(contacts)s, now() + %(hours)s * interval '1 hour' FROM asked
RETURNING 1
"""
"""Of a person who was erased meanwhile no row is left; an erasure that comes now waits, and deletes the session too."""

END = "DELETE FROM portal_sessions WHERE token_hash = %(token)s"


class AskSignIn(BaseModel):
    """A person wants to sign in with this address. ``client`` is the address that requests are counted for, ``host``
    the one at which the person asked, ``language`` that of the page, which the person ``chose`` or else the browser,
    ``following`` the page to go to afterwards, ``pending`` the nonce that the browser has already, ``known`` its marks
    (``browsers.py``)."""

    model_config = ConfigDict(frozen=True)

    email: str
    client: str
    host: str
    language: str
    chose: bool = False
    following: str | None = None
    pending: SecretStr | None = None
    known: str | None = None


class UseCode(BaseModel):
    """The code of the mail, from the browser with this ``pending`` nonce or, without one, for this ``email``.
    ``before`` is the token of a session that ends with it, ``known`` are the browser's marks. With ``only_email`` the
    nonce of another address than ``email`` counts for nothing."""

    model_config = ConfigDict(frozen=True)

    code: SecretStr
    client: str
    pending: SecretStr | None = None
    email: str = ""
    before: SecretStr | None = None
    known: str | None = None
    only_email: bool = False


class SignedIn(NamedTuple):
    """The token of the new session, which is shown only now, the page that follows, and the marks that the browser
    keeps from now on."""

    token: str
    following: str | None
    known: str


def code_hash(tenant_key: TenantKey, address_key: bytes, code: str) -> bytes:
    """What is kept of a code: it has too few digits for a hash without a key."""
    return tenant_key.digest(b"portal code", address_key + code.encode("utf-8", "replace"))


async def ask_sign_in(database: Database, tenant_key: TenantKey, command: AskSignIn) -> str:
    """The nonce for the browser that asked. The worker mails if the address opens anything. A browser that asks again
    when no more mails are sent keeps its nonce, with which the newest mail works. Raises TooMany, Unavailable."""
    address = client_address_of(tenant_key, command.email)
    known = is_known(tenant_key, address.key, command.known)
    mailed = await count_mail(database, tenant_key, address.key, command.client, known)
    if not mailed and command.pending is not None:
        before = command.pending.get_secret_value()
        asked = {"pending": hash_key(before), "tenant": tenant_key.tenant_id, "key": address.key}
        if await database.rows(ASKED_BEFORE, asked):
            return before
    pending = secrets.token_urlsafe(32)
    about = {
        "pending": hash_key(pending),
        "tenant": tenant_key.tenant_id,
        "key": address.key,
        "address": sealed(tenant_key, address),
        "host": command.host,
        "language": command.language,
        "chosen": command.chose,
        "following": command.following,
        "waits": mailed,
        "minutes": MINUTES,
    }
    await database.rows(ASK, about)
    return pending


async def use_link(
    database: Database,
    tenant_key: TenantKey,
    token: str,
    pending: str | None,
    plan: str,
    before: str | None = None,
    known: str | None = None,
) -> SignedIn | None:
    """A session for the browser that asked, by the link's *token*; None for every other browser, and for a link that
    does not work any more. Then nothing is used up. Raises Unavailable."""
    if pending is None:
        return None
    about = {"pending": hash_key(pending), "link": hash_key(token)}
    return await used(database, tenant_key, USE_LINK, about, plan, before, known)


async def use_code(database: Database, tenant_key: TenantKey, command: UseCode, plan: str) -> SignedIn | None:
    """A session by the code; None for a wrong code, and for one that does not work any more. Raises NoMoreCodes,
    TooMany, Unavailable."""
    code = "".join(command.code.get_secret_value().split())
    client = hashed(f"portal code\n\n{command.client}")
    refuse(await count(database, (client,)), {client: MOST_OF_CLIENT})
    before = None if command.before is None else command.before.get_secret_value()
    about: dict[str, Any] = {"tenant": tenant_key.tenant_id}
    key = client_address_of(tenant_key, command.email).key
    own = False
    if command.pending is not None:
        about["pending"] = hash_key(command.pending.get_secret_value())
        rows = await database.rows(OF_PENDING, about)
        if rows and (not command.only_email or bytes(rows[0][0]) == key):
            key, own = bytes(rows[0][0]), not rows[0][1]
        elif not command.only_email:
            return None
    about |= {"key": key, "code": code_hash(tenant_key, key, code)}
    known = is_known(tenant_key, key, command.known)
    if not known:
        await count_guess(database, tenant_key, key)
    if own:
        return await used(database, tenant_key, TRY_CODE, about, plan, before, command.known)
    if not await may_try(database, tenant_key, key, known):
        return None
    return await used(database, tenant_key, USE_CODE, about, plan, before, command.known)


async def used(
    database: Database,
    tenant_key: TenantKey,
    statement: str,
    about: dict[str, Any],
    plan: str,
    before: str | None,
    known: str | None,
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
    return SignedIn(token, following, with_mark(tenant_key, bytes(key), known))
