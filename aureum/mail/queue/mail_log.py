"""The queue as people read it: what is queued, sent, failed and why. Opened here; the tables have it sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.mail.queue.sealing import About, mail_key, open_about, open_answer, open_message
from aureum.store.cipher import TenantKey

STATES = {"queued": ["due", "leased"], "sent": ["sent"], "failed": ["failed"]}
"""The states of the queue by their status on the wire."""

STATUS_OF = {state: status for status, states in STATES.items() for state in states}

MAILS = """
SELECT m.mail_id, m.kind, m.state, m.attempt, m.due_at, m.error, m.recorded_at, m.ended_at, m.subject_id, k.wrapped,
       m.about, m.answer
  FROM mails m
  LEFT JOIN subject_keys k ON k.tenant_id = m.tenant_id AND k.subject_id = m.subject_id
 WHERE m.tenant_id = %(tenant)s
   AND (%(states)s::text[] IS NULL OR m.state = ANY (%(states)s))
   AND (%(kind)s::text IS NULL OR m.kind = %(kind)s)
 ORDER BY m.mail_id DESC
 LIMIT %(limit)s OFFSET %(skipped)s
"""

MAILS_ABOUT = """
SELECT m.mail_id, m.kind, m.state, m.attempt, m.due_at, m.error, m.recorded_at, m.ended_at, m.subject_id, k.wrapped,
       m.about, m.answer
  FROM mails m
  LEFT JOIN subject_keys k ON k.tenant_id = m.tenant_id AND k.subject_id = m.subject_id
 WHERE m.tenant_id = %(tenant)s AND m.subject_id = %(subject)s
 ORDER BY m.mail_id DESC
 LIMIT %(limit)s
"""

COUNT = """
SELECT count(*)
  FROM mails m
 WHERE m.tenant_id = %(tenant)s
   AND (%(states)s::text[] IS NULL OR m.state = ANY (%(states)s))
   AND (%(kind)s::text IS NULL OR m.kind = %(kind)s)
"""

MAIL = """
SELECT m.mail_id, m.kind, m.state, m.attempt, m.due_at, m.error, m.recorded_at, m.ended_at, m.subject_id, k.wrapped,
       m.about, m.answer, m.message
  FROM mails m
  LEFT JOIN subject_keys k ON k.tenant_id = m.tenant_id AND k.subject_id = m.subject_id
 WHERE m.tenant_id = %(tenant)s AND m.mail_id = %(mail)s
"""

RESEND = """
UPDATE mails
   SET state = 'due', base = attempt, due_at = now(), queued_at = now(), ended_at = NULL, error = NULL
 WHERE tenant_id = %(tenant)s AND mail_id = %(mail)s AND state = 'failed' AND message IS NOT NULL
RETURNING 1
"""


@dataclass(frozen=True, slots=True)
class LoggedMail:
    """A mail as people see it. Personal fields are None once the person was erased. ``message`` is None, too, if it was
    not asked for or never made."""

    mail_id: UUID
    kind: str
    status: str
    attempts: int
    due_at: datetime | None
    error: str | None
    recorded_at: datetime
    ended_at: datetime | None
    about: About | None
    answer: str | None
    message: bytes | None


def logged(tenant_key: TenantKey, row: Sequence[Any]) -> LoggedMail:
    """A row of ``MAILS`` or ``MAIL``."""
    mail_id, kind, state, attempts, due_at, error, recorded_at, ended_at, subject_id, wrapped, about, answer, *rest = (
        row
    )
    key, tenant_id = mail_key(tenant_key, subject_id, wrapped), tenant_key.tenant_id
    sealed = rest[0] if rest else None
    return LoggedMail(
        mail_id,
        kind,
        STATUS_OF[state],
        attempts,
        due_at if state == "due" else None,
        error,
        recorded_at,
        ended_at,
        None if key is None else open_about(key, tenant_id, mail_id, about),
        None if key is None or answer is None else open_answer(key, tenant_id, mail_id, answer),
        None if key is None or sealed is None else open_message(key, tenant_id, mail_id, sealed),
    )
