"""What became of attempts, written for the worker that still holds the mail."""

from datetime import timedelta
from uuid import UUID

from aureum.mail.queue.leases import Claim, written
from aureum.store.postgres.database import Database

COMPLETE = """
WITH held AS (
    UPDATE mails m
       SET state = %(state)s, error = %(error)s, answer = %(answer)s, lease_owner = NULL, lease_until = NULL,
           due_at = CASE WHEN %(pause)s::float8 IS NULL THEN m.due_at
                         ELSE now() + %(pause)s::float8 * interval '1 second' END,
           ended_at = CASE WHEN %(state)s = 'due' THEN NULL ELSE now() END
     WHERE m.tenant_id = %(tenant)s AND m.mail_id = %(mail)s AND m.attempt = %(attempt)s
       AND m.lease_owner = %(owner)s
    RETURNING m.recipient
), bounced AS (
    INSERT INTO mail_bounces AS b (tenant_id, recipient, times, bounced_at)
    SELECT %(tenant)s, h.recipient, 1, now() FROM held h WHERE %(bounced)s
    ON CONFLICT (tenant_id, recipient) DO UPDATE SET times = b.times + 1, bounced_at = excluded.bounced_at
), works AS (
    DELETE FROM mail_bounces b USING held h
     WHERE %(state)s = 'sent' AND b.tenant_id = %(tenant)s AND b.recipient = h.recipient
)
SELECT 1 FROM held
"""

DROP = """
DELETE FROM mails
 WHERE tenant_id = %(tenant)s AND mail_id = %(mail)s AND attempt = %(attempt)s AND lease_owner = %(owner)s
"""


async def complete(
    database: Database,
    owner: UUID,
    one: Claim,
    *,
    error: str | None,
    answer: bytes | None,
    pause: timedelta | None,
    bounced: bool = False,
) -> bool:
    """Write the outcome of an attempt: no *error* is a success; with a *pause* it is tried again. Whether the mail was
    still held. Raises Unavailable."""
    about = {
        "tenant": one.tenant_id,
        "mail": one.mail_id,
        "attempt": one.attempt,
        "owner": owner,
        "state": "sent" if error is None else "due" if pause is not None else "failed",
        "error": error,
        "answer": answer,
        "pause": None if pause is None else pause.total_seconds(),
        "bounced": bounced,
    }
    return bool(await written(database, COMPLETE, about))


async def drop(database: Database, owner: UUID, one: Claim) -> None:
    """Remove a mail about a person who was erased. Raises Unavailable."""
    about = {"tenant": one.tenant_id, "mail": one.mail_id, "attempt": one.attempt, "owner": owner}
    await database.rows(DROP + " RETURNING 1", about)
