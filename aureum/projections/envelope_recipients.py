"""The recipients of envelopes by the digest of their addresses: how the portal finds what a client may sign or read.

A row says in which state the envelope and the recipient are. Drafts are not found, since nothing was sent to anyone. No
address stands here in clear. The rows of a purged envelope have no address any more.
"""

from collections.abc import Sequence
from typing import Any

from aureum.domain.aggregate import replay
from aureum.domain.envelope import Envelope
from aureum.domain.people import email_key

NAME = "envelope_recipients"
EVENTS: type = Envelope.Event

APPEND = """
INSERT INTO envelope_recipients (tenant_id, envelope_id, recipient_id, address, state, envelope_state, may_read)
SELECT tenants[r.item], r.envelope_id, r.recipient_id, r.address, r.state, r.envelope_state, r.may_read
  FROM json_to_recordset(rows) AS r (
           item integer, envelope_id uuid, recipient_id uuid, address uuid, state text, envelope_state text,
           may_read boolean)
 WHERE tenants[r.item] IS NOT NULL
ON CONFLICT (tenant_id, envelope_id, recipient_id) DO UPDATE SET
       address = excluded.address, state = excluded.state, envelope_state = excluded.envelope_state,
       may_read = excluded.may_read
"""

Row = dict[str, Any]


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """A row a recipient of an envelope that was sent, none for other streams."""
    if not isinstance(new[0], Envelope.Event):
        return []
    envelope: Envelope = replay([*before, *new])
    if envelope.sent_at is None:
        return []
    return [
        {
            "envelope_id": envelope.id,
            "recipient_id": one.id,
            "address": None if envelope.erased or one.state == "reassigned" else email_key(one.email),
            "state": one.state,
            "envelope_state": envelope.state,
            "may_read": envelope.may_read(one),
        }
        for one in envelope.recipients.values()
    ]


OF_ADDRESS = """
SELECT r.envelope_id, r.recipient_id, r.state, r.envelope_state, r.may_read
  FROM envelope_recipients r
 WHERE r.tenant_id = %(tenant)s AND r.address = %(address)s
 ORDER BY r.envelope_id DESC LIMIT %(limit)s
"""
"""``address`` is as ``email_key`` makes it; newest first."""
