"""The sites that this process knows: which brokerage a host is, and how it routes its leads.

What is remembered is never acted upon when stale: every append from a form names the version of the site that it
relies on, and is refused under the head lock if the brokerage or its staff has changed since (SiteChanged). Only what
routing learns from reassigned leads may be ``SECONDS`` old.
"""

import time
from dataclasses import dataclass, field

import psycopg
import structlog

from aureum.commands.routed import Team, team
from aureum.commands.routing_examples import SECONDS
from aureum.domain.errors import Unavailable
from aureum.http.access.gate import Caller, Gate, Lookup
from aureum.lru import Lru
from aureum.projections import brokerages, users
from aureum.store.event_store import EventStore

LIMIT = 10_000
"""Hosts that are remembered; the least recently used of more is forgotten."""


log = structlog.get_logger("aureum.http")


@dataclass(frozen=True, slots=True)
class Site:
    """A brokerage's public side."""

    visitor: Caller
    team: Team | None
    """Who its leads can go to; None if that cannot be known at the moment."""
    origins: frozenset[str]
    """Of its pages, as browsers write them; none if they cannot be known at the moment."""
    name: str = ""
    color: str | None = None
    logo: str | None = None
    """How its public pages look."""
    time_zone: str = "UTC"
    read_at: float = field(default_factory=time.monotonic)

    @property
    def stale(self) -> bool:
        """Whether the leads that its team has learnt from may be others by now."""
        learns = self.team is not None and self.team.routing.learn_from_reassignments
        return learns and time.monotonic() - self.read_at > SECONDS


class Sites:
    """Sites by host and slug."""

    def __init__(self, gate: Gate, store: EventStore, base_domain: str | None) -> None:
        self.gate = gate
        self.store = store
        self.base_domain = base_domain
        self._known: Lru[tuple[str, str], Site] = Lru(LIMIT)

    async def find(self, host: str, slug: str) -> Site | None:
        """The site of a normalised host, or of the slug in it; None if there is none. Raises Unavailable."""
        site = self._known.find((host, slug))
        if site is not None and not site.stale:
            return site
        admission = await self.gate.ask(Lookup(b"", host, slug, ""))
        if admission is None:
            return None
        tenant_id = admission.caller.tenant_id
        parameters = {"tenant": tenant_id}
        # Read after the version: they may be newer than it says, never older.
        try:
            staff, domains, ((called, routing, time_zone, color, logo),) = await self.store.database.tenant_results(
                tenant_id, [(users.AGENTS, parameters), (brokerages.DOMAINS, parameters), (brokerages.SITE, parameters)]
            )
            found = await team(self.store, tenant_id, staff, routing, time_zone)
        except (Unavailable, psycopg.Error) as error:
            # An unassigned lead is better than none. The next form looks again.
            log.error("agents_unknown", tenant=str(tenant_id), error=type(error).__name__)
            return Site(admission.caller, None, frozenset())
        names = [domain for (domain,) in domains]
        if self.base_domain is not None:
            names.append(f"{admission.caller.slug}.{self.base_domain}")
        origins = frozenset(f"https://{name}" for name in names)
        site = Site(admission.caller, found, origins, called, color, logo, time_zone)
        self._known.keep((host, slug), site)
        return site

    def forget_unless(self, host: str, slug: str, site_version: int) -> None:
        """Another request has learned the current version of a site."""
        site = self._known.find((host, slug))
        if site is not None and site.visitor.site_version != site_version:
            self._known.forget((host, slug))

    def forget(self, host: str, slug: str) -> None:
        """What is remembered of a host has turned out to be stale."""
        self._known.forget((host, slug))
