"""How envelopes end: completed by the worker, voided by the sender, purged; and what a provider tells of those that are
signed there. ``clock`` lets them expire."""

from datetime import datetime
from functools import partial
from uuid import UUID

from aureum.commands.conflicts import deciding_again
from aureum.commands.envelopes.drafting import NO_ENVELOPE, EnvelopeRef, changed
from aureum.commands.envelopes.settings import signing_settings
from aureum.commands.erasing_streams import erase_streams
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Sealed
from aureum.domain.errors import NotFound, StaleVersion
from aureum.store.event_store import Appended, EventStore, Idempotency
from aureum.store.metadata import Actor, Origin

DOCUSIGN = Actor("system", "docusign")
SIGNING = Actor("system", "signing")


class CompleteEnvelope(EnvelopeRef):
    """All have signed, and the worker has sealed each document: by its id. ``certificate_sha256`` is None where the
    provider has sealed them."""

    documents: dict[UUID, Sealed]
    certificate_sha256: str | None = None
    provider_event: str | None = None


class VoidEnvelope(EnvelopeRef):
    """Withdraw what was sent."""

    reason: str | None = None


class PurgeEnvelope(EnvelopeRef):
    """Destroy what is personal. ``announce``: an owner asks for it before the time for which it is kept is over."""

    announce: bool = False


class LinkProvider(EnvelopeRef):
    """The provider has taken the envelope, and calls it ``provider_id``."""

    provider_id: str


class RecordProviderStatus(EnvelopeRef):
    """What DocuSign tells, under its own id of the event: see ``Envelope.record_provider_status``."""

    event_id: str
    status: str
    recipient_id: UUID | None = None
    reason: str | None = None


async def complete_envelope(
    store: EventStore, command: CompleteEnvelope, origin: Origin | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, completed; the first time counts. Raises NotFound, Invalid, WrongState, Conflict, and what
    ``EventStore.append`` raises."""
    years = (await signing_settings(store, command.tenant_id)).retain_years

    def decide(envelope: Envelope, at: datetime) -> None:
        envelope.complete(
            command.documents,
            command.certificate_sha256,
            years_later(at, years),
            at,
            provider_event=command.provider_event,
        )

    return await changed(store, command, decide, "CompleteEnvelope", origin or Origin(SIGNING))


async def void_envelope(
    store: EventStore, command: VoidEnvelope, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, voided; twice is the same success, and one event. Raises NotFound, Invalid, WrongState, Conflict,
    and what ``EventStore.append`` raises."""
    return await changed(
        store, command, lambda envelope, at: envelope.void(command.reason, at), "VoidEnvelope", origin, idempotency
    )


async def purge_envelope(
    store: EventStore, command: PurgeEnvelope, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, purged; twice is the same success, and one event. Or, if it is completed and still to be kept, the
    envelope with the moment at which it will be. Raises NotFound, StaleVersion, WrongState, Conflict, Busy, and what
    ``EventStore.append`` raises."""
    envelope = (await store.load(command.tenant_id, command.envelope_id)).aggregate()
    if not isinstance(envelope, Envelope):
        raise NotFound(NO_ENVELOPE)
    if not envelope.erased and envelope.can_be_purged(ids.now()):
        if command.expected_versions is not None and envelope.version not in command.expected_versions:
            raise StaleVersion
        subjects = [command.envelope_id]
        await deciding_again(
            partial(erase_streams, store, command.tenant_id, subjects, origin, command="PurgeEnvelope")
        )
        envelope = (await store.load(command.tenant_id, command.envelope_id)).aggregate()
    if envelope.erased:
        remembered = None
        if idempotency is not None:
            remembered = await store.remember(command.tenant_id, envelope, idempotency, origin)
        return envelope, Appended(None, remembered)
    return await changed(
        store,
        command,
        lambda one, at: one.purge(at, announced=command.announce),
        "PurgeEnvelope",
        origin,
        idempotency,
    )


async def link_provider(store: EventStore, command: LinkProvider) -> Envelope:
    """The envelope with the provider's id; once. Raises NotFound, WrongState, Conflict, and what ``EventStore.append``
    raises."""
    envelope, _ = await changed(
        store,
        command,
        lambda one, at: one.link_provider(command.provider_id, at),
        "LinkProvider",
        Origin(DOCUSIGN),
    )
    return envelope


async def record_provider_status(store: EventStore, command: RecordProviderStatus) -> Envelope:
    """The envelope as the provider tells; each of its events counts once. Raises NotFound, Invalid, WrongState,
    Conflict, and what ``EventStore.append`` raises."""
    envelope, _ = await changed(
        store,
        command,
        lambda one, at: one.record_provider_status(
            command.event_id, command.status, at, recipient_id=command.recipient_id, reason=command.reason
        ),
        "RecordProviderStatus",
        Origin(DOCUSIGN),
    )
    return envelope


def years_later(at: datetime, years: int) -> datetime:
    """The same day *years* later; the 28th for the 29th of February."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return at.replace(year=at.year + years, day=28)
