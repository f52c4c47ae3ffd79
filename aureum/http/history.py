"""A stream as an auditor reads it: one entry an event, with who, what, when, and from what to what."""

from typing import Any

from aureum.domain.ids import aureum_time
from aureum.projections import lead_list
from aureum.projections.changes import changes
from aureum.store.event_store import Recorded, Stream


def history_of(stream: Stream) -> list[dict[str, Any]]:
    """The entries of a lead's stream, oldest first."""
    entries = []
    row: dict[str, Any] | None = None
    for recorded in stream.events:
        before, row = row, lead_list.step(row, recorded.event)
        assert row is not None, "a lead's stream begins with lead.captured"
        entries.append(entry(recorded, changes(before["doc"] if before else {}, row["doc"])))
    return entries


def entry(recorded: Recorded, changed: dict[str, Any]) -> dict[str, Any]:
    """One event on the wire."""
    return {
        "version": recorded.event.originator_version,
        "type": recorded.event.TOPIC,
        "at": aureum_time(recorded.event.timestamp),
        "actor": recorded.metadata["actor"],
        "changes": changed,
    }
