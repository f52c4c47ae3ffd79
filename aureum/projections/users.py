"""The staff: who may log in, and which agents a lead can go to."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple
from uuid import UUID

from aureum.domain.emails import one_form
from aureum.domain.user import NOTIFY, User

NAME = "users"
EVENTS: type = User.Event
TAKEN = {"users": "A user with this email address already exists."}

APPEND = """
WITH r AS (
    SELECT tenants[r.item] AS tenant_id, r.* FROM json_to_recordset(rows) AS r (
               item integer, user_id uuid, stream_version integer, number bigint, email text, shown_email text,
               address text, name text, role text,
               password_hash text, takes_leads boolean, specialties text[], bio text, areas text[], languages text[],
               price_min text, price_max text, daily_cap integer, hours jsonb, away_from timestamptz,
               away_to timestamptz, is_primary boolean, notify text, disabled boolean, joined_at timestamptz,
               invited_at timestamptz, totp boolean, out boolean)
     WHERE tenants[r.item] IS NOT NULL
), noticed AS (
    UPDATE heads h SET directory_version = h.directory_version + 1 FROM r WHERE h.tenant_id = r.tenant_id
), used AS (
    DELETE FROM password_links l USING r WHERE r.out AND l.tenant_id = r.tenant_id AND l.user_id = r.user_id
), ended AS (
    DELETE FROM user_tokens t USING r
     WHERE r.out AND t.tenant_id = r.tenant_id AND t.user_id = r.user_id
       AND (r.disabled OR t.kept_until IS NULL OR t.kept_until <= clock_timestamp())
)
INSERT INTO users (tenant_id, user_id, stream_version, number, email, shown_email, address, name, role, password_hash,
                   takes_leads, specialties, bio, areas, languages, price_min, price_max, daily_cap, hours, away_from,
                   away_to, is_primary, notify, disabled, joined_at, invited_at, totp)
SELECT tenant_id, user_id, stream_version, number, email, shown_email, address, name, role, password_hash,
       takes_leads, specialties, bio, coalesce(areas, '{}'), coalesce(languages, '{}'), price_min, price_max, daily_cap,
       hours, away_from, away_to, coalesce(is_primary, false), coalesce(notify, 'at_once'), disabled,
       joined_at, invited_at, coalesce(totp, false)
  FROM r
 ORDER BY is_primary
ON CONFLICT (tenant_id, user_id) DO UPDATE SET
       stream_version = excluded.stream_version, name = excluded.name, role = excluded.role,
       password_hash = excluded.password_hash, takes_leads = excluded.takes_leads,
       specialties = excluded.specialties, bio = excluded.bio, areas = excluded.areas,
       languages = excluded.languages, price_min = excluded.price_min, price_max = excluded.price_max,
       daily_cap = excluded.daily_cap, hours = excluded.hours, away_from = excluded.away_from,
       away_to = excluded.away_to, is_primary = excluded.is_primary, notify = excluded.notify,
       disabled = excluded.disabled, invited_at = excluded.invited_at,
       totp = excluded.totp
"""
"""A new password, and being disabled, end all logins of the user in the same transaction, but for the one by which the
user sets the password, and all links at which a password can be chosen. A login holds the head row
(aureum/commands/sessions.py), so that no token slips in between. A user who is no longer the primary agent comes before
the one who is now: a brokerage has one at a time."""

Row = dict[str, Any]


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a user's row. ``email`` is the address in one form, by which people log in. The append sets
    it with the row and never again: commands/addresses.py may have told two logins of one address apart."""
    match event:
        case User.Joined():
            address = one_form(event.email)
            return {
                "user_id": event.originator_id,
                "stream_version": event.originator_version,
                "number": event.number,
                "email": address,
                "address": address,
                "shown_email": event.email,
                "name": event.name,
                "role": event.role,
                "password_hash": event.password_hash,
                "takes_leads": event.takes_leads,
                "specialties": event.specialties,
                "bio": None,
                "areas": (),
                "languages": (),
                "price_min": None,
                "price_max": None,
                "daily_cap": None,
                "hours": None,
                "away_from": None,
                "away_to": None,
                "is_primary": False,
                "notify": NOTIFY[0],
                "disabled": False,
                "joined_at": event.timestamp,
                "invited_at": None,
                "totp": False,
            }
        case User.Event() if row is not None:
            return row | {"stream_version": event.originator_version} | changed(event)
    return row


