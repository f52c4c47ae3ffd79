"""A tour: a visit to a property, from the request to the day. The Leads API says tour, the Aureum API showing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created, PersonErased
from aureum.domain.errors import Invalid, WrongState
from aureum.domain.lead import can_be_answered, check_cleared
from aureum.domain.wall_time import day_of

NEXT: dict[str, tuple[str, ...]] = {
    "pending": ("confirmed", "cancelled"),
    "confirmed": ("completed", "cancelled"),
    "completed": (),
    "cancelled": (),
}
"""What may follow each status (contract). Where nothing may, the status is final."""

STATUSES = tuple(NEXT)

MOST_SENT = 3
"""How often a visitor is sent the calendar file of a showing in ``SENT_WITHIN``."""

SENT_WITHIN = timedelta(days=1)

NO_ADDRESS = "This showing has no email address. Add the visitor's address, or download the calendar file."
SENT_OFTEN = (
    f"The visitor was sent this calendar file {MOST_SENT} times within a day. Send it again tomorrow, or download it."
)
NOT_FIXED = "This showing has no start yet. Set the time, then send the calendar file."
IS_OVER = "This showing is over. There is nothing left to send to the visitor."
NEVER_SENT = "This showing was cancelled. The visitor never got its calendar file, so there is nothing to remove."

PERSONAL_DETAILS = ("name", "email", "phone", "phone_e164", "message")

DETAILS = (*PERSONAL_DETAILS, "listing_id", "property_id")
"""What staff may correct later."""

SCHEDULE = ("preferred_date", "preferred_time", "local_start", "time_zone", "starts_at")
"""When. The preferred ones are the visitor's wish, the others what was fixed."""


@dataclass(frozen=True, kw_only=True)
class TourFields:
    """What a tour is requested with; each caller says all of it. ``created_by`` is None for a visitor and for a key."""

    listing_id: str | None
    property_id: UUID | None
    name: str
    email: str | None
    phone: str | None
    message: str | None
    preferred_date: str | None
    preferred_time: str | None
    local_start: str | None
    time_zone: str | None
    starts_at: str | None
    source: str
    source_domain: str | None
    created_by: UUID | None


