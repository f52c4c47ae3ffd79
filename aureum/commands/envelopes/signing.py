"""What recipients do in the portal. Who acts is known by the address that the client has proved, in its one form. An id
that the client sends alone opens nothing, and to all others there is no such envelope."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aureum.commands.changes import change
from aureum.commands.envelopes.drafting import NO_ENVELOPE
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_ceremony import Presence
from aureum.domain.envelope_parts import Recipient, Signature
from aureum.domain.errors import NotFound
from aureum.domain.ids import to_wire
from aureum.store.event_store import Appended, EventStore, Idempotency
from aureum.store.metadata import Actor, Origin


class SigningClient(BaseModel):
    """The client of a session of the portal: the address that was proved and when, and where the request comes from."""

    model_config = ConfigDict(frozen=True)

    address: str
    signed_in_at: datetime
    ip: str | None = None
    program: str | None = None

    @property
    def presence(self) -> Presence:
        """As the evidence has it."""
        return Presence(self.signed_in_at, self.ip, None if self.program is None else self.program[:500])


class ClientCommand(BaseModel):
    """What a client does with an envelope."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    envelope_id: UUID
    client: SigningClient
    request_id: str | None = None


class OpenDocument(ClientCommand):
    """Read the documents."""


class ConsentToRecords(ClientCommand):
    """Agree to electronic records, by this version of the text."""

    text_version: str


class SignDocument(ClientCommand):
    """Sign what was shown: the SHA-256 of each document by its id. ``values`` are by the ids of the fields."""

    shown: dict[UUID, str]
    signature: Signature
    values: dict[UUID, str] = {}


class DeclineDocument(ClientCommand):
    """Do not sign."""

    reason: str | None = None


Act = Callable[[Envelope, Recipient, Presence, datetime], None]


async def envelope_of_client(
    store: EventStore, tenant_id: UUID, envelope_id: UUID, address: str
) -> tuple[Envelope, Recipient]:
    """The envelope, and who the client is in it. Nothing is recorded. Raises NotFound."""
    envelope = (await store.load(tenant_id, envelope_id)).aggregate()
    if not isinstance(envelope, Envelope) or envelope.erased:
        raise NotFound(NO_ENVELOPE)
    return envelope, recipient_of(envelope, address)


async def open_document(
    store: EventStore, command: OpenDocument, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, opened by its recipient; the first time counts. Raises NotFound, WrongState before the turn,
    Conflict, and what ``EventStore.append`` raises."""
    return await acted(
        store, command, lambda envelope, one, presence, at: envelope.open_document(one.id, presence, at), idempotency
    )


async def consent_to_records(
    store: EventStore, command: ConsentToRecords, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, whose recipient agrees to electronic records. Raises NotFound, Invalid, WrongState, Conflict, and
    what ``EventStore.append`` raises."""
    return await acted(
        store,
        command,
        lambda envelope, one, presence, at: envelope.consent(one.id, command.text_version, presence, at),
        idempotency,
    )


async def sign_document(
    store: EventStore, command: SignDocument, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, signed by its recipient; twice is the same success, and one event. Raises NotFound, Invalid,
    NotAsShown, SignInTooOld, WrongState, Conflict, and what ``EventStore.append`` raises."""
    return await acted(
        store,
        command,
        lambda envelope, one, presence, at: envelope.sign(
            one.id, command.shown, command.signature, command.values, presence, at
        ),
        idempotency,
    )


async def decline_document(
    store: EventStore, command: DeclineDocument, *, idempotency: Idempotency | None = None
) -> tuple[Envelope, Appended]:
    """The envelope, which its recipient does not sign: it has ended. Raises NotFound, Invalid, WrongState, Conflict,
    and what ``EventStore.append`` raises."""
    return await acted(
        store,
        command,
        lambda envelope, one, presence, at: envelope.decline(one.id, command.reason, presence, at),
        idempotency,
    )


async def acted(
    store: EventStore, command: ClientCommand, act: Act, idempotency: Idempotency | None
) -> tuple[Envelope, Appended]:
    """The envelope after the client's *act*, in which the recipient is the actor."""
    _, one = await envelope_of_client(store, command.tenant_id, command.envelope_id, command.client.address)
    actor = Actor("client", to_wire(one.id))
    origin = Origin(actor) if command.request_id is None else Origin(actor, request_id=command.request_id)

    def decide(envelope: Envelope, at: datetime) -> None:
        # Another person may have been put in the client's place meanwhile.
        act(envelope, recipient_of(envelope, command.client.address), command.client.presence, at)

    return await change(
        store,
        command.tenant_id,
        command.envelope_id,
        Envelope,
        decide,
        command=type(command).__name__,
        origin=origin,
        missing=NO_ENVELOPE,
        idempotency=idempotency,
    )


def recipient_of(envelope: Envelope, address: str) -> Recipient:
    """Who the client is in the envelope. Raises NotFound, as for an envelope that is not there."""
    try:
        return envelope.recipient_of(address)
    except NotFound as error:
        raise NotFound(NO_ENVELOPE) from error
