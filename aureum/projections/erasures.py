"""The erasures of a tenant: the streams that each is about, and how far it has come. The append writes what was asked
for, the erasing the rest (``aureum/commands/erasures.py``)."""

from collections.abc import Sequence
from typing import Any

from aureum.domain.erasure import Erasure

NAME = "erasures"
EVENTS: type = Erasure.Event

APPEND = """
INSERT INTO erasures (tenant_id, erasure_id, subjects, numbers, reason, requested_at)
SELECT tenants[r.item], r.erasure_id, r.subjects, r.numbers, r.reason, r.requested_at
  FROM json_to_recordset(rows) AS r (
           item integer, erasure_id uuid, subjects uuid[], numbers bigint[], reason text, requested_at timestamptz)
"""

Row = dict[str, Any]


def rows(before: Sequence[Any], new: Sequence[Any]) -> list[Row]:
    """One row for an erasure's stream, none for others."""
    return [
        {
            "erasure_id": event.originator_id,
            "subjects": list(event.subjects),
            "numbers": event.numbers,
            "reason": event.reason,
            "requested_at": event.timestamp,
        }
        for event in new
        if isinstance(event, Erasure.Requested)
    ]
