"""Which agent a lead goes to: who can take it, what each mode finds, what rules fit, and the reason in words."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.domain.errors import Invalid
from aureum.domain.routing import reasons
from aureum.domain.routing.deciding import Decision, decide, needs_listing, needs_ranking
from aureum.domain.routing.eligible import Agent, Out, candidates
from aureum.domain.routing.enquiry import Enquiry, Listing, page_parts
from aureum.domain.routing.ranking import Met, Ranking
from aureum.domain.routing.rules import fitting
from aureum.domain.routing.settings import (
    EVERYONE,
    FALLBACKS,
    MODES,
    Routing,
    Rule,
    When,
    check,
    from_json,
    to_json,
)

ANA, BEN, CORA = (UUID(int=number) for number in (1, 2, 3))
AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
LEAD = UUID(int=99)
HOUR = timedelta(hours=1)


def agent(user_id: UUID, *specialties: str, **fields: Any) -> Agent:
    about = {"number": user_id.int % 1000, "name": f"Agent {user_id.int}", "role": "agent"}
    return Agent(user_id=user_id, specialties=specialties, **{**about, **fields})


TEAM = (agent(ANA, "downtown", "river condo"), agent(BEN, "Yard", "school"), agent(CORA))


def decided(
    routing: Routing = Routing(),  # noqa: B008  # frozen
    enquiry: Enquiry = Enquiry(),  # noqa: B008  # frozen
    team: tuple[Agent, ...] = TEAM,
    full: frozenset[UUID] = frozenset(),
    lead: UUID = LEAD,
    at: datetime = AT,
    ranking: Ranking = Ranking("nothing_said"),  # noqa: B008  # frozen
) -> Decision:
    return decide(routing, candidates(team, at, full), enquiry, ranking, lead)


def reason(decision: Decision, routing: Routing = Routing()) -> str:  # noqa: B008  # frozen
    rule = None if decision.rule is None else routing.rules[decision.rule].when
    return reasons.reason(reasons.kept(decision, rule))


# Who can take a lead.


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"takes_leads": False}, "takes_no_leads"),
        ({"away_from": AT}, "away"),
        ({"away_from": AT + HOUR}, None),
        ({"away_to": AT + HOUR}, "away"),
        ({"away_to": AT}, None),
        ({"away_from": AT - HOUR, "away_to": AT + HOUR}, "away"),
        ({"away_from": AT - HOUR, "away_to": AT}, None),
        ({"daily_cap": 0}, "daily_cap"),
        ({"daily_cap": 1}, None),
    ],
)
def test_who_is_out_and_why(fields: dict[str, Any], why: str | None) -> None:
    found = candidates([agent(ANA, **fields)], AT)
    assert [one.user_id for one in found.pool] == ([] if why else [ANA])
    assert found.out == (((ANA, why),) if why else ())


def test_whose_day_is_full_is_out() -> None:
    found = candidates(TEAM, AT, frozenset((BEN,)))
    assert [one.user_id for one in found.pool] == [ANA, CORA] and found.out == ((BEN, "daily_cap"),)


def test_an_agent_who_never_takes_leads_is_left_out() -> None:
    assert candidates([agent(ANA, role="broker", takes_leads=False)], AT).out == ()
    assert [one.user_id for one in candidates([agent(ANA, role="broker")], AT).pool] == [ANA]


# Modes.


def test_primary_only() -> None:
    primary = replace(TEAM[1], primary=True)
    team = (TEAM[0], primary, TEAM[2])
    routing = Routing(mode="primary_only", fallback="pond")
    assert decided(routing, team=team).choices == (BEN,)
    away = (TEAM[0], replace(primary, away_from=AT), TEAM[2])
    gone = decided(routing, team=away)
    assert (gone.choices, gone.why, gone.fallback) == ((), "pond", "pond")
    assert reason(gone).startswith("The primary agent cannot take leads now, and the fallback found no agent either.")
    assert decided(replace(routing, fallback="round_robin"), team=away).choices == (ANA, CORA)


def test_round_robin_leaves_it_to_the_turn() -> None:
    decision = decided(Routing(mode="round_robin"))
    assert (decision.choices, decision.why, decision.fewest) == ((ANA, BEN, CORA), "turn", False)
    assert reason(decision) == ("Round robin: of 3 agents, none has waited longer for a lead.")


def test_random_draws_evenly_and_always_alike() -> None:
    routing = Routing(mode="random")
    drawn = [decided(routing, lead=ids.new_id()).choices for _ in range(3_000)]
    counts = Counter(choice for (choice,) in drawn)
    # Six standard deviations around a third.
    assert set(counts) == {ANA, BEN, CORA} and all(845 < count < 1155 for count in counts.values())
    assert decided(routing) == decided(routing)


SCORES = ((BEN, 2.5), (ANA, 1.0), (CORA, -0.5))
TIE = Ranking("near_tie", ((ANA, 2.0), (BEN, 1.9), (CORA, 0.1)), (ANA, BEN), 0.1)


@pytest.mark.parametrize(
    ("how", "missing", "why"),
    [
        ("literal", None, "The enquiry names a specialty of this agent."),
        ("meaning", None, "The enquiry's meaning is nearest to this agent's profile."),
        ("letters", None, "The enquiry's words are most like this agent's profile."),
        (
            "letters",
            "late",
            "The enquiry's words are most like this agent's profile. "
            "The comparison by meaning took too long and was not waited for.",
        ),
    ],
)
def test_who_suits_best_gets_it_in_semantic_mode(how: Any, missing: str | None, why: str) -> None:
    ranking = Ranking(how, SCORES, margin=1.5, because=(Met("a yard", "Yard"),), missing=missing)
    decision = decided(ranking=ranking)
    assert (decision.choices, decision.why) == ((BEN,), "best")
    assert reason(decision) == why
    assert reasons.because(decision) == [["a yard", "Yard"]]
    assert reasons.kept(decision, None)["pool"] == [[str(user_id), score] for user_id, score in SCORES]


def test_nothing_said_goes_to_the_fallback() -> None:
    decision = decided(enquiry=Enquiry(message="condo"))
    assert (decision.choices, decision.why, decision.fallback) == ((ANA, BEN, CORA), "turn", "round_robin")
    assert reasons.because(decision) is None
    assert reason(decision).startswith("The enquiry says nothing that a profile answers, so the fallback gave it to")


@pytest.mark.parametrize("least_busy", [True, False])
def test_near_ties_go_to_the_least_busy_or_in_turn(least_busy: bool) -> None:
    decision = decided(Routing(least_busy=least_busy), ranking=TIE)
    assert (decision.choices, decision.why, decision.fewest) == ((ANA, BEN), "near_tie", least_busy)
    assert ("fewer leads today" in reason(decision)) is least_busy


def test_the_semantic_filter_narrows_any_mode() -> None:
    decision = decided(Routing(mode="round_robin", semantic_filter=True), ranking=TIE)
    assert decision.choices == (ANA, BEN) and decision.out == ((CORA, "suits_less"),)
    # Where nothing was said, no agent suits less.
    assert decided(Routing(mode="round_robin", semantic_filter=True), Enquiry()).choices == (ANA, BEN, CORA)


def test_who_speaks_another_language_is_out() -> None:
    found = candidates(TEAM, AT)
    ranking = Ranking("only", ((CORA, None),), language="es", other_language=(ANA, BEN))
    decision = decide(Routing(), found, Enquiry(), ranking, LEAD)
    assert decision.choices == (CORA,) and {why for _, why in decision.out} == {"other_language"}


@pytest.mark.parametrize("how", ["late", "broken", "nothing_said"])
def test_a_ranking_that_fails_leaves_it_to_the_fallback(how: Any) -> None:
    decision = decide(Routing(), candidates(TEAM, AT), Enquiry(), Ranking(how), LEAD)
    assert (decision.choices, decision.fallback) == ((ANA, BEN, CORA), "round_robin")
    assert reasons.UNDECIDED[how] in reason(decision)


# Fallbacks.


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fallback", FALLBACKS)
def test_an_empty_brokerage_has_the_pond(mode: str, fallback: str) -> None:
    decision = decided(Routing(mode=mode, fallback=fallback), team=())
    assert (decision.choices, decision.why) == ((), "pond")
    assert reason(decision) == (
        "No agent can take leads now, and the fallback found no agent either. "
        "The lead waits in the pond, from which agents claim it."
    )


def test_the_primary_agent_is_the_fallback_beyond_the_cap() -> None:
    primary = replace(TEAM[0], primary=True, daily_cap=1)
    decision = decided(Routing(mode="round_robin", fallback="primary"), team=(primary,), full=frozenset((ANA,)))
    assert (decision.choices, decision.capped, decision.fallback) == ((ANA,), False, "primary")
    assert (
        decided(Routing(mode="round_robin", fallback="primary"), team=(replace(primary, away_from=AT),)).choices == ()
    )


# Rules.


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        (When(subject_has=("what is it worth", "sell")), True),
        (When(subject_has=("worth it",)), False),
        (When(subject_has=("is",)), True),
        (When(subject_has=("i",)), False),
        (When(page_has=("/SELLERS",)), True),
        (When(page_has=("buyers",)), False),
        (When(source=("Google",)), True),
        (When(source=("zillow",)), False),
        (When(area=("garden city",)), True),
        (When(area=("boise",)), True),
        (When(area=("nampa",)), False),
        (When(listing_id=("42", "202412345")), True),
        (When(listing_id=("2024",)), False),
        (When(price_from="450000"), True),
        (When(price_from="450000.01"), False),
        (When(price_to="450000"), True),
        (When(price_to="9"), False),
        (When(area=("boise",), price_from="1"), True),
        (When(area=("boise",), price_from="500000"), False),
    ],
)
def test_what_fits_a_rule(when: When, fits: bool) -> None:
    enquiry = Enquiry(
        subject="What is IT worth?",
        message="A house in Garden City",
        page="https://www.example.com/sellers/value",
        sources=("website", "google"),
        listing=Listing("Loft", "CONDO", "Boise", "450000", "202412345"),
    )
    rules = (Rule(when, agent=ANA), Rule(group=EVERYONE))
    assert next(fitting(rules, enquiry)) == (0 if fits else 1)


def test_without_a_listing_no_price_fits() -> None:
    assert next(fitting((Rule(When(price_to="9"), agent=ANA), Rule(agent=BEN)), Enquiry())) == 1


def test_a_rule_leads_to_an_agent_or_a_group() -> None:
    rules = (
        Rule(When(subject_has=("sell",)), agent=BEN),
        Rule(When(subject_has=("rent",)), group="rentals"),
        Rule(When(subject_has=("claim",)), group="rentals", claim_minutes=15),
        Rule(group=EVERYONE),
    )
    routing = Routing(mode="subject_based", rules=rules, groups={"rentals": (BEN, CORA)}, fallback="pond")
    to_ben = decided(routing, Enquiry(subject="Sell"))
    assert (to_ben.choices, to_ben.rule) == ((BEN,), 0)
    assert reason(to_ben, routing) == "Rule 1 (the subject has “sell”) leads to this agent."
    to_group = decided(routing, Enquiry(subject="rent"))
    assert to_group.choices == (BEN, CORA) and "leads to the group rentals; of 2 agents" in reason(to_group, routing)
    offered = decided(routing, Enquiry(subject="claim"))
    assert (offered.choices, offered.why, offered.claim_minutes) == ((), "offered", 15)
    assert decided(routing, Enquiry(subject="else")).choices == (ANA, BEN, CORA)
    nobody = decided(routing, Enquiry(subject="Sell"), full=frozenset((BEN,)))
    assert (nobody.choices, nobody.why) == ((), "pond")
    assert "where no agent can take leads now" in reason(nobody, routing)


# Settings.


def routings() -> st.SearchStrategy[Routing]:
    words = st.lists(st.text(min_size=1, max_size=8), max_size=2).map(tuple)
    whens = st.builds(
        When, subject_has=words, page_has=words, source=words, area=words, listing_id=words,
        price_from=st.none() | st.just("1"), price_to=st.none() | st.just("2.5"),
    )  # fmt: skip
    goals = st.sampled_from([{"agent": ANA}, {"group": "north"}, {"group": EVERYONE}])
    minutes = st.none() | st.integers(1, 30)
    rules = st.lists(st.builds(lambda w, g, m: Rule(w, claim_minutes=m, **g), whens.filter(bool), goals, minutes))
    last = st.builds(lambda g: Rule(**g), goals)
    return st.builds(
        Routing,
        mode=st.sampled_from(MODES),
        fallback=st.sampled_from(FALLBACKS),
        semantic_filter=st.booleans(),
        least_busy=st.booleans(),
        rules=st.builds(lambda some, one: (*some, one), rules, last),
        groups=st.just({"north": (BEN, CORA)}),
    )


@settings(deadline=None)
@given(routings())
def test_settings_are_kept_as_they_are(routing: Routing) -> None:
    assert from_json(to_json(routing)) == routing
    try:
        kept = check(routing)
    except Invalid:
        # Words of blanks alone are none, and a rule without conditions stands last.
        return
    assert check(kept) == kept and from_json(to_json(kept)) == kept


def test_settings_of_before_there_were_masked_words_have_none() -> None:
    kept = {name: value for name, value in to_json(Routing(mode="random")).items() if name != "masked_words"}
    assert from_json(kept) == Routing(mode="random")
    masked = check(Routing(masked_words=(" Bronco ", "Bronco", "", "St.\nLuke's")))
    assert from_json(to_json(masked)).masked_words == masked.masked_words == ("Bronco", "St. Luke's")


# What holds whatever is decided.

MOMENTS = st.none() | st.sampled_from([AT - HOUR, AT, AT + HOUR])
AGENTS = st.lists(
    st.builds(
        Agent,
        user_id=st.sampled_from([UUID(int=number) for number in range(1, 8)]),
        number=st.just(1),
        name=st.just("Ana"),
        role=st.sampled_from(["agent", "broker"]),
        takes_leads=st.booleans(),
        primary=st.booleans(),
        daily_cap=st.none() | st.integers(0, 3),
        away_from=MOMENTS,
        away_to=MOMENTS,
        specialties=st.lists(st.sampled_from(["yard", "loft", "land"]), max_size=2).map(tuple),
    ),
    unique_by=lambda one: one.user_id,
).map(tuple)
TEXTS = st.sampled_from(["", "yard", "a loft or land", "hello"])


@settings(deadline=None)  # what is drawn is large, and machines are busy
@given(routings(), AGENTS, TEXTS, st.frozensets(st.sampled_from([UUID(int=1), UUID(int=2)])), st.uuids())
def test_only_who_can_take_a_lead_may_get_it(
    routing: Routing, team: tuple[Agent, ...], text: str, full: frozenset[UUID], lead: UUID
) -> None:
    enquiry = Enquiry(subject=text)
    decision = decided(routing, enquiry, team, full, lead)
    by_id = {one.user_id: one for one in team}
    for choice in decision.choices:
        chosen = by_id[choice]
        assert not chosen.away(AT)
        if decision.capped:
            assert chosen.takes_leads and choice not in full and chosen.daily_cap != 0
        else:
            assert chosen.primary and decision.fallback == "primary"
    eligible = {one.user_id for one in candidates(team, AT, full).pool}
    out = {user_id for user_id, _ in decision.out}
    assert set(decision.pool) | out >= eligible and not set(decision.pool) & out
    # With an eligible agent, no lead waits in the pond but where the settings say so.
    if eligible and routing.fallback == "round_robin" and decision.why != "offered":
        assert decision.choices
    # However the team is listed, the decision is the same.
    assert decision == decided(routing, enquiry, tuple(reversed(team)), full, lead)
    said = reason(decision, routing)
    assert said[0].isupper() and said.endswith(".") and "None" not in said


def test_what_is_kept_is_bounded() -> None:
    team = tuple(agent(UUID(int=number)) for number in range(1, 201))
    kept = reasons.kept(decided(Routing(mode="round_robin"), team=team), None)
    assert len(kept["pool"]) == reasons.MOST_SHOWN and kept["pool_size"] == 200


def test_each_reason_to_be_out_has_words() -> None:
    assert set(reasons.OUT) == set(get_args(Out))


def test_a_clause_is_shown_only_where_it_decided() -> None:
    met = (Met("a place for my horses", "farms"),)
    clear = Ranking("meaning", ((ANA, 2.0), (BEN, 0.1)), margin=1.9, because=met, model="use")
    found = candidates(TEAM, AT)
    assert reasons.because(decide(Routing(), found, Enquiry(), clear, LEAD)) == [["a place for my horses", "farms"]]
    near = replace(clear, how="near_tie", near=(ANA, BEN))
    assert reasons.because(decide(Routing(), found, Enquiry(), near, LEAD)) is None


def test_what_a_decision_needs() -> None:
    assert [mode for mode in MODES if needs_ranking(Routing(mode=mode))] == ["semantic"]
    assert needs_ranking(Routing(mode="random", semantic_filter=True))
    assert not needs_listing(Routing(mode="subject_based")) and not needs_listing(Routing(mode="round_robin"))
    assert needs_listing(Routing()) and needs_listing(Routing(mode="random", semantic_filter=True))
    assert needs_listing(
        Routing(mode="subject_based", rules=(Rule(When(price_to="1"), agent=ANA), Rule(group=EVERYONE)))
    )


def test_the_parts_of_a_page() -> None:
    assert page_parts("https://www.example.com/property/202412345?x=1#top") == (
        "property",
        "202412345",
        "x",
        "1",
        "top",
    )
    assert page_parts("") == ()


@pytest.mark.parametrize(
    ("ranking", "said"),
    [
        (
            Ranking("meaning", ((BEN, 3.0), (CORA, 1.0)), language="es", other_language=(ANA,)),
            "The enquiry's meaning is nearest to this agent's profile. Only agents who speak Spanish were considered.",
        ),
        (
            Ranking("only", ((BEN, None),), language="es", other_language=(ANA, CORA)),
            "Of the agents who can take leads now, only this one speaks Spanish.",
        ),
        (
            Ranking("nothing_said", ((BEN, 0.1), (CORA, 0.0)), language="ko", other_language=(ANA,)),
            "The enquiry says nothing that a profile answers, so the fallback gave it to the next agent in turn: of 2 "
            "agents, none has waited longer for a lead. Only agents who speak Korean were considered.",
        ),
        (
            Ranking("near_tie", ((BEN, 0.1), (CORA, 0.0)), (BEN, CORA), language="xx", other_language=(ANA,)),
            "Of 2 agents whom the enquiry suits about equally well, none has had fewer leads today. Only agents who "
            "speak the enquiry's language were considered.",
        ),
    ],
)
def test_a_reason_names_the_language_that_narrowed_the_pool(ranking: Ranking, said: str) -> None:
    assert reason(decided(ranking=ranking)) == said


def test_no_language_is_named_where_it_did_not_count() -> None:
    """The primary agent has leads in any language, and the pond is everyone's."""
    ranking = Ranking("nothing_said", ((BEN, 0.1),), language="es", other_language=(ANA, CORA))
    for fallback in ("primary", "pond"):
        team = (replace(TEAM[0], primary=True), *TEAM[1:])
        found = reason(decided(Routing(fallback=fallback), ranking=ranking, team=team))
        assert "Spanish" not in found and found.startswith("The enquiry says nothing that a profile answers")


