"""When the clock next does something with an envelope: a reminder, its deadline, the end of the time for which it is
kept. A row is a hint, as those of ``timers`` are (docs/decisions/timers.md): what is due is decided from the log."""

from collections.abc import Sequence
from typing import Any

from aureum.domain.aggregate import replay
from aureum.domain.envelope import Envelope

NAME = "envelope_timers"
EVENTS: type = Envelope.Event

APPEND = """
INSERT INTO envelope_timers (tenant_id, envelope_id, due_at, version)
SELECT tenants[r.item], r.envelope_id, r.due_at, r.version
  FROM json_to_recordset(rows) AS r (item integer, envelope_id uuid, due_at timestamptz, version integer)
 WHERE tenants[r.item] IS NOT NULL
ON CONFLICT (tenant_id, envelope_id) DO UPDATE SET
       due_at = excluded.due_at, version = excluded.version, failures = 0
"""

Row = dict[str, Any]


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for an envelope's stream, none for others. Without a time it is never due."""
    if not isinstance(new[0], Envelope.Event):
        return []
    envelope: Envelope = replay([*before, *new])
    due_at = None if envelope.erased else envelope.due_at()
    return [{"envelope_id": envelope.id, "due_at": due_at, "version": envelope.version}]
