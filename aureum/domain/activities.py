"""What staff did with a person: notes, calls, mails and visits, in the streams of leads and contacts.

``HasActivities`` is the base of both. An activity's number is the version of the event that logged it, which is unique
in its stream. Later events have what they replace, so that a history or a webhook needs no other event.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate
from aureum.domain.errors import Invalid, NotAllowed, NotFound, WrongState
from aureum.domain.ids import aureum_time

TYPES = ("note", "call", "email", "visit")

DIRECTIONS = ("inbound", "outbound")
WITH_DIRECTION = ("call", "email")

OUTCOMES = ("answered", "no_answer", "left_message", "busy", "wrong_number")
"""Of a call."""

LONGEST_CALL = 24 * 60 * 60
"""In seconds."""

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""How far clocks and time zones may be wrong. Anything further ahead has not happened yet."""

MOST = 5_000
"""The limit for one lead or contact, because each command loads the whole stream."""

NO_ACTIVITY = "There is no such activity."
NOT_YOURS = "Only the user who logged an activity, a broker or an owner may change or remove it."
TOO_MANY = f"There are {MOST} activities, which is the limit. Log this one on another lead or contact of the person."


@dataclass(frozen=True, kw_only=True)
class ActivityFields:
    """The fields of an activity. ``duration`` is in seconds, ``happened_at`` a time as the Aureum API writes it."""

    type: str
    direction: str | None
    outcome: str | None
    duration: int | None
    text: str | None
    happened_at: str


FIELDS = tuple(field.name for field in fields(ActivityFields))


@dataclass(frozen=True, kw_only=True)
class Activity(ActivityFields):
    """An activity that was not removed. ``logged_by`` is the user, None for a key."""

    number: int
    logged_by: UUID | None
    logged_at: datetime
    changed_at: datetime


class HasActivities(Aggregate):
    """An aggregate on which activities are logged. Its own event types derive from those here."""

    class ActivityLogged(Aggregate.Event):
        """Staff or a program noted what happened. ``logged_by`` is the user, None for a key."""

        PERSONAL: ClassVar[frozenset[str]] = frozenset(("text",))

        type: str
        direction: str | None
        outcome: str | None
        duration: int | None
        text: str | None
        happened_at: str
        logged_by: UUID | None

        def apply(self, aggregate: "HasActivities") -> None:
            kept(aggregate)[self.originator_version] = Activity(
                number=self.originator_version,
                logged_by=self.logged_by,
                logged_at=self.timestamp,
                changed_at=self.timestamp,
                **said(self),
            )

    class ActivityCorrected(Aggregate.Event):
        """An activity was not as it was logged. ``previous`` has its fields as they were before."""

        PERSONAL: ClassVar[frozenset[str]] = frozenset(("text", "previous"))

        number: int
        type: str
        direction: str | None
        outcome: str | None
        duration: int | None
        text: str | None
        happened_at: str
        logged_by: UUID | None
        previous: dict[str, Any]

        def apply(self, aggregate: "HasActivities") -> None:
            activities = kept(aggregate)
            activities[self.number] = replace(activities[self.number], changed_at=self.timestamp, **said(self))

    class ActivityRemoved(Aggregate.Event):
        """An activity was logged by mistake. ``previous`` has its fields."""

        PERSONAL: ClassVar[frozenset[str]] = frozenset(("previous",))

        number: int
        logged_by: UUID | None
        previous: dict[str, Any]

        def apply(self, aggregate: "HasActivities") -> None:
            del kept(aggregate)[self.number]

    @property
    def activities(self) -> Mapping[int, Activity]:
        """Those that were not removed, by number, in the order in which they were logged."""
        return kept(self)

    def check_workable(self) -> None:
        """Raises WrongState if nothing may be logged now."""

    def log_activity(self, activity: ActivityFields, at: datetime, logged_by: UUID | None) -> None:
        """Note what happened. Raises Invalid, WrongState."""
        self.check_workable()
        check(activity)
        if len(kept(self)) >= MOST:
            raise WrongState(TOO_MANY)
        self.trigger_event(self.ActivityLogged, timestamp=at, logged_by=logged_by, **said(activity))

    def correct_activity(
        self, number: int, changes: Mapping[str, str | int | None], at: datetime, agent: UUID | None
    ) -> None:
        """Change some of ``FIELDS``. Values that hold already record nothing. *agent* is the agent who asks, None for a
        caller who may correct all. Raises Invalid, NotAllowed, NotFound."""
        before = self.activity(number, agent)
        after = replace(before, **dict[str, Any](changes))
        check(after)
        if after != before:
            self.trigger_event(
                self.ActivityCorrected,
                timestamp=at,
                number=number,
                logged_by=before.logged_by,
                previous=said(before),
                **said(after),
            )

    def remove_activity(self, number: int, at: datetime, agent: UUID | None) -> None:
        """Take an activity back. *agent* as in ``correct_activity``. Raises NotAllowed, NotFound."""
        before = self.activity(number, agent)
        self.trigger_event(
            self.ActivityRemoved, timestamp=at, number=number, logged_by=before.logged_by, previous=said(before)
        )

    def activity(self, number: int, agent: UUID | None) -> Activity:
        """One that *agent* may change. Raises NotAllowed, NotFound."""
        found = kept(self).get(number)
        if found is None:
            raise NotFound(NO_ACTIVITY)
        if agent is not None and agent != found.logged_by:
            raise NotAllowed(NOT_YOURS)
        return found


def kept(aggregate: HasActivities) -> dict[int, Activity]:
    """Where an aggregate has its activities: made by the first one, so that leads without any pay nothing."""
    found: dict[int, Activity] = vars(aggregate).setdefault("_activities", {})
    return found


def said(of: Any) -> dict[str, Any]:
    """The ``FIELDS`` of an event or an activity."""
    return {name: getattr(of, name) for name in FIELDS}


def happened(moment: datetime, now: datetime) -> str:
    """The moment at which something happened, as ``happened_at`` has it. Raises Invalid."""
    if not EARLIEST <= moment <= now + AHEAD:
        raise Invalid("at", f"at must be between {aureum_time(EARLIEST)} and one day from now.")
    return aureum_time(moment)


def check(activity: ActivityFields) -> None:
    """Raises Invalid for the first field that breaks a rule. The names are those on the wire of both APIs."""
    if activity.type not in TYPES:
        raise Invalid("type", f"type must be one of: {', '.join(TYPES)}.")
    if activity.direction is not None:
        if activity.type not in WITH_DIRECTION:
            raise Invalid("direction", f"direction is only for: {', '.join(WITH_DIRECTION)}.")
        if activity.direction not in DIRECTIONS:
            raise Invalid("direction", f"direction must be one of: {', '.join(DIRECTIONS)}.")
    if activity.outcome is not None:
        if activity.type != "call":
            raise Invalid("outcome", "outcome is only for calls.")
        if activity.outcome not in OUTCOMES:
            raise Invalid("outcome", f"outcome must be one of: {', '.join(OUTCOMES)}.")
    if activity.duration is not None:
        if activity.type != "call":
            raise Invalid("duration", "duration is only for calls.")
        if not 0 <= activity.duration <= LONGEST_CALL:
            raise Invalid("duration", f"duration must be from 0 to {LONGEST_CALL} seconds.")
    if activity.type == "note" and not (activity.text or "").strip():
        raise Invalid("text", "text of a note must not be blank.")