@pytest.mark.parametrize(
    ("ranking", "said"),
    [
        (TIE, "The semantic filter left only agents whom the enquiry suits best."),
        (
            replace(TIE, missing="late"),
            "The semantic filter left only agents whom the enquiry suits best. The comparison by meaning took too long "
            "and was not waited for.",
        ),
        (Ranking("late"), "The comparison by meaning took too long, so the semantic filter left out no agent."),
        (Ranking("broken"), "The comparison by meaning was not available, so the semantic filter left out no agent."),
        (
            Ranking("nothing_said"),
            "The enquiry says nothing that a profile answers, so the semantic filter left out no agent.",
        ),
    ],
)
def test_a_reason_says_what_the_semantic_filter_did(ranking: Ranking, said: str) -> None:
    routing = Routing(mode="round_robin", semantic_filter=True)
    found = reason(decided(routing, ranking=ranking))
    assert found.startswith("Round robin: ") and found.endswith(f". {said}")
    assert "semantic filter" not in reason(decided(replace(routing, semantic_filter=False), ranking=ranking))


def test_a_reason_says_nothing_of_a_filter_that_filtered_nothing() -> None:
    only = decided(Routing(mode="round_robin", semantic_filter=True), ranking=Ranking("only"), team=TEAM[:1])
    team = (*TEAM[:2], replace(TEAM[2], primary=True), *TEAM[3:])
    routing = Routing(mode="primary_only", semantic_filter=True, fallback="primary")
    primary = decided(routing, ranking=TIE, team=team)
    assert (primary.why, primary.fallback) == ("primary", "primary")
    assert "semantic filter" not in reason(only) and "semantic filter" not in reason(primary)
