"""How a lead or a tour finds its agent, in the append that stores it.

Which agents may get it, and why, is decided beforehand. Between several the append chooses, under the lock of the
brokerage's log (``aureum.store.guards.Turn``), so that turns are fair and daily caps hold however many processes route.
The append also knows the client's own agent, who goes before all of them (``aureum.projections.people``).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import structlog

from aureum.commands.listings import with_listing
from aureum.commands.routing_examples import examples_of
from aureum.domain import ids
from aureum.domain.errors import DayFull
from aureum.domain.lead import Lead
from aureum.domain.routing import reasons
from aureum.domain.routing.deciding import Decision, Tried, decide, needs_listing, needs_ranking, reads_enquiry
from aureum.domain.routing.eligible import Agent, Candidates, candidates, without
from aureum.domain.routing.enquiry import Enquiry
from aureum.domain.routing.ranking import Ranking
from aureum.domain.routing.settings import EVERYONE, Routing, from_json
from aureum.domain.routing.turns import NEVER, Taken, whose_turn
from aureum.domain.tour import Tour
from aureum.domain.wall_time import midnight, zone_of
from aureum.lru import Lru
from aureum.projections import brokerages, users
from aureum.store.event_store import Appended, EventStore, Idempotency
from aureum.store.guards import Choice, Guard, Turn

TRIES = 20
"""How often a lead is decided again because an agent's day was full."""

TURNS_KEPT = 256
"""Of those among whom a brokerage's leads may go; near ties have many combinations."""

log = structlog.get_logger()

Routed = TypeVar("Routed")
Either = TypeVar("Either", Lead, Tour)
Ranker = Callable[[Enquiry, Sequence[Agent]], Awaitable[Ranking]]


@dataclass(slots=True)
class Standing:
    """What is the same for every lead from ``since`` until ``until``: the brokerage's day, and who can take one. Also
    where leads go for which the decision is ``always`` the same (all of them, or all that say nothing), by whether the
    person can be recognized."""

    since: datetime
    until: datetime
    day: str
    found: Candidates
    turns: Lru[tuple[tuple[UUID, ...], bool, bool, bool], Turn] = field(default_factory=lambda: Lru(TURNS_KEPT))
    always: "dict[bool, Route]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Team:
    """Who leads of a brokerage can go to, and how that is decided. ``full`` are those whose daily cap is known to be
    reached, by the brokerage's day."""

    routing: Routing
    agents: tuple[Agent, ...]
    time_zone: str
    rank: Ranker
    full: dict[str, set[UUID]] = field(default_factory=dict)
    standings: list[Standing] = field(default_factory=list)
    """The last one."""

    def standing(self, at: datetime) -> Standing:
        """How things stand at a moment."""
        if self.standings and self.standings[0].since <= at < self.standings[0].until:
            return self.standings[0]
        day = at.astimezone(zone_of(self.time_zone)).date()
        turns = (moment for agent in self.agents for moment in (agent.away_from, agent.away_to) if moment is not None)
        until = min((midnight(day + timedelta(days=1), self.time_zone), *(moment for moment in turns if moment > at)))
        found = candidates(self.agents, at, frozenset(self.full.get(day.isoformat(), ())))
        self.standings[:] = [Standing(at, until, day.isoformat(), found)]
        return self.standings[0]

    def members(self, group: str | None) -> frozenset[UUID]:
        """The agents of a group."""
        if group == EVERYONE:
            return frozenset(agent.user_id for agent in self.agents)
        return frozenset(self.routing.groups.get(group or "", ()))

    def learn(self, day: str, agents: Iterable[UUID]) -> None:
        """The day of these agents is full."""
        known = self.full.get(day, set())
        self.full.clear()
        self.full[day] = known | set(agents)
        self.standings.clear()


@dataclass(frozen=True, slots=True)
class Route:
    """Where a lead goes. ``assigned_to`` stands for whomever the append chooses (``turn``), or is the one who is
    chosen; None: the pond. Of a person who is known the append writes the contact, or the open lead, by itself."""

    assigned_to: UUID | None = None
    routing: dict[str, Any] | None = None
    because: list[list[str]] | None = None
    turn: Turn | None = None

    @property
    def guards(self) -> tuple[Guard, ...]:
        """What the append has to see to."""
        return () if self.turn is None else (self.turn,)


