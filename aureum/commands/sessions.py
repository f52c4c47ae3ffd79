"""Sessions of staff: logged in with a password, kept as the hash of a token, ended by logging out or in time.

They are not events (docs/decisions/sessions.md).
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.commands.api_keys import hash_key
from aureum.commands.hashing import HASHING
from aureum.commands.login_limits import Attempt
from aureum.commands.passwords import NOBODYS_HASH, matches
from aureum.commands.two_step import takes_code
from aureum.domain.emails import one_form, trimmed
from aureum.domain.errors import NotFound
from aureum.projections import users
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database
from aureum.store.postgres.functions import named

TOKEN_PREFIX = "aut_"  # noqa: S105  it is how a token begins, not one

NO_SESSION = "There is no such session."

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"

HOLD = "SELECT FROM hold_heads(ARRAY[%(tenant)s]::uuid[])"
"""The append of a new password takes this row first: either it comes before and the next statement sees it, or it comes
after and ends this session too."""

START = """
INSERT INTO user_tokens (token_hash, tenant_id, user_id, expires_at, client, device)
SELECT %(token)s, tenant_id, user_id, now() + interval '12 hours', %(client)s, %(device)s
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


SESSIONS = """
SELECT session_id, device, client, started_at, coalesce(used_at, started_at), expires_at, token_hash = %(token)s
  FROM user_tokens
 WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND expires_at > now()
 ORDER BY token_hash <> %(token)s, coalesce(used_at, started_at) DESC, session_id
"""

END_ONE = """
DELETE FROM user_tokens
 WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND session_id = %(session)s AND expires_at > now()
RETURNING session_id
"""

END_OTHERS = """
DELETE FROM user_tokens WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND token_hash <> %(token)s RETURNING 1
"""


class LogIn(BaseModel):
    """A user logs in. ``client`` is the address that failures are counted for, ``device`` the program in words."""

    model_config = ConfigDict(frozen=True)

    email: str
    password: SecretStr
    client: str
    device: str | None = None
    code: str | None = None
    """Of the second step."""


class CodeNeeded(Exception):
    """The password is right, and the account has a second step: ``wrong`` if a code was sent."""

    def __init__(self, wrong: bool) -> None:
        super().__init__()
        self.wrong = wrong


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


async def log_in(store: EventStore, command: LogIn) -> Session | None:
    """A new session; None if the address is unknown, the password is wrong, or the user or the brokerage is disabled:
    all of it takes as long. A wrong code of the second step counts like a wrong password. Raises CodeNeeded, TooMany,
    Busy, Unavailable.
    """
    database = store.database
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
    tenant_id, user_id, *person, totp, password_hash = found[0] if found else (None,) * 9
    if not right or password_hash is None:
        await attempt.failed()
        return None
    assert tenant_id is not None and user_id is not None, "there is a password"
    if totp and (command.code is None or not await takes_code(store, tenant_id, user_id, command.code)):
        if command.code is not None:
            await attempt.failed()
        raise CodeNeeded(command.code is not None)
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    known = {"tenant": tenant_id, "user": user_id, "hash": password_hash, "token": hash_key(token)}
    known |= {"client": command.client, "device": command.device}
    async with database.connection() as connection, connection.transaction():
        await connection.execute(LOCK_TIMEOUT)
        await connection.execute(named(HOLD), known)
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


class RunningSession(NamedTuple):
    """A session as its user sees it: ``device`` and ``client`` are where it began, ``current`` is the one that asks."""

    session_id: UUID
    device: str | None
    client: str | None
    started_at: datetime
    used_at: datetime
    expires_at: datetime
    current: bool


async def sessions_of(database: Database, tenant_id: UUID, user_id: UUID, token: str) -> list[RunningSession]:
    """The user's sessions, that of *token* first, then the last used. Raises Unavailable."""
    rows = await database.rows(SESSIONS, {"tenant": tenant_id, "user": user_id, "token": hash_key(token)})
    return [RunningSession(*row) for row in rows]


async def end_session(database: Database, tenant_id: UUID, user_id: UUID, session_id: UUID) -> None:
    """Its token opens nothing any more. Raises NotFound, Unavailable."""
    if not await database.rows(END_ONE, {"tenant": tenant_id, "user": user_id, "session": session_id}):
        raise NotFound(NO_SESSION)


async def end_other_sessions(database: Database, tenant_id: UUID, user_id: UUID, token: str) -> int:
    """All sessions of the user but that of *token* end; how many there were. Raises Unavailable."""
    return len(await database.rows(END_OTHERS, {"tenant": tenant_id, "user": user_id, "token": hash_key(token)}))
