"""An envelope: documents that recipients sign. Order, turn and deadline are judged here, by the moment of the command.

    draft ──▶ sent ──▶ completing ──▶ completed ──▶ purged
                └──▶ declined, voided, expired ──▶ purged

A recipient: waiting ──▶ invited ──▶ viewed ──▶ consented ──▶ signed; or declined, reassigned, expired.

    envelope_parts     documents, recipients, fields, signatures
    envelope_events    what may happen, and the state that it makes
    envelope_rules     what may be done in which state
    envelope_draft     what is decided before it is sent
    envelope_ceremony  what recipients do
    envelope           sent, reminded, reassigned, and ended
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from aureum.domain import ids
from aureum.domain.emails import one_form
from aureum.domain.envelope_ceremony import EnvelopeCeremony
from aureum.domain.envelope_parts import MOST_RECIPIENTS, SENT_TO, Sealed, check_language, check_person
from aureum.domain.envelope_rules import (
    BETWEEN_REMINDERS,
    MOST_DAYS,
    NOT_SENT,
    PURGE_NOTICE,
    REMIND_AFTER_DAYS,
    REMINDED_FOR,
    check_reason,
)
from aureum.domain.errors import Invalid, WrongState


class Envelope(EnvelopeCeremony):
    """The aggregate."""

    def __init__(self) -> None:
        """Drafted.apply assigns everything."""

    def send(self, at: datetime, *, remind_after_days: Sequence[int] = REMIND_AFTER_DAYS) -> None:
        """Fix the documents and invite those who sign first. Sending twice records nothing. Raises Invalid,
        WrongState."""
        if self.state in ("sent", "completing", "completed"):
            return
        self.check_draft()
        self.check_can_be_sent()
        self.trigger_event(
            self.Sent,
            timestamp=at,
            provider=self.provider,
            in_order=self.in_order,
            deadline=ids.aureum_time(at + timedelta(days=self.deadline_days)),
            remind_after_days=list(remind_after_days),
        )
        self.invite_next(at)

    def remind(self, recipient_id: UUID, at: datetime, *, by_itself: bool = False) -> None:
        """Send the recipient another mail: at most one a day, for 30 days. A worker that comes later than that still
        sends what was due, once. Raises NotFound, WrongState."""
        one = self.recipient(recipient_id)
        self.check_open(at)
        if one.state not in SENT_TO or one.state == "signed" or one.invited_at is None:
            raise WrongState(f"{one.name} has nothing to sign now, so there is nothing to remind of.")
        if not by_itself and at > one.invited_at + REMINDED_FOR:
            raise WrongState(f"{one.name} was invited more than 30 days ago. Reassign or void the envelope.")
        if one.reminded_at is not None and at < one.reminded_at + BETWEEN_REMINDERS:
            raise WrongState(f"{one.name} was reminded within the last day. Try again tomorrow.")
        self.trigger_event(self.RecipientReminded, timestamp=at, recipient_id=recipient_id, by_itself=by_itself)

    def reassign(
        self,
        recipient_id: UUID,
        new_id: UUID,
        name: str,
        email: str,
        contact_id: UUID | None,
        at: datetime,
        language: str | None = None,
    ) -> None:
        """Another person takes the place of a recipient who has not signed. Raises NotFound, Invalid, WrongState."""
        one = self.recipient(recipient_id)
        self.check_open(at)
        if one.state == "signed" or (one.state not in SENT_TO and one.state != "waiting"):
            raise WrongState(f"{one.name} cannot be replaced, since the state is {one.state}.")
        if self.provider == "docusign":
            raise WrongState("A recipient at DocuSign cannot be replaced here. Void the envelope and send a new one.")
        check_person(name, email)
        check_language(language)
        if one_form(email) == one_form(one.email):
            raise Invalid("email", "email is the address of this recipient already.")
        self.check_address_is_free(email)
        if len(self.recipients) >= 3 * MOST_RECIPIENTS:
            raise WrongState("The recipients of this envelope were replaced too often. Void it and send a new one.")
        self.trigger_event(
            self.RecipientReassigned,
            timestamp=at,
            recipient_id=recipient_id,
            new_id=new_id,
            name=name,
            email=email,
            contact_id=contact_id,
            language=language,
        )
        self.invite_next(at)

    def extend(self, deadline: datetime, at: datetime) -> None:
        """Give the recipients more time. Raises Invalid, WrongState."""
        self.check_open(at)
        assert self.sent_at is not None and self.deadline is not None
        if deadline == self.deadline:
            return
        if not self.deadline < deadline <= self.sent_at + timedelta(days=MOST_DAYS):
            raise Invalid(
                "deadline",
                f"deadline must be later than the present one, and at most {MOST_DAYS} days after the envelope was "
                "sent.",
            )
        self.trigger_event(
            self.DeadlineExtended,
            timestamp=at,
            previous=ids.aureum_time(self.deadline),
            deadline=ids.aureum_time(deadline),
        )

    def complete(
        self,
        sealed: Mapping[UUID, Sealed],
        certificate_sha256: str | None,
        retain_until: datetime,
        at: datetime,
        *,
        provider_event: str | None = None,
    ) -> None:
        """All have signed, and each document is sealed. The first time counts. Raises Invalid, WrongState."""
        if self.state == "completed":
            return
        if self.state != "completing":
            raise WrongState(NOT_SENT.format(state=self.state))
        if sealed.keys() != self.documents.keys():
            raise Invalid("documents", "Each document of the envelope must be sealed.")
        self.trigger_event(
            self.Completed,
            timestamp=at,
            documents=[
                {"id": document_id.hex, "sha256": one.sha256, "bytes": one.bytes} for document_id, one in sealed.items()
            ],
            certificate_sha256=certificate_sha256,
            retain_until=ids.aureum_time(retain_until),
            provider_event=provider_event,
        )

    def void(self, reason: str | None, at: datetime) -> None:
        """Withdraw what was sent. Voiding twice records nothing. Raises Invalid, WrongState."""
        if self.state == "voided":
            return
        if self.state != "sent":
            raise WrongState(NOT_SENT.format(state=self.state))
        check_reason(reason)
        self.trigger_event(self.Voided, timestamp=at, reason=reason, provider_event=None)

    def expire(self, at: datetime) -> None:
        """End it at its deadline. Before that, and once it has ended, nothing is recorded."""
        if self.state == "sent" and self.is_late(at):
            self.trigger_event(self.Expired, timestamp=at, provider_event=None)

    def purge(self, at: datetime, *, announced: bool = False) -> None:
        """Destroy what is personal, at once if the envelope was never completed. A completed one is purged at the end
        of its time, or two weeks after that was *announced*: then the first call only announces it. Raises
        WrongState."""
        if self.state == "purged":
            return
        self.check_can_end()
        if self.can_be_purged(at):
            self.trigger_event(self.Purged, timestamp=at)
            return
        assert self.retain_until is not None
        if not announced:
            raise WrongState(f"This envelope is kept until {ids.aureum_time(self.retain_until)}.")
        if self.purge_at is None:
            purge_at = min(self.retain_until, at + PURGE_NOTICE)
            self.trigger_event(self.PurgeAnnounced, timestamp=at, purge_at=ids.aureum_time(purge_at))

    def erase(self, at: datetime) -> None:
        """As ``purge``, for those who erase a person. Raises WrongState."""
        self.purge(at)

    def act_by_the_clock(self, at: datetime) -> None:
        """What is due at *at*: the envelope expires, or recipients are reminded."""
        self.expire(at)
        for one in list(self.recipients.values()):
            due = self.next_reminder(one)
            if due is not None and due <= at and self.is_open(at):
                self.remind(one.id, at, by_itself=True)