NOTHING_SAID = Ranking("nothing_said")

NOWHERE = Route()
"""Of what is not routed."""


async def find(team: Team, enquiry: Enquiry, lead_id: UUID, at: datetime, tried: Tried | None = None) -> Route:
    """Where *enquiry* goes, as far as it can be known before the append. *tried* is of a lead that is passed on."""
    standing, routing = team.standing(at), team.routing
    if tried is not None:
        found = without(standing.found, tried.agents)
        ranking = await team.rank(enquiry, found.pool) if needs_ranking(routing) else None
        decision = decide(routing, found, enquiry, ranking, lead_id, tried)
        return route_of(team, standing, decision, recognizable=False)
    ranking = await team.rank(enquiry, standing.found.pool) if needs_ranking(routing) else None
    # The same ranking gets the same decision where the mode reads nothing else of the enquiry.
    same = not reads_enquiry(routing) or (routing.mode == "semantic" and ranking == NOTHING_SAID)
    recognizable = enquiry.person is not None
    route = standing.always.get(recognizable) if same else None
    if route is None:
        route = route_of(team, standing, decide(routing, standing.found, enquiry, ranking, lead_id), recognizable)
        if same:
            standing.always[recognizable] = route
    return route if enquiry.person is None else asked_by(route, enquiry.person)


def route_of(team: Team, standing: Standing, decision: Decision, recognizable: bool) -> Route:
    """Where *decision* leads, and why."""
    turn = turn_of(team, standing, decision, recognizable) if decision.choices or recognizable else None
    kept = reasons.kept(decision, None if decision.rule is None else team.routing.rules[decision.rule].when)
    return Route(None if turn is None else turn.placeholder, kept, reasons.because(decision), turn)


def turn_of(team: Team, standing: Standing, decision: Decision, recognizable: bool) -> Turn:
    """Between whom the append chooses: the same one for the same, so that it is packed once."""
    key = (decision.choices, decision.capped, decision.fewest, recognizable)
    turn = standing.turns.find(key)
    if turn is None:
        caps = {agent.user_id: agent.daily_cap for agent in team.agents} if decision.capped else {}
        choices = tuple(Choice(user_id, ids.to_wire(user_id), caps.get(user_id)) for user_id in decision.choices)
        placeholder = choices[0].id if len(choices) == 1 and not recognizable else uuid4()
        turn = Turn(placeholder, ids.to_wire(placeholder), choices, standing.day, decision.fewest)
        standing.turns.keep(key, turn)
    return turn


def asked_by(route: Route, person: UUID) -> Route:
    """*route*, unless the *person* has an agent already, which the append sees."""
    turn = route.turn
    assert turn is not None, "a person who can be recognized has a turn"
    own = Turn(turn.placeholder, turn.placeholder_shown, turn.choices, turn.window, turn.fewest, person)
    return Route(route.assigned_to, route.routing, route.because, own)


async def routed(
    store: EventStore,
    tenant_id: UUID,
    team: Team,
    enquiry: Enquiry,
    lead_id: UUID,
    at: datetime,
    append: Callable[[Route], Awaitable[tuple[Routed, Appended]]],
    tried: Tried | None = None,
) -> tuple[Routed, Appended]:
    """What *append* stores by the route that it is given, with the agent whom the append chose. *tried* is of a lead
    that is passed on.

    Raises Unavailable, and what *append* raises.
    """
    if needs_listing(team.routing):
        enquiry = await with_listing(store, tenant_id, enquiry)
    for _ in range(TRIES):
        route = await find(team, enquiry, lead_id, at, tried)
        try:
            made, appended = await append(route)
        except DayFull as error:
            team.learn(team.standing(at).day, error.names)
            continue
        return made, appended
    # Agents' days fill up one after the other. A lead without an agent is better than none.
    log.error("routing_gave_up", tries=TRIES)
    return await append(NOWHERE)


