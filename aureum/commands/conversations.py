"""Messages between a client and the brokerage: written by either side, and read."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aureum.commands.of_contacts import Around, change_around
from aureum.domain.conversation import Conversation
from aureum.domain.of_contact import STAFF
from aureum.store.event_store import Appended, EventStore, Idempotency
from aureum.store.metadata import Origin


@dataclass(frozen=True, kw_only=True)
class SendMessage:
    """A message of one side (``aureum.domain.conversation.SIDES``). ``author`` is the user, None for a client or a
    key."""

    tenant_id: UUID
    contact_id: UUID
    text: str
    sender: str = STAFF
    author: UUID | None = None


async def send_message(
    store: EventStore, command: SendMessage, origin: Origin, *, idempotency: Idempotency | None = None
) -> tuple[Around[Conversation], Appended]:
    """The conversation, whose newest message is this one. A side that writes has read what the other one wrote.

    Raises NotFound, Invalid, WrongState, TooMany, Conflict, and what ``EventStore.append`` raises.
    """

    def decide(conversations: Around[Conversation], own: Conversation, at: datetime) -> None:
        for one in conversations.kept:
            if one is not own:
                one.read(command.sender, at)
        own.send(command.sender, command.text, at, command.author)

    return await change_around(
        store,
        command.tenant_id,
        command.contact_id,
        Conversation,
        decide,
        by=command.sender,
        command="SendMessage",
        origin=origin,
        idempotency=idempotency,
    )


async def read_messages(
    store: EventStore,
    tenant_id: UUID,
    contact_id: UUID,
    by: str,
    origin: Origin,
    *,
    idempotency: Idempotency | None = None,
) -> tuple[Around[Conversation], Appended]:
    """The side *by* has read all that the other one wrote. Reading twice is the same success.

    Raises NotFound, Conflict, and what ``EventStore.append`` raises.
    """

    def decide(conversations: Around[Conversation], _: Conversation, at: datetime) -> None:
        for one in conversations.kept:
            one.read(by, at)

    return await change_around(
        store,
        tenant_id,
        contact_id,
        Conversation,
        decide,
        by=by,
        command="ReadMessages",
        origin=origin,
        idempotency=idempotency,
    )
