"""A replay: a durable job that sends an endpoint what happened earlier, without an end to how much."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.errors import Invalid

WHICH = ("all", "failed", "missing")
"""Everything; what was given up; what was never delivered, for any reason."""


class WebhookReplay(Aggregate):
    """The aggregate. ``since`` and ``until`` are positions of the tenant's log, both included.

    ``events`` narrows the endpoint's own choice; empty is all of it. ``which`` is one of ``WHICH``. ``cause`` is
    ``request``, or ``enabled`` for what an endpoint has missed while it was disabled.
    """

    endpoint_id: UUID
    since: int
    until: int
    events: tuple[str, ...]
    which: str
    cause: str
    cancelled: bool

    def __init__(self) -> None:
        """Requested.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a replay's events."""

    class Requested(Event, Created):
        """The endpoint is to be sent these again."""

        TOPIC: ClassVar[str] = "webhook_replay.requested"

        endpoint_id: UUID
        since: int
        until: int
        events: tuple[str, ...]
        which: str
        cause: str

        def apply(self, aggregate: "WebhookReplay") -> None:
            aggregate.endpoint_id = self.endpoint_id
            aggregate.since = self.since
            aggregate.until = self.until
            aggregate.events = self.events
            aggregate.which = self.which
            aggregate.cause = self.cause
            aggregate.cancelled = False

    class Cancelled(Event):
        """What has not been sent yet is not sent."""

        TOPIC: ClassVar[str] = "webhook_replay.cancelled"

        def apply(self, aggregate: "WebhookReplay") -> None:
            aggregate.cancelled = True

    @classmethod
    def request(
        cls,
        replay_id: UUID,
        at: datetime,
        *,
        endpoint_id: UUID,
        since: int,
        until: int,
        events: tuple[str, ...] = (),
        which: str = "all",
        cause: str = "request",
    ) -> "WebhookReplay":
        """A new job. Raises Invalid."""
        if which not in WHICH:
            raise Invalid("only", f"only must be one of: {', '.join(WHICH)}.")
        return cls._create(
            cls.Requested,
            id=replay_id,
            timestamp=at,
            endpoint_id=endpoint_id,
            since=max(since, 1),
            until=until,
            events=tuple(dict.fromkeys(events)),
            which=which,
            cause=cause,
        )

    def cancel(self, at: datetime) -> None:
        """Cancelling twice is the same success."""
        if not self.cancelled:
            self.trigger_event(self.Cancelled, timestamp=at)
