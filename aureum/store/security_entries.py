"""The entries of the security log as owners read them, and the end of those that are old or of users who were erased.
``security_log`` writes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag

from aureum.store.cipher import TenantKey
from aureum.store.event_store import EventStore
from aureum.store.postgres.database import Database

KEPT_DAYS = 90

PAGE = """
SELECT l.entry_id, l.kind, l.first_at, l.last_at, l.times, l.subject_id, u.number, u.name, l.key_id, k.name, l.sealed,
       s.wrapped
  FROM security_log l
  LEFT JOIN users u ON u.tenant_id = l.tenant_id AND u.user_id = l.subject_id
  LEFT JOIN api_keys k ON k.tenant_id = l.tenant_id AND k.key_id = l.key_id
  LEFT JOIN subject_keys s ON s.tenant_id = l.tenant_id AND s.subject_id = l.subject_id
 WHERE l.tenant_id = %(tenant)s AND (%(since)s::timestamptz IS NULL OR l.last_at >= %(since)s)
   AND (%(kind)s::text IS NULL OR l.kind = %(kind)s)
 ORDER BY l.last_at DESC, l.entry_id DESC LIMIT %(limit)s::bigint OFFSET %(skipped)s
"""

COUNT = """
SELECT count(*) FROM security_log
 WHERE tenant_id = %(tenant)s AND (%(since)s::timestamptz IS NULL OR last_at >= %(since)s)
   AND (%(kind)s::text IS NULL OR kind = %(kind)s)
"""

PRUNE = """
DELETE FROM security_log l
 WHERE (l.tenant_id, l.hour, l.digest) IN (
           SELECT o.tenant_id, o.hour, o.digest FROM security_log o
            WHERE o.last_at < now() - %(days)s * interval '1 day'
               OR o.subject_id IS NOT NULL AND NOT EXISTS (
                      SELECT FROM subject_keys s WHERE s.tenant_id = o.tenant_id AND s.subject_id = o.subject_id
                  )
            LIMIT 5000
       )
RETURNING 1
"""
"""What is old, and what is of users who were erased."""


class Entry(NamedTuple):
    """A row as it is read. What was sealed is empty for what was erased."""

    entry_id: UUID
    kind: str
    first_at: datetime
    last_at: datetime
    times: int
    user: tuple[UUID, int, str] | None
    key: tuple[UUID, str] | None
    said: Mapping[str, str]


async def entries(
    store: EventStore,
    tenant_id: UUID,
    *,
    since: datetime | None = None,
    kind: str | None = None,
    limit: int | None = None,
    skipped: int = 0,
) -> tuple[list[Entry], int]:
    """The latest first, and how many there are in all. Raises Unavailable."""
    of = {"tenant": tenant_id, "since": since, "kind": kind, "limit": limit, "skipped": skipped}
    rows, ((total,),) = await store.database.tenant_results(tenant_id, [(PAGE, of), (COUNT, of)])
    key = await store.tenant_key(tenant_id)
    return [read(key, row) for row in rows], total


def read(key: TenantKey, row: Sequence[Any]) -> Entry:
    """A row of ``PAGE``."""
    entry_id, kind, first_at, last_at, times, subject, number, name, key_id, key_name, sealed, wrapped = row
    said: Mapping[str, str] = {}
    if sealed is not None and (subject is None or wrapped is not None):
        try:
            said = orjson.loads(key.open_entry(subject, wrapped, entry_id, bytes(sealed)))
        except InvalidTag:
            said = {}
    user = None if number is None else (subject, number, name)
    return Entry(entry_id, kind, first_at, last_at, times, user, key_id and (key_id, key_name or ""), said)


async def prune(database: Database, days: int = KEPT_DAYS) -> int:
    """Remove what is older than so many days, and what is of users who were erased; how many rows. Raises
    Unavailable."""
    removed = 0
    while found := len(await database.rows(PRUNE, {"days": days})):
        removed += found
    return removed
