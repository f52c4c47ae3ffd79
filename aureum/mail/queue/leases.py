"""Claiming mails, and what becomes of a lease.

    due ──claim──▶ leased ──accepted──▶ sent
     ▲                │ └──refused for good, or too often──▶ failed
     └──failure, given back, lease expired

Every statement that locks names one tenant; due tenants are found without locks. Times are the database's. What becomes
of a lease counts only for the worker that still holds it: tenant, mail, attempt and owner must all agree.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from aureum.background.commits import NO_WAIT_FOR_DISK
from aureum.store.postgres.database import Database

LEASE_SECONDS = 40.0
"""An attempt takes 30 s at most. What a killed worker held goes out again within 45 s: the reaper and the claim that
follow a lease's end need their moments too."""

DUE_TENANTS = """
SELECT m.tenant_id
  FROM mails m
 WHERE m.state = 'due' AND m.due_at <= now()
   AND NOT EXISTS (SELECT FROM brokerages b WHERE b.tenant_id = m.tenant_id AND b.disabled)
 GROUP BY m.tenant_id
 ORDER BY min(m.due_at)
 LIMIT %(limit)s
"""

CLAIM = """
WITH found AS (
    SELECT m.mail_id, now() AS claimed_at FROM mails m
     WHERE m.tenant_id = %(tenant)s AND m.state = 'due' AND m.due_at <= now()
       AND NOT EXISTS (SELECT FROM brokerages b WHERE b.tenant_id = %(tenant)s AND b.disabled)
     ORDER BY m.due_at
     LIMIT %(room)s
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE mails m
   SET state = 'leased', attempt = m.attempt + 1, lease_owner = %(owner)s,
       lease_until = now() + %(lease)s * interval '1 second'
  FROM found f
 WHERE m.tenant_id = %(tenant)s AND m.mail_id = f.mail_id
RETURNING m.tenant_id, m.mail_id, m.attempt, m.base, m.kind, m.subject_id, m.about, m.message, m.recorded_at,
          m.queued_at, f.claimed_at,
          (SELECT k.wrapped FROM subject_keys k WHERE k.tenant_id = %(tenant)s AND k.subject_id = m.subject_id),
          EXISTS (
              SELECT FROM unnest(m.also_about) AS a (subject_id)
               WHERE NOT EXISTS (
                         SELECT FROM subject_keys k WHERE k.tenant_id = %(tenant)s AND k.subject_id = a.subject_id
                     )
          )
"""

GIVE_BACK = """
UPDATE mails
   SET state = 'due', attempt = attempt - 1, lease_owner = NULL, lease_until = NULL,
       due_at = now() + %(pause)s * interval '1 second', error = coalesce(%(error)s, error)
 WHERE tenant_id = %(tenant)s AND mail_id = %(mail)s AND attempt = %(attempt)s AND lease_owner = %(owner)s
RETURNING 1
"""

TENANTS_WITH_EXPIRED = """
SELECT tenant_id FROM mails
 WHERE state = 'leased' AND lease_until < now()
 GROUP BY tenant_id
"""

REAP = """
UPDATE mails
   SET state = 'due', due_at = now(), lease_owner = NULL, lease_until = NULL
 WHERE tenant_id = %(tenant)s AND mail_id IN (
           SELECT x.mail_id FROM mails x
            WHERE x.tenant_id = %(tenant)s AND x.state = 'leased' AND x.lease_until < now()
            LIMIT 1000
              FOR NO KEY UPDATE SKIP LOCKED
       )
RETURNING 1
"""


class Claim(NamedTuple):
    """A mail that a worker holds. ``wrapped`` is the stored key of its subject. ``erased`` says whether the key of
    another person in it is gone."""

    tenant_id: UUID
    mail_id: UUID
    attempt: int
    base: int
    kind: str
    subject_id: UUID | None
    about: bytes
    message: bytes | None
    recorded_at: datetime
    queued_at: datetime
    claimed_at: datetime
    wrapped: bytes | None
    erased: bool


async def due_tenants(database: Database, limit: int) -> list[UUID]:
    """Tenants with a mail that is due, the longest due first. Raises Unavailable."""
    return [tenant_id for (tenant_id,) in await database.look(DUE_TENANTS, "m", {"limit": limit})]


async def claim(
    database: Database, owner: UUID, tenant_id: UUID, room: int, lease_seconds: float = LEASE_SECONDS
) -> list[Claim]:
    """Lease up to *room* due mails of a tenant to *owner*, the longest due first. Raises Unavailable."""
    about = {"tenant": tenant_id, "room": room, "owner": owner, "lease": lease_seconds}
    return [Claim._make(row) for row in await written(database, CLAIM, about)]


async def written(database: Database, statement: str, about: Mapping[str, Any]) -> list[Any]:
    """What *statement* returns, committed without waiting for the disk, in one round trip. Raises Unavailable."""
    async with database.connection() as connection:
        cursor = connection.cursor(binary=True)
        async with connection.pipeline():
            await connection.execute("BEGIN")
            await connection.execute(NO_WAIT_FOR_DISK)
            await cursor.execute(statement, about)
            await connection.execute("COMMIT")
        return await cursor.fetchall()


async def give_back(
    database: Database, owner: UUID, one: Claim, pause: timedelta = timedelta(0), error: str | None = None
) -> bool:
    """End a lease without counting the attempt, because its outcome says nothing about the mail. It is due after
    *pause*. Returns whether the mail was still held. Raises Unavailable."""
    about = {
        "tenant": one.tenant_id,
        "mail": one.mail_id,
        "attempt": one.attempt,
        "owner": owner,
        "pause": pause.total_seconds(),
        "error": error,
    }
    return bool(await written(database, GIVE_BACK, about))


async def reap(database: Database) -> list[UUID]:
    """Make due again what is leased beyond its time; the tenants concerned. Raises Unavailable."""
    tenants = [tenant_id for (tenant_id,) in await database.look(TENANTS_WITH_EXPIRED, "mails")]
    for tenant_id in tenants:
        await database.rows(REAP, {"tenant": tenant_id})
    return tenants
