"""Which agents can take a lead now: those who take leads, are not away, and are below their daily cap."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

Out = Literal["takes_no_leads", "away", "daily_cap", "not_in_rule", "suits_less", "other_language", "had_it"]
"""Why an agent was not among those whom a lead could go to. ``reasons.OUT`` says it in words."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A user of the brokerage who is not disabled, as routing knows the user. Prices are exact decimals as text."""

    user_id: UUID
    number: int
    name: str
    role: str
    takes_leads: bool = True
    primary: bool = False
    daily_cap: int | None = None
    away_from: datetime | None = None
    away_to: datetime | None = None
    bio: str | None = None
    specialties: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    price_min: str | None = None
    price_max: str | None = None

    def away(self, at: datetime) -> bool:
        """Whether the agent is away."""
        return away_at(at, self.away_from, self.away_to)


def away_at(at: datetime, away_from: datetime | None, away_to: datetime | None) -> bool:
    """Whether a user is away. Without a beginning the absence has begun, without an end it goes on."""
    if away_from is None and away_to is None:
        return False
    return (away_from is None or away_from <= at) and (away_to is None or at < away_to)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The eligible agents, and those who are out with the reason, both in the order of their ids."""

    pool: tuple[Agent, ...]
    out: tuple[tuple[UUID, Out], ...]
    primary: Agent | None
    """The primary agent unless away, whom the fallback may name though the agent is not in the pool."""


def candidates(agents: Iterable[Agent], at: datetime, full: frozenset[UUID] = frozenset()) -> Candidates:
    """The agents who can take a lead at *at*. *full* are those who have had as many leads today as they take."""
    pool: list[Agent] = []
    out: list[tuple[UUID, Out]] = []
    primary = None
    for agent in sorted(agents, key=lambda one: one.user_id):
        why = why_out(agent, at, full)
        if why is None:
            pool.append(agent)
        elif agent.takes_leads or agent.role == "agent":
            out.append((agent.user_id, why))
        if agent.primary and not agent.away(at):
            primary = agent
    return Candidates(tuple(pool), tuple(out), primary)


def without(found: Candidates, agents: Collection[UUID]) -> Candidates:
    """The others: *agents* had the lead before, and do not get it again."""
    had: list[tuple[UUID, Out]] = [(agent.user_id, "had_it") for agent in found.pool if agent.user_id in agents]
    primary = None if found.primary is not None and found.primary.user_id in agents else found.primary
    pool = tuple(agent for agent in found.pool if agent.user_id not in agents)
    return replace(found, pool=pool, out=(*found.out, *had), primary=primary)


def why_out(agent: Agent, at: datetime, full: frozenset[UUID]) -> Out | None:
    """Why *agent* cannot take a lead; None if the agent can."""
    if not agent.takes_leads:
        return "takes_no_leads"
    if agent.away(at):
        return "away"
    return "daily_cap" if agent.user_id in full or agent.daily_cap == 0 else None
