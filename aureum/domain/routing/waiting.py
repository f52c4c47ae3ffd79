"""What a lead waits for, from its history alone: that an agent claims it, or that its agent answers.

A lead that was routed waits for the first contact with its agent. It no longer waits after that contact, or after a
user has chosen the agent by hand. The settings say how long it waits (``aureum.domain.working_hours`` reads the agent's
clock). An offer says how long itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from aureum.domain.ids import to_wire
from aureum.domain.lead import Lead
from aureum.domain.routing import reasons
from aureum.domain.routing.deciding import Tried
from aureum.domain.routing.reasons import CLOSED
from aureum.domain.routing.settings import Routing

Waits = Literal["not_claimed", "not_answered"]
"""What it waits for, by the reason for which the lead is passed on."""

FIRST_CONTACT: tuple[type[Lead.Event], ...] = (Lead.StatusChanged, Lead.Converted, Lead.ActivityLogged)
"""The first contact, if caused by a user or a key. Notes and completed tasks count, too."""

MOST_PASSED = 3
"""How often a lead is passed on because its agents did not answer. Then it stays, and the owners get a mail."""

Happened = tuple[Any, datetime, Mapping[str, Any]]
"""An event of a lead, when it was recorded, and its actor as the metadata has it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a lead waits for, and since when. ``minutes`` are those of an offer, ``agent`` is the one who has to answer.
    ``passed`` is how often it was passed on because its agents did not answer. ``agents`` had it and lost it,
    ``groups`` were offered it. ``routing`` is the last decision about it."""

    reason: Waits
    since: datetime
    minutes: int | None = None
    agent: UUID | None = None
    passed: int = 0
    agents: frozenset[UUID] = frozenset()
    groups: frozenset[str] = frozenset()
    routing: Mapping[str, Any] | None = None

    def tried(self, settings: Routing) -> Tried:
        """What has been tried, for passing the lead on by these *settings*."""
        had = self.agents if self.agent is None else self.agents | {self.agent}
        return Tried(had, self.groups, following(settings, self.routing, self.reason))


def waiting(history: Iterable[Happened]) -> Waiting | None:
    """What a lead with this *history* waits for; None for nothing."""
    now: Waiting | None = None
    routing: Mapping[str, Any] | None = None
    status, contacted, passed = "new", False, 0
    agents: set[UUID] = set()
    groups: set[str] = set()
    for event, at, actor in history:
        match event:
            case Lead.Captured() | Lead.Cleared() | Lead.PassedOn():
                if isinstance(event, Lead.PassedOn) and event.previous is not None:
                    passed += 1
                    agents.add(event.previous)
                status = event.status if isinstance(event, Lead.Captured) else status
                routing = event.routing
                now = begun(event.assigned_to, routing, at)
                if now is not None and now.reason == "not_claimed":
                    groups.add(routing["rule"]["group"] if routing else "")
            case Lead.Assigned():
                # An agent who takes an offered lead by assigning it has claimed it. Otherwise a user chose the agent.
                claimed = event.previous is None and reasons.is_offered(routing)
                claimed = claimed and event.assigned_to is not None and actor.get("id") == to_wire(event.assigned_to)
                now = Waiting("not_answered", at, agent=event.assigned_to) if claimed else None
            case Lead.Suspected() | Lead.Overdue():
                now = None
            case Lead.StatusChanged():
                status = event.status
        contacted = contacted or is_contact(event, actor)
    if now is None or status in CLOSED or (now.reason == "not_answered" and (contacted or status != "new")):
        return None
    return Waiting(now.reason, now.since, now.minutes, now.agent, passed, frozenset(agents), frozenset(groups), routing)


def begun(assigned_to: UUID | None, routing: Mapping[str, Any] | None, at: datetime) -> Waiting | None:
    """What a lead waits for that was just routed; None in the pond, or if it was not routed."""
    if routing is None:
        return None
    if assigned_to is not None:
        return Waiting("not_answered", at, agent=assigned_to)
    if routing["why"] != "offered":
        return None
    return Waiting("not_claimed", at, minutes=routing["rule"]["claim_minutes"])


def is_contact(event: Any, actor: Mapping[str, Any]) -> bool:
    """Whether an event is a contact with the person. Events of the system are none."""
    if actor.get("type") not in ("user", "key"):
        return False
    if isinstance(event, Lead.DetailsChanged):
        return isinstance(event.details, dict) and bool(event.details.get("notes"))
    return isinstance(event, FIRST_CONTACT)


def following(settings: Routing, routing: Mapping[str, Any] | None, reason: Waits) -> int:
    """The place of the rule at which to go on: after a rule that made an offer, or at the rule that found an agent who
    did not answer, because its group may have others. If that rule no longer exists, at the first one."""
    rule = None if routing is None or reasons.is_known(routing) else routing.get("rule")
    if rule is None:
        return 0
    behind = 1 if reason == "not_claimed" else 0
    likely: int = rule["number"] - 1
    places = (place for place in (likely, *range(len(settings.rules))) if place < len(settings.rules))
    return next((place + behind for place in places if is_rule(settings, place, rule)), 0)


def is_rule(settings: Routing, place: int, kept: Mapping[str, Any]) -> bool:
    """Whether the rule at this place is the one that a decision has *kept*."""
    rule = settings.rules[place]
    when = None if rule.when is None else reasons.conditions(rule.when)
    return bool(rule.group == kept["group"] and when == kept["when"])
