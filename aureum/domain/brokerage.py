"""A brokerage: the tenant itself. Its stream belongs to the reserved platform tenant; its id is the tenant's id."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from phonenumbers import SUPPORTED_REGIONS

from aureum.domain import colors
from aureum.domain.aggregate import Aggregate, Created
from aureum.domain.errors import Invalid
from aureum.domain.routing import settings as routing_settings
from aureum.domain.routing.settings import Routing
from aureum.domain.texts import one_line
from aureum.domain.wall_time import zone_of

PLANS = ("Starter", "Grow", "Elite")
"""From the smallest to the largest; each includes the ones before it."""

SETTINGS = (
    "time_zone",
    "country",
    "public_lead_count",
    "confirmations",
    "reply_to",
    "color",
    "erase_lost_after_months",
    "retain_years",
    "remind_after_days",
)
"""What may be set otherwise later, besides name, domains and plan."""

SIGNING = ("retain_years", "remind_after_days")
"""Those of them that are about envelopes, which have a page of their own."""

LONGEST_RETENTION = 120
"""In months."""

RETAIN_YEARS = 7
MOST_YEARS = 100
REMIND_AFTER_DAYS = (3, 7)
MOST_REMINDERS = 10
LONGEST_REMINDED = 30

RESERVED_SLUGS = frozenset(("www", "api", "admin", "app"))
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Brokerage(Aggregate):
    """The aggregate. ``country`` is the two-letter region whose phone numbers need no prefix. With ``confirmations`` a
    visitor's form is confirmed by mail; ``reply_to`` is the address that answers to such mails go to. ``color`` is that
    of the buttons of its public pages and mails, ``logo`` the digest of a picture whose bytes are kept apart.
    ``erase_lost_after_months`` is when leads that are lost are erased; None: never. ``retain_years`` is how long
    completed envelopes are kept, ``remind_after_days`` when their signers are reminded."""

    number: int
    name: str
    slug: str
    domains: tuple[str, ...]
    plan: str
    time_zone: str
    country: str
    public_lead_count: bool
    confirmations: bool
    reply_to: str | None
    color: str | None
    logo: str | None
    logo_media: str | None
    routing: Routing
    erase_lost_after_months: int | None
    retain_years: int
    remind_after_days: list[int]
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
            aggregate.confirmations = True
            aggregate.reply_to = None
            aggregate.color = aggregate.logo = aggregate.logo_media = None
            aggregate.routing = Routing()
            aggregate.erase_lost_after_months = None
            aggregate.retain_years = RETAIN_YEARS
            aggregate.remind_after_days = list(REMIND_AFTER_DAYS)
            aggregate.disabled = False

    class PlanChanged(Event):
        """The brokerage pays for another plan from now on."""

        TOPIC: ClassVar[str] = "brokerage.plan_changed"

        plan: str

        def apply(self, aggregate: "Brokerage") -> None:
            aggregate.plan = self.plan

    class Renamed(Event):
        """People know it by another name; its slug stays."""

        TOPIC: ClassVar[str] = "brokerage.renamed"

        name: str

        def apply(self, aggregate: "Brokerage") -> None:
            aggregate.name = self.name

    class DomainsChanged(Event):
        """Its own pages stand at these domains now, the first of which its mails name."""

        TOPIC: ClassVar[str] = "brokerage.domains_changed"

        domains: tuple[str, ...]

        def apply(self, aggregate: "Brokerage") -> None:
            aggregate.domains = self.domains

    class SettingsChanged(Event):
        """``changes`` holds those of ``SETTINGS`` that changed."""

        TOPIC: ClassVar[str] = "brokerage.settings_changed"

        changes: dict[str, Any]

        def apply(self, aggregate: "Brokerage") -> None:
            for name, value in self.changes.items():
                setattr(aggregate, name, value)

    class LogoChanged(Event):
        """Its public pages show another picture, or none; ``logo`` is its SHA-256, ``media`` what it is."""

        TOPIC: ClassVar[str] = "brokerage.logo_changed"

        logo: str | None
        media: str | None

        def apply(self, aggregate: "Brokerage") -> None:
            aggregate.logo = self.logo
            aggregate.logo_media = self.media

    class RoutingChanged(Event):
        """Leads are routed otherwise from now on; ``settings`` are all of them, as
        ``aureum.domain.routing.settings.to_json`` writes them."""

        TOPIC: ClassVar[str] = "brokerage.routing_changed"

        settings: dict[str, Any]

        def apply(self, aggregate: "Brokerage") -> None:
            aggregate.routing = routing_settings.from_json(self.settings)

    class Disabled(Event):
        """The brokerage is closed: unknown by Host, refused by key; its webhooks wait."""

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
        check_name(name)
        if not SLUG.fullmatch(slug) or slug in RESERVED_SLUGS:
            raise Invalid("slug", "slug must be 1-63 of a-z, 0-9 and -, and none of www, api, admin, app.")
        check_plan(plan)
        check_settings({"time_zone": time_zone, "country": country})
        return cls._create(
            cls.Opened,
            id=tenant_id,
            timestamp=at,
            number=number,
            name=one_line(name.strip()),
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

    def rename(self, name: str, at: datetime) -> None:
        """Raises Invalid for a blank name."""
        check_name(name)
        name = one_line(name.strip())
        if name != self.name:
            self.trigger_event(self.Renamed, timestamp=at, name=name)

    def change_domains(self, domains: tuple[str, ...], at: datetime) -> None:
        """All domains from now on, normalised already. A unique index holds that no other brokerage has them."""
        if domains != self.domains:
            self.trigger_event(self.DomainsChanged, timestamp=at, domains=domains)

    def change_settings(self, settings: Mapping[str, Any], at: datetime) -> None:
        """Set some of ``SETTINGS``. Raises Invalid."""
        given = dict(settings)
        if isinstance(given.get("color"), str):
            given["color"] = given["color"].strip().lower()
        changes = {name: value for name, value in given.items() if value != getattr(self, name)}
        if not changes:
            return
        check_settings(changes)
        self.trigger_event(self.SettingsChanged, timestamp=at, changes=changes)

    def change_logo(self, logo: str | None, media: str | None, at: datetime) -> None:
        """Show the picture with this digest; None for none."""
        if logo != self.logo:
            self.trigger_event(self.LogoChanged, timestamp=at, logo=logo, media=media)

    def change_routing(self, routing: Routing, at: datetime) -> None:
        """Route by other settings. That the agents in them are the brokerage's, the command sees to. Raises Invalid."""
        kept = routing_settings.check(routing)
        if kept != self.routing:
            self.trigger_event(self.RoutingChanged, timestamp=at, settings=routing_settings.to_json(kept))

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


