"""Routes past leads and tours again, by other settings: read from the log a stretch at a time, decided by what routes
new ones (``routed``), stored nowhere.

Counted are the leads and tours that were routed, each when it was: at its capture, or when staff cleared a suspect.
The agents are those of now, with their profiles, caps and absences of now; the leads are as they came, at the times at
which they came. So are turns and daily caps: they begin as they stood before the first lead, and go on by what the
rehearsal decides. Listings are as they are now. Of an erased person nothing can be read: the lead stays with the agent
who had it. So does a client's: no setting takes a client from the agent who serves them.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.commands import tours
from aureum.commands.enquiries import said_of_lead
from aureum.commands.routed import Route, Team, chosen_of, ranker, routed
from aureum.domain.aggregate import ERASED, replay
from aureum.domain.lead import Lead
from aureum.domain.routing import reasons
from aureum.domain.routing.enquiry import Enquiry
from aureum.domain.routing.rehearsal import Rehearsal, Rehearsed
from aureum.domain.routing.settings import Routing
from aureum.domain.tour import Tour
from aureum.domain.wall_time import zone_of
from aureum.store.event_log import EventLog, rows_on
from aureum.store.event_store import Appended, EventStore

ROUTED_BY = (Lead.Captured, Tour.Requested, Lead.Cleared, Tour.Cleared)
TYPES = tuple(kind.TOPIC for kind in ROUTED_BY)

STRETCH = 500
"""Positions of the log that are rehearsed in one go."""

SEED = 50_000
"""Positions before the first lead in which it is looked for whose turn it was: an agent who got nothing in so many has
waited longest."""

SLICE = 20
"""Leads after which other tasks of the process have their turn."""


async def rehearsed_team(store: EventStore, tenant_id: UUID, team: Team, routing: Routing) -> Team:
    """*team* with other settings, which knows nothing of the agents' days yet. Raises Unavailable."""
    rank = await ranker(store, tenant_id, routing, team.agents)
    return replace(team, routing=routing, rank=rank, full={}, standings=[])


async def rehearse(
    store: EventStore, tenant_id: UUID, team: Team, rehearsal: Rehearsal, after: int, until: int
) -> AsyncIterator[tuple[int, list[Rehearsed]]]:
    """What was routed at the positions above *after*, up to *until*, a stretch at a time, each with its last position.
    *rehearsal* goes on with each. Raises Unavailable, WrongMasterKey."""
    while after < until:
        last = min(after + STRETCH, until)
        yield last, await stretch(store, tenant_id, team, rehearsal, after, last)
        after = last


async def stretch(
    store: EventStore, tenant_id: UUID, team: Team, rehearsal: Rehearsal, after: int, until: int
) -> list[Rehearsed]:
    """One stretch of the log."""
    key = await store.tenant_key(tenant_id)
    async with store.database.connection() as connection:
        events = await EventLog(rows_on(connection), tenant_id, TYPES, key).by_position(after, until)
    found = []
    for number, (event, _) in enumerate(events):
        if number % SLICE == 0:
            await asyncio.sleep(0)
        past = await past_of(store, tenant_id, event)
        if past is None:
            continue
        one = await again(store, tenant_id, team, rehearsal, past)
        rehearsal.count(one)
        found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class Past:
    """A lead or tour when it was routed: what the visitor wrote (None: erased), and who got it. ``known`` is how it was
    routed if it went to the client's own agent."""

    kind: str
    stream_id: UUID
    number: int
    at: datetime
    had: UUID | None
    enquiry: Enquiry | None
    known: dict[str, Any] | None = None


async def past_of(
    store: EventStore, tenant_id: UUID, event: Lead.Captured | Tour.Requested | Lead.Cleared | Tour.Cleared
) -> Past | None:
    """What *event* routed; None if that is nothing. Raises Unavailable."""
    if event.routing is None:
        return None
    said: Lead | Tour | Lead.Captured | Tour.Requested
    if isinstance(event, Lead.Captured | Tour.Requested):
        said = event
    else:
        stream = await store.load(tenant_id, event.originator_id)
        before = (one.event for one in stream.events if one.event.originator_version < event.originator_version)
        said = replay(before)
        if said.routing is not None:
            # It was routed when it came, and has kept that.
            return None
    if isinstance(said, Lead | Lead.Captured):
        kind, erased = "lead", said.first_name == ERASED
        enquiry = None if erased else said_of_lead(said)
    else:
        kind, erased = "tour", said.name == ERASED
        enquiry = None if erased else tours.said(said)
    known = event.routing if reasons.is_known(event.routing) else None
    return Past(kind, event.originator_id, said.number, event.timestamp, event.assigned_to, enquiry, known)


async def again(store: EventStore, tenant_id: UUID, team: Team, rehearsal: Rehearsal, past: Past) -> Rehearsed:
    """The same lead routed again."""
    of = (past.kind, past.stream_id, past.number, past.at, past.had)
    if past.enquiry is None:
        if past.had is not None:
            rehearsal.take(past.had, day_of(past.at, team))
        return Rehearsed(*of, past.had, erased=True)

    if past.known is not None:
        return Rehearsed(*of, past.had, past.known)

    async def append(route: Route) -> tuple[Route, Appended]:
        """Choose as an append would."""
        turn = route.turn
        if turn is None:
            return route, Appended(None)
        chosen = chosen_of(turn, rehearsal.turns).id
        rehearsal.take(chosen, turn.window)
        return route, Appended(None, chosen=chosen)

    # What the rehearsal decides makes no client known.
    enquiry = replace(past.enquiry, person=None)
    route, appended = await routed(store, tenant_id, team, enquiry, past.stream_id, past.at, append)
    return Rehearsed(*of, appended.chosen, route.routing, route.because)


def day_of(at: datetime, team: Team) -> str:
    """The brokerage's day, as turns name it."""
    return at.astimezone(zone_of(team.time_zone)).date().isoformat()


async def begun(store: EventStore, tenant_id: UUID, team: Team, before: int, since: datetime) -> Rehearsal:
    """A rehearsal that begins at the position *before*: with whose turn it was there, and what agents had had since the
    day of *since* began. Raises Unavailable."""
    day, waiting = day_of(since, team), {agent.user_id for agent in team.agents}
    found: list[tuple[UUID, str]] = []
    """The turns before, the latest first."""
    until, lowest = before - 1, max(before - 1 - SEED, 0)
    while until > lowest:
        after = max(until - STRETCH, lowest)
        async with store.database.connection() as connection:
            # Without a key: personal fields are not looked at.
            events = await EventLog(rows_on(connection), tenant_id, TYPES, None).by_position(after, until)
        turns = [event for event, _ in events if event.assigned_to is not None and takes_turn(event.routing)]
        for event in reversed(turns):
            found.append((event.assigned_to, day_of(event.timestamp, team)))
            waiting.discard(event.assigned_to)
        until = after
        if not waiting and found and found[-1][1] != day:
            break
    return with_turns(found)


def takes_turn(routing: dict[str, Any] | None) -> bool:
    """Whether a lead that was routed so took a turn of its agent."""
    return routing is not None and not reasons.is_known(routing)


def with_turns(latest_first: list[tuple[UUID, str]]) -> Rehearsal:
    """A rehearsal in which these turns have been taken."""
    rehearsal = Rehearsal()
    for agent, day in reversed(latest_first):
        rehearsal.take(agent, day)
    return rehearsal
