"""What an envelope is judged by: turn, deadline, who may read and act, what is missing, and what the clock does."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from aureum.domain.emails import one_form
from aureum.domain.envelope_events import EnvelopeEvents
from aureum.domain.envelope_parts import LONGEST_VALUE, SENT_TO, Recipient, Signature
from aureum.domain.errors import Invalid, NotFound, WrongState
from aureum.domain.ids import id_of_bytes

STATES = ("draft", "sent", "completing", "completed", "declined", "voided", "expired")
"""A purged envelope is in no list, so that no one asks for that state."""

PROVIDERS = ("built_in", "docusign")
ENDED = ("declined", "voided", "expired")

DEADLINE_DAYS = 30
MOST_DAYS = 120
LONGEST_SUBJECT = 200
LONGEST_MESSAGE = 5_000
LONGEST_REASON = 1_000
REMIND_AFTER_DAYS = (3, 7)

FRESH = timedelta(minutes=15)
"""How old the sign-in behind a signature may be."""

BETWEEN_REMINDERS = timedelta(days=1)
REMINDED_FOR = timedelta(days=30)
PURGE_NOTICE = timedelta(days=14)

MADE = frozenset(("date", "name", "signature"))
"""The kinds of fields that the act of signing fills in, if the signer does not."""

NO_RECIPIENT = "There is no such recipient."
NO_DOCUMENT = "There is no such document."
NO_TURN = "It is not your turn yet: others sign first. You get a mail as soon as you can sign."
IS_OVER = "The deadline of these documents has passed. Ask the sender for more time."
NOT_A_DRAFT = "This envelope was sent, so it cannot be changed. Void it and send a new one."
NOT_SENT = "This envelope is {state}, so this cannot be done."
AT_PROVIDER = "These documents are signed at DocuSign. Open them there."
VOID_FIRST = "This envelope was sent and is not finished. Void it first."


class NotAsShown(WrongState):
    """The documents are not those that you were shown. Read them again."""


class SignInTooOld(WrongState):
    """You proved your address more than 15 minutes ago. Ask for a new code, then sign."""


class EnvelopeRules(EnvelopeEvents):
    """The state of an envelope, and what follows from it."""

    def __init__(self) -> None:
        """Drafted.apply assigns everything. Without this the library would give the first event other fields."""

    @property
    def kept_documents(self) -> Collection[UUID]:
        """The ids of all bytes that belong to it: what was uploaded, what was sealed, and pictures of signatures."""
        if self.erased:
            return ()
        sealed = (id_of_bytes(document_id, one.sha256) for document_id, one in self.sealed.items())
        signatures = (one.signature for one in self.recipients.values() if one.signature is not None)
        pictures = (one.image_id for one in signatures if one.image_id is not None)
        return {*self.documents, *sealed, *pictures}

    @property
    def shared(self) -> bool:
        """Whether all staff see it: it belongs to a contact, and to no lead."""
        return self.contact_id is not None and self.lead_id is None

    def due_at(self) -> datetime | None:
        """When the clock next does something: a reminder, the deadline, the end of the time for which it is kept."""
        if self.state == "sent":
            reminders = (self.next_reminder(one) for one in self.recipients.values())
            return min(moment for moment in (self.deadline, *reminders) if moment is not None)
        return (self.purge_at or self.retain_until) if self.state == "completed" else None

    def next_reminder(self, one: Recipient) -> datetime | None:
        """When the worker next reminds the recipient, if ever."""
        after = self.remind_after_days
        if self.state != "sent" or one.invited_at is None or one.state not in ("invited", "viewed", "consented"):
            return None
        if one.reminders >= len(after):
            return None
        due = one.invited_at + timedelta(days=after[one.reminders])
        if one.reminded_at is not None:
            # Staff may have just reminded the person.
            due = max(due, one.reminded_at + BETWEEN_REMINDERS)
        return due if due <= one.invited_at + REMINDED_FOR else None

    def recipient(self, recipient_id: UUID) -> Recipient:
        """Raises NotFound."""
        one = self.recipients.get(recipient_id)
        if one is None:
            raise NotFound(NO_RECIPIENT)
        return one

    def recipient_of(self, address: str) -> Recipient:
        """The recipient with this address in any spelling: who the client is here. Raises NotFound."""
        wanted = one_form(address)
        for one in self.recipients.values():
            if one.state != "reassigned" and one_form(one.email) == wanted and self.state != "draft":
                return one
        raise NotFound(NO_RECIPIENT)

    def may_read(self, one: Recipient) -> bool:
        """Whether the recipient may have the documents: once the own turn has come, and of a copy once all is done."""
        return self.state == "completed" or (one.invited_at is not None and one.state != "reassigned")

    def is_turn_of(self, one: Recipient) -> bool:
        """Whether all who sign before have signed."""
        others = (other for other in self.recipients.values() if other.signs)
        return not self.in_order or all(other.state == "signed" for other in others if other.order < one.order)

    def is_late(self, at: datetime) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and at >= self.deadline

    def is_open(self, at: datetime) -> bool:
        """Whether recipients may act."""
        return self.state == "sent" and not self.is_late(at)

    def can_be_purged(self, at: datetime) -> bool:
        """Whether nothing requires that it is kept."""
        if self.state == "completed":
            return any(moment is not None and at >= moment for moment in (self.retain_until, self.purge_at))
        return self.state in ("draft", *ENDED)

    def check_draft(self) -> None:
        """Raises WrongState."""
        if self.state != "draft":
            raise WrongState(NOT_A_DRAFT)

    def check_open(self, at: datetime) -> None:
        """Raises WrongState."""
        if self.state != "sent":
            raise WrongState(NOT_SENT.format(state=self.state))
        if self.is_late(at):
            raise WrongState(IS_OVER)

    def check_acts(self, one: Recipient, at: datetime) -> None:
        """Raises WrongState unless the recipient may sign now, here."""
        self.check_open(at)
        if one.role != "signer" or one.state not in SENT_TO:
            raise WrongState(
                NO_TURN if one.state == "waiting" and one.role == "signer" else "You have nothing to sign."
            )
        if not self.is_turn_of(one):
            raise WrongState(NO_TURN)
        if self.provider == "docusign":
            raise WrongState(AT_PROVIDER)

    def check_may_read(self, one: Recipient) -> None:
        """Raises WrongState."""
        if not self.may_read(one):
            raise WrongState(NO_TURN if one.role == "signer" else "You get these documents once all have signed.")

    def check_can_end(self) -> None:
        """Raises WrongState for what others may still sign."""
        if self.state in ("sent", "completing"):
            raise WrongState(VOID_FIRST)

    def check_address_is_free(self, email: str) -> None:
        """Raises Invalid: an address is one recipient, since the portal knows clients by their addresses."""
        used = {one_form(one.email) for one in self.recipients.values() if one.state != "reassigned"}
        if one_form(email) in used:
            raise Invalid("email", f"{email} is a recipient of this envelope already. Each one needs its own address.")

    def check_can_be_sent(self) -> None:
        """Raises Invalid with what is missing."""
        if not self.documents:
            raise Invalid("documents", "The envelope has no document. Attach a PDF first.")
        signers = [one for one in self.recipients.values() if one.role == "signer"]
        if not signers:
            raise Invalid("recipients", "The envelope has no signer. Add one first.")
        for one in signers:
            if not any(field.recipient_id == one.id and field.kind == "signature" for field in self.fields):
                raise Invalid("fields", f"{one.name} has no signature field. Place one first.")
        for field in self.fields:
            document = self.documents[field.document_id]
            if field.anchor is not None and field.anchor not in document.anchors:
                raise Invalid("fields", f"The anchor {field.anchor} does not stand in {document.name}.")

    def check_values(self, one: Recipient, values: Mapping[UUID, str]) -> None:
        """Raises Invalid unless the values are those of the signer's fields, and none is missing."""
        own = {field.id: field for field in self.fields if field.recipient_id == one.id}
        for field_id, value in values.items():
            if field_id not in own:
                raise Invalid("values", "A value must be of one of your own fields.")
            if len(value) > LONGEST_VALUE:
                raise Invalid("values", f"A value must have at most {LONGEST_VALUE} characters.")
            if own[field_id].kind == "checkbox" and value not in ("true", "false"):
                raise Invalid("values", "The value of a checkbox must be true or false.")
        for field in own.values():
            value = values.get(field.id, "").strip()
            if field.required and field.kind not in MADE and value in ("", "false"):
                raise Invalid("values", f"Fill in the field {field.label or field.kind} first.")