def changed(event: User.Event) -> Row:
    """The columns that *event* sets."""
    match event:
        case User.Renamed():
            return {"name": event.name}
        case User.ProfileChanged():
            # "primary" is a word of SQL.
            return {"is_primary" if name == "primary" else name: value for name, value in event.changes.items()}
        case User.BioChanged():
            return {"bio": event.bio}
        case User.NotifyChanged():
            return {"notify": event.notify}
        case User.PasswordSet():
            return {"password_hash": event.password_hash, "invited_at": None}
        case User.Invited():
            return {"invited_at": event.timestamp}
        case User.TotpEnabled():
            return {"totp": True}
        case User.TotpDisabled():
            return {"totp": False}
        case User.InvitationCancelled():
            return {"invited_at": None}
        case User.Disabled():
            return {"disabled": True, "invited_at": None}
        case User.Enabled():
            return {"disabled": False}
    return {}


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for a user's stream, none for others; ``out`` says that the user must log in again."""
    if not isinstance(new[0], User.Event):
        return []
    row = reduce(step, new, reduce(step, before, None))
    return [] if row is None else [row | {"out": any(isinstance(event, ENDING) for event in new)}]


ENDING = (User.PasswordSet, User.Disabled)


class UserRow(NamedTuple):
    """A user as the table has it; ``brokerage`` is its number, None for the platform."""

    user_id: UUID
    stream_version: int
    number: int
    email: str
    name: str
    role: str
    takes_leads: bool
    specialties: Sequence[str]
    disabled: bool
    joined_at: datetime
    brokerage: int | None
    notify: str
    has_password: bool
    invited_at: datetime | None
    totp: bool


SHOWN = """
SELECT u.user_id, u.stream_version, u.number, coalesce(u.shown_email, u.email), u.name, u.role, u.takes_leads,
       u.specialties, u.disabled, u.joined_at, b.number, u.notify, u.password_hash IS NOT NULL, u.invited_at, u.totp
  FROM users u
  LEFT JOIN brokerages b ON b.tenant_id = u.tenant_id
"""

PAGE = (
    SHOWN
    + """
 WHERE u.tenant_id = %(tenant)s
 ORDER BY u.name, u.number LIMIT %(limit)s OFFSET %(skipped)s
"""
)

PROFILES = """
SELECT user_id, stream_version, number, name, coalesce(shown_email, email), role, disabled, bio, specialties, areas,
       languages, price_min, price_max, takes_leads, daily_cap, hours, away_from, away_to, is_primary
  FROM users
 WHERE tenant_id = %(tenant)s AND (%(user)s::uuid IS NULL OR user_id = %(user)s)
 ORDER BY name, number LIMIT %(limit)s OFFSET %(skipped)s
"""

PROFILES_COUNT = (
    "SELECT count(*) FROM users WHERE tenant_id = %(tenant)s AND (%(user)s::uuid IS NULL OR user_id = %(user)s)"
)
"""The agents of one tenant, or one of them."""

PRIMARY = """
SELECT h.directory_version, (SELECT u.user_id FROM users u WHERE u.tenant_id = h.tenant_id AND u.is_primary)
  FROM heads h
 WHERE h.tenant_id = %(tenant)s
"""
"""The primary agent, and the version of the staff that this was read in."""

SHOWN_ONE = SHOWN + " WHERE u.tenant_id = %(tenant)s AND u.user_id = %(user)s"

COUNT = "SELECT count(*) FROM users WHERE tenant_id = %(tenant)s"

DIRECTORY = "SELECT tenant_id, user_id FROM users WHERE number = %(number)s"
"""Of all tenants: for callers who may see all of them, or are told which the tenant is."""

LOGIN = """
SELECT u.tenant_id, u.user_id, u.number, coalesce(u.shown_email, u.email), u.name, u.role, b.number, u.totp,
       CASE WHEN NOT u.disabled AND b.disabled IS NOT TRUE THEN u.password_hash END
  FROM users u
  LEFT JOIN brokerages b ON b.tenant_id = u.tenant_id
 WHERE u.address = %(email)s
 ORDER BY u.disabled, u.email <> %(spelled)s
 LIMIT 1
"""
"""Of all tenants: the user an address belongs to, in one form. Without a hash, the user cannot log in. Two logins that
were made before their addresses counted as one are told apart by how it is spelled, while neither is disabled."""

