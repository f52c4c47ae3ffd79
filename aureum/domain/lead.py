"""A lead: a person's interest, from the first contact to the deal won or lost."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain.errors import Invalid, WrongState
from aureum.domain.ids import aureum_time
from aureum.domain.lead_events import LOST_REASONS, LeadEvents, lost_because
from aureum.domain.routing import reasons
from aureum.domain.routing.eligible import Out
from aureum.domain.routing.reasons import CLOSED

STATUSES = ("new", "contacted", "qualified", "showing", "offer", *CLOSED)
"""The pipeline of the Leads API document; any change between them is legal, since deals fall through."""

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


class Lead(LeadEvents):
    """The aggregate."""

    def __init__(self) -> None:
        """Captured.apply assigns everything."""

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

    def erase(self, at: datetime) -> None:
        """The person is erased; once."""
        if not self.erased:
            self.trigger_event(self.Erased, timestamp=at, status=self.status, suspect=bool(self.suspect))


LOST = ("reason", "note")


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
