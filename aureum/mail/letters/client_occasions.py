"""The occasions for letters around a client: a message of either side, a listing that was sent, an address that the
client has replaced. Pure.

A conversation sends so many mails a day and no more: what is written after that stands in the portal and on the
contact's page alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from aureum.commands.portal.moving import COMMAND as MOVED
from aureum.domain.aggregate import ERASED
from aureum.domain.contact import Contact
from aureum.domain.conversation import Conversation
from aureum.domain.of_contact import OfContact
from aureum.domain.shortlist import Shortlist
from aureum.store.event_store import Recorded

DAY = timedelta(days=1)

MAILS_A_DAY = 30
"""Of one side of a conversation, and of listings for one client, in 24 hours."""


@dataclass(frozen=True, slots=True)
class Written:
    """A message in the conversation of this contact. ``sender`` is the side that wrote it, ``author`` the user."""

    stream_id: UUID
    contact_id: UUID
    position: int
    at: datetime
    sender: str
    author: UUID | None
    text: str


@dataclass(frozen=True, slots=True)
class ListingSent:
    """A listing was sent to this contact, by a user if not by a key."""

    stream_id: UUID
    contact_id: UUID
    position: int
    at: datetime
    property_id: UUID
    note: str | None
    sent_by: UUID | None


@dataclass(frozen=True, slots=True)
class AddressReplaced:
    """The client of this contact has another address than ``former``."""

    stream_id: UUID
    contact_id: UUID
    position: int
    at: datetime
    former: str


OfClient = Written | ListingSent | AddressReplaced


def replaces_address(topic: str, metadata: bytes) -> bool:
    """Whether an event of this type is one by which a client has replaced the client's own address."""
    return topic == Contact.DetailsChanged.TOPIC and MOVED.encode() in metadata


def address_replaced(record: Recorded, contact: Contact, former: str | None) -> Iterator[AddressReplaced]:
    """What is to be written to the address that the *contact* had before the event, if the client replaced it."""
    event = record.event
    if not isinstance(event, Contact.DetailsChanged) or record.metadata.get("command") != MOVED:
        return
    if former and ERASED not in (former, contact.email):
        yield AddressReplaced(contact.id, contact.id, record.position, event.timestamp, former)


def of_client(record: Recorded, aggregate: OfContact) -> Iterator[OfClient]:
    """What one event has made of its *aggregate* to write about."""
    event = record.event
    about = (aggregate.id, aggregate.contact_id, record.position, event.timestamp)
    match event:
        case Conversation.MessageSent() if isinstance(aggregate, Conversation) and event.text != ERASED:
            times = [one.at for one in aggregate.messages.values() if one.sender == event.sender]
            if within_a_day(times, event.timestamp) <= MAILS_A_DAY:
                yield Written(*about, event.sender, event.author, event.text)
        case Shortlist.ListingSent() if isinstance(aggregate, Shortlist) and event.note != ERASED:
            # Sent again with another note is no news.
            if aggregate.entries[event.property_id].number == event.originator_version:
                times = [one.at for one in aggregate.entries.values()]
                if within_a_day(times, event.timestamp) <= MAILS_A_DAY:
                    yield ListingSent(*about, event.property_id, event.note, event.sent_by)


def within_a_day(times: list[datetime], now: datetime) -> int:
    """How many of *times* are of the last 24 hours."""
    return sum(one > now - DAY for one in times)
