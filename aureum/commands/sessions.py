"""Sessions of staff: logged in with a password, kept as the hash of a token, ended by logging out or in time.

They are not events (docs/decisions/sessions.md).
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.commands.api_keys import hash_key
from aureum.commands.hashing import HASHING
from aureum.commands.login_limits import Attempt
from aureum.commands.passwords import NOBODYS_HASH, matches
from aureum.domain.emails import one_form, trimmed
from aureum.projections import users
from aureum.store.postgres.database import Database

TOKEN_PREFIX = "aut_"  # noqa: S105  it is how a token begins, not one

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

KEEP = """
UPDATE user_tokens SET kept_until = now() + %(seconds)s * interval '1 second' WHERE token_hash = %(token)s
"""

KEEP_SECONDS = 20
"""Longer than an append may take."""

END = "DELETE FROM user_tokens WHERE token_hash = %(token)s"


class LogIn(BaseModel):
    """A user logs in. ``client`` is the address that failures are counted for."""

    model_config = ConfigDict(frozen=True)

    email: str
    password: SecretStr
    client: str


@dataclass(frozen=True, slots=True)
class Session:
    """A user is logged in: the token, which is shown only now, and the user. ``brokerage`` is its number, if any."""

    token: str
    expires_at: datetime
    number: int
    email: str
    name: str
    role: str
    brokerage: int | None


async def log_in(database: Database, command: LogIn) -> Session | None:
    """A new session; None if the address is unknown, the password is wrong, or the user or the brokerage is disabled:
    all of it takes as long. Raises TooMany, Busy, Unavailable.
    """
    email = one_form(command.email)
    attempt = Attempt(database, email, command.client)
    found: list[Any] = []

    async def admit() -> float:
        seconds = await attempt.admit()
        found[:] = await database.rows(users.LOGIN, {"email": email, "spelled": trimmed(command.email).lower()})
        return seconds

    def judged() -> bool:
        return matches((found[0][-1] if found else None) or NOBODYS_HASH, command.password)

    right = await HASHING.run(judged, client=command.client, first=admit)
    tenant_id, user_id, *person, password_hash = found[0] if found else (None,) * 8
    if not right or password_hash is None:
        await attempt.failed()
        return None
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    known = {"tenant": tenant_id, "user": user_id, "hash": password_hash, "token": hash_key(token)}
    async with database.connection() as connection, connection.transaction():
        await connection.execute(LOCK_TIMEOUT)
        await connection.execute(HOLD, known)
        started = await (await connection.execute(START, known)).fetchone()
    if started is None:
        return None
    await attempt.succeeded()
    return Session(token, started[0], *person)


async def is_password(database: Database, command: LogIn, tenant_id: UUID, user_id: UUID) -> bool:
    """Whether the password is that of a user who is logged in; wrong ones count like failed logins, so that who has a
    token only does not find it out. ``email`` is the user's in the form of logins. Raises TooMany, Busy, Unavailable.
    """
    attempt = Attempt(database, command.email, command.client)
    of = {"tenant": tenant_id, "user": user_id}
    ((_, password_hash),) = await database.rows(users.CREDENTIALS, of) or ((None, None),)
    right = await HASHING.run(
        matches, password_hash or NOBODYS_HASH, command.password, client=command.client, first=attempt.admit
    )
    if not right or password_hash is None:
        await attempt.failed()
        return False
    await attempt.succeeded()
    return True


@asynccontextmanager
async def kept_logged_in(database: Database, token: str) -> AsyncIterator[None]:
    """A new password that is set within ends all logins but that of *token*."""
    about = {"token": hash_key(token)}
    await database.rows(KEEP, about | {"seconds": KEEP_SECONDS})
    try:
        yield
    finally:
        await database.rows(KEEP, about | {"seconds": 0})


async def log_out(database: Database, token: str) -> None:
    """The token opens nothing any more."""
    await database.rows(END, {"token": hash_key(token)})
