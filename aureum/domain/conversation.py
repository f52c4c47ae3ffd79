"""The conversation of a client with the brokerage: messages of both sides, and which of them the other side has read.

A message's number is the version of its event. A side that answers has read what the other one wrote before.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, PersonErased
from aureum.domain.errors import Invalid, TooMany, WrongState
from aureum.domain.of_contact import CLIENT, STAFF, OfContact

LONGEST = 10_000
"""Characters of a message."""

MOST = 5_000
"""The limit for one conversation, because each command loads all of it."""

DAY = timedelta(days=1)

FROM_CLIENT_A_DAY = 100
"""Messages of one client in 24 hours."""

BLANK = "text must not be blank."
TOO_LONG = f"text must have at most {LONGEST:,} characters."
FULL = f"There are {MOST:,} messages, which is the limit. Call or mail instead."


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message. ``author`` is the user who wrote it, None for a client or a key. ``read_at`` is when the other side
    read it."""

    number: int
    sender: str
    author: UUID | None
    text: str
    at: datetime
    read_at: datetime | None


class Conversation(OfContact):
    """The aggregate. ``messages`` are by number, the oldest first; ``waiting`` are by side the numbers of those that it
    has not read."""

    NAME: ClassVar[str] = "conversation"

    messages: dict[int, Message]
    waiting: dict[str, list[int]]

    def __init__(self) -> None:
        """Begun.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a conversation's events."""

    class Begun(Event, OfContact.Begun):
        """The first message was written."""

        TOPIC: ClassVar[str] = "conversation.begun"

    class MessageSent(Event):
        """One side wrote to the other. ``author`` is the user, None for the client or a key."""

        TOPIC: ClassVar[str] = "conversation.message_sent"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("text",))

        sender: str
        author: UUID | None
        text: str

        def apply(self, aggregate: "Conversation") -> None:
            aggregate.mark_read(self.sender, self.timestamp)
            aggregate.waiting[STAFF if self.sender == CLIENT else CLIENT].append(self.originator_version)
            aggregate.messages[self.originator_version] = Message(
                number=self.originator_version,
                sender=self.sender,
                author=self.author,
                text=self.text,
                at=self.timestamp,
                read_at=None,
            )

    class Read(Event):
        """A side has read all that the other one had written."""

        TOPIC: ClassVar[str] = "conversation.read"

        by: str

        def apply(self, aggregate: "Conversation") -> None:
            aggregate.mark_read(self.by, self.timestamp)

    class Erased(Event, PersonErased):
        """The person was erased."""

        TOPIC: ClassVar[str] = "conversation.erased"

    def begun(self) -> None:
        self.messages = {}
        self.waiting = {CLIENT: [], STAFF: []}

    def mark_read(self, by: str, at: datetime) -> None:
        """Assign to what the other side wrote that it was read. Called by events."""
        for number in self.waiting[by]:
            self.messages[number] = replace(self.messages[number], read_at=at)
        self.waiting[by] = []

    def unread(self, by: str) -> int:
        """How many messages of the other side this one has not read."""
        return len(self.waiting[by])

    def send(self, sender: str, text: str, at: datetime, author: UUID | None = None) -> None:
        """Write to the other side. Raises Invalid, WrongState, TooMany."""
        check_text(text)
        if len(self.messages) >= MOST:
            raise WrongState(FULL)
        if sender == CLIENT:
            today = [one.at for one in self.messages.values() if one.sender == CLIENT and one.at > at - DAY]
            if len(today) >= FROM_CLIENT_A_DAY:
                raise TooMany(today[-FROM_CLIENT_A_DAY] + DAY)
        self.trigger_event(self.MessageSent, timestamp=at, sender=sender, author=author, text=text)

    def read(self, by: str, at: datetime) -> None:
        """A side has read everything. Nothing unread, nothing is recorded."""
        if self.unread(by):
            self.trigger_event(self.Read, timestamp=at, by=by)

    def erase(self, at: datetime) -> None:
        """The person is erased; once."""
        if not self.erased:
            self.trigger_event(self.Erased, timestamp=at)


def check_text(text: str) -> None:
    """Raises Invalid for what is no message."""
    if not text.strip():
        raise Invalid("text", BLANK)
    if len(text) > LONGEST:
        raise Invalid("text", TOO_LONG)
