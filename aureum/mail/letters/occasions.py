"""The occasions for letters in a tenant's log: a lead or a tour that came, was cleared or got another agent, a lead
that agents may claim or did not answer, a webhook that was disabled, a user who was invited or has another password.
Pure. The occasions of an append are given after its last event, because only then is it known whether the lead is a
suspect, which is no occasion.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog

from aureum.background.reading import Unreadable, edges
from aureum.domain.aggregate import ERASED
from aureum.domain.contact import Contact
from aureum.domain.conversation import Conversation
from aureum.domain.envelope import Envelope
from aureum.domain.lead import Lead
from aureum.domain.routing import reasons
from aureum.domain.shortlist import Shortlist
from aureum.domain.tour import Tour
from aureum.domain.user import User
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.mail.letters.client_occasions import OfClient, address_replaced, of_client
from aureum.mail.letters.envelope_letters import ENVELOPE_TYPES, EnvelopeAct, acts
from aureum.store.event_store import Recorded

log = structlog.get_logger()

CAME = (Lead.Captured, Tour.Requested)
CLEARED = (Lead.Cleared, Tour.Cleared)
ASSIGNED = (Lead.Assigned, Tour.Assigned)
ROUTED = (*CAME, *CLEARED, Lead.PassedOn)
"""Events after which the routing names the agent."""

TYPES = frozenset(ENVELOPE_TYPES) | frozenset(
    event.TOPIC
    for event in (
        *ROUTED,
        *ASSIGNED,
        Lead.Overdue,
        Lead.Suspected,
        Tour.Suspected,
        Tour.CalendarSent,
        WebhookEndpoint.Disabled,
        User.Invited,
        User.PasswordSet,
        Conversation.MessageSent,
        Shortlist.ListingSent,
    )
)
"""The types of events that make an occasion, or cancel one."""

IMPORTED = "ImportRows"
"""The command of imports. What they bring in is no news to anybody."""

FORM = "website"
"""The source of what visitors send."""


@dataclass(frozen=True, slots=True)
class Enquiry:
    """A lead or a tour (``kind``) that has come or was cleared (``new``), was ``routed``, or got another agent by hand.
    ``position`` is that of the append's last event, ``by`` the user who did it, ``from_form`` whether a visitor sent
    it, ``fields`` what staff read of it."""

    kind: str
    stream_id: UUID
    position: int
    at: datetime
    new: bool
    routed: bool
    from_form: bool
    assigned_to: UUID | None
    by: str | None
    routing: dict[str, Any] | None
    email: str | None
    first_name: str
    words: str
    fields: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Stopped:
    """A webhook that was disabled, and not by staff."""

    endpoint_id: UUID
    position: int
    at: datetime
    host: str
    why: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A lead that these ``agents`` may claim until a moment; ``lead`` is the person's name."""

    stream_id: UUID
    position: int
    at: datetime
    lead: str
    agents: tuple[UUID, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Late:
    """A lead that has waited ``since`` it came, and that its ``agent`` did not answer in time: it was ``passed_on``, or
    stays with the agent."""

    stream_id: UUID
    position: int
    at: datetime
    lead: str
    agent: UUID
    since: datetime
    passed_on: bool


@dataclass(frozen=True, slots=True)
class Invited:
    """A user was invited, by another one if it was not the operator; ``language`` is that of the letter."""

    user_id: UUID
    position: int
    at: datetime
    by: str | None
    language: str


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """A user who had a password has another one."""

    user_id: UUID
    position: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CalendarSent:
    """A visitor is sent the calendar ``file`` of a tour that this ``agent`` has, if any. ``start`` is the wall time."""

    stream_id: UUID
    position: int
    at: datetime
    sent_to: str
    file: str
    place: str | None
    start: str | None
    cancelled: bool
    first_name: str
    words: str
    agent: UUID | None


OfAccount = Invited | PasswordChanged
Occasion = Enquiry | Stopped | Offered | Late | CalendarSent | EnvelopeAct | OfAccount | OfClient


def occasions(tenant_id: UUID, recorded: Iterable[Recorded], after: int) -> Iterator[Occasion]:
    """Those of a stream's appends that ended at positions above *after*; *recorded* is the whole stream."""
    aggregate: Any = None
    waiting: list[Occasion] = []
    from_form = False
    for record in recorded:
        former = getattr(aggregate, "email", None)
        had_password = getattr(aggregate, "password_hash", None) is not None
        aggregate, unreadable = folded(aggregate, record.event)
        if unreadable is not None:
            # Nothing is known of the stream from here on; letters about others go out.
            log.error("letters_unreadable", tenant=str(tenant_id), position=record.position, reason=unreadable)
            return
        first, last = edges(record.metadata)
        if first:
            waiting = []
        if isinstance(record.event, CAME):
            from_form = actor(record) == ("visitor", None) and record.event.source == FORM
        waiting += (
            of_account(record, had_password) if isinstance(aggregate, User) else occasion(record, aggregate, from_form)
        )
        if isinstance(aggregate, Contact):
            waiting += address_replaced(record, aggregate, former)
        if record.metadata.get("command") == IMPORTED:
            waiting = []
        if last:
            if record.position > after and not getattr(aggregate, "suspect", None):
                yield from (replace(one, position=record.position) for one in waiting)
            waiting = []


def folded(aggregate: Any, event: Any) -> tuple[Any, str | None]:
    """The aggregate after *event*, and None; or why it cannot be known, as the class of the error."""
    if isinstance(event, Unreadable):
        return None, event.reason
    try:
        return event.mutate(aggregate), None
    except Exception as error:
        return None, type(error).__name__


def occasion(record: Recorded, aggregate: Any, from_form: bool) -> list[Occasion]:
    """What one event has made of its *aggregate* to write about."""
    event = record.event
    if isinstance(aggregate, (Conversation, Shortlist)):
        return [*of_client(record, aggregate)]
    if isinstance(aggregate, Envelope):
        kind, by = actor(record)
        return [*acts(record, aggregate, by if kind == "user" else None)]
    if isinstance(event, WebhookEndpoint.Disabled) and event.reason != "staff":
        host = urlsplit(aggregate.url).hostname or ""
        return [Stopped(aggregate.id, record.position, event.timestamp, host, event.reason)]
    if isinstance(event, Tour.CalendarSent) and not is_erased(aggregate) and event.file != ERASED:
        return [calendar_sent(record, event, aggregate)]
    if not isinstance(event, (*ROUTED, *ASSIGNED, Lead.Overdue)) or is_erased(aggregate):
        return []
    waiting = list(waits(record, aggregate)) if isinstance(aggregate, Lead) else []
    if isinstance(event, Lead.Overdue):
        return [*waiting]
    kind, by = actor(record)
    routed = isinstance(event, ROUTED)
    about = lead_fields(aggregate) if isinstance(aggregate, Lead) else tour_fields(aggregate)
    return [
        Enquiry(
            kind="lead" if isinstance(aggregate, Lead) else "tour",
            stream_id=aggregate.id,
            position=record.position,
            at=event.timestamp,
            new=isinstance(event, (*CAME, *CLEARED)),
            routed=routed,
            from_form=from_form,
            assigned_to=aggregate.assigned_to,
            by=by if kind == "user" else None,
            routing=aggregate.routing if routed else None,
            email=aggregate.email,
            first_name=aggregate.first_name if isinstance(aggregate, Lead) else aggregate.name,
            words=f"{getattr(aggregate, 'subject', None) or ''}\n{aggregate.message or ''}",
            fields=about,
        ),
        *waiting,
    ]


def calendar_sent(record: Recorded, event: Tour.CalendarSent, tour: Tour) -> CalendarSent:
    """The visitor of *tour* is sent the file of *event*."""
    return CalendarSent(
        stream_id=tour.id,
        position=record.position,
        at=event.timestamp,
        sent_to=event.sent_to,
        file=event.file,
        place=event.place,
        start=event.start,
        cancelled=tour.status == "cancelled",
        first_name=tour.name,
        words=tour.message or "",
        agent=tour.assigned_to,
    )


def of_account(record: Recorded, had_password: bool) -> list[Occasion]:
    """What one event of a user is to write about. A first password is no news to the user who has just chosen it."""
    event = record.event
    match event:
        case User.Invited():
            kind, by = actor(record)
            about = (event.originator_id, record.position, event.timestamp)
            return [Invited(*about, by if kind == "user" else None, event.language)]
        case User.PasswordSet() if had_password:
            return [PasswordChanged(event.originator_id, record.position, event.timestamp)]
    return []


def waits(record: Recorded, lead: Lead) -> Iterator[Offered | Late]:
    """The agents whom an event lets claim the *lead*, and the agent who did not answer it in time."""
    event, name = record.event, f"{lead.first_name} {lead.last_name}".strip()
    about = (lead.id, record.position, event.timestamp, name)
    match event:
        case Lead.Overdue():
            yield Late(*about, event.agent, lead.created_on, passed_on=False)
        case Lead.PassedOn(previous=UUID() as previous):
            yield Late(*about, previous, lead.created_on, passed_on=True)
    if isinstance(event, ROUTED) and lead.assigned_to is None:
        offer = reasons.offer(lead.routing, lead.created_on)
        if offer is not None and offer.until is not None and offer.agents:
            yield Offered(*about, offer.agents, offer.until)


def actor(record: Recorded) -> tuple[str | None, str | None]:
    """What caused an event: the kind of caller, and its id on the wire."""
    found = record.metadata.get("actor")
    return (found.get("type"), found.get("id")) if isinstance(found, dict) else (None, None)


def is_erased(aggregate: Lead | Tour) -> bool:
    """Whether the person was erased, so that there is nothing to write."""
    return ERASED in (aggregate.email, aggregate.phone, aggregate.message)


def lead_fields(lead: Lead) -> dict[str, str | None]:
    """What staff read of a lead."""
    return {
        "lead": f"{lead.first_name} {lead.last_name}".strip(),
        "email": lead.email,
        "phone": lead.phone,
        "subject": lead.subject,
        "message": lead.message,
        "page": lead.source_page,
    }


def tour_fields(tour: Tour) -> dict[str, str | None]:
    """What staff read of a tour."""
    return {
        "lead": tour.name,
        "email": tour.email,
        "phone": tour.phone,
        "message": tour.message,
        "listing": tour.listing_id,
        "wished": ", ".join(part for part in (tour.preferred_date, tour.preferred_time) if part) or None,
    }
