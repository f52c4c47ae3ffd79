"""A brokerage: the tenant itself. Its stream belongs to the reserved platform tenant; its id is the tenant's id."""

import re
from datetime import datetime
from typing import ClassVar
from uuid import UUID
from zoneinfo import available_timezones

from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.errors import Invalid

PLANS = ("Starter", "Grow", "Elite")
"""From the smallest to the largest; each includes the ones before it."""

RESERVED_SLUGS = frozenset(("www", "api", "admin", "app"))
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Brokerage(Aggregate):
    """The aggregate. ``country`` is the two-letter region whose phone numbers need no prefix."""

    number: int
    name: str
    slug: str
    domains: tuple[str, ...]
    plan: str
    time_zone: str
    country: str
    public_lead_count: bool
    disabled: bool

    def __init__(self) -> None:
        """Opened.apply assigns everything."""

    class Event(Aggregate.Event):
        """Base of a brokerage's events."""

    class Opened(Event, Created):
        """A brokerage joined the installation."""

        TOPIC: ClassVar[str] = "brokerage.opened"

        number: int
        name: str
        slug: str
        domains: tuple[str, ...]
        plan: str
        time_zone: str
        country: str
        public_lead_count: bool

        def apply(self, aggregate: "Brokerage") -> None:
            aggregate.number = self.number
            aggregate.name = self.name
            aggregate.slug = self.slug
            aggregate.domains = self.domains
            aggregate.plan = self.plan
            aggregate.time_zone = self.time_zone
            aggregate.country = self.country
            aggregate.public_lead_count = self.public_lead_count
            aggregate.disabled = False

    class PlanChanged(Event):
        """The brokerage pays for another plan from now on."""

        TOPIC: ClassVar[str] = "brokerage.plan_changed"

        plan: str

        def apply(self, aggregate: "Brokerage") -> None:
            aggregate.plan = self.plan

    class Disabled(Event):
        """Nobody gets in any more: unknown by Host, refused by key; its webhooks wait."""

        TOPIC: ClassVar[str] = "brokerage.disabled"

        def apply(self, aggregate: "Brokerage") -> None:
            aggregate.disabled = True

    class Enabled(Event):
        """Everything works again where it stopped."""

        TOPIC: ClassVar[str] = "brokerage.enabled"

        def apply(self, aggregate: "Brokerage") -> None:
            aggregate.disabled = False

    @classmethod
    def open(
        cls,
        tenant_id: UUID,
        at: datetime,
        *,
        number: int,
        name: str,
        slug: str,
        domains: tuple[str, ...],
        plan: str,
        time_zone: str,
        country: str,
        public_lead_count: bool,
    ) -> "Brokerage":
        """A new brokerage. *domains* are normalised already. Raises Invalid."""
        if not name.strip():
            raise Invalid("name", "name must not be blank.")
        if not SLUG.fullmatch(slug) or slug in RESERVED_SLUGS:
            raise Invalid("slug", "slug must be 1-63 of a-z, 0-9 and -, and none of www, api, admin, app.")
        check_plan(plan)
        if time_zone not in available_timezones():
            raise Invalid("timeZone", "time zone must be an IANA name such as America/Boise.")
        return cls._create(
            cls.Opened,
            id=tenant_id,
            timestamp=at,
            number=number,
            name=name.strip(),
            slug=slug,
            domains=domains,
            plan=plan,
            time_zone=time_zone,
            country=country,
            public_lead_count=public_lead_count,
        )

    def change_plan(self, plan: str, at: datetime) -> None:
        """Raises Invalid for a plan that is not sold."""
        check_plan(plan)
        if plan != self.plan:
            self.trigger_event(self.PlanChanged, timestamp=at, plan=plan)

    def disable(self, at: datetime) -> None:
        """Shut the brokerage out; it keeps everything."""
        if not self.disabled:
            self.trigger_event(self.Disabled, timestamp=at)

    def enable(self, at: datetime) -> None:
        """Let it in again."""
        if self.disabled:
            self.trigger_event(self.Enabled, timestamp=at)


def check_plan(plan: str) -> None:
    """Raises Invalid for a plan that is not sold."""
    if plan not in PLANS:
        raise Invalid("plan", f"plan must be one of: {', '.join(PLANS)}.")


def includes(plan: str, required: str) -> bool:
    """Whether *plan* has what *required* has."""
    return PLANS.index(plan) >= PLANS.index(required)
