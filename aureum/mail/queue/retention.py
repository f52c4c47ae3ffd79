"""What the queue removes: mails thirty days after their end, and at once those about persons who were erased.

A person is erased by deleting the key of the subject (table ``subject_keys``). A mail with that person's data has the
subject's id, so it is found without being read. Without the key it cannot be read anyway.
"""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from aureum.store.postgres.database import Database

BATCH = 5_000

TENANTS = "SELECT DISTINCT tenant_id FROM mails"

OLD = """
DELETE FROM mails
 WHERE tenant_id = %(tenant)s AND mail_id IN (
           SELECT mail_id FROM mails
            WHERE tenant_id = %(tenant)s AND ended_at < now() - interval '30 days'
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED
       )
RETURNING mail_id
"""

OF_ERASED = """
SELECT m.mail_id FROM mails m
 WHERE m.tenant_id = %(tenant)s AND m.state <> 'leased' AND (
           m.subject_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = %(tenant)s AND k.subject_id = m.subject_id)
        OR EXISTS (
               SELECT FROM unnest(m.also_about) AS a (subject_id)
                WHERE NOT EXISTS (
                          SELECT FROM subject_keys k WHERE k.tenant_id = %(tenant)s AND k.subject_id = a.subject_id
                      )
           )
       )
 LIMIT %(limit)s
"""

REMOVE = """
DELETE FROM mails WHERE tenant_id = %(tenant)s AND mail_id = ANY (%(mails)s) AND state <> 'leased' RETURNING 1
"""


async def prune_mails(database: Database, batch: int = BATCH) -> int:
    """Remove the mails that ended long ago; how many there were. Raises Unavailable."""
    return sum([len(await removed_of(database, OLD, tenant_id, batch)) for tenant_id in await tenants(database)])


async def drop_erased(
    database: Database,
    file_of: Callable[[UUID], Path] | None = None,
    batch: int = BATCH,
    *,
    tenant_id: UUID | None = None,
) -> int:
    """Remove the mails about persons who were erased, of one tenant or of all, and before that their files; how many
    there were.

    Raises Unavailable, OSError.
    """
    removed = 0
    for tenant in await tenants(database) if tenant_id is None else [tenant_id]:
        about = {"tenant": tenant, "limit": batch}
        while found := [mail_id for (mail_id,) in await database.rows(OF_ERASED, about)]:
            if file_of is not None:
                for mail_id in found:
                    file_of(mail_id).unlink(missing_ok=True)
            removed += len(await database.rows(REMOVE, {"tenant": tenant, "mails": found}))
            if len(found) < batch:
                break
    return removed


async def tenants(database: Database) -> list[UUID]:
    return [tenant_id for (tenant_id,) in await database.rows(TENANTS)]


async def removed_of(database: Database, statement: str, tenant_id: UUID, batch: int) -> list[UUID]:
    """What *statement* removes of a tenant, batch by batch."""
    removed: list[UUID] = []
    while True:
        found = [mail_id for (mail_id,) in await database.rows(statement, {"tenant": tenant_id, "limit": batch})]
        removed += found
        if len(found) < batch:
            return removed
