"""A redelivery: a request to make one delivery again, at once."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created


class WebhookRedelivery(Aggregate):
    """The aggregate: which endpoint, and the position of the message. It has no other event than its first."""

    endpoint_id: UUID
    message_position: int

    def __init__(self) -> None:
        """Requested.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a redelivery's events."""

    class Requested(Event, Created):
        """The projector puts the delivery in front of the endpoint's queue, with its attempts counted from 0 again."""

        TOPIC: ClassVar[str] = "webhook_redelivery.requested"

        endpoint_id: UUID
        message_position: int

        def apply(self, aggregate: "WebhookRedelivery") -> None:
            aggregate.endpoint_id = self.endpoint_id
            aggregate.message_position = self.message_position

    @classmethod
    def request(cls, redelivery_id: UUID, at: datetime, *, endpoint_id: UUID, position: int) -> "WebhookRedelivery":
        """A new request; the caller has checked that there is such a delivery."""
        return cls._create(
            cls.Requested, id=redelivery_id, timestamp=at, endpoint_id=endpoint_id, message_position=position
        )
