"""A stream as an auditor reads it: one entry an event, with who, what, when, and from what to what."""

from collections.abc import Callable
from typing import Any

from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.lead import Lead
from aureum.domain.routing import reasons
from aureum.projections import activity_list, lead_list
from aureum.projections.changes import changes
from aureum.projections.document_list import DocumentList, Row
from aureum.store.event_store import Recorded, Stream


def history_in(model: DocumentList, stream: Stream) -> list[dict[str, Any]]:
    """The entries of a stream of the list *model*, oldest first."""
    return entries(model, stream, lambda row: row["doc"], activity_list.changes)


def history_of(stream: Stream, *, brief: bool = False) -> list[dict[str, Any]]:
    """The entries of a lead's stream. A caller who reads a lead's history may read its notes, and how it found its
    agent, too, though a lead itself has neither in the Aureum API. *brief* is for agents."""

    def shown(row: Row) -> Row:
        details = row["details"]
        routing = reasons.shown(details, to_wire, brief=brief, whole=True)
        offer = reasons.offer_shown(row["doc"], details, to_wire, aureum_time)
        return {**row["doc"], "notes": details["notes"], "routing": routing, "offer": offer}

    return entries(
        lead_list.LIST,
        stream,
        shown,
        lambda event: unseen(event, "phoneE164"),
    )


def entries(
    model: DocumentList,
    stream: Stream,
    shown: Callable[[Row], Row],
    unseen: Callable[[Any], dict[str, Any]],
) -> list[dict[str, Any]]:
    """One an event: what it changed in what is *shown* of a row, or else what the event says that is *unseen* there."""
    made = []
    row: Row | None = None
    before: Row = {}
    for recorded in stream.events:
        row = model.step(row, recorded.event)
        assert row is not None, "a stream begins with the event that makes the row"
        after = shown(row)
        made.append(entry(recorded, changes(before, after) or unseen(recorded.event)))
        before = after
    return made


def unseen(event: Any, phone: str) -> dict[str, Any]:
    """What *event* says of fields that the lead is not shown with: no entry is without changes. *phone* is what the
    dialect calls the normalised number, which changes alone when the brokerage's country has."""
    match event:
        case Lead.DetailsChanged(details=dict() as details):
            named = {phone if name == "phone_e164" else name: value for name, value in details.items()}
            return {name: {"from": None, "to": value} for name, value in named.items()}
        case Lead.Overdue():
            return {
                "overdue": {"from": None, "to": {"minutes": event.minutes, "reason": reasons.overdue(event.minutes)}}
            }
        case Lead.DetailsChanged():
            return {"details": {"from": None, "to": event.details}}
    return activity_list.changes(event)


def entry(recorded: Recorded, changed: dict[str, Any]) -> dict[str, Any]:
    """One event on the wire."""
    return {
        "version": recorded.event.originator_version,
        "type": recorded.event.TOPIC,
        "at": aureum_time(recorded.event.timestamp),
        "actor": recorded.metadata["actor"],
        "changes": changed,
    }
