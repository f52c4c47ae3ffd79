"""A test of an endpoint: a signed sample of one event is sent to it, once."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created


class WebhookPing(Aggregate):
    """The aggregate: which endpoint, and of which event it gets a sample. It has no other event than its first."""

    endpoint_id: UUID
    event: str

    def __init__(self) -> None:
        """Requested.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a test's events."""

    class Requested(Event, Created):
        """The projector makes the sample and its delivery; its position is that of this event."""

        TOPIC: ClassVar[str] = "webhook_ping.requested"

        endpoint_id: UUID
        event: str

        def apply(self, aggregate: "WebhookPing") -> None:
            aggregate.endpoint_id = self.endpoint_id
            aggregate.event = self.event

    @classmethod
    def request(cls, ping_id: UUID, at: datetime, *, endpoint_id: UUID, event: str) -> "WebhookPing":
        """A new test."""
        return cls._create(cls.Requested, id=ping_id, timestamp=at, endpoint_id=endpoint_id, event=event)
