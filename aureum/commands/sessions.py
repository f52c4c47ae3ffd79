"""Sessions of staff: logged in with a password, kept as the hash of a token, ended by logging out or in time.

They are not events (docs/decisions/sessions.md).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.commands.api_keys import hash_key
from aureum.commands.passwords import HASHING, NOBODYS_HASH, matches
from aureum.domain.emails import one_form, trimmed
from aureum.domain.errors import TooMany
from aureum.projections import users
from aureum.store.database import Database

TOKEN_PREFIX = "aut_"  # noqa: S105  it is how a token begins, not one

ATTEMPTS = 5
"""Failures of one account from one address within 15 minutes, from the contract."""

ATTEMPT = """
INSERT INTO login_failures AS f (account_and_address, failures, since) VALUES (%(key)s, 1, now())
ON CONFLICT (account_and_address) DO UPDATE SET
       failures = CASE WHEN f.since > now() - interval '15 minutes' THEN least(f.failures, %(most)s) + 1 ELSE 1 END,
       since = CASE WHEN f.since > now() - interval '15 minutes' THEN f.since ELSE now() END
RETURNING failures, since + interval '15 minutes'
"""
"""Counted before the password is looked at: however many guesses come at once, no more than five are judged."""

SUCCESS = "DELETE FROM login_failures WHERE account_and_address = %(key)s"

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"

HOLD = "SELECT FROM heads WHERE tenant_id = %(tenant)s FOR SHARE"
"""The append of a new password takes this row first: either it comes before and the next statement sees it, or it comes
after and ends this session too."""

START = """
INSERT INTO user_tokens (token_hash, tenant_id, user_id, expires_at)
SELECT %(token)s, tenant_id, user_id, now() + interval '12 hours'
  FROM users
 WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND password_hash = %(hash)s AND NOT disabled
RETURNING expires_at
"""

END = "DELETE FROM user_tokens WHERE token_hash = %(token)s"


class LogIn(BaseModel):
    """Somebody says who he or she is. ``client`` is the address that failures are counted for."""

    model_config = ConfigDict(frozen=True)

    email: str
    password: SecretStr
    client: str


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is logged in: the token, this once, and who it is. ``brokerage`` is its number, if there is one."""

    token: str
    expires_at: datetime
    number: int
    email: str
    name: str
    role: str
    brokerage: int | None


async def log_in(database: Database, command: LogIn) -> Session | None:
    """A new session; None if the address is nobody's, the password another, or he or she or the brokerage is disabled:
    all of it takes as long. Raises TooMany, Busy, Unavailable.
    """
    email = one_form(command.email)
    about = {"key": hashlib.sha256(f"{email}\n{command.client}".encode()).digest()}
    rows = await database.rows(users.LOGIN, {"email": email, "spelled": trimmed(command.email).lower()})
    tenant_id, user_id, *person, password_hash = rows[0] if rows else (None,) * 8
    right = await HASHING.run(
        matches, password_hash or NOBODYS_HASH, command.password, first=partial(count, database, about["key"])
    )
    if not right or password_hash is None:
        return None
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    known = {"tenant": tenant_id, "user": user_id, "hash": password_hash, "token": hash_key(token)}
    async with database.connection() as connection, connection.transaction():
        await connection.execute(LOCK_TIMEOUT)
        await connection.execute(HOLD, known)
        started = await (await connection.execute(START, known)).fetchone()
    if started is None:
        return None
    await database.rows(SUCCESS, about)
    return Session(token, started[0], *person)


async def count(database: Database, account_and_address: bytes) -> None:
    """Count an attempt to log in as a failure, until it turns out to be none. Raises TooMany."""
    ((failures, retry_at),) = await database.rows(ATTEMPT, {"key": account_and_address, "most": ATTEMPTS})
    if failures > ATTEMPTS:
        raise TooMany(retry_at)


async def log_out(database: Database, token: str) -> None:
    """The token opens nothing any more."""
    await database.rows(END, {"token": hash_key(token)})
