"""The security log of a brokerage: logins and failed logins, keys that were refused, exports, and what else an owner
looks for after an incident. The platform's tenant has what belongs to no brokerage, such as a login with an address
that no user has.

It is no part of the event log: most of it is done by callers who are refused, and a flood of refusals must not fill the
disk. So what is alike within an hour is one row with a count, and a brokerage gets a bounded number of rows an hour.
What is beyond them is counted together, without saying where it came from.

This module writes. ``security_entries`` reads, and removes what is old.

The client's address, the address of the account and the device are personal. They are sealed under the key of the user
whom they are of, so that erasing the user erases them. What is of no user is sealed under the key of the tenant and
ends with its days.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson

from aureum.domain.emails import one_form, trimmed
from aureum.domain.ids import PLATFORM, new_id, now
from aureum.projections import users
from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database

Kind = Literal[
    "login",
    "login_failed",
    "login_limited",
    "code_failed",
    "totp_enabled",
    "totp_disabled",
    "password_changed",
    "key_revoked_used",
    "key_expired_used",
    "key_unknown",
    "key_at_other_brokerage",
    "export",
    "erasure",
    "others",
]

MOST_AN_HOUR = 200
"""Rows of a brokerage within an hour."""

ON_COMMAND_LINE = "on the command line"


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that happened. Of a login *account* is the address that was typed, of a key *key_hash* what it hashes
    to; whose they are is found when it is written. *about* says more, such as which list was exported."""

    kind: Kind
    tenant_id: UUID | None = None
    user_id: UUID | None = None
    key_id: UUID | None = None
    account: str | None = None
    key_hash: bytes | None = None
    address: str | None = None
    device: str | None = None
    about: str | None = None


@dataclass(slots=True)
class Times:
    """How often it happened, and when first and last."""

    first_at: datetime = field(default_factory=now)
    last_at: datetime = field(default_factory=now)
    number: int = 1


KEY_OF_HASH = """
SELECT tenant_id, key_id, revoked, expires_at IS NOT NULL AND expires_at <= now() FROM api_keys
 WHERE key_hash = %(hash)s
"""

SUBJECT_KEY = "SELECT wrapped FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(subject)s"

WRITE = """
WITH noted AS (
    SELECT r.*, EXISTS (
               SELECT FROM security_log k
                WHERE k.tenant_id = %(tenant)s AND k.hour = r.hour AND k.digest = r.digest
           ) AS known
      FROM json_to_recordset(%(rows)s::json) AS r (
               place integer, hour timestamptz, digest bytea, rest bytea, entry_id uuid, kind text,
               first_at timestamptz, last_at timestamptz, times integer, subject_id uuid, key_id uuid, sealed bytea
           )
), placed AS (
    SELECT n.*, n.known OR (
               SELECT count(*) FROM security_log l WHERE l.tenant_id = %(tenant)s AND l.hour = n.hour
           ) + count(*) FILTER (WHERE NOT n.known) OVER (PARTITION BY n.hour ORDER BY n.place) <= %(most)s AS fits
      FROM noted n
), kept AS (
    SELECT p.hour, CASE WHEN p.fits THEN p.digest ELSE p.rest END AS digest, (array_agg(p.entry_id))[1] AS entry_id,
           CASE WHEN bool_and(p.fits) THEN (array_agg(p.kind))[1] ELSE 'others' END AS kind,
           min(p.first_at) AS first_at, max(p.last_at) AS last_at, sum(p.times) AS times,
           CASE WHEN bool_and(p.fits) THEN (array_agg(p.subject_id))[1] END AS subject_id,
           CASE WHEN bool_and(p.fits) THEN (array_agg(p.key_id))[1] END AS key_id,
           CASE WHEN bool_and(p.fits) THEN (array_agg(p.sealed))[1] END AS sealed
      FROM placed p
     GROUP BY 1, 2
)
INSERT INTO security_log AS l (
       tenant_id, hour, digest, entry_id, kind, first_at, last_at, times, subject_id, key_id, sealed)
SELECT %(tenant)s, hour, digest, entry_id, kind, first_at, last_at, times, subject_id, key_id, sealed FROM kept
 ORDER BY hour, digest
ON CONFLICT (tenant_id, hour, digest) DO UPDATE SET
       last_at = greatest(l.last_at, excluded.last_at),
       times = least(l.times::bigint + excluded.times, 2147483647)::integer
RETURNING 1
"""
"""What is beyond the most rows of an hour goes into the row of 'others'."""


