"""A lead: a person's interest, from the first contact to the deal won or lost."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.activities import HasActivities
from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.errors import Invalid, WrongState
from aureum.domain.ids import aureum_time
from aureum.domain.moved import Path, moved
from aureum.domain.routing import reasons
from aureum.domain.routing.eligible import Out
from aureum.domain.routing.reasons import CLOSED

STATUSES = ("new", "contacted", "qualified", "showing", "offer", *CLOSED)
"""The pipeline of the Leads API document; any change between them is legal, since deals fall through."""

LOST_REASONS = (
    "price",
    "location",
    "timing",
    "financing",
    "chose_another_agent",
    "unreachable",
    "not_serious",
    "duplicate",
    "other",
)
"""Why a lead is lost, for reports. A note beside it may say more."""

NOT_LOST = "can only be set while status is lost."

CLAIMED = "Another agent has this lead already."
NOT_IN_POND = "This lead is not in the pond: it was assigned by hand, or taken from its agent."
DONE = "This lead is {status}, so there is nothing to claim. A broker can change its status."
UNABLE = {
    "away": "You cannot claim leads while you are away: see away_from and away_to of your profile.",
    "takes_no_leads": "You cannot claim leads, since your profile says that you take none. A broker can change that.",
}
"""Why an agent cannot claim a lead, by the reason why routing would not choose the agent."""

OTHERS_FIRST = "The agents of the group {group} may claim this lead first, until {until}."

DETAILS = ("first_name", "last_name", "email", "phone", "phone_e164", "subject", "message", "notes")
"""What staff may correct later. All of it is personal."""


@dataclass(kw_only=True)
class LeadFields:
    """What is known of a lead that is captured: each caller says all of it. Not frozen, since each form makes one, and
    that would take twice as long."""

    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    subject: str | None
    message: str | None
    notes: str | None
    source: str
    source_domain: str | None
    source_page: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None


class Lead(HasActivities):
    """The aggregate. ``phone`` is as given, ``phone_e164`` beside it where it can be normalised."""

    number: int
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    phone_e164: str | None
    subject: str | None
    message: str | None
    notes: str | None
    source: str
    source_domain: str | None
    source_page: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    status: str
    assigned_to: UUID | None
    routing: dict[str, Any] | None
    """How the lead found its agent, as ``aureum.domain.routing.reasons.kept`` writes it; None if it was not routed."""
    because: list[list[str]] | None
    """The clauses of the enquiry, each with the phrase of the agent's profile that it met."""
    routed_to: UUID | None
    """The agent that routing chose, even if another one has the lead now."""
    contact_id: UUID | None
    moved_from: Path
    created_by: UUID | None
    suspect: bool | None
    """Whether a program seems to have filled in the form; None if it was never suspected."""
    lost_reason: str | None
    lost_note: str | None
    """Why it is lost: one of ``LOST_REASONS``, and a note. A lead without a reason does not have the attributes; ask
    ``lost_because``."""

    def __init__(self) -> None:
        """Captured.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a lead's events."""

    class Captured(Event, Created):
        """A person showed interest. An agent may already be assigned."""

        TOPIC: ClassVar[str] = "lead.captured"
        class_version: ClassVar[int] = 4
        SEALED_ONE_BY_ONE: ClassVar[int] = 2
        PERSONAL: ClassVar[frozenset[str]] = frozenset((*DETAILS, "source_page", "because"))

        number: int
        first_name: str
        last_name: str
        email: str | None
        phone: str | None
        phone_e164: str | None
        subject: str | None
        message: str | None
        notes: str | None
        source: str
        source_domain: str | None
        source_page: str | None
        utm_source: str | None
        utm_medium: str | None
        utm_campaign: str | None
        status: str
        assigned_to: UUID | None
        routing: dict[str, Any] | None
        created_by: UUID | None
        contact_id: UUID | None
        because: list[list[str]] | None

        @staticmethod
        def upcast_v1_v2(data: dict[str, Any]) -> None:
            """Before staff could log in, they entered no leads."""
            data["created_by"] = None

        @staticmethod
        def upcast_v3_v4(data: dict[str, Any]) -> None:
            """Leads were routed by words alone, and no form was recognized as a contact's."""
            data["routing"] = reasons.by_words(data["routing"])
            data["contact_id"] = data["because"] = None

        def apply(self, aggregate: "Lead") -> None:
            aggregate.number = self.number
            aggregate.first_name = self.first_name
            aggregate.last_name = self.last_name
            aggregate.email = self.email
            aggregate.phone = self.phone
            aggregate.phone_e164 = self.phone_e164
            aggregate.subject = self.subject
            aggregate.message = self.message
            aggregate.notes = self.notes
            aggregate.source = self.source
            aggregate.source_domain = self.source_domain
            aggregate.source_page = self.source_page
            aggregate.utm_source = self.utm_source
            aggregate.utm_medium = self.utm_medium
            aggregate.utm_campaign = self.utm_campaign
            aggregate.status = self.status
            aggregate.assigned_to = self.assigned_to
            aggregate.routing = self.routing
            aggregate.because = self.because
            aggregate.routed_to = None if self.routing is None else self.assigned_to
            aggregate.contact_id = self.contact_id
            aggregate.moved_from = ()
            aggregate.created_by = self.created_by
            aggregate.suspect = None

    class StatusChanged(Event):
        """The lead moved in the pipeline. ``previous`` is kept so that a counter needs no other event."""

        TOPIC: ClassVar[str] = "lead.status_changed"

        previous: str
        status: str

        def apply(self, aggregate: "Lead") -> None:
            aggregate.status = self.status
            if lost_because(aggregate) is not None:
                aggregate.lost_reason = aggregate.lost_note = None

    class Assigned(Event):
        """The lead is assigned to another agent, or to none."""

        TOPIC: ClassVar[str] = "lead.assigned"

        previous: UUID | None
        assigned_to: UUID | None

        def apply(self, aggregate: "Lead") -> None:
            aggregate.assigned_to = self.assigned_to

    class Suspected(Event):
        """A program seems to have filled in the form, in the same append in which the lead was captured: it counts
        nowhere until staff clear it. ``status`` is what it is not counted at."""

        TOPIC: ClassVar[str] = "lead.suspected"

        status: str

        def apply(self, aggregate: "Lead") -> None:
            aggregate.suspect = True

    class Cleared(Event):
        """It was a person after all. The lead counts from now on, at ``status``, and is routed."""

        TOPIC: ClassVar[str] = "lead.cleared"
        class_version: ClassVar[int] = 3
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("because",))

        status: str
        assigned_to: UUID | None
        routing: dict[str, Any] | None
        because: list[list[str]] | None
        contact_id: UUID | None

        @staticmethod
        def upcast_v1_v2(data: dict[str, Any]) -> None:
            """Leads were routed by words alone."""
            data["routing"] = reasons.by_words(data["routing"])
            data["because"] = None

        @staticmethod
        def upcast_v2_v3(data: dict[str, Any]) -> None:
            """No form was recognized as a contact's."""
            data["contact_id"] = None

        def apply(self, aggregate: "Lead") -> None:
            aggregate.suspect = False
            aggregate.assigned_to = self.assigned_to
            aggregate.routing = self.routing
            aggregate.because = self.because
            aggregate.routed_to = None if self.routing is None else self.assigned_to
            aggregate.contact_id = self.contact_id

    class Converted(Event):
        """A contact was made of the lead, in the same append: this happens once. The status moves separately."""

        TOPIC: ClassVar[str] = "lead.converted"

        contact_id: UUID | None

        def apply(self, aggregate: "Lead") -> None:
            aggregate.contact_id = self.contact_id

    class DetailsChanged(Event):
        """Some of ``DETAILS`` were corrected; ``details`` holds only those that changed."""

        TOPIC: ClassVar[str] = "lead.details_changed"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("details",))

        details: dict[str, str | None]

        def apply(self, aggregate: "Lead") -> None:
            # An erased person's details are a placeholder, not a mapping.
            for name, value in self.details.items() if isinstance(self.details, dict) else ():
                setattr(aggregate, name, value)

    class ActivityLogged(Event, HasActivities.ActivityLogged):
        """Staff or a program noted what happened with the person."""

        TOPIC: ClassVar[str] = "lead.activity_logged"

    class ActivityCorrected(Event, HasActivities.ActivityCorrected):
        """An activity was not as it was logged."""

        TOPIC: ClassVar[str] = "lead.activity_corrected"

    class ActivityRemoved(Event, HasActivities.ActivityRemoved):
        """An activity was logged by mistake."""

        TOPIC: ClassVar[str] = "lead.activity_removed"

    class LostReasonGiven(Event):
        """Why the lead is lost, in one of ``LOST_REASONS`` and in the staff's own words; None if that was taken back.
        It holds while the status is ``lost``."""

        TOPIC: ClassVar[str] = "lead.lost_reason_given"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("note",))

        reason: str | None
        note: str | None

        def apply(self, aggregate: "Lead") -> None:
            aggregate.lost_reason, aggregate.lost_note = self.reason, self.note

    class PassedOn(Event):
        """The ``minutes`` in which agents could claim the lead, or in which its agent had to answer, are over. The lead
        goes to another agent, to others who may claim it, or to the pond, as ``routing`` says."""

        TOPIC: ClassVar[str] = "lead.passed_on"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("because",))

        reason: str
        minutes: int
        previous: UUID | None
        assigned_to: UUID | None
        routing: dict[str, Any]
        because: list[list[str]] | None

        def apply(self, aggregate: "Lead") -> None:
            aggregate.assigned_to = aggregate.routed_to = self.assigned_to
            aggregate.routing = self.routing
            aggregate.because = self.because

    class Overdue(Event):
        """The agent did not answer within so many ``minutes``, and keeps the lead: no other agent can take it, or it
        has been passed on as often as allowed. It is recorded once, and the owners get a mail."""

        TOPIC: ClassVar[str] = "lead.overdue"

        agent: UUID
        minutes: int

        def apply(self, aggregate: "Lead") -> None:
            """Nothing of the state changes."""

    class ContactChanged(Event):
        """The lead's contact was merged into another one, or that was undone."""

        TOPIC: ClassVar[str] = "lead.contact_changed"

        previous: UUID
        contact_id: UUID

        def apply(self, aggregate: "Lead") -> None:
            aggregate.moved_from = moved(aggregate.moved_from, self.previous, self.contact_id)
            aggregate.contact_id = self.contact_id

    @classmethod
    def capture(
        cls,
        lead_id: UUID,
        at: datetime,
        fields: LeadFields,
        *,
        number: int,
        phone_e164: str | None,
        status: str,
        assigned_to: UUID | None,
        routing: dict[str, Any] | None,
        because: list[list[str]] | None,
        contact_id: UUID | None,
        created_by: UUID | None,
        suspect: bool = False,
    ) -> "Lead":
        """A new lead. Raises Invalid for an unknown status or no way to answer."""
        check_status(status)
        if not can_be_answered(fields.email, fields.phone):
            raise Invalid("email", "email or phone is required.")
        lead: Lead = cls._create(
            cls.Captured,
            id=lead_id,
            timestamp=at,
            number=number,
            phone_e164=phone_e164,
            status=status,
            assigned_to=assigned_to,
            routing=routing,
            because=because,
            contact_id=contact_id,
            created_by=created_by,
            **vars(fields),
        )
        if suspect:
            lead.trigger_event(cls.Suspected, timestamp=at, status=status)
        return lead

    def change_status(self, status: str, at: datetime) -> None:
        """Move in the pipeline; a status that already holds records nothing. Raises Invalid, WrongState."""
        check_status(status)
        if status != self.status:
            check_cleared(self.suspect)
            self.trigger_event(self.StatusChanged, timestamp=at, previous=self.status, status=status)

    def give_lost_reason(self, given: Mapping[str, str | None], at: datetime) -> None:
        """Say why the lead is lost: ``reason``, ``note`` or both, None to take it back. What holds already records
        nothing. Raises Invalid."""
        before = dict(zip(LOST, lost_because(self) or (None, None), strict=True))
        after = {**before, **given}
        if after == before:
            return
        if self.status != "lost":
            name = "lost_reason" if after["reason"] != before["reason"] else "lost_note"
            raise Invalid(name, f"{name} {NOT_LOST}")
        if after["reason"] is not None and after["reason"] not in LOST_REASONS:
            raise Invalid("lost_reason", f"lost_reason must be one of: {', '.join(LOST_REASONS)}.")
        self.trigger_event(self.LostReasonGiven, timestamp=at, **after)

    def assign(self, agent: UUID | None, at: datetime) -> None:
        """Assign the lead to *agent*, or to no agent."""
        if agent != self.assigned_to:
            self.trigger_event(self.Assigned, timestamp=at, previous=self.assigned_to, assigned_to=agent)

    def claim(self, agent: UUID, at: datetime, group: Collection[UUID], out: Out | None = None) -> None:
        """*agent* takes a lead that waits in the pond, or that a rule offers to some agents for a while: those that the
        offer names, or the *group* if it names none. *out* is why routing would not choose the agent now. An agent who
        has the lead already keeps it. Raises WrongState."""
        if self.assigned_to == agent:
            return
        if self.assigned_to is not None:
            raise WrongState(CLAIMED)
        offer = reasons.offer(self.routing, self.created_on)
        if offer is None:
            raise WrongState(NOT_IN_POND)
        if self.status in CLOSED:
            raise WrongState(DONE.format(status=self.status))
        if out in UNABLE:
            raise WrongState(UNABLE[out])
        if offer.until is not None and at < offer.until and agent not in (offer.agents or group):
            raise WrongState(OTHERS_FIRST.format(group=offer.group, until=aureum_time(offer.until)))
        self.assign(agent, at)

    def clear(
        self,
        at: datetime,
        assigned_to: UUID | None,
        routing: dict[str, Any] | None,
        because: list[list[str]] | None = None,
        contact_id: UUID | None = None,
    ) -> None:
        """It was a person after all, perhaps a contact; *assigned_to* takes care of it unless an agent does already.
        What is no suspect stays as it is."""
        if not self.suspect:
            return
        if self.assigned_to is not None:
            assigned_to, routing, because = self.assigned_to, self.routing, self.because
        elif routing is not None:
            routing = reasons.begun_at(routing, at)
        self.trigger_event(
            self.Cleared,
            timestamp=at,
            status=self.status,
            assigned_to=assigned_to,
            routing=routing,
            because=because,
            contact_id=contact_id or self.contact_id,
        )

    def pass_on(
        self,
        reason: str,
        minutes: int,
        at: datetime,
        assigned_to: UUID | None,
        routing: Mapping[str, Any],
        because: list[list[str]] | None,
    ) -> None:
        """The *minutes* for a claim or an answer are over. The lead goes where *routing* says."""
        group = ((self.routing or {}).get("rule") or {}).get("group") if reason == "not_claimed" else None
        self.trigger_event(
            self.PassedOn,
            timestamp=at,
            reason=reason,
            minutes=minutes,
            previous=self.assigned_to,
            assigned_to=assigned_to,
            routing=reasons.passed_on(routing, at, reason, minutes, group),
            because=because,
        )

    def remain(self, minutes: int, at: datetime) -> None:
        """The *minutes* for an answer are over, and the lead stays with its agent."""
        assert self.assigned_to is not None, "only an agent can be late"
        self.trigger_event(self.Overdue, timestamp=at, agent=self.assigned_to, minutes=minutes)

    def convert(self, contact_id: UUID, at: datetime) -> bool:
        """Move to ``converted`` and belong to a contact; whether *contact_id* is that contact, which is to be made now.

        A lead that was converted before keeps the contact that it has. Raises WrongState.
        """
        check_cleared(self.suspect)
        first = self.contact_id is None
        if first:
            self.trigger_event(self.Converted, timestamp=at, contact_id=contact_id)
        self.change_status("converted", at)
        return first

    def check_workable(self) -> None:
        """Raises WrongState while it is suspected."""
        check_cleared(self.suspect)

    def change_contact(self, contact_id: UUID, at: datetime) -> None:
        """Go along with the contact, which was merged into *contact_id*, or back to it."""
        if self.contact_id is not None and contact_id != self.contact_id:
            self.trigger_event(self.ContactChanged, timestamp=at, previous=self.contact_id, contact_id=contact_id)

    def change_details(self, details: dict[str, str | None], at: datetime) -> None:
        """Correct some of ``DETAILS``. Raises Invalid if neither email nor phone would remain."""
        changed = {name: value for name, value in details.items() if value != getattr(self, name)}
        if not changed:
            return
        if not can_be_answered(changed.get("email", self.email), changed.get("phone", self.phone)):
            raise Invalid("email", "email and phone cannot both be removed.")
        self.trigger_event(self.DetailsChanged, timestamp=at, details=changed)


LOST = ("reason", "note")


def lost_because(lead: Any) -> tuple[str | None, str | None] | None:
    """Why a lead is lost: the reason and the note. None if neither was ever given."""
    known = vars(lead)
    return (known["lost_reason"], known["lost_note"]) if "lost_reason" in known else None


def check_cleared(suspect: bool | None) -> None:
    """Raises WrongState for what is still suspected."""
    if suspect:
        raise WrongState("This is suspected spam. If it is not, clear it first.")


def can_be_answered(email: str | None, phone: str | None) -> bool:
    """Whether one of them holds anything."""
    return bool((email or "").strip() or (phone or "").strip())


def check_status(status: str) -> None:
    """Raises Invalid for a status that the pipeline does not have."""
    if status not in STATUSES:
        raise Invalid("status", f"status must be one of: {', '.join(STATUSES)}.")
