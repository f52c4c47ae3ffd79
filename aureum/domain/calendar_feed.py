"""A calendar feed: the address at which a user's calendar reads the user's showings. Only the hash of its secret is
kept. A user has one at a time."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID, uuid5

from aureum.domain.aggregate import Aggregate, Created

NAME = "calendar feed"


def feed_of(user_id: UUID) -> UUID:
    """The id of the user's feed: two requests at the same moment make one."""
    return uuid5(user_id, NAME)


class CalendarFeed(Aggregate):
    """The aggregate. ``details``: whether it also tells who comes, and how to reach them."""

    user_id: UUID
    token_hash: str
    details: bool
    revoked: bool

    def __init__(self) -> None:
        """Opened.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a feed's events."""

    class Opened(Event, Created):
        """The user got the first address. *token_hash* is the SHA-256 of its secret in hex."""

        TOPIC: ClassVar[str] = "calendar_feed.opened"
        SECRET: ClassVar[frozenset[str]] = frozenset(("token_hash",))

        user_id: UUID
        token_hash: str
        details: bool

        def apply(self, aggregate: "CalendarFeed") -> None:
            aggregate.user_id = self.user_id
            aggregate.token_hash = self.token_hash
            aggregate.details = self.details
            aggregate.revoked = False

    class Renewed(Event):
        """The user got another address. The one before is dead."""

        TOPIC: ClassVar[str] = "calendar_feed.renewed"
        SECRET: ClassVar[frozenset[str]] = frozenset(("token_hash",))

        token_hash: str
        details: bool

        def apply(self, aggregate: "CalendarFeed") -> None:
            aggregate.token_hash = self.token_hash
            aggregate.details = self.details
            aggregate.revoked = False

    class Revoked(Event):
        """The address is dead."""

        TOPIC: ClassVar[str] = "calendar_feed.revoked"

        def apply(self, aggregate: "CalendarFeed") -> None:
            aggregate.revoked = True

    @classmethod
    def open(cls, user_id: UUID, at: datetime, *, token_hash: str, details: bool) -> "CalendarFeed":
        """The first feed of a user."""
        return cls._create(
            cls.Opened, id=feed_of(user_id), timestamp=at, user_id=user_id, token_hash=token_hash, details=details
        )

    def renew(self, at: datetime, *, token_hash: str, details: bool) -> None:
        """Another address, also after the last one was revoked."""
        self.trigger_event(self.Renewed, timestamp=at, token_hash=token_hash, details=details)

    def revoke(self, at: datetime) -> None:
        """Revoking twice is the same success."""
        if not self.revoked:
            self.trigger_event(self.Revoked, timestamp=at)
