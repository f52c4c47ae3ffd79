"""A webhook endpoint: a URL of the brokerage's other systems, and the events that it wants to hear of."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.errors import Invalid, WrongState

MODES = ("parallel", "keyed", "fifo")
"""In which order: as quickly as can be; the events of one resource one after the other; all one after the other."""

DETAILS = ("url", "events", "mode", "rate_limit", "description")
"""What may be changed later."""

RATE_LIMIT_MOST = 1_000
"""Deliveries a second."""

OVERLAP_HOURS_MOST = 168

DISABLED_BY = ("gone", "failing", "staff")
"""It answered 410; it failed for five days; staff disabled it."""


class WebhookEndpoint(Aggregate):
    """The aggregate. Secrets are encrypted at rest like a person's data, with a key of this stream.

    ``previous_secret`` is live until ``overlap_until``; ``rate_limit`` counts deliveries a second, None is no limit.
    """

    url: str
    events: tuple[str, ...]
    mode: str
    rate_limit: int | None
    description: str | None
    secret: str
    previous_secret: str | None
    overlap_until: datetime | None
    disabled: str | None
    disabled_version: int | None
    removed: bool

    def __init__(self) -> None:
        """Registered.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of an endpoint's events."""

    class Registered(Event, Created):
        """The brokerage wants to be told from now on."""

        TOPIC: ClassVar[str] = "webhook_endpoint.registered"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("secret",))
        SECRET: ClassVar[frozenset[str]] = frozenset(("secret",))

        url: str
        events: tuple[str, ...]
        secret: str

        def apply(self, aggregate: "WebhookEndpoint") -> None:
            aggregate.url = self.url
            aggregate.events = self.events
            aggregate.mode = "parallel"
            aggregate.rate_limit = None
            aggregate.description = None
            aggregate.secret = self.secret
            aggregate.previous_secret = None
            aggregate.overlap_until = None
            aggregate.disabled = None
            aggregate.disabled_version = None
            aggregate.removed = False

    class DetailsChanged(Event):
        """Some of ``DETAILS`` changed; ``details`` holds only those."""

        TOPIC: ClassVar[str] = "webhook_endpoint.details_changed"

        details: dict[str, Any]

        def apply(self, aggregate: "WebhookEndpoint") -> None:
            for name, value in self.details.items():
                setattr(aggregate, name, tuple(value) if name == "events" else value)

    class SecretRotated(Event):
        """A new secret; the one before stays live for ``overlap_hours`` beside it (0: not at all)."""

        TOPIC: ClassVar[str] = "webhook_endpoint.secret_rotated"
        class_version: ClassVar[int] = 2
        SEALED_ONE_BY_ONE: ClassVar[int] = 1
        PERSONAL: ClassVar[frozenset[str]] = frozenset(("secret",))
        SECRET: ClassVar[frozenset[str]] = frozenset(("secret",))

        secret: str
        overlap_hours: int

        def apply(self, aggregate: "WebhookEndpoint") -> None:
            aggregate.previous_secret = aggregate.secret if self.overlap_hours else None
            aggregate.overlap_until = self.timestamp + timedelta(hours=self.overlap_hours)
            aggregate.secret = self.secret

    class Disabled(Event):
        """Nothing is sent any more; ``reason`` is one of ``DISABLED_BY``. What happens from here on is kept for it."""

        TOPIC: ClassVar[str] = "webhook_endpoint.disabled"

        reason: str

        def apply(self, aggregate: "WebhookEndpoint") -> None:
            aggregate.disabled = self.reason
            aggregate.disabled_version = self.originator_version

    class Enabled(Event):
        """It is told again."""

        TOPIC: ClassVar[str] = "webhook_endpoint.enabled"

        def apply(self, aggregate: "WebhookEndpoint") -> None:
            aggregate.disabled = None
            aggregate.disabled_version = None

    class Removed(Event):
        """For good."""

        TOPIC: ClassVar[str] = "webhook_endpoint.removed"

        def apply(self, aggregate: "WebhookEndpoint") -> None:
            aggregate.removed = True

    @classmethod
    def register(
        cls, endpoint_id: UUID, at: datetime, *, url: str, events: tuple[str, ...], secret: str, **details: Any
    ) -> "WebhookEndpoint":
        """A new endpoint; *url* has been checked already, *details* are more of ``DETAILS``. Raises Invalid."""
        unique = tuple(dict.fromkeys(events))
        endpoint = cls._create(cls.Registered, id=endpoint_id, timestamp=at, url=url, events=unique, secret=secret)
        endpoint.change_details(details, at)
        return endpoint

    def change_details(self, details: Mapping[str, Any], at: datetime) -> None:
        """Change some of ``DETAILS``; *url* has been checked already. Raises Invalid."""
        wanted = dict(details)
        if "events" in wanted:
            wanted["events"] = tuple(dict.fromkeys(wanted["events"]))
        check_details(wanted)
        changed = {name: value for name, value in wanted.items() if value != getattr(self, name)}
        if changed:
            self.trigger_event(self.DetailsChanged, timestamp=at, details=changed)

    def rotate_secret(self, secret: str, overlap_hours: int, at: datetime) -> None:
        """Begin to sign with *secret*. Raises Invalid, and WrongState while an earlier rotation lasts.

        Only two secrets are ever live: a rotation at once (0 hours) ends both that there may be.
        """
        if not 0 <= overlap_hours <= OVERLAP_HOURS_MOST:
            raise Invalid("overlap_hours", f"overlap_hours must be from 0 to {OVERLAP_HOURS_MOST}.")
        if overlap_hours and self.overlaps(at):
            raise WrongState(
                "The secret was rotated recently, and both secrets are still valid. Wait until the overlap has ended, "
                "or rotate with overlap_hours 0, which ends both at once."
            )
        self.trigger_event(self.SecretRotated, timestamp=at, secret=secret, overlap_hours=overlap_hours)

    def overlaps(self, at: datetime) -> bool:
        """Whether two secrets are live at that moment."""
        return self.previous_secret is not None and self.overlap_until is not None and at < self.overlap_until

    def secrets(self, at: datetime) -> tuple[str, ...]:
        """The secrets that are live at that moment, oldest first."""
        if self.previous_secret is not None and self.overlaps(at):
            return self.previous_secret, self.secret
        return (self.secret,)

    def disable(self, reason: str, at: datetime) -> None:
        """Send nothing any more; disabling twice is the same success, with the first reason."""
        if self.disabled is None:
            self.trigger_event(self.Disabled, timestamp=at, reason=reason)

    def enable(self, at: datetime) -> None:
        """Send again; enabling what is not disabled records nothing."""
        if self.disabled is not None:
            self.trigger_event(self.Enabled, timestamp=at)

    def remove(self, at: datetime) -> None:
        """Removing twice is the same success."""
        if not self.removed:
            self.trigger_event(self.Removed, timestamp=at)


def check_details(details: Mapping[str, Any]) -> None:
    """Raises Invalid for the first of ``DETAILS`` that breaks a rule; those that are not there break none."""
    if "mode" in details and details["mode"] not in MODES:
        raise Invalid("mode", f"mode must be one of: {', '.join(MODES)}.")
    rate_limit = details.get("rate_limit")
    if rate_limit is not None and not 1 <= rate_limit <= RATE_LIMIT_MOST:
        raise Invalid("rateLimit", f"rateLimit must be from 1 to {RATE_LIMIT_MOST} deliveries per second, or null.")
