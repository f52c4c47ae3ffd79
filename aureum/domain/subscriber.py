"""A subscriber of a brokerage's newsletter. Every consent is on record, and so is every withdrawal."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created, PersonErased
from aureum.domain.ids import aureum_time

DETAILS = ("email", "first_name")
"""What is personal."""


class Subscriber(Aggregate):
    """The aggregate. ``source_domain`` is the site on which the latest consent was given; ``merged_into`` is the
    subscriber that this one became a part of, another spelling of the same address."""

    email: str
    first_name: str | None
    interests: tuple[str, ...]
    subscribed: bool
    source_domain: str | None
    merged_into: UUID | None
    suspect: bool
    """Whether all requests so far seem to come from programs."""

    def __init__(self) -> None:
        """Subscribed.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a subscriber's events."""

    class Subscribed(Event, Created):
        """An address asked for the newsletter for the first time."""

        TOPIC: ClassVar[str] = "subscriber.subscribed"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(DETAILS)

        email: str
        first_name: str | None
        interests: tuple[str, ...]
        source_domain: str | None

        def apply(self, aggregate: "Subscriber") -> None:
            aggregate.email = self.email
            aggregate.first_name = self.first_name
            aggregate.interests = self.interests
            aggregate.source_domain = self.source_domain
            aggregate.subscribed = True
            aggregate.merged_into = None
            aggregate.suspect = False

    class Doubted(Event, Created):
        """A program seems to have asked for an address that was not known: it gets nothing until a person asks."""

        TOPIC: ClassVar[str] = "subscriber.doubted"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(DETAILS)

        email: str
        first_name: str | None
        interests: tuple[str, ...]
        source_domain: str | None

        def apply(self, aggregate: "Subscriber") -> None:
            aggregate.email = self.email
            aggregate.first_name = self.first_name
            aggregate.interests = self.interests
            aggregate.source_domain = self.source_domain
            aggregate.subscribed = False
            aggregate.merged_into = None
            aggregate.suspect = True

    class Suspected(Event):
        """A program seems to have asked for an address that is known: nothing changes."""

        TOPIC: ClassVar[str] = "subscriber.suspected"

        def apply(self, aggregate: "Subscriber") -> None:
            """Nothing to assign."""

    class United(Event, Created):
        """Subscribers whose addresses are spellings of one became this one. ``since`` and ``consented_at`` are the
        times of the first and the latest consent, as the Aureum API writes them."""

        TOPIC: ClassVar[str] = "subscriber.united"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(DETAILS)

        email: str
        first_name: str | None
        interests: tuple[str, ...]
        source_domain: str | None
        subscribed: bool
        since: str
        consented_at: str

        def apply(self, aggregate: "Subscriber") -> None:
            aggregate.email = self.email
            aggregate.first_name = self.first_name
            aggregate.interests = self.interests
            aggregate.source_domain = self.source_domain
            aggregate.subscribed = self.subscribed
            aggregate.merged_into = None
            aggregate.suspect = False

    class Merged(Event):
        """The subscriber goes on as another one, *into*, whose address is a spelling of the same."""

        TOPIC: ClassVar[str] = "subscriber.merged"

        into: UUID

        def apply(self, aggregate: "Subscriber") -> None:
            aggregate.subscribed = False
            aggregate.merged_into = self.into

    class Consented(Event):
        """A subscriber asked once more. The name and interests are those that hold from now on."""

        TOPIC: ClassVar[str] = "subscriber.consented"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("first_name",))

        first_name: str | None
        interests: tuple[str, ...]
        source_domain: str | None

        def apply(self, aggregate: "Subscriber") -> None:
            aggregate.first_name = self.first_name
            aggregate.interests = self.interests
            aggregate.source_domain = self.source_domain

    class Resubscribed(Event):
        """A former subscriber asked again. The name and interests are those that hold from now on."""

        TOPIC: ClassVar[str] = "subscriber.resubscribed"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("first_name",))

        first_name: str | None
        interests: tuple[str, ...]
        source_domain: str | None

        def apply(self, aggregate: "Subscriber") -> None:
            aggregate.first_name = self.first_name
            aggregate.interests = self.interests
            aggregate.source_domain = self.source_domain
            aggregate.subscribed = True
            aggregate.suspect = False

    class Unsubscribed(Event):
        """No more newsletters."""

        TOPIC: ClassVar[str] = "subscriber.unsubscribed"

        def apply(self, aggregate: "Subscriber") -> None:
            aggregate.subscribed = False

    class Erased(Event, PersonErased):
        """The person was erased."""

        TOPIC: ClassVar[str] = "subscriber.erased"

    @classmethod
    def subscribe(
        cls,
        subscriber_id: UUID,
        at: datetime,
        *,
        email: str,
        first_name: str | None,
        interests: Iterable[str],
        source_domain: str | None,
        suspect: bool = False,
    ) -> "Subscriber":
        """A new subscriber; *email* has been checked already. A *suspect* is not subscribed."""
        return cls._create(
            cls.Doubted if suspect else cls.Subscribed,
            id=subscriber_id,
            timestamp=at,
            email=email,
            first_name=first_name,
            interests=tuple(dict.fromkeys(interests)),
            source_domain=source_domain,
        )

    @classmethod
    def unite(cls, subscriber_id: UUID, at: datetime, parts: Sequence["Subscriber"]) -> "Subscriber":
        """One subscriber of *parts*, of which there is one at least. Who unsubscribed under one spelling of the address
        has unsubscribed; name, interests and spelling are those of the latest."""
        latest = max(parts, key=lambda part: part.modified_on)
        return cls._create(
            cls.United,
            id=subscriber_id,
            timestamp=at,
            email=latest.email,
            first_name=latest.first_name,
            interests=latest.interests,
            source_domain=latest.source_domain,
            subscribed=all(part.subscribed for part in parts if not part.suspect) and not all(p.suspect for p in parts),
            since=aureum_time(min(part.created_on for part in parts)),
            consented_at=aureum_time(latest.modified_on),
        )

    def merge(self, into: UUID, at: datetime) -> None:
        """Go on as *into*; once."""
        if self.merged_into is None:
            self.trigger_event(self.Merged, timestamp=at, into=into)

    def subscribe_again(
        self,
        at: datetime,
        *,
        first_name: str | None,
        interests: Iterable[str],
        source_domain: str | None,
        suspect: bool = False,
    ) -> None:
        """Ask once more: always one event, so that a known address is as much work as a new one. That of a *suspect*
        changes nothing.

        No *first_name* and no *interests* mean those that are known.
        """
        if suspect:
            self.trigger_event(self.Suspected, timestamp=at)
            return
        self.trigger_event(
            self.Consented if self.subscribed else self.Resubscribed,
            timestamp=at,
            first_name=self.first_name if first_name is None else first_name,
            interests=tuple(dict.fromkeys(interests)) or self.interests,
            source_domain=source_domain,
        )

    def unsubscribe(self, at: datetime) -> None:
        """Unsubscribing twice is the same success."""
        if self.subscribed:
            self.trigger_event(self.Unsubscribed, timestamp=at)

    def erase(self, at: datetime) -> None:
        """The person is erased; once."""
        if not self.erased:
            self.trigger_event(self.Erased, timestamp=at)
