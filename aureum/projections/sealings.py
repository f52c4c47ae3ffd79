"""Envelopes that all have signed and the worker is to seal, and which of them cannot be sealed.

A row is a hint, as those of ``timers`` are (docs/decisions/timers.md): what is due is decided from the log. ``error``
is why the last try failed; an envelope that has failed too often waits until an operator tries it again. ``sha256``
are the sealed files of one that is completed.
"""

from collections.abc import Sequence
from typing import Any

from aureum.domain.aggregate import replay
from aureum.domain.envelope import Envelope

NAME = "sealings"
EVENTS: type = Envelope.Event

APPEND = """
INSERT INTO sealings (tenant_id, envelope_id, due_at, version, sha256)
SELECT tenants[r.item], r.envelope_id, r.due_at, r.version, r.sha256
  FROM json_to_recordset(rows) AS r (
           item integer, envelope_id uuid, due_at timestamptz, version integer, sha256 text[])
 WHERE tenants[r.item] IS NOT NULL
ON CONFLICT (tenant_id, envelope_id) DO UPDATE SET
       due_at = excluded.due_at, version = excluded.version, sha256 = excluded.sha256, failures = 0,
       error = NULL, parked = false
"""

Row = dict[str, Any]


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for an envelope that is to be sealed here, or has been; none for others."""
    if not isinstance(new[0], Envelope.Event):
        return []
    envelope: Envelope = replay([*before, *new])
    if envelope.provider != "built_in" or envelope.state not in ("completing", "completed", "purged"):
        return []
    due_at = envelope.modified_on if envelope.state == "completing" else None
    sha256 = sorted({one.sha256 for one in envelope.sealed.values()})
    return [{"envelope_id": envelope.id, "due_at": due_at, "version": envelope.version, "sha256": sha256}]


IS_SEALED = """
SELECT 1 FROM sealings s WHERE s.tenant_id = %(tenant)s AND s.sha256 @> ARRAY[%(sha256)s] LIMIT 1
"""
"""Whether the brokerage has sealed a file with this hash."""