def cut(reason: str | None) -> str | None:
    """A reason that a provider gives, at most as long as ours are."""
    return None if reason is None else reason[:LONGEST_REASON]


def check_reason(reason: str | None) -> None:
    """Raises Invalid."""
    if reason is not None and len(reason) > LONGEST_REASON:
        raise Invalid("reason", f"reason must have at most {LONGEST_REASON} characters.")


def check_signature(signature: Signature) -> None:
    """Raises Invalid unless it is typed or drawn."""
    if signature.method == "typed":
        if not (signature.typed or "").strip() or len(signature.typed or "") > 200:
            raise Invalid("typed", "Type your name, with at most 200 characters.")
    elif signature.method != "drawn" or signature.image_id is None or signature.image_sha256 is None:
        raise Invalid("method", "method must be typed, or drawn with a picture.")


def check_settings(values: Mapping[str, Any]) -> None:
    """Raises Invalid for the first that breaks a rule; those that are not there break none."""
    if "subject" in values and not (values["subject"] or "").strip():
        raise Invalid("subject", "subject must not be blank.")
    if len(values.get("subject") or "") > LONGEST_SUBJECT:
        raise Invalid("subject", f"subject must have at most {LONGEST_SUBJECT} characters.")
    if len(values.get("message") or "") > LONGEST_MESSAGE:
        raise Invalid("message", f"message must have at most {LONGEST_MESSAGE} characters.")
    if values.get("provider", "built_in") not in PROVIDERS:
        raise Invalid("provider", f"provider must be one of: {', '.join(PROVIDERS)}.")
    if not 1 <= values.get("deadline_days", DEADLINE_DAYS) <= MOST_DAYS:
        raise Invalid("deadlineDays", f"deadlineDays must be from 1 to {MOST_DAYS}.")
