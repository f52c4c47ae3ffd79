"""A rehearsal of other routing settings: a durable job that routes past leads again and changes nothing."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.ids import aureum_time
from aureum.domain.routing import settings as routing_settings
from aureum.domain.routing.settings import Routing


class RoutingRehearsal(Aggregate):
    """The aggregate. ``since`` and ``until`` are positions of the tenant's log, both included; ``since_time`` is the
    moment that was asked for. What comes of it stands with the job."""

    routing: Routing
    since: int
    until: int
    since_time: datetime
    cancelled: bool

    def __init__(self) -> None:
        """Requested.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a rehearsal's events."""

    class Requested(Event, Created):
        """Staff want to know what these settings would have done."""

        TOPIC: ClassVar[str] = "routing_rehearsal.requested"

        settings: dict[str, Any]
        since: int
        until: int
        since_time: str

        def apply(self, aggregate: "RoutingRehearsal") -> None:
            aggregate.routing = routing_settings.from_json(self.settings)
            aggregate.since = self.since
            aggregate.until = self.until
            aggregate.since_time = datetime.fromisoformat(self.since_time)
            aggregate.cancelled = False

    class Cancelled(Event):
        """Staff no longer want to know it."""

        TOPIC: ClassVar[str] = "routing_rehearsal.cancelled"

        def apply(self, aggregate: "RoutingRehearsal") -> None:
            aggregate.cancelled = True

    @classmethod
    def request(
        cls, rehearsal_id: UUID, at: datetime, *, routing: Routing, since: int, until: int, since_time: datetime
    ) -> "RoutingRehearsal":
        """A new job. Raises Invalid."""
        return cls._create(
            cls.Requested,
            id=rehearsal_id,
            timestamp=at,
            settings=routing_settings.to_json(routing_settings.check(routing)),
            since=max(since, 1),
            until=until,
            since_time=aureum_time(since_time),
        )

    def cancel(self, at: datetime) -> None:
        """Cancelling twice is the same success."""
        if not self.cancelled:
            self.trigger_event(self.Cancelled, timestamp=at)
