"""What undoing a change sets back, and what it leaves alone, because it has changed since. Pure.

A change is told by versions of its stream: those of one save, or of several. What goes back together is one part: the
status of a lead with the reason why it is lost, a phone as given and in E.164, the whole time of a tour. A part goes
back to what it was before the chosen versions, unless an event that is not chosen has changed it since. Undoing is
made of ordinary events, so lists, histories, webhooks and rebuilds need to know nothing of it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from aureum.domain.activities import HasActivities, kept, said
from aureum.domain.contact import Contact
from aureum.domain.lead import Lead
from aureum.domain.property import DETAILS, Property
from aureum.domain.task import DETAILS as TASK_DETAILS
from aureum.domain.task import Task
from aureum.domain.tour import SCHEDULE, Tour

Parts = dict[str, tuple[str, ...]]
"""The parts of an aggregate, each with its attributes."""

PHONE: Parts = {"phone": ("phone", "phone_e164")}


def alone(*names: str) -> Parts:
    """Parts of one attribute each."""
    return {name: (name,) for name in names}


PARTS: Mapping[type, Parts] = {
    Lead: Parts(status=("status", "lost_reason", "lost_note"))
    | alone("assigned_to", "first_name", "last_name", "email")
    | PHONE
    | alone("subject", "message", "notes", "contact_id"),
    Contact: alone("first_name", "last_name", "email") | PHONE | alone("type", "tags", "score"),
    Property: alone("status", *(name for name in DETAILS if name not in ("mls", "mls_id")), "photos")
    | Parts(mls=("mls", "mls_id")),
    Task: alone("status", "assigned_to", *TASK_DETAILS),
    Tour: Parts(status=("status", "no_show"))
    | alone("assigned_to", "listing_id", "property_id", "name", "email")
    | PHONE
    | Parts(schedule=SCHEDULE)
    | alone("message"),
}

FINAL = {(Lead, "contact_id")}
"""What cannot go back: a contact that was made of a lead stays."""

UNDOABLE = (
    *(Lead.StatusChanged, Lead.Assigned, Lead.PassedOn, Lead.DetailsChanged, Lead.LostReasonGiven, Lead.Converted),
    *(Contact.DetailsChanged, Contact.Classified),
    *(HasActivities.ActivityLogged, HasActivities.ActivityCorrected, HasActivities.ActivityRemoved),
    *(Property.StatusChanged, Property.DetailsChanged, Property.PhotosChanged),
    *(Task.DetailsChanged, Task.Assigned, Task.StatusChanged, Task.Completed),
    *(Tour.StatusChanged, Tour.NoShow, Tour.Rescheduled, Tour.Assigned, Tour.DetailsChanged),
)
"""The events that can be undone. How a stream begins, spam checks and merges are not: merges have an undo of their
own."""


class Touch(NamedTuple):
    """An event changed a part: from what to what. ``event`` is the event."""

    event: Any
    part: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Undoing:
    """``back``: the parts that go back, each with the values of its attributes; of an activity its fields, None if it
    was not there. ``left``: the parts that stay as they are."""

    back: Mapping[str, Any]
    left: Sequence[str]


ACTIVITY = "activity "


def touches(events: Iterable[Any]) -> Iterator[Touch]:
    """What each event changed."""
    aggregate: Any = None
    names: Sequence[str] = ()
    before: Sequence[Any] = ()
    for event in events:
        number = activity_of(event)
        told = None if aggregate is None or number is None else activity_in(aggregate, number)
        begins = aggregate is None
        aggregate = event.mutate(aggregate)
        if begins:
            parts = PARTS[type(aggregate)]
            names = [name for of_part in parts.values() for name in of_part]
            part_of = [part for part, of_part in parts.items() for _ in of_part]
        after = [getattr(aggregate, name, None) for name in names]
        if not begins and after != before:
            changed = {part: None for part, old, new in zip(part_of, before, after, strict=True) if old != new}
            for part in changed:
                yield Touch(event, part, *(values_of(part, part_of, values) for values in (before, after)))
        if number is not None:
            yield Touch(event, f"{ACTIVITY}{number}", told, activity_in(aggregate, number))
        before = after


def values_of(part: str, part_of: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
    """Those of *values* that belong to *part*. *part_of* tells of each to which it belongs."""
    return tuple(value for of, value in zip(part_of, values, strict=True) if of == part)


def activity_of(event: Any) -> int | None:
    """The number of the activity that *event* is about, if it is about one."""
    match event:
        case HasActivities.ActivityLogged():
            return int(event.originator_version)
        case HasActivities.ActivityCorrected() | HasActivities.ActivityRemoved():
            return int(event.number)
    return None


def activity_in(aggregate: HasActivities, number: int) -> dict[str, Any] | None:
    """An activity's fields, and who logged it; None if it is not there."""
    found = kept(aggregate).get(number)
    return None if found is None else {**said(found), "logged_by": found.logged_by}


def plan(events: Sequence[Any], versions: Collection[int]) -> Undoing:
    """What undoing the events of these *versions* would do."""
    kind = type(events[0].mutate(None))
    before: dict[str, Any] = {}
    now: dict[str, Any] = {}
    left: dict[str, None] = {}
    for touch in touches(events):
        now[touch.part] = touch.after
        if touch.event.originator_version not in versions:
            if touch.part in before:
                # Someone else has had the last word since.
                del before[touch.part]
                left[touch.part] = None
        elif touch.part not in before:
            before[touch.part] = touch.before
            left.pop(touch.part, None)
    back = {part: value for part, value in before.items() if value != now[part]}
    final = [part for part in back if (kind, part) in FINAL]
    return Undoing({part: value for part, value in back.items() if part not in final}, [*left, *final])


def back_already(events: Sequence[Any], versions: Collection[int]) -> set[str]:
    """The parts that the events of these *versions* changed, and that have their previous values now."""
    before: dict[str, Any] = {}
    now: dict[str, Any] = {}
    for touch in touches(events):
        now[touch.part] = touch.after
        if touch.event.originator_version in versions:
            before.setdefault(touch.part, touch.before)
    return {part for part, value in before.items() if value == now[part]}


def undoable(events: Sequence[Any], saves: Mapping[int, Collection[int]]) -> set[int]:
    """The versions whose save can be undone now, wholly or in part. *saves* are all versions that were saved together,
    by each of them."""
    if not events:
        return set()
    last: dict[str, Touch] = {}
    first: dict[str, Touch] = {}
    for touch in touches(events):
        previous = last.get(touch.part)
        together = previous is not None and previous.event.originator_version in saves[touch.event.originator_version]
        if not together:
            first[touch.part] = touch
        last[touch.part] = touch
    kind = type(events[0].mutate(None))
    found: set[int] = set()
    for part, touch in last.items():
        versions = saves[touch.event.originator_version]
        if (kind, part) not in FINAL and first[part].before != touch.after and may_be_undone(events, versions):
            found.update(versions)
    return found


def may_be_undone(events: Sequence[Any], versions: Collection[int]) -> bool:
    """Whether all events of these *versions* are of types that can be undone."""
    return all(isinstance(one, UNDOABLE) for one in events if one.originator_version in versions)
