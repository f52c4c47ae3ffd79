"""Passes a lead on whose time is over: no agent of an offer has claimed it, or its agent did not answer in time
(``aureum.domain.routing.waiting``).

The worker asks when a timer is due. The lead's history, the settings and the agent's profile as they are now decide
whether the time is over. The decision is appended after the history that was read, so a lead goes on once, however many
workers ask.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from aureum.commands.conflicts import deciding_again
from aureum.commands.enquiries import said_of_lead
from aureum.commands.routed import Route, Team, routed, team
from aureum.domain import ids
from aureum.domain.errors import Busy
from aureum.domain.lead import Lead
from aureum.domain.routing.settings import Routing, from_json
from aureum.domain.routing.waiting import MOST_PASSED, Waiting, waiting
from aureum.domain.working_hours import due
from aureum.projections import brokerages, users
from aureum.store.event_store import Appended, EventStore, Recorded, Stream
from aureum.store.guards import Guard
from aureum.store.metadata import TIMERS, Origin

COMMAND = "PassLeadOn"

DISABLED_SECONDS = 300
"""How soon to look again whether a brokerage is enabled."""

HOURS = """
SELECT u.user_id, u.hours, u.away_from, u.away_to FROM users u WHERE u.tenant_id = %(tenant)s AND NOT u.disabled
"""
"""Without those of disabled users, whose clocks do not stop."""

STATE = "SELECT b.disabled, clock_timestamp() FROM brokerages b WHERE b.tenant_id = %(tenant)s"
"""With the database's time, as are all other times here."""

TASK_DONE = """
SELECT 1 FROM task_list t
  JOIN heads h ON h.tenant_id = t.tenant_id AND h.task_list_version = t.read_version
 WHERE t.tenant_id = %(tenant)s AND t.status = 'completed' AND t.updated_at >= %(since)s
   AND t.doc::json ->> 'leadId' = %(lead)s
 LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Clock:
    """When an agent works."""

    hours: dict[str, list[str]] | None = None
    away_from: datetime | None = None
    away_to: datetime | None = None


ALL_HOURS = Clock()


def waiting_in(stream: Stream) -> Waiting | None:
    """What the lead of this stream waits for; None for a lead of an erased person."""
    return None if stream.subject_key is None else waiting(map(happened, stream.events))


def happened(recorded: Recorded) -> tuple[Any, datetime, dict[str, Any]]:
    """An event as ``waiting`` reads it."""
    return recorded.event, recorded.recorded_at, recorded.metadata.get("actor") or {}


def clocks(rows: Iterable[Any]) -> dict[UUID, Clock]:
    """The clocks of agents, of the rows of ``HOURS``."""
    return {user_id: Clock(*clock) for user_id, *clock in rows}


def due_at(found: Waiting, settings: Routing, agents: dict[UUID, Clock], zone: str) -> datetime | None:
    """When the time of what a lead waits for is over; None if the settings let it wait."""
    if found.minutes is not None:
        return found.since + timedelta(minutes=found.minutes)
    if settings.answer_within_minutes is None or found.agent is None:
        return None
    clock = agents.get(found.agent, ALL_HOURS)
    return due(found.since, settings.answer_within_minutes, clock.hours, clock.away_from, clock.away_to, zone)


Teams = dict[UUID, tuple[tuple[Any, ...], Team]]
"""Teams by brokerage, with the rows that they were made of, because preparing the profiles takes a while."""


async def pass_on(store: EventStore, tenant_id: UUID, lead_id: UUID, teams: Teams | None = None) -> datetime | None:
    """Passes the lead on if its time is over. Returns when to look again: later, if the time is not over or the
    brokerage is disabled; None if the lead waits for nothing that a timer knows now. A caller that passes on many
    shares *teams*.

    Raises Unavailable, Busy, Conflict.
    """
    shared = {} if teams is None else teams

    async def once() -> datetime | None:
        return await decide(store, tenant_id, await store.load(tenant_id, lead_id), shared)

    return await deciding_again(once)


async def decide(store: EventStore, tenant_id: UUID, stream: Stream, teams: Teams) -> datetime | None:
    """The same for the lead of *stream*. Raises Conflict if the lead has changed since."""
    found = waiting_in(stream)
    if found is None:
        return None
    about = {"tenant": tenant_id}
    state, staff, hours, ((kept, zone),) = await store.database.tenant_results(
        tenant_id, [(STATE, about), (users.AGENTS, about), (HOURS, about), (brokerages.ROUTED_BY, about)]
    )
    ((disabled, now),) = state
    if disabled:
        later: datetime = now + timedelta(seconds=DISABLED_SECONDS)
        return later
    settings = from_json(kept)
    end = due_at(found, settings, clocks(hours), zone)
    if end is None or end > now:
        return end
    lead: Lead = stream.aggregate()
    if found.reason == "not_answered" and await task_done(store, tenant_id, lead):
        return None
    minutes = found.minutes or settings.answer_within_minutes or 0
    at = max(ids.now(), lead.modified_on)

    async def append(route: Route) -> tuple[Lead, Appended]:
        if route.routing is None:
            # The agents reached their daily caps one after the other. The next look knows which have not.
            raise Busy
        moved: Lead = stream.aggregate()
        if stays(found, settings, route.routing):
            moved.remain(minutes, at)
        else:
            moved.pass_on(found.reason, minutes, at, route.assigned_to, route.routing, route.because)
        return moved, await appended(moved, route.guards)

    async def appended(moved: Lead, guards: Sequence[Guard] = ()) -> Appended:
        return await store.append(tenant_id, moved, stream, command=COMMAND, origin=Origin(TIMERS), guards=guards)

    if found.reason == "not_answered" and found.passed >= MOST_PASSED:
        lead.remain(minutes, at)
        await appended(lead)
    else:
        made_of = (staff, kept, zone)
        if tenant_id not in teams or teams[tenant_id][0] != made_of:
            teams[tenant_id] = made_of, await team(store, tenant_id, *made_of)
        agents = teams[tenant_id][1]
        await routed(store, tenant_id, agents, said_of_lead(lead), lead.id, at, append, found.tried(settings))
    return None


def stays(found: Waiting, settings: Routing, decided: Mapping[str, Any]) -> bool:
    """Whether the agent keeps a lead that was not answered, because no other agent can take it and the fallback is not
    the pond."""
    return found.reason == "not_answered" and decided["why"] == "pond" and settings.fallback != "pond"


async def task_done(store: EventStore, tenant_id: UUID, lead: Lead) -> bool:
    """Whether a task that names the lead was completed."""
    about = {"tenant": tenant_id, "lead": ids.to_wire(lead.id), "since": lead.created_on}
    return bool(await store.database.tenant_rows(tenant_id, TASK_DONE, about))
