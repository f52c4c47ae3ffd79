"""Routes the leads of an import whose rows name no agent, as forms are routed: by the brokerage's mode, in turns, under
daily caps, and to the agent whom the person has.

A batch of rows is one append. So whose turn it is, and which persons are known, is looked up for the whole batch before
it, and the turns are taken in it. A form at the same moment may take the same turn: the next lead makes up for it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from aureum.commands.enquiries import said_of_lead
from aureum.commands.importing.imports import Import
from aureum.commands.importing.reading import Values
from aureum.commands.rehearsal_model import model_for
from aureum.commands.routed import Route, Team, chosen_of, routed, team_of
from aureum.domain import ids
from aureum.domain.lead import LeadFields
from aureum.domain.people import recognized_by
from aureum.domain.routing import reasons
from aureum.domain.routing.turns import NEVER, Taken
from aureum.projections import people
from aureum.store.event_store import Appended, EventStore
from aureum.store.guards import Choice, Guard, Turn

TURNS = "SELECT name, window_name, times, position FROM turns WHERE tenant_id = %(tenant)s AND name = ANY(%(names)s)"


@dataclass(frozen=True)
class Destination:
    """Where the lead of a row goes, and the turn that its append takes."""

    assigned_to: UUID | None = None
    routing: dict[str, Any] | None = None
    because: list[list[str]] | None = None
    contact_id: UUID | None = None
    guards: tuple[Guard, ...] = ()


UNROUTED = Destination()


@dataclass
class Person:
    """What the brokerage knows of one: the contact, the agent, which word says why (``reasons.KNOWN``), and what alone
    named the agent (``reasons.BY_SHOWING``)."""

    contact_id: UUID | None
    agent: UUID | None
    known: str | None
    said_by: str | None = None


@dataclass
class Router:
    """Routes the leads of one batch."""

    store: EventStore
    tenant_id: UUID
    team: Team
    turns: dict[UUID, Taken]
    persons: dict[UUID, Person] = field(default_factory=dict)

    async def route(self, lead_id: UUID, fields: LeadFields) -> Destination:
        """Where a lead goes. Raises Unavailable."""
        enquiry = said_of_lead(fields)
        person = None if enquiry.person is None else self.persons.get(enquiry.person)

        async def choose(route: Route) -> tuple[Route, Appended]:
            """As an append would."""
            if route.turn is None or (person is not None and person.known in reasons.KNOWN):
                return route, Appended(None)
            chosen = chosen_of(route.turn, self.turns)
            return replace(route, turn=fixed(route.turn, chosen)), Appended(None, chosen=chosen.id)

        # Persons are looked up here, and not in the append.
        unknown = replace(enquiry, person=None)
        route, appended = await routed(self.store, self.tenant_id, self.team, unknown, lead_id, ids.now(), choose)
        routing = None if route.routing is None else reasons.begun_at(route.routing, ids.now())
        agent, guards = appended.chosen, route.guards if appended.chosen is not None else ()
        if person is not None and routing is not None:
            routing |= {"known": person.known}
            if person.known in reasons.KNOWN:
                agent = person.agent
            if person.known == "lead" and person.said_by is not None:
                routing |= {"by": person.said_by}
        if guards and route.turn is not None:
            self.take(route.turn)
        if enquiry.person is not None and agent is not None:
            kept = None if person is None else person.contact_id
            self.persons[enquiry.person] = Person(kept, agent, "contact" if kept else "lead")
        contact_id = None if person is None else person.contact_id
        return Destination(agent, routing, route.because, contact_id, guards)

    def take(self, turn: Turn) -> None:
        """The agent of a fixed *turn* has it, behind all others."""
        last = max((taken.place for taken in self.turns.values()), default=0)
        before = self.turns.get(turn.placeholder, NEVER).on(turn.window)
        self.turns[turn.placeholder] = Taken(last + 1, turn.window, before + 1)


def fixed(turn: Turn, chosen: Choice) -> Turn:
    """*turn*, which *chosen* has in any case."""
    only = Choice(chosen.id, chosen.shown)
    return replace(turn, placeholder=chosen.id, placeholder_shown=chosen.shown, choices=(only,))


@asynccontextmanager
async def model_of(store: EventStore, job: Import, model: str) -> AsyncIterator[None]:
    """While this lasts, *model* is there if the import needs one. Raises Unavailable."""
    if not job.routed or job.state != "running":
        yield
        return
    settings = (await team_of(store, job.tenant_id)).routing
    async with model_for(settings, model):
        yield


async def router_for(store: EventStore, tenant_id: UUID, rows: Sequence[Values]) -> Router:
    """What routes the leads of these rows, by what there is now. Raises Unavailable."""
    team = await team_of(store, tenant_id)
    persons = {recognized_by(one.get("email"), one.get("firstName", ""), one.get("lastName", "")) for one in rows}
    asked = {"tenant": tenant_id, "persons": [one for one in persons if one is not None]}
    names = {"tenant": tenant_id, "names": [agent.user_id for agent in team.agents]}
    known, turns = await store.database.tenant_results(tenant_id, [(people.LOOKED_UP, asked), (TURNS, names)])
    return Router(
        store,
        tenant_id,
        team,
        {name: Taken(position, window, times) for name, window, times, position in turns},
        {person: Person(*found) for person, *found in known},
    )
