"""Activities as both APIs show them, folded from the stream, because a lead or contact has few. So an append writes no
row for them, deleting a person's key erases them, and ``asOf`` needs nothing more.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aureum.domain.activities import Activity, HasActivities
from aureum.domain.contact import Contact
from aureum.domain.ids import aureum_time, to_wire
from aureum.projections.document_list import Row, wire_or_none

Change = dict[str, dict[str, Any]]


def document(of: HasActivities, activity: Activity) -> Row:
    """An activity as the Aureum API shows it."""
    wire = to_wire(of.id)
    return {
        **shown(id_of(of.id, activity.number), vars(activity)),
        "leadId": None if isinstance(of, Contact) else wire,
        "contactId": wire if isinstance(of, Contact) else None,
        "createdById": wire_or_none(activity.logged_by),
        "createdAt": aureum_time(activity.logged_at),
        "updatedAt": aureum_time(activity.changed_at),
    }


def id_of(stream_id: UUID, number: int) -> str:
    """The activity of this number of a lead or contact, on the wire."""
    return f"{to_wire(stream_id)}_{number}"


def shown(activity_id: str, said: Mapping[str, Any]) -> Row:
    """The fields of an activity in *said*."""
    return {
        "id": activity_id,
        "type": said["type"],
        "at": said["happened_at"],
        "direction": said["direction"],
        "outcome": said["outcome"],
        "duration": said["duration"],
        "text": said["text"],
    }


def changes(event: Any) -> Change:
    """The change of the activities by *event*, as histories and webhooks show it; empty for all other events. For an
    erased person it only shows that there was an activity."""
    match event:
        case HasActivities.ActivityLogged():
            return {"activities": {"from": None, "to": of_event(event, event.originator_version, vars(event))}}
        case HasActivities.ActivityCorrected():
            before = of_event(event, event.number, event.previous)
            return {"activities": {"from": before, "to": of_event(event, event.number, vars(event))}}
        case HasActivities.ActivityRemoved():
            return {"activities": {"from": of_event(event, event.number, event.previous), "to": None}}
    return {}


def of_event(event: Any, number: int, said: Any) -> Any:
    """An activity as *event* has it. For an erased person *said* is a placeholder."""
    if not isinstance(said, Mapping):
        return said
    return {**shown(id_of(event.originator_id, number), said), "createdById": wire_or_none(event.logged_by)}
