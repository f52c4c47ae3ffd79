"""What a lead waits for, by its history: whatever the rules, offers come to an end, and no agent has it twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from aureum.domain.ids import to_wire
from aureum.domain.lead import Lead
from aureum.domain.routing import reasons
from aureum.domain.routing.deciding import Tried, decide
from aureum.domain.routing.eligible import Agent, candidates, without
from aureum.domain.routing.enquiry import Enquiry
from aureum.domain.routing.settings import EVERYONE, FALLBACKS, Routing, Rule, When
from aureum.domain.routing.waiting import Waiting, following, waiting
from tests.stores import new_lead

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
AGENTS = [Agent(UUID(int=number), number, f"Agent {number}", "agent") for number in range(1, 6)]
SYSTEM, ANA = {"type": "system", "id": "timers"}, {"type": "user", "id": to_wire(AGENTS[0].user_id)}
SELL = Enquiry(subject="sell")

members = st.lists(st.sampled_from(AGENTS), min_size=1).map(lambda some: tuple(agent.user_id for agent in some))
groups = st.dictionaries(st.sampled_from(["a", "b", "c"]), members)


@st.composite
def settings_of(draw: st.DrawFn) -> Routing:
    """Rules that all fit, in any order."""
    named = draw(groups)
    goals = [{"agent": agent.user_id} for agent in AGENTS] + [{"group": name} for name in (*named, EVERYONE)]
    rule = st.builds(
        lambda goal, minutes: Rule(When(subject_has=("sell",)), claim_minutes=minutes, **goal),
        st.sampled_from(goals),
        st.none() | st.integers(1, 30),
    )
    last = st.builds(lambda goal: Rule(**goal), st.sampled_from(goals))
    rules = (*draw(st.lists(rule, max_size=6)), draw(last))
    fallback = draw(st.sampled_from(FALLBACKS))
    return Routing("subject_based", rules=rules, groups=named, fallback=fallback, answer_within_minutes=5)


class Story:
    """A lead, and what has happened to it."""

    def __init__(self, routing: Routing) -> None:
        self.routing = routing
        self.decisions = [decided(routing, None)]
        agent, found = self.decisions[0]
        self.lead = new_lead(assigned_to=agent, routing=found)
        self.history: list[tuple[Any, datetime, dict[str, Any]]] = []
        self.record(SYSTEM)

    def record(self, actor: dict[str, Any]) -> None:
        at = AT + timedelta(hours=len(self.history))
        self.history += [(event, at, actor) for event in self.lead.collect_events()]

    def go_on(self, found: Waiting) -> None:
        """As the command does it, but that it never stays."""
        agent, kept = decided(self.routing, found.tried(self.routing))
        self.decisions.append((agent, kept))
        self.lead.pass_on(found.reason, 5, self.lead.modified_on, agent, kept, None)
        self.record(SYSTEM)


def decided(routing: Routing, tried: Tried | None) -> tuple[UUID | None, dict[str, Any]]:
    """The first of those it may go to, and how the decision is kept."""
    found = candidates(AGENTS, AT)
    found = found if tried is None else without(found, tried.agents)
    decision = decide(routing, found, SELL, None, UUID(int=99), tried)
    rule = None if decision.rule is None else routing.rules[decision.rule].when
    return next(iter(decision.choices), None), reasons.kept(decision, rule)


@given(settings_of(), st.data())
def test_it_comes_to_an_end(routing: Routing, data: st.DataObject) -> None:
    story = Story(routing)
    for _ in range(20):
        found = waiting(story.history)
        if found is None:
            break
        if found.reason == "not_claimed" and data.draw(st.booleans()):
            agent = data.draw(st.sampled_from(sorted(story.lead.routing["offered"])))  # type: ignore[index]  # offered
            story.lead.claim(UUID(agent), story.lead.modified_on, ())
            story.record({"type": "user", "id": to_wire(UUID(agent))})
            continue
        story.go_on(found)
    else:
        raise AssertionError("it goes on for ever")
    offers = [kept["rule"]["group"] for _, kept in story.decisions if kept["why"] == "offered"]
    assert len(offers) == len(set(offers))
    had = [event.assigned_to for event, _, _ in story.history if getattr(event, "assigned_to", None) is not None]
    assert len(had) == len(set(had))


CONTACTS: dict[str, Callable[[Lead], object]] = {
    "status": lambda lead: lead.change_status("contacted", lead.modified_on),
    "notes": lambda lead: lead.change_details({"notes": "Called"}, lead.modified_on),
    "converted": lambda lead: lead.convert(UUID(int=7), lead.modified_on),
    "by hand": lambda lead: lead.assign(UUID(int=50), lead.modified_on),
    "taken": lambda lead: lead.assign(None, lead.modified_on),
}


@given(settings_of(), st.sampled_from(sorted(CONTACTS)), st.integers(0, 3))
def test_what_a_person_does_ends_it_for_good(routing: Routing, contact: str, steps: int) -> None:
    story = Story(routing)
    for _ in range(steps):
        if (found := waiting(story.history)) is not None:
            story.go_on(found)
    before = waiting(story.history)
    CONTACTS[contact](story.lead)
    story.record(ANA)
    after = waiting(story.history)
    if before is None or before.reason == "not_answered" or contact == "converted":
        assert after is None
    else:
        # A call does not end the wait for a claim. An assignment does.
        assert (after is None) == (contact == "by hand")


def test_a_rule_is_found_again() -> None:
    sell = When(subject_has=("sell",))
    rules = (Rule(sell, group="a", claim_minutes=5), Rule(When(area=("x",)), group="b"), Rule(group=EVERYONE))
    kept = {"why": "offered", "rule": {"number": 1, "when": reasons.conditions(sell), "group": "a"}}
    for order, claimed, answered in (((0, 1, 2), 1, 0), ((1, 0, 2), 2, 1), ((1, 2), 0, 0)):
        routing = Routing(rules=tuple(rules[place] for place in order))
        assert following(routing, kept, "not_claimed") == claimed
        assert following(routing, kept, "not_answered") == answered
    assert following(routing, None, "not_answered") == following(routing, {"why": "turn"}, "not_claimed") == 0
