"""What may happen to a lead: its events, and the state that they make of it. The rules are in ``lead``."""

from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.activities import HasActivities
from aureum.domain.aggregate import Aggregate, Created, PersonErased
from aureum.domain.moved import Path, moved
from aureum.domain.routing import reasons

DETAILS = ("first_name", "last_name", "email", "phone", "phone_e164", "subject", "message", "notes")
"""What staff may correct later. All of it is personal."""

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


class LeadEvents(HasActivities):
    """The state of a lead. ``phone`` is as given, ``phone_e164`` beside it where it can be normalised."""

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

        def apply(self, aggregate: "LeadEvents") -> None:
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

        def apply(self, aggregate: "LeadEvents") -> None:
            aggregate.status = self.status
            if lost_because(aggregate) is not None:
                aggregate.lost_reason = aggregate.lost_note = None

    class Assigned(Event):
        """The lead is assigned to another agent, or to none."""

        TOPIC: ClassVar[str] = "lead.assigned"

        previous: UUID | None
        assigned_to: UUID | None

        def apply(self, aggregate: "LeadEvents") -> None:
            aggregate.assigned_to = self.assigned_to

    class Suspected(Event):
        """A program seems to have filled in the form, in the same append in which the lead was captured: it counts
        nowhere until staff clear it. ``status`` is what it is not counted at."""

        TOPIC: ClassVar[str] = "lead.suspected"

        status: str

        def apply(self, aggregate: "LeadEvents") -> None:
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

        def apply(self, aggregate: "LeadEvents") -> None:
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

        def apply(self, aggregate: "LeadEvents") -> None:
            aggregate.contact_id = self.contact_id

    class DetailsChanged(Event):
        """Some of ``DETAILS`` were corrected; ``details`` holds only those that changed."""

        TOPIC: ClassVar[str] = "lead.details_changed"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("details",))

        details: dict[str, str | None]

        def apply(self, aggregate: "LeadEvents") -> None:
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

        def apply(self, aggregate: "LeadEvents") -> None:
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

        def apply(self, aggregate: "LeadEvents") -> None:
            aggregate.assigned_to = aggregate.routed_to = self.assigned_to
            aggregate.routing = self.routing
            aggregate.because = self.because

    class Overdue(Event):
        """The agent did not answer within so many ``minutes``, and keeps the lead: no other agent can take it, or it
        has been passed on as often as allowed. It is recorded once, and the owners get a mail."""

        TOPIC: ClassVar[str] = "lead.overdue"

        agent: UUID
        minutes: int

        def apply(self, aggregate: "LeadEvents") -> None:
            """Nothing of the state changes."""

    class ContactChanged(Event):
        """The lead's contact was merged into another one, or that was undone."""

        TOPIC: ClassVar[str] = "lead.contact_changed"

        previous: UUID
        contact_id: UUID

        def apply(self, aggregate: "LeadEvents") -> None:
            aggregate.moved_from = moved(aggregate.moved_from, self.previous, self.contact_id)
            aggregate.contact_id = self.contact_id

    class Erased(Event, PersonErased):
        """The person was erased. The lead is not counted any more, neither at ``status`` nor as a suspect."""

        TOPIC: ClassVar[str] = "lead.erased"

        status: str
        suspect: bool


def lost_because(lead: Any) -> tuple[str | None, str | None] | None:
    """Why a lead is lost: the reason and the note. None if neither was ever given."""
    known = vars(lead)
    return (known["lost_reason"], known["lost_note"]) if "lost_reason" in known else None