class Tour(Aggregate):
    """The aggregate. ``preferred_time`` is kept in the visitor's words; ``local_start``, ``time_zone`` and
    ``starts_at`` say the same moment as wall time, IANA zone and instant, all three or none of them."""

    number: int
    listing_id: str | None
    property_id: UUID | None
    name: str
    email: str | None
    phone: str | None
    phone_e164: str | None
    message: str | None
    preferred_date: str | None
    preferred_time: str | None
    local_start: str | None
    time_zone: str | None
    starts_at: str | None
    status: str
    assigned_to: UUID | None
    source: str
    source_domain: str | None
    created_by: UUID | None
    routing: dict[str, Any] | None
    because: list[list[str]] | None
    routed_to: UUID | None
    """As of a lead."""
    lead_id: UUID | None
    """The open lead of the same person."""
    suspect: bool | None
    """As of a lead."""
    no_show: bool
    """Whether it was called off because the visitor did not come."""
    calendar_sent: tuple[datetime, ...]
    """When the visitor was sent the calendar file."""

    def __init__(self) -> None:
        """Requested.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a tour's events."""

    class Requested(Event, Created):
        """A visitor asked to see a property, or staff entered the tour."""

        TOPIC: ClassVar[str] = "tour.requested"
        class_version: ClassVar[int] = 3
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset((*PERSONAL_DETAILS, "preferred_time", "because"))

        number: int
        listing_id: str | None
        property_id: UUID | None
        name: str
        email: str | None
        phone: str | None
        phone_e164: str | None
        message: str | None
        preferred_date: str | None
        preferred_time: str | None
        local_start: str | None
        time_zone: str | None
        starts_at: str | None
        status: str
        assigned_to: UUID | None
        source: str
        source_domain: str | None
        created_by: UUID | None
        routing: dict[str, Any] | None
        because: list[list[str]] | None
        lead_id: UUID | None

        @staticmethod
        def upcast_v2_v3(data: dict[str, Any]) -> None:
            """Tours were not routed."""
            data["routing"] = data["because"] = data["lead_id"] = None

        def apply(self, aggregate: "Tour") -> None:
            aggregate.number = self.number
            aggregate.listing_id = self.listing_id
            aggregate.property_id = self.property_id
            aggregate.name = self.name
            aggregate.email = self.email
            aggregate.phone = self.phone
            aggregate.phone_e164 = self.phone_e164
            aggregate.message = self.message
            aggregate.preferred_date = self.preferred_date
            aggregate.preferred_time = self.preferred_time
            aggregate.local_start = self.local_start
            aggregate.time_zone = self.time_zone
            aggregate.starts_at = self.starts_at
            aggregate.status = self.status
            aggregate.assigned_to = self.assigned_to
            aggregate.source = self.source
            aggregate.source_domain = self.source_domain
            aggregate.created_by = self.created_by
            aggregate.routing = self.routing
            aggregate.because = self.because
            aggregate.routed_to = None if self.routing is None else self.assigned_to
            aggregate.lead_id = self.lead_id
            aggregate.suspect = None
            aggregate.no_show = False
            aggregate.calendar_sent = ()

    class Suspected(Event):
        """A program seems to have filled in the form, in the same append in which the tour was requested."""

        TOPIC: ClassVar[str] = "tour.suspected"

        def apply(self, aggregate: "Tour") -> None:
            aggregate.suspect = True

    class Cleared(Event):
        """It was a person after all. The tour is routed now."""

        TOPIC: ClassVar[str] = "tour.cleared"
        class_version: ClassVar[int] = 3
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("because",))

        assigned_to: UUID | None
        routing: dict[str, Any] | None
        because: list[list[str]] | None
        lead_id: UUID | None

        @staticmethod
        def upcast_v1_v2(data: dict[str, Any]) -> None:
            """Tours were not routed: who showed the property stayed as it was."""
            data["assigned_to"] = data["routing"] = data["because"] = None

        @staticmethod
        def upcast_v2_v3(data: dict[str, Any]) -> None:
            """No tour carried a lead."""
            data["lead_id"] = None

        def apply(self, aggregate: "Tour") -> None:
            aggregate.suspect = False
            aggregate.lead_id = self.lead_id
            if self.routing is not None:
                aggregate.assigned_to = self.assigned_to
                aggregate.routing = self.routing
                aggregate.because = self.because
                aggregate.routed_to = None if self.routing is None else self.assigned_to

    class StatusChanged(Event):
        """The tour was confirmed, took place or was called off."""

        TOPIC: ClassVar[str] = "tour.status_changed"

        previous: str
        status: str

        def apply(self, aggregate: "Tour") -> None:
            aggregate.status = self.status
            # A visitor who did not come has come after all: that was undone.
            aggregate.no_show = False

    class NoShow(Event):
        """The visitor did not come: the tour did not take place, and is over."""

        TOPIC: ClassVar[str] = "tour.no_show"

        previous: str

        def apply(self, aggregate: "Tour") -> None:
            aggregate.status = "cancelled"
            aggregate.no_show = True

    class Rescheduled(Event):
        """The tour has another date or time; all of ``SCHEDULE`` as it is from now on."""

        TOPIC: ClassVar[str] = "tour.rescheduled"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("preferred_time",))

        preferred_date: str | None
        preferred_time: str | None
        local_start: str | None
        time_zone: str | None
        starts_at: str | None

        def apply(self, aggregate: "Tour") -> None:
            aggregate.preferred_date = self.preferred_date
            aggregate.preferred_time = self.preferred_time
            aggregate.local_start = self.local_start
            aggregate.time_zone = self.time_zone
            aggregate.starts_at = self.starts_at

    class Assigned(Event):
        """The tour is assigned to another agent, or to none."""

        TOPIC: ClassVar[str] = "tour.assigned"

        previous: UUID | None
        assigned_to: UUID | None

        def apply(self, aggregate: "Tour") -> None:
            aggregate.assigned_to = self.assigned_to

    class CalendarSent(Event):
        """Staff sent the visitor the calendar file. It is kept as it was sent, with the address that it went to and the
        one of the property, if that is known. ``start`` is the wall time in it."""

        TOPIC: ClassVar[str] = "tour.calendar_sent"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("sent_to", "file"))

        sent_to: str
        file: str
        place: str | None
        start: str | None

        def apply(self, aggregate: "Tour") -> None:
            aggregate.calendar_sent = (*aggregate.calendar_sent, self.timestamp)

    class DetailsChanged(Event):
        """Some of ``DETAILS`` were corrected; ``details`` holds only those that changed, an id as its hex digits."""

        TOPIC: ClassVar[str] = "tour.details_changed"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("details",))

        details: dict[str, str | None]

        def apply(self, aggregate: "Tour") -> None:
            # An erased person's details are a placeholder, not a mapping.
            for name, value in self.details.items() if isinstance(self.details, dict) else ():
                setattr(aggregate, name, UUID(value) if name == "property_id" and value is not None else value)

    class Erased(Event, PersonErased):
        """The person was erased."""

        TOPIC: ClassVar[str] = "tour.erased"

    @classmethod
    def request(
        cls,
        tour_id: UUID,
        at: datetime,
        fields: TourFields,
        *,
        number: int,
        phone_e164: str | None,
        status: str,
        assigned_to: UUID | None,
        routing: dict[str, Any] | None,
        because: list[list[str]] | None,
        lead_id: UUID | None,
        suspect: bool = False,
    ) -> "Tour":
        """A new tour. Raises Invalid for an unknown status, no way to answer, or a date that is none."""
        check_status(status)
        if not can_be_answered(fields.email, fields.phone):
            raise Invalid("email", "email or phone is required.")
        check_schedule(vars(fields))
        tour: Tour = cls._create(
            cls.Requested,
            id=tour_id,
            timestamp=at,
            number=number,
            phone_e164=phone_e164,
            status=status,
            assigned_to=assigned_to,
            routing=routing,
            because=because,
            lead_id=lead_id,
            **vars(fields),
        )
        if suspect:
            tour.trigger_event(cls.Suspected, timestamp=at)
        return tour

    def clear(
        self,
        at: datetime,
        assigned_to: UUID | None = None,
        routing: dict[str, Any] | None = None,
        because: list[list[str]] | None = None,
        lead_id: UUID | None = None,
    ) -> None:
        """It was a person after all, perhaps with an open lead; *assigned_to* shows the property unless an agent does
        already. What is no suspect stays as it is."""
        if not self.suspect:
            return
        if self.assigned_to is not None:
            assigned_to, routing, because = self.assigned_to, self.routing, self.because
        self.trigger_event(
            self.Cleared,
            timestamp=at,
            assigned_to=assigned_to,
            routing=routing,
            because=because,
            lead_id=lead_id or self.lead_id,
        )

    def change_status(self, status: str, at: datetime) -> None:
        """Take a step of ``NEXT``; a status that already holds records nothing. Raises Invalid and WrongState."""
        check_status(status)
        if status == self.status:
            return
        check_cleared(self.suspect)
        steps = NEXT.get(self.status, ())
        if not steps:
            raise WrongState(f"A {self.status} tour cannot become {status}: {self.status} is final.")
        if status not in steps:
            raise WrongState(f"A {self.status} tour can become {' or '.join(steps)}, not {status}.")
        self.trigger_event(self.StatusChanged, timestamp=at, previous=self.status, status=status)

    def miss(self, at: datetime) -> None:
        """The visitor did not come. Saying so twice is the same success. Raises WrongState for a tour that is over."""
        if self.no_show:
            return
        check_cleared(self.suspect)
        if not NEXT.get(self.status):
            raise WrongState(f"A {self.status} tour cannot become a no-show: {self.status} is final.")
        self.trigger_event(self.NoShow, timestamp=at, previous=self.status)

    def check_sendable(self, at: datetime) -> str:
        """The address that the calendar file can be sent to now. Raises WrongState."""
        check_cleared(self.suspect)
        if self.email is None:
            raise WrongState(NO_ADDRESS)
        if self.status == "completed":
            raise WrongState(IS_OVER)
        if self.status == "cancelled" and not self.calendar_sent:
            raise WrongState(NEVER_SENT)
        if self.status != "cancelled" and self.local_start is None:
            raise WrongState(NOT_FIXED)
        if sum(at - sent < SENT_WITHIN for sent in self.calendar_sent) >= MOST_SENT:
            raise WrongState(SENT_OFTEN)
        return self.email

    def send_calendar(self, file: str, place: str | None, at: datetime) -> None:
        """Send the visitor the calendar *file*. Raises WrongState."""
        sent_to = self.check_sendable(at)
        self.trigger_event(
            self.CalendarSent, timestamp=at, sent_to=sent_to, file=file, place=place, start=self.local_start
        )

    def return_to(self, status: str, no_show: bool, at: datetime) -> None:
        """Undo a step that was taken by mistake, also one to a status that is final. Raises WrongState."""
        check_cleared(self.suspect)
        if no_show:
            self.miss(at)
        elif status != self.status:
            self.trigger_event(self.StatusChanged, timestamp=at, previous=self.status, status=status)

    def reschedule(self, schedule: Mapping[str, str | None], at: datetime) -> None:
        """Change some of ``SCHEDULE``. What is the same already records nothing.

        Raises Invalid for a date that is none, and WrongState for a tour that is over or called off.
        """
        present = {name: getattr(self, name) for name in SCHEDULE}
        new = {**present, **schedule}
        if new == present:
            return
        if not NEXT.get(self.status):
            raise WrongState(f"A {self.status} tour cannot be rescheduled: {self.status} is final.")
        check_schedule(new)
        self.trigger_event(self.Rescheduled, timestamp=at, **new)

    def assign(self, agent: UUID | None, at: datetime) -> None:
        """Assign the tour to *agent*, or to no agent."""
        if agent != self.assigned_to:
            self.trigger_event(self.Assigned, timestamp=at, previous=self.assigned_to, assigned_to=agent)

    def change_details(self, details: Mapping[str, str | UUID | None], at: datetime) -> None:
        """Correct some of ``DETAILS``. Raises Invalid if neither email nor phone would remain."""
        changed = {name: _recorded(value) for name, value in details.items() if value != getattr(self, name)}
        if not changed:
            return
        if not can_be_answered(changed.get("email", self.email), changed.get("phone", self.phone)):
            raise Invalid("email", "email and phone cannot both be removed.")
        self.trigger_event(self.DetailsChanged, timestamp=at, details=changed)

    def erase(self, at: datetime) -> None:
        """The person is erased; once."""
        if not self.erased:
            self.trigger_event(self.Erased, timestamp=at)


def check_status(status: str) -> None:
    """Raises Invalid for a status that no tour has."""
    if status not in STATUSES:
        raise Invalid("status", f"status must be one of: {', '.join(STATUSES)}.")


def check_schedule(schedule: Mapping[str, Any]) -> None:
    """Raises Invalid for a date that is none, or a fixed time without its zone or the other way round."""
    if schedule["preferred_date"] is not None:
        day_of(schedule["preferred_date"])
    if len({schedule[name] is None for name in ("local_start", "time_zone", "starts_at")}) > 1:
        raise Invalid("starts_at", "starts_at, its local time and its time zone must be given together.")


def _recorded(value: str | UUID | None) -> str | None:
    return value.hex if isinstance(value, UUID) else value
