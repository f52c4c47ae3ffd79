"""Links in mails at which a user chooses a password: invitations, which an owner sends, and links for a password that
was forgotten.

A link names nothing but its token: 256 random bits, of which the database keeps the SHA-256. The worker makes the token
when it writes the mail (``mail/letters/account_letters.py``), so that no process that serves requests ever has it
before the user brings it back. The append of a new password deletes all links of the user in its own transaction: of
two that use one link at the same moment, one sets the password.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.commands.api_keys import hash_key
from aureum.commands.hashing import network_of
from aureum.commands.login_limits import Attempt, hashed
from aureum.commands.users import ChangeUser, change_user
from aureum.domain.emails import one_form, trimmed
from aureum.domain.errors import Busy, NotFound, StaleVersion, TooMany
from aureum.domain.ids import to_wire
from aureum.store.event_store import EventStore
from aureum.store.metadata import Actor, Origin
from aureum.store.postgres.database import Database

INVITATION_DAYS = 7

MOST_OF_CLIENT = 20
MOST_OF_NETWORK = 200
"""Requests for a link within 15 minutes. How many mails a user gets, the worker limits."""

ATTEMPTS = 5

GONE = "This link does not work any more: it was used, replaced or cancelled, or it has expired."

ASK = """
WITH counted AS (
    INSERT INTO login_failures AS f (account_and_address, failures, since)
    SELECT bucket, 1, now() FROM unnest(%(buckets)s::bytea[]) AS bucket
    ON CONFLICT (account_and_address) DO UPDATE SET
           failures = CASE WHEN f.since > now() - interval '15 minutes' THEN f.failures + 1 ELSE 1 END,
           since = CASE WHEN f.since > now() - interval '15 minutes' THEN f.since ELSE now() END
    RETURNING account_and_address, failures, since
), refused AS (
    SELECT max(c.since) + interval '15 minutes' AS until FROM counted c
     WHERE c.failures > CASE c.account_and_address WHEN %(client)s THEN %(most)s ELSE %(most_of_network)s END
), asked AS (
    INSERT INTO reset_requests (tenant_id, user_id)
    SELECT found.tenant_id, found.user_id
      FROM refused
      LEFT JOIN LATERAL (
               SELECT u.tenant_id, u.user_id
                 FROM users u
                 LEFT JOIN brokerages b ON b.tenant_id = u.tenant_id
                WHERE u.address = %(email)s AND NOT u.disabled AND b.disabled IS NOT TRUE
                  AND (u.password_hash IS NOT NULL OR u.invited_at IS NOT NULL)
                ORDER BY u.email <> %(spelled)s
                LIMIT 1
           ) AS found ON true
     WHERE refused.until IS NULL
)
SELECT until FROM refused
"""
"""One row is written whether there is such a user or not. The rows of the counts are written in the order of their
keys, so that no two requests wait for each other."""

FIND = """
SELECT l.tenant_id, l.user_id, l.purpose, u.stream_version, coalesce(u.shown_email, u.email), u.name, u.address
  FROM password_links l
  JOIN users u ON u.tenant_id = l.tenant_id AND u.user_id = l.user_id AND NOT u.disabled
  LEFT JOIN brokerages b ON b.tenant_id = l.tenant_id
 WHERE l.token_hash = %(hash)s AND l.expires_at > now() AND b.disabled IS NOT TRUE
   AND (u.invited_at IS NOT NULL OR l.purpose = 'reset' AND u.password_hash IS NOT NULL)
"""
"""The link, and the user's version in the same moment: an append that finds that version finds the link unused."""


class PasswordLink(NamedTuple):
    """A link that works now. ``purpose`` is ``invitation`` or ``reset``; ``address`` is the one form of ``email``."""

    tenant_id: UUID
    user_id: UUID
    purpose: str
    version: int
    email: str
    name: str
    address: str


class AskReset(BaseModel):
    """A password was forgotten. ``client`` is the address that requests are counted for."""

    model_config = ConfigDict(frozen=True)

    email: str
    client: str


class SetByLink(BaseModel):
    """A user chooses a password at the link with this token."""

    model_config = ConfigDict(frozen=True)

    token: SecretStr
    password: SecretStr
    client: str


async def ask_reset(database: Database, command: AskReset) -> None:
    """Have the worker mail a link if there is such a user, and do not say whether. Raises TooMany, Unavailable."""
    client, network = hashed(f"reset\n\n{command.client}"), hashed(f"reset network\n\n{network_of(command.client)}")
    about = {
        "buckets": sorted((client, network)),
        "client": client,
        "most": MOST_OF_CLIENT,
        "most_of_network": MOST_OF_NETWORK,
        "email": one_form(command.email),
        "spelled": trimmed(command.email).lower(),
    }
    ((until,),) = await database.rows(ASK, about)
    if until is not None:
        raise TooMany(until)


async def find_link(database: Database, token: str) -> PasswordLink | None:
    """The link with this *token*, if it works. Nothing changes: programs that scan mails follow every link."""
    rows = await database.rows(FIND, {"hash": hash_key(token)})
    return PasswordLink(*rows[0]) if rows else None


async def set_by_link(store: EventStore, command: SetByLink, request_id: str) -> PasswordLink:
    """The link, which is used up now. It ends all sessions and all other links of the user. The limits of logins forget
    what failed from this client: with the mailbox, the user has proved who it is.

    Raises NotFound for a link that does not work, Invalid for the password, Busy, Unavailable.
    """
    for _ in range(ATTEMPTS):
        link = await find_link(store.database, command.token.get_secret_value())
        if link is None:
            raise NotFound(GONE)
        change = ChangeUser(
            tenant_id=link.tenant_id,
            user_id=link.user_id,
            password=command.password,
            expected_versions=frozenset((link.version,)),
        )
        origin = Origin(Actor("user", to_wire(link.user_id)), request_id=request_id)
        try:
            await change_user(store, change, origin, check=lambda _: None)
        except StaleVersion:
            # The user was changed at the same moment, perhaps by the same link.
            continue
        await Attempt(store.database, link.address, command.client).succeeded()
        return link
    raise Busy()


def invitation_ends(invited_at: datetime | None) -> datetime | None:
    """Until when an invitation can be followed."""
    return None if invited_at is None else (invited_at + timedelta(days=INVITATION_DAYS)).astimezone(UTC)
