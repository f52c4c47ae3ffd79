"""A stream as an auditor reads it: one entry an event, with who, what, when, and from what to what."""

from typing import Any

from aureum.domain.ids import aureum_time
from aureum.domain.lead import Lead
from aureum.projections import lead_list
from aureum.projections.changes import changes
from aureum.store.event_store import Recorded, Stream


def history_of(stream: Stream) -> list[dict[str, Any]]:
    """The entries of a lead's stream, oldest first. A caller who reads a lead's history may read its notes, too, though
    a lead itself has none in the Aureum API."""
    entries = []
    row: dict[str, Any] | None = None
    before: dict[str, Any] = {}
    for recorded in stream.events:
        row = lead_list.step(row, recorded.event)
        assert row is not None, "a lead's stream begins with lead.captured"
        after = row["doc"] | {"notes": row["details"]["notes"]}
        entries.append(entry(recorded, changes(before, after) or unseen(recorded.event, "phoneE164")))
        before = after
    return entries


def unseen(event: Any, phone: str) -> dict[str, Any]:
    """What *event* says of fields that the lead is not shown with: no entry is without changes. *phone* is what the
    dialect calls the normalised number, which changes alone when the brokerage's country has."""
    match event:
        case Lead.DetailsChanged(details=dict() as details):
            named = {phone if name == "phone_e164" else name: value for name, value in details.items()}
            return {name: {"from": None, "to": value} for name, value in named.items()}
        case Lead.DetailsChanged():
            return {"details": {"from": None, "to": event.details}}
    return {}


def entry(recorded: Recorded, changed: dict[str, Any]) -> dict[str, Any]:
    """One event on the wire."""
    return {
        "version": recorded.event.originator_version,
        "type": recorded.event.TOPIC,
        "at": aureum_time(recorded.event.timestamp),
        "actor": recorded.metadata["actor"],
        "changes": changed,
    }
