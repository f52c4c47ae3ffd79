"""Letters about envelopes: to recipients when their turn has come, to remind them, and when it has ended; and to the
sender, who is the agent of its lead, else the user who drafted it, else the owners.

Links open the envelope in the portal or the panel and give no rights: the client signs in there. A recipient's letter
is in the language that the recipient chose in the portal, else in the one that the sender named, else in that of the
last sign-in, else in that of its subject and message. The events are those of ``aureum.domain.envelope_events``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.commands.portal.languages import Spoken
from aureum.domain.aggregate import ERASED
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Recipient as Person
from aureum.domain.ids import to_wire
from aureum.domain.wall_time import zone_of
from aureum.mail.letter import Letter, Recipient
from aureum.mail.letters import links, recipients
from aureum.mail.letters.about import About
from aureum.mail.letters.confirming import given_name
from aureum.mail.letters.headers import usable
from aureum.mail.letters.recipients import OWNERS, Member, letter_to, wish
from aureum.mail.letters.texts import language_for, moment_in_words
from aureum.store.event_store import Recorded

TO_RECIPIENTS = {
    Envelope.RecipientInvited: "envelope_invite",
    Envelope.RecipientReminded: "envelope_reminder",
    Envelope.Completed: "envelope_completed",
    Envelope.Declined: "envelope_declined",
    Envelope.Voided: "envelope_voided",
    Envelope.Expired: "envelope_expired",
    Envelope.PurgeAnnounced: "envelope_purge",
}
"""What recipients are told of, and the kind of letter."""

TO_SENDER = {
    Envelope.Completed: "envelope_all_signed",
    Envelope.Declined: "envelope_not_signed",
    Envelope.Voided: "envelope_withdrawn",
    Envelope.Expired: "envelope_late",
}
"""What the sender is told of."""

ENVELOPE_TYPES = tuple(event.TOPIC for event in TO_RECIPIENTS)


@dataclass(frozen=True, slots=True)
class EnvelopeAct:
    """Something that happened to an envelope, and how the envelope was after it: which ``kind`` of letter goes to which
    ``people``, which one to the sender, if any, and who did it. ``words`` are what the sender wrote to all."""

    stream_id: UUID
    position: int
    at: datetime
    kind: str
    to_sender: str | None
    topic: str
    words: str
    note: str | None
    until: datetime | None
    people: tuple[Person, ...]
    person: str
    assigned_to: UUID | None
    created_by: UUID | None
    by: str | None


def acts(record: Recorded, envelope: Envelope, by: str | None) -> Iterator[EnvelopeAct]:
    """What one event of an *envelope* is to be written about; nothing of one that was purged. *by* is the user who did
    it."""
    event = record.event
    kind = TO_RECIPIENTS.get(type(event))
    if kind is None or envelope.erased or envelope.subject == ERASED:
        return
    acting = envelope.recipients.get(getattr(event, "recipient_id", envelope.id))
    told = [one for one in envelope.recipients.values() if one.state != "reassigned"]
    match event:
        case Envelope.RecipientInvited() | Envelope.RecipientReminded():
            told = [one for one in told if acting is not None and one.id == acting.id]
        case Envelope.Declined() | Envelope.Voided() | Envelope.Expired():
            told = [one for one in told if one.invited_at is not None and (acting is None or one.id != acting.id)]
    yield EnvelopeAct(
        stream_id=envelope.id,
        position=record.position,
        at=event.timestamp,
        kind=kind,
        to_sender=TO_SENDER.get(type(event)),
        topic=envelope.subject,
        words=f"{envelope.subject}\n{envelope.message or ''}",
        note=envelope.message if kind in ("envelope_invite", "envelope_reminder") else getattr(event, "reason", None),
        until=envelope.purge_at if kind == "envelope_purge" else envelope.deadline,
        people=tuple(told),
        person="" if acting is None else acting.name,
        assigned_to=envelope.assigned_to,
        created_by=envelope.created_by,
        by=by,
    )


def envelope_letters(one: EnvelopeAct, about: About, languages: Mapping[str, Spoken]) -> Iterator[Letter]:
    """The letters of one act. *languages* are those of recipients, by address."""
    senders = senders_of(one, about)
    written = language_for(one.words)
    for person in one.people:
        language = language_of(person, languages.get(person.email), written)
        yield to_recipient(one, person, about, senders[0] if senders else None, language)
    if one.to_sender is None:
        return
    fields: dict[str, object] = {"topic": one.topic, "person": one.person or None, "note": one.note}
    fields["link"] = links.page(about.link, f"envelopes/{to_wire(one.stream_id)}")
    for member in senders:
        if one.by != to_wire(member.user_id) and wish(member, one.to_sender) == recipients.AT_ONCE:
            yield letter_to(member, one.to_sender, fields, one.position, subject_id=one.stream_id)


def language_of(person: Person, spoken: Spoken | None, written: str) -> str:
    """The language of a letter to *person*; *written* is that of the sender's words."""
    if spoken is not None and spoken.chosen:
        return spoken.language
    return person.language or (written if spoken is None else spoken.language)


def to_recipient(one: EnvelopeAct, person: Person, about: About, sender: Member | None, language: str) -> Letter:
    """The letter to one recipient. A reply goes to the sender, else to the brokerage."""
    name = given_name(person.name)
    fields: dict[str, Any] = {
        "first_name": name,
        "topic": one.topic,
        "note": one.note,
        "link": links.to_portal(about.link, f"documents/{to_wire(one.stream_id)}"),
    }
    if one.until is not None and one.kind in ("envelope_invite", "envelope_reminder", "envelope_purge"):
        fields["until"] = moment_in_words(one.until.astimezone(zone_of(about.time_zone)), language)
    return Letter(
        one.kind,
        Recipient(person.email, name or "", None, one.stream_id),
        usable(about.reply_to if sender is None else sender.address),
        language,
        fields,
        one.position,
    )


def senders_of(one: EnvelopeAct, about: About) -> list[Member]:
    """The agent of its lead, else who drafted it, else the owners."""
    for user_id in (one.assigned_to, one.created_by):
        if user_id in about.staff:
            return [about.staff[user_id]]
    return [member for member in about.staff.values() if member.role in OWNERS]
