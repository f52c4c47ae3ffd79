"""Sets back what a plan of ``undoing`` says, by the ordinary decisions of each aggregate."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.activities import FIELDS, NOT_YOURS, ActivityFields, HasActivities, kept
from aureum.domain.aggregate import Aggregate
from aureum.domain.contact import Contact
from aureum.domain.errors import NotAllowed
from aureum.domain.lead import Lead
from aureum.domain.property import Property
from aureum.domain.task import Task
from aureum.domain.tour import SCHEDULE, Tour
from aureum.domain.undoing import ACTIVITY, PARTS


def set_back(aggregate: Aggregate, back: Mapping[str, Any], at: datetime, agent: UUID | None) -> None:
    """Set the parts of *back* to their values. *agent* is the agent who asks, None for a caller who may change all
    activities. Raises Invalid, NotAllowed, WrongState."""
    parts = PARTS[type(aggregate)]
    values = {
        name: value for part in back if part in parts for name, value in zip(parts[part], back[part], strict=True)
    }
    match aggregate:
        case Lead():
            lead_back(aggregate, values, at)
        case Contact():
            aggregate.classify(at, **{name: values.pop(name) for name in ("type", "tags", "score") if name in values})
            aggregate.change_details(values, at)
        case Property() | Task():
            if "status" in values:
                aggregate.change_status(values.pop("status"), at)
            if isinstance(aggregate, Task) and "assigned_to" in values:
                aggregate.assign(values.pop("assigned_to"), at)
            if isinstance(aggregate, Property) and "photos" in values:
                aggregate.change_photos(values.pop("photos") or (), at)
            aggregate.change_details(values, at)
        case Tour():
            tour_back(aggregate, values, at)
    if isinstance(aggregate, HasActivities):
        for part, activity in back.items():
            if part.startswith(ACTIVITY):
                activity_back(aggregate, int(part.removeprefix(ACTIVITY)), activity, at, agent)


def lead_back(lead: Lead, values: dict[str, Any], at: datetime) -> None:
    """Set a lead's attributes back."""
    if "status" in values:
        status, reason, note = (values.pop(name) for name in ("status", "lost_reason", "lost_note"))
        lead.change_status(status, at)
        if status == "lost":
            lead.give_lost_reason({"reason": reason, "note": note}, at)
    if "assigned_to" in values:
        lead.assign(values.pop("assigned_to"), at)
    lead.change_details(values, at)


def tour_back(tour: Tour, values: dict[str, Any], at: datetime) -> None:
    """Set a tour's attributes back: first the status, since one that is over cannot be moved."""
    if "status" in values:
        tour.return_to(values.pop("status"), values.pop("no_show"), at)
    if "assigned_to" in values:
        tour.assign(values.pop("assigned_to"), at)
    schedule = {name: values.pop(name) for name in SCHEDULE if name in values}
    if schedule:
        tour.reschedule(schedule, at)
    tour.change_details(values, at)


def activity_back(
    of: HasActivities, number: int, activity: Mapping[str, Any] | None, at: datetime, agent: UUID | None
) -> None:
    """Remove an activity that was logged, take back a correction, or log again what was removed, for the user who had
    logged it."""
    if activity is None:
        of.remove_activity(number, at, agent)
        return
    fields = {name: activity[name] for name in FIELDS}
    if number in kept(of):
        of.correct_activity(number, fields, at, agent)
        return
    if agent is not None and agent != activity["logged_by"]:
        raise NotAllowed(NOT_YOURS)
    of.log_activity(ActivityFields(**fields), at, activity["logged_by"])
