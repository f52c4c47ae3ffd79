"""A webhook endpoint: a URL of the brokerage's other systems, and the events that it wants to hear of."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.errors import Invalid

EVENTS = (
    "lead.created",
    "lead.updated",
    "contact.created",
    "contact.updated",
    "property.created",
    "property.updated",
    "showing.created",
    "showing.updated",
    "task.created",
    "task.completed",
)
"""The ten of the Aureum API document."""


class WebhookEndpoint(Aggregate):
    """The aggregate. ``secret`` is encrypted at rest like a person's data, with a key of this stream."""

    url: str
    events: tuple[str, ...]
    secret: str

    def __init__(self) -> None:
        """Registered.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of an endpoint's events."""

    class Registered(Event, Created):
        """The brokerage wants to be told from now on."""

        TOPIC: ClassVar[str] = "webhook_endpoint.registered"
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("secret",))

        url: str
        events: tuple[str, ...]
        secret: str

        def apply(self, aggregate: "WebhookEndpoint") -> None:
            aggregate.url = self.url
            aggregate.events = self.events
            aggregate.secret = self.secret

    @classmethod
    def register(
        cls, endpoint_id: UUID, at: datetime, *, url: str, events: tuple[str, ...], secret: str
    ) -> "WebhookEndpoint":
        """A new endpoint; *url* has been checked already. Raises Invalid."""
        unknown = sorted(set(events) - set(EVENTS))
        if unknown or not events:
            raise Invalid("events", f"events must be some of: {', '.join(EVENTS)}.")
        unique = tuple(dict.fromkeys(events))
        return cls._create(cls.Registered, id=endpoint_id, timestamp=at, url=url, events=unique, secret=secret)
