"""Puts mails into the queue, in the transaction that moves the checkpoint: one for an event, a kind and an address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from aureum.domain.ids import new_id
from aureum.mail.queue.sealing import About, mail_key, recipient_digest, seal_about, seal_message
from aureum.store.cipher import TenantKey
from aureum.store.postgres.arrays import Big, packed

BEFORE = "bounced_before"
UNUSABLE = "address"
NOT_MADE = "not_made"
NO_LINK = "no_link"
"""Errors of mails that are never attempted."""

SUBJECT_KEYS = """
SELECT subject_id, wrapped FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = ANY (%(subjects)s)
"""

ADD = """
INSERT INTO mails (tenant_id, mail_id, position, kind, recipient, subject_id, also_about, user_id, about, message,
                   state, due_at, error, recorded_at, ended_at)
SELECT %(tenant)s, m.mail_id, m.position, m.kind, m.recipient, m.subject_id, m.also_about::uuid[], m.user_id, m.about,
       m.message,
       CASE WHEN m.error IS NULL THEN 'due' ELSE 'failed' END, greatest(m.not_before, now()), m.error, m.recorded_at,
       CASE WHEN m.error IS NOT NULL THEN now() END
  FROM unnest(
           %(mail_id)b::uuid[], %(position)b::bigint[], %(kind)b::text[], %(recipient)b::bytea[],
           %(subject_id)b::uuid[], %(user_id)b::uuid[], %(about)b::bytea[], %(message)b::bytea[],
           %(not_before)b::timestamptz[], %(error)b::text[], %(recorded_at)b::timestamptz[], %(also_about)b::text[]
       ) AS m (mail_id, position, kind, recipient, subject_id, user_id, about, message, not_before, error, recorded_at,
               also_about)
ON CONFLICT (tenant_id, position, kind, recipient) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to queue; ``message`` is its bytes, None with an ``error`` that says why it will not be sent."""

    kind: str
    position: int
    about: About
    subject_id: UUID | None
    user_id: UUID | None
    message: bytes | None
    not_before: datetime | None
    recorded_at: datetime
    error: str | None = None
    also_about: tuple[UUID, ...] = ()


def message_id(tenant_key: TenantKey, position: int, kind: str, address: str, domain: str) -> str:
    """The Message-ID of the mail of an event to an address: the same in every attempt. It is a digest, since a visitor
    need not know how much a brokerage's log holds."""
    named = f"{position} {kind} ".encode() + recipient_digest(tenant_key, address)
    return f"<{tenant_key.digest(b'message id', named).hex()[:32]}@{domain}>"


async def subject_keys(
    connection: AsyncConnection[Any], tenant_id: UUID, subjects: Sequence[UUID]
) -> Mapping[UUID, bytes]:
    """The stored keys of those *subjects* that have not been erased."""
    if not subjects:
        return {}
    about = {"tenant": tenant_id, "subjects": list(subjects)}
    return dict(await (await connection.execute(SUBJECT_KEYS, about, binary=True)).fetchall())


async def add_mails(
    connection: AsyncConnection[Any], tenant_key: TenantKey, mails: Sequence[Mail], keys: Mapping[UUID, bytes]
) -> None:
    """Queue *mails*, but for those that are queued already and those about persons who were erased. *keys* are those of
    their subjects."""
    columns: dict[str, list[Any]] = {name: [] for name in KINDS}
    for mail in mails:
        key = mail_key(tenant_key, mail.subject_id, keys.get(mail.subject_id) if mail.subject_id else None)
        if key is None:
            continue
        mail_id = new_id()
        row = {
            "mail_id": mail_id,
            "position": mail.position,
            "kind": mail.kind,
            "recipient": recipient_digest(tenant_key, mail.about.address),
            "subject_id": mail.subject_id,
            "user_id": mail.user_id,
            "about": seal_about(key, tenant_key.tenant_id, mail_id, mail.about),
            "message": mail.message and seal_message(key, tenant_key.tenant_id, mail_id, mail.message),
            "not_before": mail.not_before,
            "error": mail.error,
            "recorded_at": mail.recorded_at,
            # An array of arrays is one array to PostgreSQL: each is sent as its text.
            "also_about": "{" + ",".join(map(str, mail.also_about)) + "}" if mail.also_about else None,
        }
        for name, value in row.items():
            columns[name].append(value)
    if columns["mail_id"]:
        arrays = {name: packed(kind, columns[name]) for name, kind in KINDS.items()}
        await connection.execute(ADD, {"tenant": tenant_key.tenant_id} | arrays)


KINDS: Mapping[str, Any] = {
    "mail_id": UUID,
    "position": Big,
    "kind": str,
    "recipient": bytes,
    "subject_id": UUID,
    "user_id": UUID,
    "about": bytes,
    "message": bytes,
    "not_before": datetime,
    "error": str,
    "recorded_at": datetime,
    "also_about": str,
}
"""The columns that are written, with their kinds."""