OTHER_OWNERS = """
SELECT h.directory_version, (
           SELECT count(*) FROM users u
            WHERE u.tenant_id = h.tenant_id AND u.role = 'brokerage_owner' AND NOT u.disabled
              AND u.user_id <> %(user)s
              AND (u.password_hash IS NOT NULL OR NOT EXISTS (
                       SELECT FROM users me
                        WHERE me.tenant_id = h.tenant_id AND me.user_id = %(user)s AND me.password_hash IS NOT NULL
                   ))
       )
  FROM heads h
 WHERE h.tenant_id = %(tenant)s
"""
"""With the version of the staff that it was counted in. An owner without a password cannot log in: one who can is not
replaced by one who cannot."""

OTHER_ADMINS = """
SELECT count(*) FROM users u
 WHERE u.role = 'platform_admin' AND NOT u.disabled AND u.user_id <> %(user)s
   AND (u.password_hash IS NOT NULL OR NOT EXISTS (
            SELECT FROM users me WHERE me.user_id = %(user)s AND me.password_hash IS NOT NULL
        ))
"""
"""Of all tenants."""

STATE = """
SELECT u.stream_version, h.position, h.directory_version
  FROM users u
  JOIN heads h ON h.tenant_id = u.tenant_id
 WHERE u.tenant_id = %(tenant)s AND u.user_id = %(user)s
"""
"""A user's version, and how far the tenant's log has come."""

CREDENTIALS = """
SELECT u.address, u.password_hash FROM users u
 WHERE u.tenant_id = %(tenant)s AND u.user_id = %(user)s AND NOT u.disabled
"""
"""What a user who is logged in logs in with: the address in the form that logins have, and the password's hash."""

BY_ADDRESS = """
SELECT u.tenant_id, u.user_id, u.number
  FROM users u
 WHERE u.address = %(email)s AND (%(tenant)s::uuid IS NULL OR u.tenant_id = %(tenant)s)
 ORDER BY u.disabled, u.email <> %(spelled)s
 LIMIT 1
"""
"""Of all tenants, or of one: the user that logs in with this address."""

ALL = """
SELECT u.number, u.user_id, coalesce(u.shown_email, u.email), u.name, u.role, b.slug, u.password_hash IS NOT NULL,
       u.disabled
  FROM users u
  LEFT JOIN brokerages b ON b.tenant_id = u.tenant_id
 WHERE %(tenant)s::uuid IS NULL OR u.tenant_id = %(tenant)s
 ORDER BY b.slug NULLS FIRST, u.name, u.number
"""
"""The staff of one tenant, or of all, for the operator."""

ASSIGNABLE = """
SELECT user_id, number, name, role, disabled FROM users
 WHERE tenant_id = %(tenant)s
 ORDER BY name, number
"""
"""Those that are disabled too: a page may begin behind one of them."""

ASSIGNABLE_CHANGED = """
SELECT e.position, e.stream_id, u.number, u.name, u.role, u.disabled
  FROM events e
  JOIN users u ON u.tenant_id = e.tenant_id AND u.user_id = e.stream_id
 WHERE e.tenant_id = %(tenant)s AND e.position > %(after)s AND e.position <= %(last)s
   AND starts_with(e.type, 'user.')
   AND e.version = (
           SELECT max(n.version) FROM events n
            WHERE n.tenant_id = %(tenant)s AND n.stream_id = e.stream_id AND n.position <= %(until)s
       )
 ORDER BY e.position LIMIT %(limit)s
"""
"""Those that changed behind a position, as in ``list_changes``. A caller sees all of the staff, so that a disabled
user is reported as removed, whether or not the client has seen that user."""

AGENTS = """
SELECT user_id, number, name, role, takes_leads, is_primary, daily_cap, away_from, away_to, bio, specialties, areas,
       languages, price_min, price_max
  FROM users
 WHERE tenant_id = %(tenant)s AND NOT disabled
 ORDER BY user_id
"""
"""Everyone to whom leads of the tenant may go, with what routing knows of them."""

ONE = "SELECT user_id FROM users WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND NOT disabled"

OF_NUMBER = "SELECT user_id FROM users WHERE tenant_id = %(tenant)s AND number = %(number)s AND NOT disabled"