async def routed_and_told(
    store: EventStore,
    tenant_id: UUID,
    enquiry: Enquiry,
    stream_id: UUID,
    append: Callable[[Route], Awaitable[tuple[Either, Appended]]],
) -> tuple[Either, Appended]:
    """The same where the answer names the agent: what was made is returned as it was stored."""
    team = await team_of(store, tenant_id)
    made, appended = await routed(store, tenant_id, team, enquiry, stream_id, ids.now(), append)
    if appended.position is None:
        return made, appended
    return (await store.load(tenant_id, stream_id)).at_version(made.version), appended


def naming(idempotency: Idempotency | None) -> Idempotency | None:
    """*idempotency* of what names the agent in its answer."""
    return None if idempotency is None else replace(idempotency, afterwards=True)


async def cleared(
    store: EventStore,
    tenant_id: UUID,
    stream_id: UUID,
    kind: type[Either],
    said: Callable[[Either], Enquiry],
    append: Callable[[Route], Awaitable[tuple[Either, Appended]]],
) -> tuple[Either, Appended]:
    """What *append* makes of a suspect that staff clear. It is routed unless it has an agent already; *said* is what
    the visitor wrote."""
    suspect = (await store.load(tenant_id, stream_id)).aggregate()
    if not isinstance(suspect, kind) or not suspect.suspect or suspect.assigned_to is not None:
        return await append(NOWHERE)
    return await routed_and_told(store, tenant_id, said(suspect), stream_id, append)


def chosen_of(turn: Turn, taken: Mapping[UUID, Taken]) -> Choice:
    """The one whom an append would choose where turns were *taken* so. Raises DayFull, as it does."""
    full = [
        choice.id
        for choice in turn.choices
        if choice.most is not None and taken.get(choice.id, NEVER).on(turn.window) >= choice.most
    ]
    if full:
        raise DayFull(full)
    names = [choice.id for choice in turn.choices]
    return turn.choices[names.index(whose_turn(names, taken, turn.window, fewest=turn.fewest))]


async def team_of(store: EventStore, tenant_id: UUID) -> Team:
    """The brokerage's agents and settings as they are now. Raises Unavailable."""
    about = {"tenant": tenant_id}
    staff, ((kept, time_zone),) = await store.database.tenant_results(
        tenant_id, [(users.AGENTS, about), (brokerages.ROUTED_BY, about)]
    )
    return await team(store, tenant_id, staff, kept, time_zone)


async def team(
    store: EventStore,
    tenant_id: UUID,
    staff: Iterable[Sequence[Any]],
    kept: dict[str, Any] | None,
    time_zone: str,
) -> Team:
    """A team of the rows that ``users.AGENTS`` and ``brokerages.ROUTED_BY`` read. Raises Unavailable."""
    routing, agents = from_json(kept), tuple(map(agent_of, staff))
    return Team(routing, agents, time_zone, await ranker(store, tenant_id, routing, agents))


async def ranker(store: EventStore, tenant_id: UUID, routing: Routing, agents: Iterable[Agent]) -> Ranker:
    """What compares enquiries with *agents*, by these settings. Raises Unavailable."""
    # Many commands come by here that rank nothing; numpy is for those that do.
    from aureum.commands.ranking import Profiles

    learns = routing.learn_from_reassignments and needs_ranking(routing)
    examples = await examples_of(store, tenant_id) if learns else ()
    taking = tuple(agent for agent in agents if agent.takes_leads)
    return Profiles(taking, frozenset(routing.masked_words), examples).rank


def agent_of(row: Sequence[Any]) -> Agent:
    """An agent of a row of ``users.AGENTS``."""
    (
        user_id,
        number,
        name,
        role,
        takes_leads,
        primary,
        cap,
        away_from,
        away_to,
        bio,
        specialties,
        areas,
        languages,
        *prices,
    ) = row
    return Agent(
        user_id=user_id,
        number=number,
        name=name,
        role=role,
        takes_leads=takes_leads,
        primary=primary,
        daily_cap=cap,
        away_from=away_from,
        away_to=away_to,
        bio=bio,
        specialties=tuple(specialties),
        areas=tuple(areas),
        languages=tuple(languages),
        price_min=prices[0],
        price_max=prices[1],
    )
