"""Envelopes that are sent: to the first signers, then reminders, another signer, more time."""

from datetime import datetime
from uuid import UUID

from aureum.commands.envelopes.drafting import EnvelopeRef, changed
from aureum.commands.envelopes.settings import signing_settings
from aureum.commands.references import check_links
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.store.event_store import Appended, EventStore, Idempotency
from aureum.store.metadata import Origin


class SendEnvelope(EnvelopeRef):
    """Ask the recipients to sign."""


class RemindRecipient(EnvelopeRef):
    """Send a recipient another mail."""

    recipient_id: UUID


class ReassignRecipient(EnvelopeRef):
    """Another person takes a recipient's place."""

    recipient_id: UUID
    name: str
    email: str
    contact_id: UUID | None = None
    language: str | None = None


class ExtendDeadline(EnvelopeRef):
    """Give the recipients until ``deadline``."""

    deadline: datetime


async def send_envelope(
    store: EventStore, command: SendEnvelope, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, sent; twice is the same success, and one event. Raises NotFound, Invalid with what is missing,
    WrongState, Conflict, and what ``EventStore.append`` raises."""
    remind = (await signing_settings(store, command.tenant_id)).remind_after_days
    return await changed(
        store,
        command,
        lambda envelope, at: envelope.send(at, remind_after_days=remind),
        "SendEnvelope",
        origin,
        idempotency,
    )


async def remind_recipient(
    store: EventStore, command: RemindRecipient, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, whose recipient gets another mail: at most one a day. Raises NotFound, WrongState, Conflict, and
    what ``EventStore.append`` raises."""
    return await changed(
        store,
        command,
        lambda envelope, at: envelope.remind(command.recipient_id, at),
        "RemindRecipient",
        origin,
        idempotency,
    )


async def reassign_recipient(
    store: EventStore, command: ReassignRecipient, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, with another person in the recipient's place. Raises NotFound, Invalid, WrongState, Conflict, and
    what ``EventStore.append`` raises."""
    await check_links(store, command.tenant_id, {"contact_id": command.contact_id})
    new_id = ids.new_id()
    return await changed(
        store,
        command,
        lambda envelope, at: envelope.reassign(
            command.recipient_id, new_id, command.name, command.email, command.contact_id, at, command.language
        ),
        "ReassignRecipient",
        origin,
        idempotency,
    )


async def extend_deadline(
    store: EventStore, command: ExtendDeadline, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope with its new deadline. Raises NotFound, Invalid, WrongState, Conflict, and what
    ``EventStore.append`` raises."""
    return await changed(
        store,
        command,
        lambda envelope, at: envelope.extend(command.deadline, at),
        "ExtendDeadline",
        origin,
        idempotency,
    )
