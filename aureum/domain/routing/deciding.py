"""The decision: to which of the eligible agents a lead may go, by the brokerage's settings.

    the mode        finds the agents it may go to, of those that ``semantic_filter`` leaves
    the fallback    if the mode finds no agent: the primary agent, or everyone eligible in turn
    the pond        if the fallback finds none either: agents claim the lead

Where several may get it, the append that stores the lead chooses under the lock of the brokerage's log: the one whose
turn it is, or with ``fewest`` the one with the fewest leads today. So turns are fair however many processes route.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from aureum.domain.routing.eligible import Agent, Candidates, Out
from aureum.domain.routing.enquiry import Enquiry
from aureum.domain.routing.ranking import Ranking
from aureum.domain.routing.rules import fitting
from aureum.domain.routing.settings import EVERYONE, MOST_CLAIM_MINUTES, Routing, Rule

Why = Literal["primary", "turn", "rule", "best", "near_tie", "random", "offered", "pond"]
"""What found whom the lead may go to; ``reasons`` says it in words."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``choices`` are the agents the lead may go to, in the order that decides between equals. If empty, the pond has
    it, or the agents whom the rule lets claim it (``offered``). ``capped`` says whether their daily caps count."""

    mode: str
    why: Why
    choices: tuple[UUID, ...]
    fewest: bool = False
    capped: bool = True
    fallback: str | None = None
    rule: int | None = None
    group: str | None = None
    claim_minutes: int | None = None
    offered: tuple[UUID, ...] = ()
    ranking: Ranking | None = None
    pool: tuple[UUID, ...] = ()
    out: tuple[tuple[UUID, Out], ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """What has been tried with a lead that is passed on: the ``agents`` who had it, the ``groups`` that it was offered
    to, and the place of the rule at which to go on."""

    agents: frozenset[UUID] = frozenset()
    groups: frozenset[str] = frozenset()
    rule: int = 0


def needs_ranking(routing: Routing) -> bool:
    """Whether the decision depends on which agents an enquiry suits."""
    return routing.mode == "semantic" or routing.semantic_filter


def reads_enquiry(routing: Routing) -> bool:
    """Whether two leads at the same moment may be decided otherwise."""
    return routing.mode not in ("round_robin", "primary_only") or routing.semantic_filter


def needs_listing(routing: Routing) -> bool:
    """Whether it depends on the listing that an enquiry is about: rules do on its price, city or id, rankings on
    all that is said of it."""
    return needs_ranking(routing) or (
        routing.mode == "subject_based"
        and any(
            rule.when.area or rule.when.listing_id or rule.when.price_from or rule.when.price_to
            for rule in routing.rules
            if rule.when is not None
        )
    )


def decide(
    routing: Routing,
    found: Candidates,
    enquiry: Enquiry,
    ranking: Ranking | None,
    lead_id: UUID,
    tried: Tried | None = None,
) -> Decision:
    """Whom the lead may go to. *ranking* is of the whole pool, where ``needs_ranking``; *lead_id* is what ``random``
    draws by, so that the same lead is always drawn alike. *tried* is for a lead that is passed on: *found* has none of
    the agents who had it."""
    pool, out = narrowed(found, ranking, routing)
    decision = replace(
        by_mode(routing, pool, enquiry, ranking, lead_id, tried),
        mode=routing.mode,
        ranking=ranking if needs_ranking(routing) else None,
        pool=tuple(agent.user_id for agent in pool),
        out=out,
    )
    if decision.choices or decision.why == "offered":
        return decision
    other = by_fallback(routing, found, pool)
    return replace(
        decision, why=other.why, choices=other.choices, fewest=False, capped=other.capped, fallback=other.fallback
    )


def narrowed(
    found: Candidates, ranking: Ranking | None, routing: Routing
) -> tuple[tuple[Agent, ...], tuple[tuple[UUID, Out], ...]]:
    """The eligible agents, without those of another language, and with ``semantic_filter`` without those who suit less;
    and all who are out."""
    if ranking is None or not needs_ranking(routing):
        return found.pool, found.out
    others: list[tuple[UUID, Out]] = [(user_id, "other_language") for user_id in ranking.other_language]
    if routing.semantic_filter and routing.mode != "semantic" and ranking.best:
        others += [
            (agent.user_id, "suits_less")
            for agent in found.pool
            if agent.user_id not in ranking.best and agent.user_id not in ranking.other_language
        ]
    if not others:
        return found.pool, found.out
    gone = {user_id for user_id, _ in others}
    return tuple(agent for agent in found.pool if agent.user_id not in gone), (*found.out, *others)


def by_mode(
    routing: Routing,
    pool: Sequence[Agent],
    enquiry: Enquiry,
    ranking: Ranking | None,
    lead_id: UUID,
    tried: Tried | None = None,
) -> Decision:
    """What the mode finds; without choices if it finds no agent."""
    match routing.mode:
        case "primary_only":
            return Decision("", "primary", tuple(agent.user_id for agent in pool if agent.primary))
        case "random":
            drawn = max(pool, key=lambda agent: share(lead_id, agent.user_id), default=None)
            return Decision("", "random", () if drawn is None else (drawn.user_id,))
        case "subject_based":
            return by_rules(routing, pool, enquiry, tried)
        case "semantic":
            assert ranking is not None, "needs_ranking says so"
            chosen = ranking.chosen
            if chosen is not None:
                return Decision("", "best", (chosen,))
            return Decision("", "near_tie", ranking.near, fewest=routing.least_busy)
    return Decision("", "turn", ids(pool))


def by_rules(routing: Routing, pool: Sequence[Agent], enquiry: Enquiry, tried: Tried | None) -> Decision:
    """What the first rule that fits finds. A lead that is passed on goes from rule to rule until one finds an agent, or
    offers it to a group that has not had an offer yet."""
    begun = Tried() if tried is None else tried
    for place in fitting(routing.rules, enquiry, begun.rule):
        found = by_rule(routing, pool, routing.rules[place], place, begun.groups)
        if tried is None or found.choices or found.offered:
            return found
    return Decision("", "rule", ())


def by_rule(
    routing: Routing, pool: Sequence[Agent], rule: Rule, place: int, offered_to: Collection[str] = ()
) -> Decision:
    """What the *rule* finds. It makes no offer to a group that the lead was *offered_to* before."""
    if rule.agent is not None:
        return Decision("", "rule", ids(pool, (rule.agent,)), rule=place)
    members = ids(pool) if rule.group == EVERYONE else ids(pool, routing.groups.get(rule.group or "", ()))
    if rule.claim_minutes is not None and rule.group in offered_to:
        return Decision("", "rule", (), rule=place, group=rule.group)
    if rule.claim_minutes is not None and members:
        # Settings of the first versions may have more.
        minutes = min(rule.claim_minutes, MOST_CLAIM_MINUTES)
        return Decision("", "offered", (), rule=place, group=rule.group, claim_minutes=minutes, offered=members)
    return Decision("", "rule", members, rule=place, group=rule.group)


def by_fallback(routing: Routing, found: Candidates, pool: Sequence[Agent]) -> Decision:
    """What decides where the mode finds no agent. The primary agent gets such leads beyond the daily cap, and without
    taking part in the mode."""
    if routing.fallback == "primary" and found.primary is not None:
        return Decision("", "primary", (found.primary.user_id,), capped=False, fallback="primary")
    if routing.fallback == "round_robin" and pool:
        return Decision("", "turn", ids(pool), fallback="round_robin")
    return Decision("", "pond", (), fallback=routing.fallback)


def ids(pool: Sequence[Agent], members: Collection[UUID] | None = None) -> tuple[UUID, ...]:
    """The ids of *pool*, or of those of its agents who are *members*."""
    return tuple(agent.user_id for agent in pool if members is None or agent.user_id in members)


def share(lead_id: UUID, user_id: UUID) -> bytes:
    """A number that is as good as random but always the same for this lead and agent."""
    return hashlib.blake2b(lead_id.bytes + user_id.bytes, digest_size=8).digest()