def check_name(name: str) -> None:
    """Raises Invalid for a blank name."""
    if not name.strip():
        raise Invalid("name", "name must not be blank.")


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raises Invalid for the first of ``SETTINGS`` that breaks a rule; those that are not there break none."""
    if "time_zone" in settings:
        zone_of(settings["time_zone"])
    if "country" in settings and settings["country"] not in SUPPORTED_REGIONS:
        raise Invalid("country", "country must be two letters such as US, CA or DE.")
    months = settings.get("erase_lost_after_months")
    if months is not None and not 1 <= months <= LONGEST_RETENTION:
        raise Invalid("erase_lost_after_months", f"erase_lost_after_months must be from 1 to {LONGEST_RETENTION}.")
    if "retain_years" in settings and not 1 <= settings["retain_years"] <= MOST_YEARS:
        raise Invalid("retain_years", f"retain_years must be from 1 to {MOST_YEARS}.")
    if "remind_after_days" in settings:
        check_reminders(settings["remind_after_days"])
    if settings.get("color") is not None:
        check_color(settings["color"])


def check_reminders(days: Sequence[int]) -> None:
    """Raises Invalid for days that do not follow on each other."""
    if len(days) > MOST_REMINDERS or list(days) != sorted({day for day in days if 1 <= day <= LONGEST_REMINDED}):
        raise Invalid(
            "remind_after_days",
            f"remind_after_days must be at most {MOST_REMINDERS} different days from 1 to {LONGEST_REMINDED}, in their "
            "order, such as [3, 7]. An empty list turns reminders off.",
        )


def check_color(color: str) -> None:
    """Raises Invalid for what is no colour, and for one that white text cannot be read on."""
    if not colors.HEX.fullmatch(color):
        raise Invalid("color", "color must be # and six digits of 0-9 and a-f, such as #1f4fa3.")
    found = colors.contrast(color, colors.WHITE)
    if found < colors.LEAST_CONTRAST:
        raise Invalid(
            "color",
            f"color {color} is too light: the white text on its buttons has a contrast of {found:.1f} to 1, and needs "
            f"{colors.LEAST_CONTRAST}. A darker one of its kind works: {colors.readable(color)}.",
        )


def includes(plan: str, required: str) -> bool:
    """Whether *plan* has what *required* has."""
    return PLANS.index(plan) >= PLANS.index(required)