async def write(store: EventStore, noted: Mapping[Noted, Times]) -> None:
    """Keep what was *noted*. Raises Unavailable."""
    by_tenant: dict[UUID, list[tuple[Noted, Times]]] = {}
    for one, times in noted.items():
        found = await resolved(store.database, one)
        if found is not None:
            by_tenant.setdefault(found.tenant_id or PLATFORM, []).append((found, times))
    for tenant_id, entries in by_tenant.items():
        key = await store.tenant_key(tenant_id)
        rows = [await row_of(store.database, key, place, *entry) for place, entry in enumerate(entries)]
        # What several of them turned out to be is one row.
        merged: dict[tuple[str, str], dict[str, Any]] = {}
        for row in rows:
            same = merged.setdefault((row["hour"].isoformat(), row["digest"]), row)
            if same is not row:
                same["times"] += row["times"]
                same["first_at"] = min(same["first_at"], row["first_at"])
                same["last_at"] = max(same["last_at"], row["last_at"])
        given = {"tenant": tenant_id, "most": MOST_AN_HOUR, "rows": orjson.dumps(list(merged.values())).decode()}
        await store.database.rows(WRITE, given)


async def record(store: EventStore, noted: Noted) -> None:
    """Keep one thing at once, as the command line does. Raises Unavailable."""
    await write(store, {noted: Times()})


async def resolved(database: Database, noted: Noted) -> "Noted | None":
    """Whose it is: the user of an account, the brokerage of a key. None where there is nothing to keep."""
    if noted.account is not None and noted.user_id is None:
        asked = {"email": one_form(noted.account), "spelled": trimmed(noted.account).lower(), "tenant": noted.tenant_id}
        for tenant_id, user_id, _ in await database.rows(users.BY_ADDRESS, asked):
            return replaced(noted, tenant_id=tenant_id, user_id=user_id)
    if noted.key_hash is not None:
        for tenant_id, key_id, revoked, expired in await database.rows(KEY_OF_HASH, {"hash": noted.key_hash}):
            if noted.kind != "key_unknown":
                return replaced(noted, tenant_id=tenant_id, key_id=key_id)
            if not revoked and not expired:
                # Of a brokerage that is disabled.
                return None
            kind: Kind = "key_revoked_used" if revoked else "key_expired_used"
            return replaced(noted, kind=kind, tenant_id=tenant_id, key_id=key_id)
    return noted


def replaced(noted: Noted, **changes: Any) -> Noted:
    """*noted* with what was found out; a key is named by its id from now on."""
    return replace(noted, **{"key_hash": None} | changes)


async def row_of(database: Database, key: TenantKey, place: int, noted: Noted, times: Times) -> dict[str, Any]:
    """The row of one thing, sealed."""
    said = {
        name: value for name in ("address", "account", "device", "about") if (value := getattr(noted, name)) is not None
    }
    subject = noted.user_id
    wrapped = None
    if subject is not None:
        found = await database.rows(SUBJECT_KEY, {"tenant": key.tenant_id, "subject": subject})
        wrapped = found[0][0] if found else None
        if wrapped is None:
            # The user was erased: nothing is written of that person any more.
            said = {}
    entry_id = new_id()
    hour = times.last_at.replace(minute=0, second=0, microsecond=0)
    alike = repr((noted.kind, subject, noted.key_id, sorted(said.items())))
    return {
        "place": place,
        "hour": hour,
        "digest": as_bytea(key.digest(b"security log", alike.encode())[:16]),
        "rest": as_bytea(key.digest(b"security log", b"others")[:16]),
        "entry_id": entry_id,
        "kind": noted.kind,
        "first_at": times.first_at,
        "last_at": times.last_at,
        "times": times.number,
        "subject_id": subject,
        "key_id": noted.key_id,
        "sealed": as_bytea(key.seal_entry(subject, wrapped, entry_id, orjson.dumps(said))) if said else None,
    }


def as_bytea(value: bytes) -> str:
    """As PostgreSQL reads it."""
    return f"\\x{value.hex()}"
